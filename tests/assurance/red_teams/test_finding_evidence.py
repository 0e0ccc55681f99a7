"""Evidence versions that show a finding: who links them, which ones, and who sees them."""

import re
from datetime import timedelta

import pytest

from governance.assurance.evidence import version_actions, withdrawing
from governance.assurance.evidence.queries import find_evidence, find_version
from governance.assurance.red_teams import evidence_actions, evidence_queries, queries
from governance.foundation.audit import queries as audit
from governance.kernel import clock, current
from governance.kernel.data.db import transaction
from tests import make
from tests.assurance.engagements import engagement_helpers
from tests.assurance.evidence.evidence_helpers import (
    create_evidence,
    upload_version,
    version_dates,
)
from tests.assurance.red_teams.red_team_helpers import (
    NOW,
    attempted,
    fixed_finding,
    join_as_auditor,
    planned,
    reported,
    runs,
    step,
)
from tests.operations.evaluations.evaluation_helpers import published_suite, system


@pytest.fixture(autouse=True)
def _system(app, isolated):
    with clock.frozen(NOW - timedelta(days=30)), make.acting("admin"):
        published_suite()
        system()
    with clock.frozen(NOW):
        yield


def found():
    """Return the id of an open finding of a new red team."""
    red_team_id, scenario_id, _other = planned()
    return reported(red_team_id, attempted(red_team_id, scenario_id))


def uploaded(title="Recording of the attack", slug="acme"):
    """Return the id of a version of a new evidence item."""
    by = "contributor" if slug == "acme" else "compliance_officer"
    return upload_version(create_evidence(title, by, slug=slug), by=by, slug=slug)


def linked(finding_id):
    """Return (ref, version) of the evidence linked to the finding that the officer sees."""
    with make.acting("compliance_officer", read_only=True):
        rows = evidence_queries.linked([finding_id]).get(finding_id, [])
        return [(each.evidence.ref, each.version.number) for each in rows]


def actions_about(finding_id):
    with make.acting("compliance_officer", read_only=True):
        return sorted(each.action for each in audit.entries_about([finding_id]))


def test_a_version_is_linked_once_shown_and_removed_through_the_pages(as_contributor):
    finding_id, version_id = found(), uploaded()
    page = f"red-teams/findings/{finding_id}"
    assert f"{page}/evidence" in as_contributor.get(page).text
    form = as_contributor.get(f"{page}/evidence?find=recording").text
    assert str(version_id) in form and "version 1: Recording of the attack" in form
    nothing = as_contributor.get(f"{page}/evidence?find=nothing").text
    assert "No versions match your search." in nothing and str(version_id) not in nothing
    for _click in range(2):
        as_contributor.post(f"{page}/evidence", then=303, version_id=str(version_id))
    assert [number for _ref, number in linked(finding_id)] == [1]
    text = as_contributor.get(page).text
    assert "Recording of the attack" in text and "report.pdf" in text
    assert "linked evidence to a finding of a red team" in text
    remove = re.search(rf"{page}/evidence/[0-9a-f-]+/remove", text)[0]
    for _click in range(2):
        as_contributor.post(remove, then=303)
    assert linked(finding_id) == []
    assert actions_about(finding_id) == [
        "red_team.finding.evidence.linked",
        "red_team.finding.evidence.unlinked",
        "red_team.finding.reported",
    ]


def test_who_links_evidence_and_who_does_not(as_viewer, as_auditor, as_neighbour, as_officer):
    finding_id, version_id = found(), uploaded()
    page, sent = f"red-teams/findings/{finding_id}", {"version_id": str(version_id)}
    as_viewer.post(f"{page}/evidence", then=403, **sent)
    # Auditors read everything, but are no testers.
    assert "Link evidence" not in as_auditor.get(page).text
    as_auditor.get(f"{page}/evidence", then=403)
    as_auditor.post(f"{page}/evidence", then=403, **sent)
    as_neighbour.get(f"{page}/evidence", then=404)
    as_neighbour.post(f"{page}/evidence", then=404, **sent)
    assert linked(finding_id) == []
    as_officer.post(f"{page}/evidence", then=303, **sent)
    text = as_officer.get(page).text
    remove = re.search(rf"{page}/evidence/[0-9a-f-]+/remove", text)[0]
    as_auditor.post(remove, then=403)
    as_neighbour.post(remove, then=404)
    assert "Recording of the attack" in as_auditor.get(page).text
    other = f"red-teams/findings/{found()}"
    as_officer.post(remove.replace(page, other), then=404)
    assert len(linked(finding_id)) == 1


def test_the_version_of_another_tenant_cant_be_linked(as_officer):
    finding_id, theirs = found(), uploaded(slug="globex")
    page = f"red-teams/findings/{finding_id}/evidence"
    for version_id in (str(theirs), "3f0f9c9e-0000-4000-8000-000000000000", "x", ""):
        as_officer.post(page, then=422, version_id=version_id)
    assert str(theirs) not in as_officer.get(f"{page}?find=recording").text
    assert linked(finding_id) == []


def test_what_counts_no_more_cant_be_linked_and_is_marked_where_it_is(as_officer):
    finding_id, kept, rejected = found(), uploaded(), uploaded("Rejected log")
    page = f"red-teams/findings/{finding_id}"
    as_officer.post(f"{page}/evidence", then=303, version_id=str(kept))
    assert "Withdrawn, rejected or deleted" not in as_officer.get(page).text
    with make.acting("reviewer"):
        version_actions.reject(*find_version(rejected), reason="Another system.")
    with current.acting_as(make.system_actor("acme")), transaction():
        withdrawing.withdraw(find_version(kept)[0], reason="The file was empty.")
    assert "Withdrawn, rejected or deleted" in as_officer.get(page).text
    for version_id in (kept, rejected):
        text = as_officer.post(f"{page}/evidence", then=422, version_id=str(version_id)).text
        assert "This version can&#39;t be linked" in text or "This version can't be linked" in text


def test_the_evidence_of_a_finding_that_ended_stays_as_it_is(as_officer):
    finding_id, first, second = fixed_finding(), uploaded(), uploaded("Another recording")
    page = f"red-teams/findings/{finding_id}"
    as_officer.post(f"{page}/evidence", then=303, version_id=str(first))
    remove = re.search(rf"{page}/evidence/[0-9a-f-]+/remove", as_officer.get(page).text)[0]
    runs()
    step(finding_id, "close")
    as_officer.post(f"{page}/evidence", then=409, version_id=str(second))
    as_officer.post(remove, then=409)
    text = as_officer.get(page).text
    assert "Recording of the attack" in text and "Link evidence" not in text
    assert len(linked(finding_id)) == 1


def test_a_tester_of_a_third_party_sees_no_evidence_outside_of_their_engagement(as_auditor):
    own, scenario, _other = planned(kind="third_party", firm="Orca Labs")
    join_as_auditor(own)
    engagement_helpers.end_engagement(engagement_helpers.world_engagement())
    finding_id = reported(own, attempted(own, scenario, by="auditor"), by="auditor")
    version_id = uploaded("Internal recording")
    page = f"red-teams/findings/{finding_id}"
    with make.acting("compliance_officer"):
        evidence_actions.link(queries.finding(finding_id), version_id)
    text = as_auditor.get(page).text
    assert "Link evidence" in text and "Internal recording" not in text
    assert "Internal recording" not in as_auditor.get(f"{page}/evidence?find=internal").text
    as_auditor.post(f"{page}/evidence", then=422, version_id=str(version_id))
    other = f"red-teams/findings/{found()}/evidence"
    as_auditor.get(other, then=404)
    as_auditor.post(other, then=404, version_id=str(version_id))


def test_a_finding_has_so_many_versions_at_most(as_officer):
    finding_id, evidence_id = found(), create_evidence()
    page = f"red-teams/findings/{finding_id}/evidence"
    for number in range(evidence_actions.MAX_LINKS + 1):
        with make.acting("contributor"):
            version_id = version_actions.link_version(
                find_evidence(evidence_id), f"https://files.example/{number}", **version_dates()
            ).id
        if number < evidence_actions.MAX_LINKS:
            with make.acting("contributor"):
                evidence_actions.link(queries.finding(finding_id), version_id)
    text = as_officer.post(page, then=422, version_id=str(version_id)).text
    assert "20 evidence versions at most" in text
    assert "Shows the 20 newest versions." in as_officer.get(page).text
