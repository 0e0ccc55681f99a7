"""Members: invite, change a role, remove; permissions, and two people at once."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from governance.demo.idp.directory import Person
from governance.foundation.people import invitation_actions, member_actions, queries
from governance.foundation.people.models import Invitation
from governance.kernel import clock, current
from governance.kernel.data.db import session, transaction
from governance.kernel.formatting import plural
from tests import make
from tests.browser import Visitor
from tests.foundation.people.conftest import Arrival, connect_tenant, entries_of_action
from tests.foundation.people.hostile_idp import HostileIdP
from tests.foundation.people.member_helpers import membership_id
from tests.waiting import MAX_WAIT_SECONDS

NEW = "new.person@acme.example"


def invitations(slug: str = "acme") -> list[Invitation]:
    with make.acting("admin", slug, read_only=True):
        found = list(session().scalars(select(Invitation).order_by(Invitation.created_at)))
        session().expunge_all()
        return found


def stale_admin(app) -> Visitor:
    return Visitor(app, make.cookie("admin", signed_in_ago=timedelta(minutes=10)))


# ---- inviting


def test_an_admin_invites_and_the_mail_waits(as_admin):
    page = as_admin.post(
        "settings/members/invite", follow=True, email=f"  {NEW.upper()} ", role="viewer"
    ).text
    assert NEW in page and plural(1, "open invitation") in page
    assert "Invitation sent" in page
    with make.acting("admin", read_only=True):
        mail = (
            session()
            .execute(text("SELECT params FROM work_items WHERE kind = 'mail'"))
            .scalar_one()
        )
    assert (
        mail["to"] == NEW
        and "http://localhost/login?tenant=acme" in mail["body"]
        and "Sanjay Patel invited you" in mail["body"]
    )


def test_the_whole_way_of_an_invitation(app, as_admin):
    as_admin.post("settings/members/invite", email=NEW, role="contributor")
    newcomer = Person("acme-7001", NEW, "Nadia Brook", ())
    with HostileIdP.serving(people=(newcomer,)) as idp:
        connect_tenant("acme", idp, group_roles={})
        nadia = Visitor(app)
        coming = nadia.client.get("/login?tenant=acme")
        assert coming.status_code == 302
        Arrival(nadia, NEW).finish()
        nadia.get("settings/sessions")
        page = as_admin.get("settings/members").text
        assert "Nadia Brook" in page and plural(0, "open invitation") in page
        assert entries_of_action("membership.started")[-1].facts == {
            "role": "contributor",
            "via": "invitation",
        }
        assert entries_of_action("invitation.accepted")
        Arrival(nadia, NEW).finish()  # The next sign-in finds the membership.
        assert len(entries_of_action("membership.started")) == len(
            {e.target_id for e in entries_of_action("membership.started")}
        )


def test_sent_twice_is_invited_once(as_admin):
    as_admin.post("settings/members/invite", email=NEW, role="viewer")
    again = as_admin.post("settings/members/invite", then=422, email=NEW, role="admin").text
    assert "This address already has an open invitation" in again and NEW in again
    assert [(i.email, i.role) for i in invitations()] == [(NEW, "viewer")]
    assert len(entries_of_action("invitation.sent")) == 1


def test_an_invitation_that_ran_out_makes_room(app, as_admin):
    as_admin.post("settings/members/invite", email=NEW, role="viewer")
    with clock.frozen(clock.now() + timedelta(days=15)):
        boss = Visitor(app, make.cookie("admin"))
        assert "expired" in boss.get("settings/members").text
        boss.post("settings/members/invite", email=NEW, role="viewer")
    assert [bool(i.withdrawn_at) for i in invitations()] == [True, False]


def test_an_invitation_that_ran_out_lets_nobody_in(app, as_admin):
    as_admin.post("settings/members/invite", email=NEW, role="viewer")
    with make.acting("admin"):
        session().scalars(select(Invitation)).one().expires_at = clock.now() - timedelta(seconds=1)
    with HostileIdP.serving(people=(Person("acme-7001", NEW, "Nadia Brook", ()),)) as idp:
        connect_tenant("acme", idp, group_roles={})
        Arrival(Visitor(app), NEW).finish(then=403)


def test_a_withdrawn_invitation_lets_nobody_in(app, as_admin):
    as_admin.post("settings/members/invite", email=NEW, role="viewer")
    as_admin.post(f"settings/invitations/{invitations()[0].id}/withdraw")
    assert (
        "already accepted or withdrawn"
        in as_admin.post(f"settings/invitations/{invitations()[0].id}/withdraw", then=409).text
    )
    with HostileIdP.serving(people=(Person("acme-7001", NEW, "Nadia Brook", ()),)) as idp:
        connect_tenant("acme", idp, group_roles={})
        Arrival(Visitor(app), NEW).finish(then=403)


@pytest.mark.parametrize(
    "email",
    [
        "",
        "nobody",
        "a@b",
        "a b@acme.example",
        "a@acme.example\nBcc: x@evil.example",
        "a@acme.example, b@acme.example",
        "<a@acme.example>",
        "x" * 300 + "@acme.example",
    ],
)
def test_what_is_no_address_is_not_invited(as_admin, email):
    page = as_admin.post("settings/members/invite", then=422, email=email, role="viewer").text
    assert "Not invited." in page and not invitations()


@pytest.mark.parametrize("role", ["auditor", "operator_admin", "owner", "", None])
def test_a_role_that_is_none_here_is_not_given(as_admin, role):
    as_admin.post("settings/members/invite", then=422, email=NEW, role=role)
    as_admin.post(f"settings/members/{membership_id('viewer')}/role", then=422, role=role)
    assert not invitations()


def test_a_member_is_not_invited_again(as_admin):
    assert (
        "is already a member"
        in as_admin.post(
            "settings/members/invite", then=422, email="VIEWER@acme.example", role="viewer"
        ).text
    )


def test_an_invitation_of_one_tenant_is_nothing_in_another(app, as_admin, as_neighbour):
    with make.acting("admin", "globex"):
        invitation_actions.invite_member(
            "x@globex.example",
            "viewer",
            tenant_name="Globex",
            link="http://localhost/login?tenant=globex",
        )
    theirs = invitations("globex")[0].id
    as_admin.post(f"settings/invitations/{theirs}/withdraw", then=404)
    assert not invitations("globex")[0].withdrawn_at


# ---- roles and removal


def test_a_role_is_changed_and_logged(as_admin):
    as_admin.post(f"settings/members/{membership_id('viewer')}/role", role="contributor")
    entry = entries_of_action("membership.role.changed")[-1]
    assert entry.changes == {"role": ["viewer", "contributor"]} and entry.actor_kind == "person"
    as_admin.post(
        f"settings/members/{membership_id('viewer')}/role", role="contributor"
    )  # Repeating it records nothing.
    assert len(entries_of_action("membership.role.changed")) == 1


def test_an_auditors_role_comes_with_the_engagement(as_admin):
    assert (
        "engagement"
        in as_admin.post(
            f"settings/members/{membership_id('auditor')}/role", then=422, role="viewer"
        ).text
    )


def test_the_last_admin_stays(as_admin):
    own = membership_id("admin")
    assert (
        "only tenant admin"
        in as_admin.post(f"settings/members/{own}/role", then=422, role="viewer").text
    )
    assert "only tenant admin" in as_admin.post(f"settings/members/{own}/remove", then=422).text
    as_admin.post(f"settings/members/{membership_id('compliance_officer')}/role", role="admin")
    as_admin.post(f"settings/members/{own}/role", role="viewer")
    as_admin.get("settings/members", then=403)


def test_the_last_admin_is_not_demoted_by_their_groups_either(app, as_admin):
    lone = Person("acme-7002", "lone@acme.example", "Lone Admin", ("admins",))
    with HostileIdP.serving(people=(lone,)) as idp:
        connect_tenant("acme", idp, group_roles={"admins": "admin"})
        Arrival(Visitor(app), lone.email).finish()
        as_admin.post(f"settings/members/{membership_id('admin')}/remove")
        connect_tenant("acme", idp, group_roles={"admins": "viewer"})
        boss = Visitor(app)
        Arrival(boss, lone.email).finish()
        boss.get("settings/sign-in")  # Still the admin, so that a person can correct the mapping.
    with make.acting("viewer", read_only=True):
        roles = {each.email: each.role for each in queries.members()}
        assert [email for email, role in roles.items() if role == "admin"] == [lone.email]


def test_removing_says_what_ends_and_twice_is_once(as_admin, as_viewer):
    gone = membership_id("viewer")
    page = as_admin.get(f"settings/members/{gone}/remove").text
    assert "Remove Maya Okafor?" in page and "1 session ends immediately" in page
    as_admin.post(f"settings/members/{gone}/remove")
    as_admin.post(f"settings/members/{gone}/remove", then=404)
    as_admin.post(f"settings/members/{gone}/role", then=404, role="admin")
    assert len(entries_of_action("membership.ended")) == 1
    assert "Maya Okafor" not in as_admin.get("settings/members").text


def test_who_was_removed_returns_by_an_invitation(app, as_admin):
    back = Person("acme-7003", "back@acme.example", "Back Again", ())
    with HostileIdP.serving(people=(back,)) as idp:
        connect_tenant("acme", idp, group_roles={})
        for _ in range(2):
            as_admin.post("settings/members/invite", email=back.email, role="viewer")
            Arrival(Visitor(app), back.email).finish()
            with make.acting("admin", read_only=True):
                held = next(m for m in queries.members() if m.email == back.email)
            assert held.role == "viewer"
            as_admin.post(f"settings/members/{held.membership_id}/remove")
            with make.acting("admin", read_only=True):
                assert back.email not in [each.email for each in queries.members()]
    accepted = [each for each in invitations() if each.email == back.email and each.accepted_at]
    assert len(accepted) == 2


@pytest.mark.parametrize(("verb", "form"), [("role", {"role": "admin"}), ("remove", {})])
def test_members_of_another_tenant_are_not_there(as_admin, verb, form):
    theirs = membership_id("compliance_officer", "globex")
    as_admin.post(f"settings/members/{theirs}/{verb}", then=404, **form)
    as_admin.get(f"settings/members/{theirs}/remove", then=404)
    as_admin.get(f"settings/members/{theirs}/sessions", then=404)
    with make.acting("admin", "globex", read_only=True):
        assert (
            queries.membership_of(make.person_id("compliance_officer", "globex")).role
            == "compliance_officer"
        )


@pytest.mark.parametrize("who", ["as_officer", "as_contributor", "as_viewer", "as_auditor"])
def test_only_an_admin_changes_members(app, request, who):
    visitor, other = request.getfixturevalue(who), membership_id("reviewer")
    visitor.post("settings/members/invite", then=403, email=NEW, role="admin")
    visitor.post(f"settings/members/{other}/role", then=403, role="admin")
    visitor.post(f"settings/members/{other}/remove", then=403)
    visitor.get("settings/sign-in", then=403)
    visitor.post("settings/sign-in/change", then=403, issuer="https://evil.example")
    visitor.post("settings/sign-in/test", then=403)
    seen = visitor.get("settings/members", then=None)
    assert seen.status_code == (200 if who == "as_officer" else 403)
    assert "Remove" not in seen.text and "Send invitation" not in seen.text


# ---- step-up


@pytest.mark.parametrize(
    "path",
    [
        "settings/members/invite",
        "settings/members/{}/role",
        "settings/members/{}/remove",
        "settings/sign-in/change",
    ],
)
def test_a_sign_in_of_ten_minutes_ago_is_not_enough(app, as_viewer, path):
    boss = stale_admin(app)
    page = boss.post(
        path.format(membership_id("viewer")),
        then=401,
        email=NEW,
        role="contributor",
        issuer="https://evil.example",
    ).text
    assert "Sign in again" in page and "/login?tenant=acme&amp;fresh=1" in page
    assert not invitations()
    as_viewer.get("settings/sessions")


def test_a_step_up_by_the_provider_is_enough(app, idp, arrive):
    boss = arrive("admin@acme.example")
    with make.acting("admin"):
        session().execute(
            text("UPDATE sessions SET authenticated_at = authenticated_at - interval '10 minutes'")
        )
    boss.post("settings/members/invite", then=401, email=NEW, role="viewer")
    arrive("admin@acme.example", boss, fresh="1", next="/t/acme/settings/members")
    boss.post("settings/members/invite", email=NEW, role="viewer")
    assert entries_of_action("session.started")[-1].facts["fresh"] is True


# ---- two at once


@pytest.fixture
def two_admins(committed_world):
    """Add a second admin to Globex until the next test's world is made."""
    with current.acting_as(make.system_actor("globex")), transaction():
        officer = queries.membership_of(make.person_id("compliance_officer", "globex"))
        assert officer
        officer.role = "admin"


def test_two_admins_who_remove_each_other_at_once_leave_one(two_admins):
    start, outcomes = threading.Barrier(2), []

    def remove(who: str, other: str) -> None:
        try:
            with make.acting(who, "globex"):
                membership = queries.membership_of(make.person_id(other, "globex"))
                assert membership
                start.wait(MAX_WAIT_SECONDS)
                member_actions.remove_member(membership)
            outcomes.append("removed")
        except member_actions.LastAdmin:
            outcomes.append("refused")

    threads = [
        threading.Thread(target=remove, args=pair)
        for pair in (("admin", "compliance_officer"), ("compliance_officer", "admin"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(MAX_WAIT_SECONDS)
    assert sorted(outcomes) == ["refused", "removed"]
    with make.acting("admin", "globex", read_only=True):
        assert sum(m.role == "admin" for m in queries.members()) == 1


# ---- the log keeps no names


def test_nothing_personal_stands_in_the_log_in_clear(app, as_admin, idp, arrive):
    as_admin.post("settings/members/invite", email=NEW, role="viewer")
    as_admin.post(f"settings/invitations/{invitations()[0].id}/withdraw")
    ines = arrive("officer@acme.example")
    ines.post("/logout", then=200)
    as_admin.post(f"settings/members/{membership_id('viewer')}/role", role="contributor")
    as_admin.post(f"settings/members/{membership_id('viewer')}/remove")
    written = entries_of_action()
    assert {
        "invitation.sent",
        "invitation.withdrawn",
        "session.started",
        "session.ended",
        "membership.started",
        "membership.role.changed",
        "membership.ended",
    } <= {e.action for e in written}
    clear = "\n".join(
        f"{e.body.decode()} {e.changes} {e.facts} {e.actor} {e.origin} {e.sealed}" for e in written
    ).lower()
    for personal in (
        NEW,
        "new.person",
        "officer@acme.example",
        "ines",
        "duarte",
        "sanjay",
        "maya",
        "okafor",
    ):
        assert personal not in clear, personal
    assert all(len(e.actor) == 32 for e in written)


def test_an_invited_address_is_a_data_subject_of_its_own(as_admin):
    as_admin.post("settings/members/invite", email=NEW, role="viewer")
    sent = entries_of_action("invitation.sent")[-1]
    assert sent.sealed["email"]["subject"] != sent.actor


def test_a_new_name_at_the_provider_is_taken_over_and_logged_sealed(app, idp, arrive):
    from tests.foundation.people.hostile_idp import change_claims

    arrive("officer@acme.example")
    change_claims(name="Ines Duarte-Lima")(idp)
    ines = arrive("officer@acme.example")
    assert "Ines Duarte-Lima" in ines.get("settings/sessions").text
    assert set(entries_of_action("person.changed")[-1].sealed) == {"name"} and "Lima" not in str(
        entries_of_action("person.changed")[-1].body
    )
