"""One admin counts as one person (review, D4), despite an own provider or a second account."""

import pytest
from sqlalchemy import select

from governance.assurance.evidence import deletion, deletion_queries
from governance.assurance.evidence import queries as shelf_of
from governance.assurance.evidence.models import EvidenceDeletion
from governance.foundation.approvals.queries import open_approval
from governance.foundation.people.models import Connection
from governance.kernel.data.db import session
from tests import make
from tests.assurance.evidence import evidence_helpers
from tests.browser import Visitor
from tests.foundation.approvals.approval_helpers import fingerprint_on_page
from tests.foundation.identity_providers.sign_in_change_helpers import (
    decide_change,
    fingerprint_of_change,
    finish_test_sign_in,
    live_connection,
    propose_change,
    sign_in_for_test,
    start_test_sign_in,
)
from tests.foundation.people.conftest import Arrival, no_session_starts
from tests.foundation.people.hostile_idp import HostileIdP, change_claims

SECOND = "second.account@acme.example"


@pytest.fixture
def evil(idp):
    """Yield a provider that the admin runs, which asserts whatever they like."""
    with HostileIdP.serving("acme") as running:
        change_claims(
            sub="somebody-else",
            email=SECOND,
            name="Somebody Else",
            email_verified=True,
            groups=["governance-admins"],
        )(running)
        yield running


@pytest.fixture
def deletion_request(database) -> str:
    """Request a deletion as the admin. Return the address of the decision."""
    version = evidence_helpers.upload_version(evidence_helpers.create_evidence())
    with make.acting("admin"):
        asked = deletion.request_deletion(
            *shelf_of.find_version(version), reason="It shows what I did"
        )
        return f"approvals/{open_approval(deletion_queries.DELETION, asked.id).id}"


def deletion_state() -> str:
    with make.acting("admin", read_only=True):
        return str(session().scalars(select(EvidenceDeletion.state)).one())


def test_an_admin_with_a_provider_of_their_own_stays_one_person(
    app, as_admin, idp, evil, deletion_request
):
    """Reject each step of the review's attack, and keep the file."""
    change = propose_change(as_admin, evil)
    assert live_connection().issuer == idp.issuer, "one person changed who can sign in"
    sign_in_for_test(
        as_admin, change, "admin@acme.example"
    )  # The provider asserts whatever they like, so the test passes.
    decide_change(as_admin, change, then=403, seen=fingerprint_of_change(as_admin, change))
    assert live_connection().issuer == idp.issuer
    accomplice = Visitor(app)
    with no_session_starts():
        assert Arrival(accomplice, SECOND).asked.startswith(idp.issuer), (
            "everybody is sent to the live provider"
        )
        as_admin.get(
            finish_test_sign_in(start_test_sign_in(as_admin, change), "admin@acme.example"),
            then=303,
        )
        accomplice.get(deletion_request, then=None)
    as_admin.post(deletion_request, then=403, verb="approve", seen="x")
    assert deletion_state() == "requested"


def test_an_account_that_the_admin_brought_in_approves_nothing_that_they_requested_before(
    app, as_admin, idp, deletion_request, arrive
):
    """Reject a second account at the company's own provider, by an invitation or by groups."""
    change_claims(sub="invited", email=SECOND, email_verified=True, groups=[])(idp)
    as_admin.post("settings/members/invite", email=SECOND, role="admin")
    invited = arrive("viewer@acme.example")
    change_claims(sub="mapped", email="third@acme.example", groups=["governance-admins"])(idp)
    mapped = arrive("contributor@acme.example")
    for account in (invited, mapped):
        refused = account.post(deletion_request, then=403, verb="approve", seen="x")
        assert "You joined after this request was made" in refused.text
    assert deletion_state() == "requested"


def test_nor_does_it_approve_the_connection_that_it_would_come_in_by(
    app, as_admin, idp, evil, arrive
):
    change = propose_change(as_admin, evil)
    sign_in_for_test(as_admin, change, "admin@acme.example")
    change_claims(sub="invited", email=SECOND, email_verified=True, groups=[])(idp)
    as_admin.post("settings/members/invite", email=SECOND, role="admin")
    account = arrive("viewer@acme.example")
    assert (
        fingerprint_of_change(account, change) == ""
        and "You joined after this request was made" in account.get(change).text
    )
    decide_change(account, change, then=403)
    assert live_connection().issuer == idp.issuer


def test_with_a_colleague_who_was_there_before_all_of_it_goes_on(
    app, as_admin, as_reviewer, idp, deletion_request
):
    assert ">Review<" in as_reviewer.get("evidence/inbox").text
    as_reviewer.post(
        deletion_request, verb="approve", seen=fingerprint_on_page(as_reviewer, deletion_request)
    )
    assert deletion_state() == "approved"


def test_only_one_connection_is_live_whatever_was_proposed(app, as_admin, evil):
    for client in ("a", "b", "c"):
        propose_change(as_admin, evil, client_id=client)
    with make.acting("admin", read_only=True):
        states = sorted(session().scalars(select(Connection.state)))
    assert states == ["discarded", "discarded", "live", "proposed"]
