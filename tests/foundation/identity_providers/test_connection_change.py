"""Changes of sign-in: one admin proposes and tests it by a real sign-in, another activates it."""

import re
from datetime import timedelta
from uuid import UUID

import pytest

from governance.foundation.approvals import jobs, kinds, queries
from governance.foundation.approvals.models import Approval
from governance.foundation.identity_providers.models import ConnectionChange
from governance.foundation.people import provider_metadata
from governance.foundation.people.models import Connection
from governance.foundation.privacy.events import PersonErased
from governance.kernel import clock
from governance.kernel.data.db import session, transaction
from governance.kernel.work.events import publish
from tests import make
from tests.browser import Visitor
from tests.foundation.approvals.approval_helpers import approvals_in_inbox
from tests.foundation.identity_providers.sign_in_change_helpers import (
    change_in_state,
    change_of,
    decide_change,
    fingerprint_of_change,
    finish_test_sign_in,
    live_connection,
    proposal_form,
    propose_change,
    requested_change,
    sign_in_for_test,
    start_test_sign_in,
)
from tests.foundation.people.conftest import (
    Arrival,
    entries_of_action,
    no_session_starts,
    sessions_of,
)
from tests.foundation.people.hostile_idp import change_claims

ADMIN, OFFICER = "admin@acme.example", "officer@acme.example"


# ---- from proposal to activation


def test_a_change_goes_live_once_it_is_tested_and_another_person_approved_it(
    app, as_admin, second, idp, new, arrive
):
    old = live_connection()
    change = propose_change(as_admin, new)
    assert live_connection().id == old.id
    page = sign_in_for_test(as_admin, change)
    assert (
        "The test sign-in passed." in page
        and "admin@acme.example would sign in as tenant admin" in page
    )
    arrive(OFFICER).get("settings/sessions")  # Until then everybody signs in as before.
    page = second.get(change).text
    assert (
        new.issuer in page
        and idp.issuer in page
        and "Sanjay Patel asks to change how people sign in" in page
    )
    decide_change(second, change, then=200)
    now = live_connection()
    assert (now.issuer, now.number) == (new.issuer, 2) and change_in_state(
        Connection, "retired"
    ).id == old.id
    coming = Arrival(Visitor(app), ADMIN)
    assert coming.asked.startswith(new.issuer) and "%2Fauth%2Fcallback%2Facme%2F2" in coming.asked
    coming.finish()
    done = [e.action for e in entries_of_action() if e.action.startswith("identity_provider.")]
    assert done == [
        "identity_provider.change.requested",
        "identity_provider.tested",
        "identity_provider.change.tested",
        "identity_provider.change.approved",
        "identity_provider.changed",
    ]
    assert entries_of_action("identity_provider.changed")[-1].changes["issuer"] == [
        idp.issuer,
        new.issuer,
    ]


def test_the_former_connection_keeps_no_secret_and_signs_nobody_in(app, as_admin, second, idp, new):
    late = Arrival(Visitor(app), OFFICER)
    change = propose_change(as_admin, new)
    sign_in_for_test(as_admin, change)
    decide_change(second, change)
    assert change_in_state(Connection, "retired").secret == b""
    with no_session_starts():
        assert "settings changed while you were signing in" in late.finish(then=403).text


def test_a_test_sign_in_starts_no_session_and_ends_none(as_admin, second, idp, new):
    change = propose_change(as_admin, new)
    before = {each.id for each in sessions_of()}
    sign_in_for_test(as_admin, change)
    assert {each.id for each in sessions_of()} == before
    as_admin.get("settings/sessions")


# ---- the test sign-in


def test_it_says_what_to_set_when_nobody_would_have_access(as_admin, new):
    change = propose_change(as_admin, new, group_roles="")
    page = sign_in_for_test(as_admin, change)
    assert (
        "The test sign-in failed." in page
        and "Map one of their groups (governance-admins) to admin, or invite admin@acme.example"
        in page
    )
    assert entries_of_action("identity_provider.change.tested")[-1].facts == {"passed": False}


def test_who_would_sign_in_as_less_than_an_admin_is_not_enough(as_admin, new):
    change = propose_change(as_admin, new, group_roles="governance-officers = compliance_officer")
    page = sign_in_for_test(as_admin, change, OFFICER)
    assert "would sign in as compliance officer, but the test needs an admin" in page
    sign_in_for_test(as_admin, propose_change(as_admin, new), ADMIN)
    assert requested_change().test["passed"]


def test_an_invitation_counts_when_the_provider_verifies_the_address(as_admin, new):
    as_admin.post("settings/members/invite", email="boss@acme.example", role="admin")
    change = propose_change(as_admin, new, group_roles="")
    change_claims(email="boss@acme.example", email_verified=False, groups=[])(new)
    assert "email_verified: true" in sign_in_for_test(as_admin, change)
    change_claims(email="boss@acme.example", email_verified=True, groups=[])(new)
    assert "The test sign-in passed." in sign_in_for_test(as_admin, change)
    assert not entries_of_action("invitation.accepted")


def test_an_existing_admin_of_the_same_issuer_counts(app, as_admin, idp, arrive):
    arrive(ADMIN)
    change = propose_change(as_admin, idp, group_roles="", secret=idp.client.secret)
    assert "The test sign-in passed." in sign_in_for_test(as_admin, change)


def test_a_provider_that_is_away_fails_the_test_with_its_reason(as_admin, second, new):
    change = propose_change(as_admin, new)
    provider_metadata.forget_metadata()
    new.attack("down")
    as_admin.post(f"{change_of(change)}/test-sign-in", then=303)
    assert "answered with status 503" in as_admin.get("settings/sign-in").text
    decide_change(second, change, then=422)


def test_a_wrong_secret_never_goes_live(as_admin, second, idp, new):
    """Never activate it (B8): saved immediately, it locked everybody out."""
    change = propose_change(as_admin, new, secret="not-the-one")
    page = sign_in_for_test(as_admin, change)
    assert (
        "4 of 5 checks passed. The connection doesn't work yet." in page
        and "client ID or secret" in page
    )
    assert "Fix the problem it shows" in decide_change(second, change, then=422).text
    assert live_connection().issuer == idp.issuer


def test_only_the_browser_and_the_session_that_started_it_finish_it(app, as_admin, second, new):
    change = propose_change(as_admin, new)
    answer = finish_test_sign_in(start_test_sign_in(as_admin, change), ADMIN)
    Visitor(app).get(answer, then=403)
    second.get(answer, then=403)
    with no_session_starts():
        as_admin.get(answer, then=303)
        as_admin.get(answer, then=403)
    assert requested_change().test["passed"]


HIDDEN = {
    "compliance_officer": 404,
    "viewer": 403,
}  # An officer takes part in other approvals, and doesn't see this one.


@pytest.mark.parametrize("role", HIDDEN)
def test_only_an_admin_starts_one(app, as_admin, new, role):
    change = propose_change(as_admin, new)
    Visitor(app, make.cookie(role)).post(f"{change_of(change)}/test-sign-in", then=403)
    Visitor(app, make.cookie(role)).get(change_of(change), then=403)
    Visitor(app, make.cookie(role)).get(change, then=HIDDEN[role])


def test_an_answer_at_the_address_of_the_live_connection_is_not_used(as_admin, new):
    """Keep the answers of a proposed, possibly hostile provider and of the live one apart."""
    change = propose_change(as_admin, new)
    answer = finish_test_sign_in(start_test_sign_in(as_admin, change), ADMIN)
    assert "/auth/callback/acme/2?" in answer
    before = len(new.calls)
    assert "another connection" in as_admin.get(answer.replace("/acme/2?", "/acme?"), then=403).text
    assert len(new.calls) == before and requested_change().test is None


def test_a_live_sign_in_is_not_answered_at_a_proposed_address(app, as_admin, idp, new):
    propose_change(as_admin, new)
    visitor = Visitor(app)
    answer = Arrival(visitor, OFFICER).answered()
    with no_session_starts():
        visitor.get(answer.replace("/acme?", "/acme/2?"), then=403)


def test_each_issuer_and_client_has_an_address_that_no_other_one_gets(as_admin, idp, new):
    propose_change(as_admin, idp, group_roles="", secret="")
    assert change_in_state(Connection, "proposed").number == 1
    propose_change(as_admin, new)
    assert change_in_state(Connection, "proposed").number == 2
    propose_change(as_admin, new, client_id="another")
    assert change_in_state(Connection, "proposed").number == 3
    propose_change(as_admin, new)
    assert change_in_state(Connection, "proposed").number == 2
    assert "/auth/callback/acme/2" in re.sub("<wbr>", "", as_admin.get("settings/sign-in").text)


def test_an_issuer_that_was_mistyped_at_the_set_up_never_shares_the_live_address(
    as_admin, idp, new, acting
):
    """Separate the addresses after the operator corrected the issuer before the first sign-in.

    The mistyped domain may be another company's by now.
    """
    with acting("admin"):
        session().add(
            Connection(
                issuer=new.issuer,
                client_id=new.client.id,
                secret=b"",
                group_roles={},
                state="retired",
                number=1,
                tested_at=None,
            )
        )
    propose_change(as_admin, new)
    assert change_in_state(Connection, "proposed").number == 2
    propose_change(as_admin, idp, group_roles="", secret="")
    assert change_in_state(Connection, "proposed").number == live_connection().number == 1


# ---- deciding


def test_the_requester_cannot_approve(as_admin, second, new):
    change = propose_change(as_admin, new)
    sign_in_for_test(as_admin, change)
    assert (
        fingerprint_of_change(as_admin, change) == ""
        and "can’t approve your own request" in as_admin.get(change).text
    )
    decide_change(as_admin, change, then=403, seen=fingerprint_of_change(second, change))
    assert live_connection().number == 1
    decide_change(second, change)


def test_an_untested_change_cannot_be_approved(as_admin, second, new):
    change = propose_change(as_admin, new)
    assert fingerprint_of_change(second, change) == ""
    decide_change(second, change, then=422)
    with make.acting("second_admin"):
        mark = kinds.fingerprint_seen(queries.approval(UUID(change.rpartition("/")[2])))
    assert "Start the test sign-in first" in decide_change(second, change, then=422, seen=mark).text
    assert change not in approvals_in_inbox(second)
    assert live_connection().number == 1


def test_the_approval_takes_a_fresh_sign_in(app, as_admin, second, new):
    change = propose_change(as_admin, new)
    sign_in_for_test(as_admin, change)
    stale = Visitor(app, make.cookie("second_admin", signed_in_ago=timedelta(minutes=6)))
    stale.post(change, then=401, verb="approve", seen=fingerprint_of_change(second, change))
    assert live_connection().number == 1


def test_a_page_that_was_opened_before_another_test_is_stale(as_admin, second, new):
    change = propose_change(as_admin, new)
    sign_in_for_test(as_admin, change)
    opened = fingerprint_of_change(second, change)
    change_claims(name="Somebody Else")(new)
    sign_in_for_test(as_admin, change)
    assert (
        "Something has changed since you opened this page"
        in decide_change(second, change, then=409, seen=opened).text
    )
    decide_change(second, change)


def test_a_replaced_change_cannot_be_approved_any_more(as_admin, second, new):
    first = propose_change(as_admin, new)
    sign_in_for_test(as_admin, first)
    opened = fingerprint_of_change(second, first)
    other = propose_change(as_admin, new, group_roles="governance-viewers = admin")
    assert "already" in decide_change(second, first, then=409, seen=opened).text
    assert other != first and live_connection().number == 1
    assert [e.action for e in entries_of_action() if e.action.endswith("replaced")] == [
        "identity_provider.change.replaced"
    ]


def test_a_proposal_sent_twice_is_made_once(as_admin, new):
    filled = proposal_form(as_admin, new)
    as_admin.post("settings/sign-in/change", **filled)
    first = requested_change().id
    as_admin.post("settings/sign-in/change", **filled)
    assert (
        requested_change().id == first
        and len(entries_of_action("identity_provider.change.requested")) == 1
    )


def test_another_secret_from_a_page_opened_before_is_not_dropped_silently(as_admin, new):
    filled = proposal_form(as_admin, new, secret="mistyped")
    as_admin.post("settings/sign-in/change", **filled)
    again = as_admin.post(
        "settings/sign-in/change", then=409, **filled | {"secret": new.client.secret}
    )
    assert "while you were editing" in again.text and new.client.secret not in again.text


def test_an_approval_sent_twice_is_done_once(as_admin, second, idp):
    change = propose_change(
        as_admin, idp, domains="acme.example acme-group.example", secret="", group_roles=_mapped()
    )
    mark = fingerprint_of_change(second, change)
    decide_change(second, change, seen=mark)
    decide_change(second, change, seen=mark)
    assert len(entries_of_action("identity_provider.change.approved")) == 1


def _mapped() -> str:
    return "\n".join(f"{group} = {role}" for group, role in live_connection().group_roles.items())


def test_domains_alone_take_no_test_but_a_second_person(as_admin, second, idp):
    before = live_connection().id
    change = propose_change(
        as_admin, idp, domains="acme.example acme-group.example", secret="", group_roles=_mapped()
    )
    page = second.get(change).text
    assert (
        "Addresses at acme-group.example lead to this sign-in." in page
        and "Test sign-in" not in page
    )
    decide_change(as_admin, change, then=403, seen=fingerprint_of_change(second, change))
    decide_change(second, change)
    assert live_connection().id == before
    assert entries_of_action("tenant.domains.changed")[-1].facts == {
        "added": ["acme-group.example"],
        "removed": [],
    }


def test_a_new_mapping_at_the_same_provider_keeps_address_and_sessions(
    app, as_admin, second, idp, arrive
):
    boss, ines = arrive(ADMIN), arrive(OFFICER)
    change = propose_change(
        as_admin,
        idp,
        secret="",
        group_roles="governance-admins = admin\ngovernance-officers = viewer",
    )
    sign_in_for_test(as_admin, change)
    decide_change(second, change)
    assert live_connection().number == 1 and live_connection().group_roles == {
        "governance-admins": "admin",
        "governance-officers": "viewer",
    }
    boss.get("settings/sessions")
    ines.get("settings/sessions")
    assert entries_of_action("identity_provider.changed")[-1].facts["sessions"] == 0


def test_another_issuer_ends_the_sessions_that_the_former_one_started(
    as_admin, second, new, arrive
):
    ines = arrive(OFFICER)
    change = propose_change(as_admin, new)
    sign_in_for_test(as_admin, change)
    assert "1 open session ends" in second.get(change).text
    assert "Sign in again" in decide_change(second, change, then=200).text
    ines.get("settings/sessions", then=302)
    assert (
        entries_of_action("session.ended")[-1].facts["how"]
        == "the tenant changed its identity provider"
    )
    assert entries_of_action("identity_provider.changed")[-1].facts["sessions"] == 1


def test_a_sign_in_that_is_under_way_when_the_provider_changes_starts_no_session(
    app, as_admin, second, idp, new
):
    """Start no session of the former provider, whose sessions the approval ends."""
    change = propose_change(as_admin, new)
    sign_in_for_test(as_admin, change)
    coming = Arrival(Visitor(app), OFFICER)

    def approved_meanwhile(tokens):
        decide_change(second, change, then=None)
        return tokens

    idp.documents["/token"] = approved_meanwhile
    with no_session_starts():
        refused = coming.finish(then=403)
    assert live_connection().issuer == new.issuer
    assert "The sign-in settings changed while you were signing in" in refused.text
    assert [s for s in sessions_of() if s.issuer == idp.issuer] == []


def test_an_invitation_that_ended_since_the_test_no_longer_counts(as_admin, second, new):
    as_admin.post("settings/members/invite", email="boss@acme.example", role="admin")
    change = propose_change(as_admin, new, group_roles="")
    change_claims(email="boss@acme.example", email_verified=True, groups=[])(new)
    sign_in_for_test(as_admin, change)
    page = as_admin.get("settings/members").text
    as_admin.post(re.search(r"settings/invitations/[0-9a-f-]+/withdraw", page)[0])
    assert "is no longer valid" in decide_change(second, change, then=422).text
    assert live_connection().number == 1


def test_another_person_rejects_with_a_reason(as_admin, second, new):
    change = propose_change(as_admin, new)
    decide_change(as_admin, change, "reject", then=403, reason="no")
    decide_change(second, change, "reject", then=422, reason=" ")
    decide_change(second, change, "reject", reason="We stay with the present directory")
    assert change_in_state(Connection, "discarded").secret == b"" and live_connection().number == 1
    assert "was rejected" in as_admin.get(change).text
    assert "reason" in entries_of_action("identity_provider.change.rejected")[-1].sealed
    decide_change(second, change, then=409)


def test_only_the_requester_withdraws(as_admin, second, new):
    change = propose_change(as_admin, new)
    decide_change(second, change, "withdraw", then=403)
    decide_change(as_admin, change, "withdraw")
    assert (
        change_in_state(ConnectionChange, "withdrawn")
        and change_in_state(Connection, "discarded").secret == b""
    )
    propose_change(as_admin, new)


@pytest.mark.parametrize("verb", ["", "bend", "APPROVE"])
def test_another_verb_is_refused(as_admin, second, new, verb):
    decide_change(second, propose_change(as_admin, new), verb, then=422)


def test_a_change_expires_after_two_weeks(app, as_admin, second, new):
    change = propose_change(as_admin, new)
    sign_in_for_test(as_admin, change)
    mark = fingerprint_of_change(second, change)
    with clock.frozen(clock.now() + kinds.DEFAULT_LIFETIME + timedelta(minutes=1)):
        late = Visitor(app, make.cookie("second_admin"))
        assert (
            "Expired" in late.get(change).text
            and "No change proposed" in late.get("settings/sign-in").text
        )
        assert "expired" in decide_change(late, change, then=409, seen=mark).text
        Visitor(app, make.cookie("admin")).post(f"{change_of(change)}/test-sign-in", then=409)
        jobs.expire()
        jobs.expire()
    assert (
        change_in_state(ConnectionChange, "expired")
        and change_in_state(Connection, "discarded").secret == b""
    )
    assert (
        len(entries_of_action("identity_provider.change.expired")) == 1
        and live_connection().number == 1
    )


def test_another_tenants_admin_finds_none_of_it(app, as_admin, new):
    change = propose_change(as_admin, new)
    theirs = Visitor(app, make.cookie("admin", "globex"), "globex")
    approval = change.replace("/t/acme/", "/t/globex/")
    theirs.get(approval, then=404)
    theirs.get(change_of(change), then=404)
    for path in (f"{change_of(change)}/check", f"{change_of(change)}/test-sign-in", approval):
        theirs.post(path, then=404, verb="approve", seen="x")


# ---- who can approve


def test_a_tenant_with_one_admin_is_told_what_to_do_first(as_admin, new):
    page = as_admin.get("settings/sign-in").text
    assert "You are the only admin." in page and "Invite a second admin" in page
    propose_change(as_admin, new)
    assert "No one can approve this yet." in as_admin.get("settings/sign-in").text


def test_the_second_admin_finds_it_in_the_inbox(as_admin, second, as_officer, new):
    change = propose_change(as_admin, new)
    sign_in_for_test(as_admin, change)
    assert (
        change in approvals_in_inbox(second)
        and change not in approvals_in_inbox(as_admin)
        and change not in approvals_in_inbox(as_officer)
    )
    assert (
        "Review the request to change how people sign in"
        in second.get("inbox/?group=approvals").text
    )
    decide_change(second, change, "reject", reason="no")
    assert change not in approvals_in_inbox(second)


def test_an_erased_person_leaves_nothing_of_themselves_in_a_test(as_admin, second, idp, arrive):
    arrive(ADMIN)
    change = propose_change(as_admin, idp, group_roles="governance-admins = admin")
    sign_in_for_test(as_admin, change)
    mark, key = fingerprint_of_change(second, change), UUID(requested_change().test["person"])
    with make.acting("admin") as who, transaction(tenant_id=who.tenant_id, person_id=key):
        publish(PersonErased(key, ["Sanjay Patel"], [ADMIN]))
    assert requested_change().test == {"passed": False, "problem": "Erased person"}
    decide_change(second, change, then=422, seen=mark)
    assert change not in approvals_in_inbox(second) and change_in_state(Approval, "open"), (
        "it can be tested again"
    )
