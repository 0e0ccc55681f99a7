"""A change of the policy tier, with its effect on evaluations and on open incidents."""

from datetime import UTC, datetime

import pytest

from governance.assurance.playbooks import actions as playbooks
from governance.assurance.playbooks import queries as playbook_queries
from governance.assurance.playbooks import run_actions
from governance.assurance.playbooks.steps import PlaybookStep
from governance.foundation.approvals.queries import open_approval
from governance.kernel import clock
from governance.operations.policies import actions as policies
from governance.operations.policies import queries as policy_queries
from governance.operations.policies.effective_policies import Content
from governance.operations.policies.policy_diff import with_tier
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.assurance.incidents.incident_helpers import declare
from tests.browser import field_value
from tests.operations.evaluations.evaluation_helpers import judged, log_of, published_suite, system

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)
STEPS = (
    PlaybookStep("Find the affected decisions", "Filter by release."),
    PlaybookStep("Tighten the policy", kind="tighten", target="strict"),
)


@pytest.fixture(autouse=True)
def _run(app, isolated):
    with clock.frozen(NOW):
        with make.acting("admin"):
            published_suite()
            system()
        judged(log_of(1145, 55, stats={"completed_at": "2026-11-24T10:00:00+00:00"}))
        yield


def request() -> str:
    """Request the Baseline tier as the admin; return the address of the approval."""
    with make.acting("admin"):
        row = policies.request_approval(with_tier(Content(), "baseline"), seen="", reason="Slow.")
        return f"approvals/{open_approval(policy_queries.POLICY, row.id).id}"


def with_open_step() -> None:
    """Declare INC-1, with a playbook of two steps of which the first is done."""
    incident_id = declare(by="compliance_officer")
    with make.acting("compliance_officer"):
        book = playbooks.create(title="Ungrounded output", used_for="Sources miss.", steps=STEPS)
        version = playbook_queries.present_version(book)
        run = run_actions.start_run(version.id, incident_id=incident_id, incident_ref="INC-1")
        run_actions.do_step(playbook_queries.run(run.id, lock=True), 1, note="")


def approve(visitor, address: str, shown: str, then: int) -> str:
    seen = field_value(shown, "seen")
    return visitor.post(address, then=then, verb="approve", seen=seen, typed="", reason="").text


def tier() -> str:
    with make.acting("admin", read_only=True):
        return policy_queries.current_policy().content.tier


def test_the_preview_lists_limits_and_verdicts_that_move(as_admin, as_neighbour):
    page = main_text(as_admin.get("policies/?tier=baseline"))
    assert "Claims grounding, version 1: " in page and " limits move." in page
    assert "Hallucination ≤ 3.0% becomes ≤ 5.0%" in page
    assert "claims-triage: 1 verdict would read differently." in page
    assert (
        "Hallucination in run 1 of 2026.11.2 (Served, as stated) would be undecided, not fail"
        in page
    )
    assert "Runs keep the verdicts they were judged with." in page
    assert "would be undecided" not in main_text(as_admin.get("policies/"))
    neighbour = main_text(as_neighbour.get("policies/?tier=baseline"))
    assert "Hallucination" not in neighbour


def test_the_preview_of_a_tighter_tier_lists_them_too(as_admin):
    page = main_text(as_admin.get("policies/?tier=strict"))
    assert "Hallucination ≤ 3.0% becomes ≤ " in page


def test_a_tier_change_while_an_incident_is_open_names_it_with_its_open_steps(as_admin):
    with_open_step()
    page = main_text(as_admin.get("policies/?tier=baseline"))
    assert "INC-1 is open." in page
    assert "Open steps: “Tighten the policy”." in page
    assert "Find the affected decisions" not in page


def test_an_approval_shows_the_same_and_what_moves_later_is_seen_before_it_is_given(as_officer):
    address = request()
    shown = as_officer.get(address)
    assert "Hallucination ≤ 3.0% becomes ≤ 5.0%" in main_text(shown)
    with_open_step()
    refused = approve(as_officer, address, shown.text, 409)
    assert "INC-1 is open." in refused and tier() == "standard"
    approve(as_officer, address, as_officer.get(address).text, 303)
    assert tier() == "baseline"


def test_a_run_that_moves_a_verdict_makes_the_approver_look_again(as_officer):
    address = request()
    shown = as_officer.get(address).text
    judged(log_of(1140, 60, run="run-2", stats={"completed_at": "2026-11-25T08:00:00+00:00"}))
    refused = approve(as_officer, address, shown, 409)
    assert "in run 2 of 2026.11.2" in refused and tier() == "standard"
