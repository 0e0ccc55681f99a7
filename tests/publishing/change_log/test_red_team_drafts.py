"""Drafts of fixes for red-team findings that their regression case closed.

They name the class and the release, and nothing that helps an attacker.
"""

from datetime import timedelta

import pytest

from governance.assurance.red_teams import queries as red_teams
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.publishing.change_log import jobs
from tests import make
from tests.assurance.red_teams.red_team_helpers import (
    FIXED,
    NOW,
    attempted,
    fixed_finding,
    planned,
    reported,
    runs,
    step,
)
from tests.conftest import visitor
from tests.operations.evaluations.evaluation_helpers import published_suite, system
from tests.publishing.change_log.change_log_helpers import approve, changes, requested, started


@pytest.fixture(autouse=True)
def public(app, isolated):
    """Return the path of Acme's public page, for a system with a published suite."""
    with clock.frozen(NOW - timedelta(days=30)), make.acting("admin"):
        published_suite()
        system()
    with clock.frozen(NOW):
        yield started()


def drafted():
    """Run the job. Return all changes, which stay readable."""
    with current.acting_as(make.system_actor("acme")):
        jobs.draft_in_tenant()
    with make.acting("viewer", read_only=True):
        found = changes()
        session().expunge_all()
        return found


def test_a_closed_finding_is_drafted_once_without_what_the_red_team_tried():
    found = fixed_finding()
    assert drafted() == []  # A release is named, but nothing proves that it fixes anything.
    runs()
    step(found, "close")
    (change,) = drafted()
    assert len(drafted()) == 1
    assert (change.kind, change.cause, change.cause_id) == ("fix", "red_team_finding", found)
    assert change.title == f"claims-triage: security fix in release {FIXED}"
    assert change.body == (
        f"Release {FIXED} fixes a weakness of this class: LLM01:2026 Prompt Injection (OWASP, LLM"
        f" applications, 2026). A security test found it, and the same test passes on release"
        f" {FIXED}."
    )
    assert change.effect == f"You have the fix once you use release {FIXED}."


def test_no_page_of_a_published_fix_tells_how_to_break_anything(client, app, public):
    found = fixed_finding()
    runs()
    step(found, "close")
    (change,) = drafted()
    as_contributor, as_officer = visitor(app, "contributor"), visitor(app, "compliance_officer")
    as_viewer = visitor(app, "viewer")
    text = as_contributor.get(f"change-log/{change.id}").text
    assert f"red-teams/findings/{found}" in text
    assert f"red-teams/findings/{found}" not in as_viewer.get(f"change-log/{change.id}").text
    approve(as_officer, requested(as_contributor, change.id))
    with make.acting("admin", read_only=True):
        row = red_teams.finding(found)
        attempt, scenario = red_teams.attempt(row.red_team_id, row.attempt_id)
        secrets = (
            row.title,
            row.reproduction,
            row.vector,
            attempt.what,
            scenario.title,
            scenario.goal,
        )
    for address in (public, f"{public}/feed.atom"):
        text = client.get(address).text
        assert f"security fix in release {FIXED}" in text
        assert not [each for each in secrets if each in text]


def test_a_finding_that_was_rejected_is_no_fix():
    red_team_id, scenario_id, _other = planned()
    step(reported(red_team_id, attempted(red_team_id, scenario_id)), "reject")
    assert drafted() == []


def test_the_class_of_a_weakness_may_be_a_technique_of_mitre_atlas():
    red_team_id, _first, scenario_id = planned()
    found = fixed_finding(at=(red_team_id, scenario_id))
    runs()
    step(found, "close")
    (change,) = drafted()
    assert "AML.T0051.001 LLM Prompt Injection: Indirect (MITRE ATLAS 5.6.0)" in change.body


def test_a_neighbour_gets_no_draft_of_it(as_neighbour):
    started("globex")
    found = fixed_finding()
    runs()
    step(found, "close")
    assert len(drafted()) == 1
    with current.acting_as(make.system_actor("globex")):
        jobs.draft_in_tenant()
    assert "security fix" not in as_neighbour.get("change-log/").text
