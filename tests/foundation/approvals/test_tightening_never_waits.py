"""Tightening actions of every feature: no open request blocks them, and they need no approver.

The open request may loosen, delete or restart.
"""

import pytest

from governance.foundation.approvals import queries
from governance.foundation.people import queries as people
from tests import make
from tests.assurance.evidence import evidence_helpers
from tests.foundation.approvals.approval_helpers import (
    decide_approval,
    newest_approval_id,
    newest_approval_page,
)
from tests.foundation.privacy.conftest import membership_id_of, request_erasure
from tests.operations.policies.conftest import (
    REASON,
    confirm_change,
    effective_policy,
    policy_content,
    put_in_force,
    register_systems,
)
from tests.operations.switches import switch_helpers


def is_open() -> bool:
    with make.acting("admin", read_only=True):
        return queries.is_open(queries.approval(newest_approval_id()))


def test_a_policy_is_tightened_while_a_looser_one_awaits_approval(database, as_admin):
    register_systems()
    put_in_force(policy_content("strict"))
    confirm_change(as_admin, "policies/?tier=standard", "ask", reason=REASON)
    confirm_change(as_admin, "policies/?tier=regulated&on=force", "apply", reason=REASON)
    assert (effective_policy().number, effective_policy().tier.key) == (2, "regulated")


def test_a_system_is_stopped_while_a_restart_awaits_approval(database, as_admin, as_contributor):
    switch_helpers.register_system()
    stopped = switch_helpers.stop_feature()
    with make.acting("admin", read_only=True):
        summarise = switch_helpers.find_feature("summarise")[1].id
    as_admin.post(
        f"switches/stops/{stopped}/restart",
        verb="request",
        reason="Fixed in release 12.",
        seen=switch_helpers.stop_fingerprint(stopped),
    )
    as_contributor.post(
        "systems/claims-triage/stop",
        what=str(summarise),
        reason=switch_helpers.REASON,
        generate="y",
        serve="y",
    )
    assert len(switch_helpers.active_stops()) == 2


def test_a_hold_is_placed_on_evidence_while_its_deletion_awaits_approval(
    database, as_officer, as_reviewer
):
    evidence = evidence_helpers.create_evidence()
    version = evidence_helpers.upload_version(evidence)
    as_officer.post(
        f"evidence/versions/{version}/deletion", reason="It names a customer who objected."
    )
    as_reviewer.post(f"evidence/{evidence}/hold", reason="Ordered by a court.")
    assert "legal hold" in as_reviewer.get(newest_approval_page()).text and is_open()
    decide_approval(as_reviewer, newest_approval_page(), 409, verb="approve")


def test_a_hold_is_placed_on_a_person_while_their_erasure_awaits_approval(
    database, as_officer, as_admin
):
    whom = membership_id_of("viewer")
    path = request_erasure(as_officer, whom)
    as_admin.post("privacy/holds/new", member=str(whom.id), reason="Case 4711")
    assert "legal hold" in as_admin.get(path).text


@pytest.mark.parametrize("whose", ["the requester", "the person it is about"])
def test_access_is_revoked_while_a_request_is_open(whose, database, as_officer, as_admin):
    request_erasure(as_officer, membership_id_of("viewer"))
    part = "compliance_officer" if whose == "the requester" else "viewer"
    as_admin.post(f"settings/members/{membership_id_of(part).id}/remove")
    with make.acting("admin", read_only=True):
        assert people.membership_of(make.person_id(part)) is None
    assert is_open()
