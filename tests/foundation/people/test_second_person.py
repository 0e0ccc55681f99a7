"""The second person: one rule for every approval, denied and allowed, with its reason shown."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select

from governance.assurance.evidence import deletion, deletion_queries, version_actions
from governance.assurance.evidence import queries as shelf_of
from governance.foundation.approvals.queries import open_approval
from governance.foundation.notifications.models import Notification
from governance.foundation.people import member_actions
from governance.foundation.people import queries as members
from governance.foundation.people.models import Person
from governance.foundation.privacy import erasure_actions, unmasking_actions
from governance.kernel import clock, current
from governance.kernel.data.db import session, transaction
from governance.kernel.errors import Forbidden
from governance.operations.policies import actions as policies
from governance.operations.policies import platform_minimum, waivers
from governance.operations.policies import queries as policies_of
from governance.operations.policies.policy_diff import platform_content
from governance.operations.switches import actions as switches
from governance.operations.switches import drill_actions, platform_actions
from governance.operations.switches import queries as switches_of
from tests import make
from tests.assurance.evidence import evidence_helpers
from tests.browser import Visitor
from tests.conftest import visitor
from tests.foundation.approvals.approval_helpers import fingerprint_on_page
from tests.foundation.identity_providers.sign_in_change_helpers import (
    propose_change,
    sign_in_for_test,
)
from tests.foundation.people.conftest import entries_of_action
from tests.foundation.people.hostile_idp import change_claims
from tests.operations.policies.conftest import (
    REASON,
    policy_content,
    put_in_force,
    register_systems,
)
from tests.operations.switches import switch_helpers

OLGA, NOOR = ("second_admin", "acme"), ("second_operator", "console")


@dataclass
class RequestedApproval:
    """A request by the first admin or operator: its page, the decision's address, and its texts."""

    page: str
    answer: str
    verb: str = "approve"
    more: tuple[tuple[str, str], ...] = ()
    approver: tuple[str, str] = OLGA


def sign_in(visitor_: Visitor, new: Any) -> RequestedApproval:
    change = propose_change(visitor_, new)
    sign_in_for_test(visitor_, change)
    return RequestedApproval(change, change)


def policy(*_: Any) -> RequestedApproval:
    register_systems()
    put_in_force(policy_content("strict"))
    with make.acting("admin"):
        row = policies.request_approval(policy_content("standard"), seen="", reason=REASON).id
        approval = open_approval(policies_of.POLICY, row).id
    return RequestedApproval(f"approvals/{approval}", f"approvals/{approval}")


def waiver(*_: Any) -> RequestedApproval:
    systems = register_systems()
    put_in_force(policy_content("baseline"))
    with make.acting("admin"):
        row = waivers.request(
            systems["support-assistant"],
            "retention_days",
            120,
            expires_at=clock.now() + timedelta(days=9),
            reason="A claim runs longer",
            compensation="A weekly review",
        ).id
        approval = open_approval(policies_of.WAIVER, row).id
    return RequestedApproval(f"approvals/{approval}", f"approvals/{approval}")


def floor(*_: Any) -> RequestedApproval:
    with make.acting("operator_admin", "console"):
        now = policies_of.platform()
        wanted = {
            **platform_content(now),
            "floor": {**platform_content(now)["floor"], "retention_days": 180},
        }
        row = platform_minimum.change(
            wanted,
            base=policies_of.newest_platform_number(),
            reason=REASON,
            until=clock.now() + timedelta(days=30),
        ).id
        approval = open_approval(policies_of.PLATFORM, row).id
    return RequestedApproval(f"approvals/{approval}", f"approvals/{approval}", approver=NOOR)


def restart(*_: Any) -> RequestedApproval:
    switch_helpers.register_system()
    held = switch_helpers.stop_feature()
    with make.acting("admin"):
        found = switches_of.stop(held)
        approval = switches.request_restart(found, seen=switches.seen(found), reason="Fixed").id
    return RequestedApproval(f"approvals/{approval}", f"approvals/{approval}")


def restart_of_all(*_: Any) -> RequestedApproval:
    with make.acting("operator_admin", "console"):
        held = platform_actions.stop_platform(reason="A model answers nonsense")
        approval = platform_actions.request_platform_restart(
            seen=platform_actions.platform_seen(held), reason="Fixed"
        ).id
    where = f"/t/console/approvals/{approval}"
    return RequestedApproval(where, where, approver=NOOR)


def drill(*_: Any) -> RequestedApproval:
    switch_helpers.register_system()
    with make.acting("admin"):
        row = drill_actions.plan(
            *switch_helpers.find_feature(),
            due_at=clock.now() + timedelta(hours=2),
            seconds=5,
            reason="Yearly",
        ).id
        approval = open_approval("drill", row).id
    return RequestedApproval(f"approvals/{approval}", f"approvals/{approval}")


def deletion_request(*_: Any) -> RequestedApproval:
    version = evidence_helpers.upload_version(evidence_helpers.create_evidence())
    with make.acting("admin"):
        row = deletion.request_deletion(
            *shelf_of.find_version(version), reason="It names a customer who objected"
        ).id
        approval = open_approval(deletion_queries.DELETION, row).id
    return RequestedApproval(f"approvals/{approval}", f"approvals/{approval}")


def erasure(*_: Any) -> RequestedApproval:
    with make.acting("admin"):
        row = erasure_actions.request_erasure(
            members.membership_of(make.person_id("viewer")), "They asked for it"
        ).id
        approval = open_approval("erasure", row).id
    return RequestedApproval(
        f"approvals/{approval}", f"approvals/{approval}", more=(("typed", "Maya Okafor"),)
    )


def unmasking(*_: Any) -> RequestedApproval:
    with make.acting("admin"):
        whose = members.membership_of(make.person_id("viewer"))
        row = unmasking_actions.request_unmasking(whose.pseudonym, "Who exported at night?").id
    return RequestedApproval(f"approvals/{row}", f"approvals/{row}")


KINDS = {
    f.__name__: f
    for f in (
        sign_in,
        policy,
        waiver,
        floor,
        restart,
        restart_of_all,
        drill,
        deletion_request,
        erasure,
        unmasking,
    )
}
Ask = Callable[[], RequestedApproval]


@pytest.fixture(params=KINDS)
def make_request(request, app, as_admin, idp) -> Ask:
    """Make the request of that kind, as the first admin or operator."""
    return lambda: KINDS[request.param](as_admin, idp)


def long_ago() -> Any:
    return clock.now() - make.MEMBERS_FOR


def approve(app: Any, asked: RequestedApproval, then: int) -> tuple[bool, str]:
    """Approve as the approver, with what their page carries.

    Return whether the page before offers a button for it, and that page's words.
    """
    who = visitor(app, *asked.approver)
    page = BeautifulSoup(who.get(asked.page).text, "html.parser")
    seen = page.select_one("main form input[name=seen]")
    more = dict(asked.more) | ({"seen": str(seen["value"])} if seen else {})
    who.post(asked.answer, then=then, verb=asked.verb, **more)
    offered = page.select(f"main form [name=verb][value={asked.verb}]")
    return bool(offered), " ".join(page.get_text(" ").split())


def changes_role(part: str, slug: str, role: str) -> None:
    with make.acting("admin" if slug == "acme" else "operator_admin", slug):
        member_actions.change_role(members.membership_of(make.person_id(part, slug)), role)


def test_who_was_a_member_before_approves_it(app, make_request):
    make.add_member(*OLGA, since=long_ago())
    make.add_member(*NOOR, since=long_ago())
    offered, words = approve(app, make_request(), then=303)
    assert offered and "You can't approve this" not in words


def test_who_joined_after_the_request_is_refused_and_told_why(app, make_request):
    asked = make_request()
    make.add_member(*asked.approver)
    offered, words = approve(app, asked, then=403)
    assert (
        not offered and "You joined after this request was made, so you can't approve it." in words
    )


def test_who_got_the_role_after_the_request_is_refused_and_told_why(app, make_request):
    make.add_member(*OLGA, since=long_ago())
    make.add_member(*NOOR, since=long_ago())
    changes_role(*OLGA, "viewer")
    changes_role(*NOOR, "operator_finance")
    asked = make_request()
    changes_role(*asked.approver, "admin" if asked.approver is OLGA else "operator_admin")
    offered, words = approve(app, asked, then=403)
    assert not offered and "You got your role after this request was made" in words


def test_a_second_account_with_the_same_address_is_the_same_person(app, make_request):
    make.add_member(*OLGA, since=long_ago())
    make.add_member(*NOOR, since=long_ago())
    asked = make_request()
    first = "admin" if asked.approver is OLGA else "operator_admin"
    key = make.person_id(*asked.approver)
    with current.acting_as(make.system_actor(asked.approver[1])), transaction(person_id=key):
        session().get(Person, key).email = make.PEOPLE[asked.approver[1], first][1].upper()
    offered, words = approve(app, asked, then=403)
    assert not offered and "You have the same email address as the requester" in words


def test_who_was_removed_and_came_back_after_the_request_is_refused(app, make_request):
    make.add_member(*OLGA, since=long_ago())
    make.add_member(*NOOR, since=long_ago())
    asked = make_request()
    part, slug = asked.approver
    key = make.person_id(part, slug)
    with make.acting("admin" if slug == "acme" else "operator_admin", slug):
        member_actions.remove_member(members.membership_of(key))
    with current.acting_as(make.system_actor(slug)), transaction(person_id=key):
        member_actions.add_member(
            session().get(Person, key), make.PEOPLE[slug, part][2], via="invitation"
        )
    approve(app, asked, then=403)


def test_who_may_not_approve_may_reject(app, as_admin, acting):
    """Allow rejection: it grants nothing, and after a new provider everyone is new."""
    asked = policy()
    make.add_member(*OLGA)
    visitor(app, *OLGA).post(asked.answer, verb="reject", reason="Not now")
    with acting("admin"):
        assert policies_of.draft() is None


# ---- new admins


def test_a_second_mailbox_of_one_admin_approves_nothing_while_there_is_another_admin(app):
    """Deny it: inviting takes one person, so both accounts may be the same human."""
    make.add_member(*OLGA)  # Before the request, so only their age speaks against it.
    asked = policy()
    offered, words = approve(app, asked, then=403)
    assert not offered and "You got the role of tenant admin on" in words
    assert "You can approve from" in words
    with clock.frozen(clock.now() + timedelta(hours=25)):
        approve(app, asked, then=303)


def test_a_new_admin_approves_where_no_other_admin_could(app):
    make.add_member(*OLGA)
    with make.acting("admin"):
        for part in ("compliance_officer", "reviewer"):
            member_actions.remove_member(members.membership_of(make.person_id(part)))
    asked = policy()
    offered, _words = approve(app, asked, then=303)
    assert offered


def told_of_admins(part: str, slug: str = "acme") -> list[str]:
    with make.acting(part, slug, read_only=True):
        query = select(Notification.says, Notification.title, Notification.mailed_at)
        rows = session().execute(query.where(Notification.kind == "admin")).all()
        mine = make.person_id(part, slug)
        query = select(Notification.title).where(
            Notification.kind == "admin",
            Notification.person_id == mine,
            Notification.mailed_at.is_not(None),
        )
        assert all(row.says == "gave the role of admin to" for row in rows)
        return list(session().scalars(query))


def test_all_other_admins_are_told_of_a_new_one_by_a_notification_and_mail(database):
    name = make.PEOPLE["acme", "second_admin"][0]
    make.add_member(*OLGA)
    assert told_of_admins("admin") == [name]
    assert told_of_admins("second_admin") == []
    assert told_of_admins("admin", "globex") == []
    changes_role(*OLGA, "viewer")
    assert told_of_admins("admin") == [name]


def test_admins_are_told_of_a_role_that_groups_give(app, as_admin, idp, arrive):
    arrive("officer@acme.example")
    change_claims(groups=["governance-admins"])(idp)
    arrive("officer@acme.example")
    assert len(told_of_admins("admin")) == 1


# ---- groups


def test_who_was_mapped_to_a_role_by_groups_after_the_request_is_refused(
    app, as_admin, idp, arrive
):
    """Deny a member that the provider added to the admins' group once the request was open."""
    arrive("officer@acme.example")
    asked = unmasking()
    change_claims(groups=["governance-admins"])(idp)
    mapped = arrive("officer@acme.example")
    assert entries_of_action("membership.role.changed")[-1].changes == {
        "role": ["compliance_officer", "admin"]
    }
    mapped.post(asked.answer, then=403, verb="approve")
    assert "You got your role after" in mapped.get(asked.page).text


def test_a_sign_in_that_changes_no_role_takes_nothing_away(app, as_admin, idp, arrive):
    arrive("officer@acme.example")
    with make.acting("admin"):
        for member in members.members_at_address("officer@acme.example"):
            member.role_since = long_ago()
    asked = unmasking()
    again = arrive("officer@acme.example")
    again.post(asked.answer, verb="approve", seen=fingerprint_on_page(again, asked.page))
    assert len(entries_of_action("unmasking.approved")) == 1


# ---- lists, and judgments of work


@pytest.mark.parametrize(
    "kind", [policy, waiver, restart, drill, deletion_request, erasure, unmasking]
)
def test_the_inbox_shows_it_to_who_may_approve_it_and_to_nobody_else(app, as_admin, kind):
    asked = kind()
    make.add_member(*OLGA)
    assert asked.page not in pages_of_inbox(visitor(app, *OLGA))
    assert asked.page in pages_of_inbox(visitor(app, "reviewer"))
    assert asked.page not in pages_of_inbox(as_admin)


def pages_of_inbox(who) -> set[str]:
    """Return the targets of the approvals in that person's inbox."""
    links = set(
        re.findall(
            r'href="(/t/acme/inbox/items/[^"]+/open)"', who.get("inbox/?group=approvals").text
        )
    )
    return {who.get(link, then=302).location.removeprefix("/t/acme/") for link in links}


def test_evidence_is_reviewed_by_another_human_also_by_a_new_one(app, acting):
    version = evidence_helpers.upload_version(evidence_helpers.create_evidence(), by="admin")
    make.add_member(*OLGA)
    key = make.person_id(*OLGA)
    with current.acting_as(make.system_actor("acme")), transaction(person_id=key):
        session().get(Person, key).email = "Admin@acme.example"
    with acting("second_admin"), pytest.raises(Forbidden, match="same email address"):
        version_actions.accept(*shelf_of.find_version(version))
    with current.acting_as(make.system_actor("acme")), transaction(person_id=key):
        session().get(Person, key).email = "olga@acme.example"
    evidence_helpers.accept_version(version, by="second_admin")
