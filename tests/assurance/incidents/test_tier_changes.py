"""A change of the policy tier names what it moves in evaluations, and the incidents that are open."""

from datetime import UTC, datetime

import pytest

from governance.foundation.approvals.kinds import fingerprint_seen
from governance.foundation.approvals.queries import open_approval
from governance.kernel import clock
from governance.operations.policies import actions as policies
from governance.operations.policies import queries as policy_queries
from governance.operations.policies.effective_policies import Content
from governance.operations.policies.policy_diff import with_tier
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.assurance.incidents.incident_helpers import declare
from tests.operations.evaluations.evaluation_helpers import judged, log_of, published_suite, system

NOW = datetime(2026, 11, 25, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _run(app, isolated):
    with clock.frozen(NOW):
        with make.acting("admin"):
            published_suite()
            system()
        judged(log_of(1145, 55, stats={"completed_at": "2026-11-24T10:00:00+00:00"}))
        yield


def request() -> object:
    with make.acting("admin"):
        row = policies.request_approval(with_tier(Content(), "baseline"), seen="", reason="Slow.")
        return open_approval(policy_queries.POLICY, row.id).id


def test_the_preview_lists_limits_and_verdicts_that_move_and_warns_of_open_incidents(as_admin):
    declare(by="compliance_officer")
    page = main_text(as_admin.get("policies/?tier=baseline"))
    assert "claims-triage: " in page and "limits of evaluations move" in page
    assert "Hallucination ≤ 3.0% becomes ≤ 5.0%" in page
    assert "Hallucination in run 1 of 2026.11.2 would be undecided, not fail" in page
    assert "INC-1 is open." in page
    assert "would be undecided" not in main_text(as_admin.get("policies/"))


def test_the_approval_shows_the_same_and_is_bound_to_it(as_officer):
    approval_id = request()
    page = main_text(as_officer.get(f"approvals/{approval_id}"))
    assert "Hallucination ≤ 3.0% becomes ≤ 5.0%" in page
    with make.acting("compliance_officer", read_only=True):
        before = fingerprint_seen(open_approval(policy_queries.POLICY, _open_id()))
    declare(by="compliance_officer")
    assert "INC-1 is open." in main_text(as_officer.get(f"approvals/{approval_id}"))
    with make.acting("compliance_officer", read_only=True):
        assert fingerprint_seen(open_approval(policy_queries.POLICY, _open_id())) != before


def _open_id():
    return policy_queries.draft().id
