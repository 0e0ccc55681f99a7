"""A law of every feature: an open request to loosen, delete or restart blocks nothing that only tightens, and needs no second person."""

import pytest

from governance.foundation.approvals import queries
from governance.foundation.people import queries as people
from tests import make
from tests.assurance.evidence import shelf
from tests.foundation.approvals.deciding import decide, newest, page_of
from tests.foundation.privacy.conftest import ask as request_erasure
from tests.foundation.privacy.conftest import member
from tests.operations.policies.conftest import WHY, confirm, content, in_force, register, standing
from tests.operations.switches import scene


def is_open() -> bool:
    with make.acting("admin", read_only=True):
        return queries.is_open(queries.approval(newest()))


def test_a_policy_is_tightened_while_a_looser_one_awaits_approval(database, as_admin):
    register()
    in_force(content("strict"))
    confirm(as_admin, "policies/?tier=standard", "ask", because=WHY)
    confirm(as_admin, "policies/?tier=regulated&on=force", "apply", because=WHY)
    assert (standing().number, standing().tier.key) == (2, "regulated")


def test_a_system_is_stopped_while_a_restart_awaits_approval(database, as_admin, as_contributor):
    scene.system()
    stopped = scene.stopped()
    with make.acting("admin", read_only=True):
        summarise = scene.feature("summarise")[1].id
    as_admin.post(f"switches/stops/{stopped}/restart", verb="request", because="Fixed in release 12.", seen=scene.seen(stopped))
    as_contributor.post("systems/claims-triage/stop", what=str(summarise), because=scene.REASON, generate="y", serve="y")
    assert len(scene.active_stops()) == 2


def test_a_hold_is_placed_on_evidence_while_its_deletion_awaits_approval(database, as_officer, as_reviewer):
    evidence = shelf.piece()
    version = shelf.version(evidence)
    as_officer.post(f"evidence/versions/{version}/destruction", because="It names a customer who objected.")
    as_reviewer.post(f"evidence/{evidence}/hold", because="Ordered by a court.")
    assert "legal hold" in as_reviewer.get(page_of()).text and is_open()
    decide(as_reviewer, page_of(), 409, verb="approve")


def test_a_hold_is_placed_on_a_person_while_their_erasure_awaits_approval(database, as_officer, as_admin):
    whom = member("viewer")
    path = request_erasure(as_officer, whom)
    as_admin.post("privacy/holds/new", member=str(whom.id), because="Case 4711")
    assert "legal hold" in as_admin.get(path).text


@pytest.mark.parametrize("whose", ["the requester", "the person it is about"])
def test_access_is_revoked_while_a_request_is_open(whose, database, as_officer, as_admin):
    request_erasure(as_officer, member("viewer"))
    part = "compliance_officer" if whose == "the requester" else "viewer"
    as_admin.post(f"settings/members/{member(part).id}/remove")
    with make.acting("admin", read_only=True):
        assert people.membership_of(make.person_id(part)) is None
    assert is_open()
