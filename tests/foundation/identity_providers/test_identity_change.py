"""A change of sign-in as an approval: its page, its fingerprint, and what voids it."""

import threading

from sqlalchemy import select

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals import kinds, queries
from governance.foundation.approvals.models import Approval, ApprovalGiven
from governance.foundation.identity_providers import change_actions
from governance.foundation.identity_providers.connection_settings import settings_of
from governance.foundation.identity_providers.models import ConnectionChange
from governance.foundation.people.models import Connection
from governance.foundation.people.sign_in_state import secret_context
from governance.foundation.privacy import rotation
from governance.foundation.tenants import actions as tenants
from governance.foundation.tenants import queries as directory
from governance.kernel import clock, current
from governance.kernel.data.db import session, transaction
from governance.kernel.errors import DomainError
from governance.kernel.safety import key_encryption
from tests import make
from tests.browser import Visitor, words
from tests.foundation.approvals.approval_helpers import approvals_in_inbox
from tests.foundation.identity_providers.sign_in_change_helpers import (
    change_in_state,
    change_of,
    decide_change,
    fingerprint_of_change,
    live_connection,
    proposal_form,
    propose_change,
    requested_change,
    sign_in_for_test,
)
from tests.foundation.people.conftest import GROUPS, connect_tenant, entries_of_action
from tests.foundation.people.hostile_idp import change_claims
from tests.waiting import MAX_WAIT_SECONDS

ADMIN = "admin@acme.example"
SAME = "\n".join(f"{group} = {role}" for group, role in GROUPS.items())


def domains_only(visitor, idp, domains="acme.example acme-group.example") -> str:
    return propose_change(visitor, idp, domains=domains, secret="", group_roles=SAME)


def approval_row(approval) -> Approval:
    with make.acting("admin", read_only=True):
        found = queries.approval(approval.rpartition("/")[2])
        session().expunge(found)
        return found


# ---- the approver's page


def test_each_setting_is_shown_before_and_after_and_the_secret_never(as_admin, second, idp, new):
    change = propose_change(
        as_admin, new, enforced="", verifies_addresses="y", secret="a-secret-that-nobody-shall-see"
    )
    page = second.get(change)
    text = words(page)
    for before, after in [
        (idp.issuer, new.issuer),
        ("Required", "Optional"),
        ("Only with the email_verified claim", "All addresses from this provider"),
        ("Current secret", "New secret"),
        ("Compliance officer", "none"),
    ]:
        assert f"from {before} to {after}" in text, text
    assert (
        "settings change" in text
        and "Everything else stays as it is" in text
        and text.count("loosens") == 2
    )
    assert "Client ID" not in text and "a-secret-that" not in page.text


def test_its_effects_name_sessions_members_and_domains(as_admin, second, idp, new, arrive):
    arrive("officer@acme.example")
    text = words(
        second.get(
            propose_change(as_admin, new, domains="acme-group.example", verifies_addresses="y")
        )
    )
    assert "1 open session ends." in text and "members sign in through it" in text
    assert (
        "Under another issuer, everyone counts as a new person." in text
        and "could accept that person's invitation" in text
    )
    assert "Addresses at acme-group.example lead to this sign-in." in text
    assert "Addresses at acme.example no longer lead to this sign-in." in text
    text = words(
        second.get(
            propose_change(as_admin, idp, secret="", group_roles="governance-admins = admin")
        )
    )
    assert "No one is signed out." in text and "new person" not in text


def test_who_approves_is_told_when_their_own_session_ends(app, as_admin, idp, new, arrive):
    change_claims(groups=["governance-admins"])(idp)
    boss = arrive("officer@acme.example")
    change = propose_change(as_admin, new)
    assert "1 open session ends, yours included." in words(boss.get(change))


def test_before_the_test_the_page_says_what_is_missing_and_asks_nobody(as_admin, second, new):
    change = propose_change(as_admin, new)
    text = words(second.get(change))
    assert (
        "Not ready" in text
        and "Start the test sign-in first." in text
        and change not in approvals_in_inbox(second)
    )
    change_claims(groups=[])(new)
    sign_in_for_test(as_admin, change)
    assert "Fix the problem it shows, then test again." in words(
        second.get(change)
    ) and change not in approvals_in_inbox(second)
    change_claims(groups=["governance-admins"])(new)
    sign_in_for_test(as_admin, change)
    text = words(second.get(change))
    assert (
        "Awaiting you" in text
        and "The test sign-in passed." in text
        and change in approvals_in_inbox(second)
    )


def test_the_address_of_a_change_leads_to_its_approval_also_once_it_is_closed(
    as_admin, second, new
):
    change = propose_change(as_admin, new)
    address = change_of(change)
    assert second.get(address, then=302).location == change
    decide_change(as_admin, change, "withdraw")
    assert second.get(address, then=302).location == change
    past = as_admin.get("settings/sign-in").text
    assert "Earlier changes" in past and change in past and "Withdrawn" in past
    assert "What would have changed" in words(second.get(change))


# ---- the approval's fingerprint


def test_it_binds_to_the_secret_and_to_every_setting(as_admin, new):
    change = propose_change(as_admin, new)
    before = approval_row(change).fingerprint
    edits = {
        "issuer": "https://id.other.example",
        "client_id": "other",
        "secret": lambda of: key_encryption.wrap(b"other", secret_context(of.tenant_id)),
        "enforced": False,
        "verifies_addresses": True,
        "group_roles": {"everybody": "admin"},
        "number": 9,
    }
    for name, value in edits.items():
        with make.acting("admin"):
            found = (
                session().scalars(select(Connection).where(Connection.state == "proposed")).one()
            )
            was = getattr(found, name)
            setattr(found, name, value(found) if callable(value) else value)
            session().flush()
            assert kinds.fingerprint(queries.approval(change.rpartition("/")[2])) != before, name
            setattr(found, name, was)
            session().flush()
            assert kinds.fingerprint(queries.approval(change.rpartition("/")[2])) == before


def test_a_rotation_of_the_installations_key_voids_nothing(app, as_admin, second, new):
    change = propose_change(as_admin, new)
    sign_in_for_test(as_admin, change)
    opened, sealed = (
        fingerprint_of_change(second, change),
        change_in_state(Connection, "proposed").secret,
    )
    old = app.config["SETTINGS"].kek
    try:
        key_encryption.use(bytes(range(32)), old)
        rotation.rotate()
        assert change_in_state(Connection, "proposed").secret != sealed
        decide_change(second, change, seen=opened)
    finally:
        key_encryption.use(old)


def test_an_edit_behind_its_back_voids_it(as_admin, second, new):
    change = propose_change(as_admin, new)
    sign_in_for_test(as_admin, change)
    opened = fingerprint_of_change(second, change)
    with make.acting("admin"):
        session().scalars(select(ConnectionChange)).one().domains = ["evil.example"]
    assert "so the request is void" in words(second.get(change))
    decide_change(second, change, then=409, seen=opened)
    assert (
        change_in_state(ConnectionChange, "replaced")
        and change_in_state(Connection, "discarded").secret == b""
        and live_connection().number == 1
    )


def test_what_is_live_has_changed_since_so_it_is_proposed_again(as_admin, second, idp):
    change = domains_only(as_admin, idp)
    opened = fingerprint_of_change(second, change)
    with make.acting("admin"):
        tenants.set_domains(directory.tenant_by_slug("acme"), {"acme.example", "third.example"})
    assert "The live connection has changed since this was proposed." in words(second.get(change))
    decide_change(second, change, then=409, seen=opened)
    decide_change(second, change, then=409)
    assert change_in_state(Approval, "open") and entries_of_action("approval.blocked")
    decide_change(second, change, "reject", reason="Propose it again")


def test_a_second_test_by_the_approver_does_not_make_them_a_requester(as_admin, second, new):
    change = propose_change(as_admin, new)
    sign_in_for_test(second, change)
    assert (
        entries_of_action("identity_provider.change.tested")[-1].actor
        == entries_of_action("approval.renewed")[-1].actor
    )
    decide_change(second, change)
    assert live_connection().issuer == new.issuer
    approved = entries_of_action("identity_provider.change.approved")[-1]
    assert (
        approved.facts["requested_by"] != approved.facts["tested_by"]
        and len(approved.facts["fingerprint"]) == 64
    )


def test_the_reason_of_an_approval_is_in_the_log(as_admin, second, idp):
    change = domains_only(as_admin, idp)
    decide_change(second, change, reason="The group's new name")
    assert "reason" in entries_of_action("identity_provider.change.approved")[-1].sealed


def test_who_was_an_admin_only_after_the_proposal_can_test_it_but_not_approve(app, as_admin, new):
    change = propose_change(as_admin, new)
    make.add_member("second_admin")
    late = Visitor(app, make.cookie("second_admin"))
    sign_in_for_test(late, change)
    assert fingerprint_of_change(late, change) == "" and change not in approvals_in_inbox(late)
    decide_change(late, change, then=403)
    decide_change(late, change, "reject", reason="I don't know this provider")


def test_another_proposal_closes_the_earlier_ones_request(as_admin, second, new):
    first = propose_change(as_admin, new)
    sign_in_for_test(as_admin, first)
    assert first in approvals_in_inbox(second)
    other = propose_change(as_admin, new, client_id="another")
    assert approval_row(first).note == "Another change was proposed in its place."
    assert first not in approvals_in_inbox(second) and other not in approvals_in_inbox(second)
    assert "is void" in words(as_admin.get(first))


def test_a_proposal_by_somebody_else_can_be_approved_by_the_first_requester(as_admin, second, idp):
    """Count only the second proposal's requester, who is the second admin."""
    domains_only(as_admin, idp, "acme.example first.example")
    theirs = proposal_form(
        second, idp, domains="acme.example second.example", secret="", group_roles=SAME
    )
    second.post("settings/sign-in/change", **theirs)
    change = f"/t/acme/approvals/{approval_of(requested_change().id)}"
    decide_change(second, change, then=403)
    decide_change(as_admin, change)
    assert entries_of_action("tenant.domains.changed")[-1].facts["added"] == ["second.example"]


def approval_of(change_id):
    with make.acting("admin", read_only=True):
        return session().scalars(select(Approval.id).where(Approval.target_id == change_id)).one()


# ---- two people at once


def test_a_proposal_and_an_approval_at_once_come_one_after_the_other(committed_world, provider):
    """Activate the change and reject the other proposal as stale, or void the approval."""
    connect_tenant("acme", provider)
    make.add_member("second_admin", since=clock.now() - make.MEMBERS_FOR)
    with make.acting("admin"):
        now = session().scalars(select(Connection).where(Connection.state == "live")).one()
        settings, opened = settings_of(now), change_actions.opened_with(now, None)
        change = change_actions.propose(
            settings, secret=None, domains={"acme.example", "b.example"}, reason="b", seen=opened
        )
        approval, opened, change_id = (
            approval_id(change.id),
            change_actions.opened_with(now, change),
            change.id,
        )
    with make.acting("second_admin"):
        shown = kinds.fingerprint_seen(queries.approval(approval))
    outcomes, start = [], threading.Barrier(2)

    def act(role, deed):
        with current.acting_as(make.actor(role)):
            start.wait(MAX_WAIT_SECONDS)
            try:
                with transaction():
                    deed()
                outcomes.append(role)
            except DomainError:
                pass

    deeds = [
        ("second_admin", lambda: approvals.approve(queries.approval(approval), seen=shown)),
        (
            "admin",
            lambda: change_actions.propose(
                settings,
                secret=None,
                domains={"acme.example", "c.example"},
                reason="c",
                seen=opened,
            ),
        ),
    ]
    threads = [threading.Thread(target=act, args=each) for each in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(MAX_WAIT_SECONDS)
    assert len(outcomes) == 1
    with make.acting("admin", read_only=True):
        state = (
            session()
            .scalars(select(ConnectionChange.state).where(ConnectionChange.id == change_id))
            .one()
        )
        given = (
            session()
            .scalars(select(ApprovalGiven).where(ApprovalGiven.approval_id == approval))
            .all()
        )
    assert (state, len(given)) == (
        ("approved", 1) if outcomes == ["second_admin"] else ("replaced", 0)
    )


def approval_id(change_id):
    return session().scalars(select(Approval.id).where(Approval.target_id == change_id)).one()
