"""Provisioning by a directory: who gets access, with which role, and who loses it immediately."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from governance.demo.idp.directory import Person as IdpPerson
from governance.foundation.api_keys import actions as api_keys
from governance.foundation.api_keys import queries as key_queries
from governance.foundation.people import invitation_actions, member_actions, queries
from governance.foundation.people.models import Membership, Person
from governance.foundation.scim.models import DirectoryUser
from governance.kernel import clock
from governance.kernel.data.db import session
from tests import make
from tests.browser import Visitor
from tests.conftest import visitor
from tests.foundation.people.conftest import (
    Arrival,
    connect_tenant,
    entries_of_action,
    no_session_starts,
    sessions_of,
)
from tests.foundation.people.hostile_idp import HostileIdP, change_claims, change_document
from tests.foundation.people.member_helpers import invite_person
from tests.foundation.scim.directory import Directory

NEW = IdpPerson("acme-7001", "nora@acme.example", "Nora New", ())
TWIN = IdpPerson("acme-7002", "nora@acme.example", "Nora Twin", ())
EMAIL = NEW.email


@pytest.fixture
def company(app, database):
    """Let Acme's provider know Nora twice: two accounts with one address."""
    with HostileIdP.serving(people=(NEW,)) as idp:
        connect_tenant("acme", idp)
        yield idp


def sign_in(app, email: str = EMAIL, then: int = 303, visitor: Visitor | None = None):
    visitor = visitor or Visitor(app)
    return Arrival(visitor, email, tenant="acme").finish(then), visitor


def role_of(address: str = EMAIL) -> str | None:
    with make.acting("admin", read_only=True):
        found = queries.members_at_address(address)
        return found[0].role if found else None


def via_of(address: str = EMAIL) -> str:
    with make.acting("admin", read_only=True):
        return queries.members_at_address(address)[0].via


def provision(directory: Directory, *groups: str, **values) -> tuple[str, list[str]]:
    user = directory.create_user(EMAIL, externalId="dir-1", **values)
    made = [directory.create_group(each, user["id"])["id"] for each in groups]
    return user["id"], made


# ---- access granted


def test_a_provisioned_person_signs_in_with_the_role_of_a_mapped_group(app, company, directory):
    provision(directory, "governance-contributors", "governance-viewers", "everyone")
    sign_in(app)
    assert (role_of(), via_of()) == ("contributor", "directory groups")
    (linked,) = entries_of_action("provisioning.user.signed_in")
    assert linked.facts["role"] == "contributor" and set(linked.facts) == {"role", "person"}


def test_without_a_mapped_group_a_provisioned_person_has_no_access(app, company, directory):
    provision(directory, "admin", "Tenant admin", "governance-ADMINS")
    with no_session_starts():
        sign_in(app, then=403)
    assert role_of() is None


def test_a_group_is_mapped_by_its_external_id_too(app, company, directory):
    connect_tenant("acme", company, group_roles={"0af1-77": "compliance_officer"})
    user = directory.create_user(EMAIL)
    directory.create_group("Officers of all kinds", user["id"], externalId="0af1-77")
    sign_in(app)
    assert role_of() == "compliance_officer"


def test_roles_follow_the_groups_at_once_and_without_a_group_access_ends(app, company, directory):
    user, (viewers,) = provision(directory, "governance-viewers")
    _, nora = sign_in(app)
    admins = directory.create_group("governance-admins")["id"]
    directory.join(admins, user)
    assert role_of() == "admin"
    nora.get("settings/keys")
    directory.leave(admins, user)
    assert role_of() == "viewer"
    nora.get("settings/keys", then=403)
    directory.leave(viewers, user)
    assert role_of() is None and "login" in nora.get("", then=302).location
    changed = [
        entry.changes["role"]
        for entry in entries_of_action("membership.role.changed")
        if entry.actor_kind == "api_key"
    ]
    assert changed == [["viewer", "admin"], ["admin", "viewer"]]
    directory.join(viewers, user)
    sign_in(app)
    assert role_of() == "viewer"


def test_renaming_or_deleting_a_group_changes_roles_too(app, company, directory):
    user, (group,) = provision(directory, "governance-viewers")
    sign_in(app)
    directory.patch(
        f"/Groups/{group}",
        {"op": "replace", "path": "displayName", "value": "governance-officers"},
        then=204,
    )
    assert role_of() == "compliance_officer"
    directory.ask("DELETE", f"/Groups/{group}", then=204)
    assert role_of() is None


def test_a_role_that_an_admin_gave_stays_whatever_the_groups_say(app, company, directory):
    user, (viewers,) = provision(directory, "governance-viewers")
    sign_in(app)
    with make.acting("admin"):
        member_actions.change_role(queries.members_at_address(EMAIL)[0], "contributor")
    directory.join(directory.create_group("governance-admins")["id"], user)
    directory.leave(viewers, user)
    assert role_of() == "contributor"
    directory.deactivate(user)
    assert role_of() is None


# ---- accounts and people


def test_an_unproven_address_is_not_the_provisioned_person(app, company, directory):
    provision(directory, "governance-admins")
    change_claims(email_verified=None)(company)
    change_document("/userinfo", email_verified=None)(company)
    with no_session_starts():
        sign_in(app, then=403)
    assert (
        entries_of_action("session.denied")[-1].facts["cause"].startswith("no email_verified claim")
    )


def test_the_directorys_own_id_as_subject_proves_an_address_that_nobody_verified(
    app, company, directory
):
    user = directory.create_user(EMAIL, externalId=NEW.sub)
    directory.create_group("governance-viewers", user["id"])
    change_claims(email_verified=None)(company)
    change_document("/userinfo", email_verified=None)(company)
    sign_in(app)
    assert role_of() == "viewer"


def test_that_id_under_another_address_is_a_coincidence(app, company, directory):
    user = directory.create_user("someone.else@acme.example", externalId=NEW.sub)
    directory.create_group("governance-admins", user["id"])
    with no_session_starts():
        sign_in(app, then=403)


def test_a_second_account_with_the_same_address_is_not_the_provisioned_person(
    app, company, directory
):
    provision(directory, "governance-contributors")
    sign_in(app)
    change_claims(sub=TWIN.sub)(company)
    change_document("/userinfo", sub=TWIN.sub)(company)
    with no_session_starts():
        page, _ = sign_in(app, then=403)
    assert "Another account already signs in" in page.text
    with make.acting("admin", read_only=True):
        people = session().scalars(select(Person).where(Person.email == EMAIL)).all()
        assert [each.subject for each in people] == [NEW.sub]


def test_two_active_users_with_one_address_match_nobody(app, company, directory):
    for name in ("nora.one", "nora.two"):
        user = directory.create_user(name, emails=[{"value": EMAIL, "primary": True}])
        group = directory.create_group(f"group of {name}", user["id"])
        assert group["id"]
    with no_session_starts():
        sign_in(app, then=403)


def test_an_invitation_gives_its_role_and_the_directory_still_takes_the_access(
    app, company, directory
):
    invite_person(EMAIL, "compliance_officer")
    user, _ = provision(directory, "governance-viewers")
    _, nora = sign_in(app)
    assert (role_of(), via_of()) == ("compliance_officer", "invitation")
    directory.deactivate(user)
    assert role_of() is None and "login" in nora.get("", then=302).location


# ---- access revoked


def test_deactivating_ends_sessions_at_once_and_keys_of_machines_stay(app, company, directory):
    user, _ = provision(directory, "governance-admins")
    _, nora = sign_in(app)
    with make.acting("admin", read_only=True):
        person_id = queries.members_at_address(EMAIL)[0].person_id
    with make.acting("admin"):
        mine, _ = api_keys.create("made by Nora", ("audit:read",))
        mine.made_by, mine.hands = person_id, [str(person_id)]
        seen, _ = api_keys.create("rotated by Nora", ("audit:read",))
        seen.hands = [*seen.hands, str(person_id)]
        api_keys.create("not Nora's", ("audit:read",))
    directory.deactivate(user)
    assert "login" in nora.get("", then=302).location
    with make.acting("admin", read_only=True):
        live = [key.name for key in key_queries.live()]
        assert live == ["directory", "made by Nora", "not Nora's", "rotated by Nora"]
    inbox = visitor(app, "admin").get("inbox/").text
    assert "Rotate 2 API keys that a former member has seen" in inbox
    assert "made by Nora, rotated by Nora" in inbox
    listed = visitor(app, "admin").get("settings/keys?state=rotate").text
    assert "made by Nora" in listed and "not Nora" not in listed
    ended = {e.action for e in entries_of_action() if e.actor_kind == "api_key"}
    assert {
        "provisioning.user.deactivated",
        "membership.ended",
        "session.ended",
    } <= ended
    assert "api_key.revoked" not in ended
    with no_session_starts():
        page, _ = sign_in(app, then=403)
    assert "has deactivated your account" in page.text
    directory.activate(user)
    sign_in(app)
    assert role_of() == "admin"


def test_a_member_whom_an_admin_removed_does_not_come_back_by_the_directory(
    app, company, directory
):
    user, _ = provision(directory, "governance-viewers")
    sign_in(app)
    with make.acting("admin"):
        member_actions.remove_member(queries.members_at_address(EMAIL)[0])
    directory.deactivate(user)
    directory.activate(user)
    with no_session_starts():
        sign_in(app, then=403)


def test_coming_back_takes_a_mapped_group_not_the_former_role(app, company, directory):
    invite_person(EMAIL, "admin")
    user = directory.create_user(EMAIL)["id"]
    sign_in(app)
    directory.deactivate(user)
    directory.activate(user)
    with no_session_starts():
        sign_in(app, then=403)


def test_deactivating_withdraws_an_open_invitation(app, company, directory):
    invite_person(EMAIL, "admin")
    user = directory.create_user(EMAIL)["id"]
    directory.deactivate(user)
    with make.acting("admin", read_only=True):
        assert not any(each.email == EMAIL for each in queries.open_invitations())
    with no_session_starts():
        sign_in(app, then=403)


def test_a_member_from_before_loses_access_too_when_the_directory_deactivates_the_address(
    app, company, directory
):
    invite_person(EMAIL)
    _, nora = sign_in(app)
    user = directory.create_user(EMAIL)["id"]
    assert role_of() == "viewer"
    directory.deactivate(user)
    assert role_of() is None and "login" in nora.get("", then=302).location


def test_deleting_a_user_ends_access_and_forgets_what_the_directory_said(app, company, directory):
    user, _ = provision(directory, "governance-viewers")
    sign_in(app)
    directory.ask("DELETE", f"/Users/{user}", then=204)
    assert role_of() is None
    directory.ask("GET", f"/Users/{user}", then=404)
    with make.acting("admin", read_only=True):
        assert session().scalars(select(DirectoryUser)).all() == []
    assert entries_of_action("provisioning.user.deleted")[-1].facts == {"memberships": 1}


def test_the_last_admin_cannot_be_deactivated_deleted_or_left_without_a_group(
    app, company, directory
):
    user, (admins,) = provision(directory, "governance-admins")
    sign_in(app)
    with make.acting("admin"):
        others = session().scalars(select(Membership).where(Membership.role == "admin")).all()
        for each in others:
            if each.person.email != EMAIL:
                member_actions.change_role(each, "viewer")
    for reply in (
        directory.deactivate(user, then=409),
        directory.ask("DELETE", f"/Users/{user}", then=409),
        directory.leave(admins, user, then=409),
        directory.ask("DELETE", f"/Groups/{admins}", then=409),
    ):
        assert "The only tenant admin must keep access" in reply.json["detail"]
    assert role_of() == "admin"
    assert directory.ask("GET", f"/Users/{user}", then=200).json["active"] is True
    assert len(directory.ask("GET", f"/Groups/{admins}", then=200).json["members"]) == 1


def test_a_person_in_two_tenants_stays_in_the_other(app, company, directory):
    invite_person(EMAIL)
    sign_in(app)
    with make.acting("admin", read_only=True):
        person = queries.members_at_address(EMAIL)[0].person_id
    with make.acting("admin", "globex") as _:
        theirs = Membership(
            person_id=person, role="viewer", pseudonym="x" * 32, via="invitation", ended_at=None
        )
        session().add(theirs)
    globex = len(sessions_of("globex"))
    user = directory.create_user(EMAIL)["id"]
    directory.deactivate(user)
    assert role_of() is None and len(sessions_of("globex")) == globex
    with make.acting("admin", "globex", read_only=True):
        held = queries.any_membership_of(person)
        assert held and held.ended_at is None


def test_an_auditor_is_not_the_directorys(app, company, directory):
    user = directory.create_user("auditor@audit.example")["id"]
    directory.deactivate(user)
    assert role_of("auditor@audit.example") == "auditor"


def test_an_inactive_user_with_an_expired_invitation_stays_out(app, company, directory):
    with make.acting("admin"):
        invitation_actions.create_invitation(EMAIL, "viewer", clock.now() - timedelta(days=1))
    directory.create_user(EMAIL, active=False)
    with no_session_starts():
        sign_in(app, then=403)
