"""The first sign-in of an invited person: which claims decide, and messages for denied access."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag

from governance.demo.idp.directory import Person
from governance.foundation.people import invitation_actions, member_actions, queries
from governance.kernel import clock
from tests import make
from tests.browser import Visitor
from tests.foundation.identity_providers.sign_in_change_helpers import (
    live_connection,
    propose_change,
)
from tests.foundation.people.conftest import (
    Arrival,
    connect_tenant,
    entries_of_action,
    no_session_starts,
)
from tests.foundation.people.hostile_idp import HostileIdP, change_claims, change_document
from tests.foundation.people.member_helpers import invite_person

GUEST = Person("acme-9001", "guest@acme.example", "Gale Guest", ("night-shift",))
OUTSIDER = Person("acme-9002", "guest@firm.example", "Fay Firm", ())
SWITCH = "This provider verifies email addresses"


@pytest.fixture
def guests(app: Any, isolated: Any) -> Iterator[HostileIdP]:
    """Return Acme's provider, which knows two people who are no members. Both are invited."""
    with HostileIdP.serving(people=(GUEST, OUTSIDER)) as idp:
        connect_tenant("acme", idp, group_roles={})
        for person in (GUEST, OUTSIDER):
            invite_person(person.email)
        yield idp


def leave_out_claims(idp: HostileIdP, *names: str) -> None:
    """Omit these claims from everything that the provider sends."""
    gone = dict.fromkeys(names)
    change_claims(**gone)(idp)
    change_document("/userinfo", **gone)(idp)


def sign_in_as(app: Any, person: Person = GUEST) -> None:
    Arrival(Visitor(app), person.email, tenant="acme").finish(then=303)


def refused(app: Any, person: Person = GUEST) -> str:
    with no_session_starts():
        page = Arrival(Visitor(app), person.email, tenant="acme").finish(then=403).text
    block = BeautifulSoup(page, "html.parser").select_one(".c-refused")
    assert block
    return " ".join(block.text.split())


def test_without_email_verified_the_page_names_the_claim_and_the_switch(app, guests):
    leave_out_claims(guests, "email_verified")
    page = refused(app)
    assert "sent no email_verified claim for guest@acme.example" in page
    assert f"{SWITCH}” under Settings, Sign-in" in page and "map the claim email_verified" in page
    entry = entries_of_action("session.denied")[-1]
    assert entry.facts["cause"] == "no email_verified claim" and set(entry.sealed) == {"email"}


def test_a_provider_that_verifies_addresses_needs_no_claim_for_them(app, guests):
    connect_tenant("acme", guests, group_roles={}, verifies_addresses=True)
    leave_out_claims(guests, "email_verified")
    sign_in_as(app)
    assert entries_of_action("membership.started")[-1].facts["via"] == "invitation"


def test_the_switch_counts_in_the_work_domains_only(app, guests):
    connect_tenant("acme", guests, group_roles={}, verifies_addresses=True)
    leave_out_claims(guests, "email_verified")
    assert "guest@firm.example, and the address is outside the work domains" in refused(
        app, OUTSIDER
    )
    guests.calm()
    sign_in_as(app, OUTSIDER)  # The provider's own claim also counts outside the work domains.


@pytest.mark.parametrize(
    "email", ["guest@sub.acme.example", "guest@acme.example.evil.example", "guest@xacme.example"]
)
def test_a_domain_that_only_looks_like_a_work_domain_is_none(app, guests, email):
    invite_person(email)
    connect_tenant("acme", guests, group_roles={}, verifies_addresses=True)
    change_claims(email=email, email_verified=None)(guests)
    change_document("/userinfo", email=email, email_verified=None)(guests)
    assert "outside the work domains" in refused(app)


@pytest.mark.parametrize("said", [False, "false", "yes", 1, [True], {}])
@pytest.mark.parametrize("verifies", [False, True])
def test_an_address_that_is_said_to_be_unverified_never_counts(app, guests, said, verifies):
    connect_tenant("acme", guests, group_roles={}, verifies_addresses=verifies)
    change_claims(email_verified=said)(guests)
    assert "sent an email_verified claim for guest@acme.example that isn't true" in refused(app)
    assert entries_of_action("session.denied")[-1].facts["cause"] == "email_verified isn't true"


@pytest.mark.parametrize("said", [True, "true"])
def test_an_address_that_is_said_to_be_verified_counts(app, guests, said):
    change_claims(email_verified=said)(guests)
    sign_in_as(app)
    with make.acting("admin", read_only=True):
        assert "guest@acme.example" in [each.email for each in queries.members()]


def test_userinfo_says_what_the_id_token_leaves_out(app, guests):
    change_claims(email_verified=None, name=None)(guests)
    sign_in_as(app)
    assert "Gale Guest" in Visitor(app, make.cookie("admin")).get("settings/members").text


def test_userinfo_says_nothing_of_another_address(app, guests):
    """Verify no address by the verification of a different one in the other place."""
    invite_person("boss@acme.example")
    change_claims(email="boss@acme.example", email_verified=None)(guests)
    assert "sent no email_verified claim for boss@acme.example" in refused(app)


@pytest.mark.parametrize("said", ["\u212aim@acme.example", "kim@ban\u212a.example"])
def test_a_letter_that_only_looks_like_another_takes_nobodys_invitation(app, guests, said):
    """Reject a look-alike address.

    The Kelvin sign (U+212A) in lower case is an ASCII k, but the provider treats it as another
    letter.
    """
    for invited in ("kim@acme.example", "kim@bank.example"):
        invite_person(invited)
    change_claims(email=said)(guests)
    assert "has no open invitation for" in refused(app)
    change_claims(email="KIM@acme.example")(guests)
    sign_in_as(app)  # Upper and lower case are the same.


def test_an_address_that_is_too_long_to_keep_takes_nobodys_invitation(app, guests):
    longest = "g" * (254 - len("@acme.example")) + "@acme.example"
    invite_person(longest)
    change_claims(email=f"{longest}.evil.example")(guests)
    assert "sent no email claim" in refused(app)
    change_claims(email=longest)(guests)
    sign_in_as(app)


def test_without_an_address_the_page_names_the_claim(app, guests):
    leave_out_claims(guests, "email", "email_verified")
    page = refused(app)
    assert "sent no email claim" in page and "scope email" in page
    assert entries_of_action("session.denied")[-1].facts["cause"] == "no email claim"


def test_whoever_is_not_invited_sees_which_address_came(app, guests):
    change_claims(email="other@acme.example")(guests)
    page = refused(app)
    assert (
        "has no open invitation for other@acme.example" in page and "guest@acme.example" not in page
    )


def test_an_expired_invitation_is_said_only_to_whoever_has_proven_the_address(app, guests):
    with clock.frozen(clock.now() - timedelta(days=invitation_actions.INVITATION_DAYS, hours=1)):
        invite_person("late@acme.example")
    change_claims(email="late@acme.example")(guests)
    assert "The invitation to late@acme.example expired 1 hour ago" in refused(app)
    change_claims(email="late@acme.example", email_verified=None)(guests)
    change_document("/userinfo", email="late@acme.example", email_verified=None)(guests)
    told = refused(app)
    assert "sent no email_verified claim" in told and "expired" not in told


def test_an_unproven_address_gets_the_same_page_invited_or_not(app, guests):
    leave_out_claims(guests, "email_verified")
    invited = refused(app)
    with make.acting("admin"):
        for row in queries.open_invitations():
            invitation_actions.withdraw_invitation(queries.invitation(row.id))
    assert refused(app) == invited


def test_missing_groups_are_named_where_groups_give_access(app, guests):
    connect_tenant("acme", guests)
    change_claims(email="other@acme.example", groups=None)(guests)
    change_document("/userinfo", groups=None)(guests)
    page = refused(app)
    assert "sent no groups claim" in page and "release the claim groups" in page
    assert (
        entries_of_action("session.denied")[-1].facts["cause"]
        == "no open invitation; no groups claim"
    )
    guests.calm()
    change_claims(email="other@acme.example", groups=[f"team-{n}" for n in range(7)])(guests)
    page = refused(app)
    assert (
        "None of your groups gives access" in page
        and "team-4 and 2 more" in page
        and "team-5" not in page
    )
    assert "team-0" not in entries_of_action("session.denied")[-1].body.decode()


def test_groups_count_from_userinfo_and_as_plain_text(app, guests):
    connect_tenant("acme", guests)
    change_claims(groups=None)(guests)
    change_document("/userinfo", groups="governance-viewers")(guests)
    sign_in_as(app)
    change_claims(groups=None, sub="acme-9003", email="other@acme.example")(guests)
    change_document(
        "/userinfo", groups="governance-viewers", sub="acme-9003", email="other@acme.example"
    )(guests)
    Arrival(Visitor(app), GUEST.email, tenant="acme").finish(then=303)
    assert entries_of_action("membership.started")[-1].facts["via"] == "group mapping"


def test_a_former_member_is_told_so(app, guests):
    sign_in_as(app)
    with make.acting("admin"):
        member_actions.remove_member(queries.members_at_address(GUEST.email)[0])
    page = refused(app)
    assert (
        "Your access to Acme Insurance has ended. Acme Insurance has no open invitation for"
        " guest@acme.example" in page
    )


def test_what_the_provider_answers_instead_of_a_code_is_shown(app, guests):
    guests.answer = lambda honest: {
        "state": honest["state"],
        "iss": honest["iss"],
        "error": "invalid_request",
        "error_description": "max_age <b>invalid",
    }
    assert "rejected the sign-in (invalid_request: max_age <b>invalid)" in refused(app)


# ---- the form


def test_the_switch_is_proposed_like_every_change_of_the_connection(as_admin, idp):
    def box() -> Tag:
        shown = as_admin.get("settings/sign-in/change").text
        found = BeautifulSoup(shown, "html.parser").select_one("input[name=verifies_addresses]")
        assert (
            found
            and SWITCH in found.find_parent("label").text
            and "could accept that person" in found.find_parent("label").text
        )
        return found

    assert not box().has_attr("checked")
    propose_change(as_admin, idp, verifies_addresses="y")
    assert entries_of_action("identity_provider.change.requested")[-1].changes[
        "verifies_addresses"
    ] == [
        False,
        True,
    ]
    assert box().has_attr("checked")
    assert "All addresses from this provider" in as_admin.get("settings/sign-in").text
    assert not live_connection().verifies_addresses
