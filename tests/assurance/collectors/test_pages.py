"""Pages of collectors: readers of evidence see them; a manual run needs a permission."""

from datetime import timedelta

import pytest

from governance.foundation.people.jobs import actor_of
from governance.foundation.populations.periods import previous_period
from governance.kernel import clock
from governance.kernel.work import jobs
from tests import make
from tests.assurance.collectors.collector_helpers import last_run, run_due_collectors


@pytest.fixture
def next_month(database):
    at = clock.now().replace(day=1, hour=6) + timedelta(days=32)
    with clock.frozen(at.replace(day=1)):
        yield previous_period("monthly", clock.today())


def visitor_next_month(visitor):
    """Return a visitor who is signed in on that day, too."""
    from tests.browser import Visitor

    return Visitor(visitor.client.application, make.cookie("compliance_officer"), "acme")


def test_before_the_first_run_the_list_says_when_each_runs(as_viewer):
    text = as_viewer.get("evidence/collectors/").text
    assert (
        "No collector has run yet" in text and "Tenant isolation" in text and "Not run yet" in text
    )
    assert "No runs yet" in as_viewer.get("evidence/collectors/members").text
    assert as_viewer.get("evidence/collectors/no-such", then=404)


def test_the_list_tells_each_collectors_last_result(next_month, as_officer):
    run_due_collectors()
    officer = visitor_next_month(as_officer)
    officer.get("evidence/collectors/")
    text = officer.get("evidence/collectors/").text
    assert (
        "No backup was reported" in text
        and "6 members, 1 admin" in text
        and "need attention" in text
    )
    one = officer.get("evidence/collectors/members").text
    assert "EV-" in one and "FROM audit_entries" in one and "changes in period" in one


def test_a_collector_is_run_by_hand_and_reviewed_by_another_person(next_month, as_officer):
    officer = visitor_next_month(as_officer)
    officer.post("evidence/collectors/members/runs")
    officer.post("evidence/collectors/members/runs")
    assert "Queued" in officer.get("evidence/collectors/members").text
    assert jobs.drain(actor_of) == 1
    seen = last_run("members")
    assert (seen.state, seen.run.scheduled, seen.run.requested_by) == (
        "filed",
        False,
        make.person_id("compliance_officer"),
    )
    assert "Ines Duarte" in officer.get("evidence/collectors/members").text
    officer.post(
        f"evidence/versions/{seen.run.evidence_version_id}/review", then=403, decision="accepted"
    )
    content = officer.post(
        f"evidence/versions/{seen.run.evidence_version_id}/download", then=200
    ).data
    assert b"person " in content and b"SHA-256 of the table below" in content


def test_a_run_is_cancelled_before_it_begins_and_run_again(next_month, as_officer):
    officer = visitor_next_month(as_officer)
    officer.post("evidence/collectors/members/runs")
    run = last_run("members").run
    officer.post(f"evidence/collectors/runs/{run.id}/cancellation")
    assert (
        last_run("members").state == "cancelled"
        and "The run was cancelled" in officer.get("evidence/collectors/members").text
    )
    officer.post(f"evidence/collectors/runs/{run.id}/again")
    jobs.drain(actor_of)
    assert last_run("members").state == "filed"
    officer.post(f"evidence/collectors/runs/{run.id}/again", then=409)


@pytest.mark.parametrize("who", ["as_viewer", "as_auditor", "as_contributor"])
def test_who_only_reads_runs_nothing(database, request, who):
    visitor = request.getfixturevalue(who)
    assert "Run for" not in visitor.get("evidence/collectors/members").text
    visitor.post("evidence/collectors/members/runs", then=403)


def test_another_tenants_run_is_not_there(next_month, as_neighbour):
    from tests.browser import Visitor

    run_due_collectors()
    neighbour = Visitor(
        as_neighbour.client.application, make.cookie("compliance_officer", "globex"), "globex"
    )
    neighbour.post(f"evidence/collectors/runs/{last_run('members').run.id}/cancellation", then=404)
    assert "6 members" not in neighbour.get("evidence/collectors/").text
