"""The pages about members: their list, inviting, changing roles and removing."""

from uuid import UUID

from flask import current_app, flash, redirect, url_for

from governance.foundation.people import (
    invitation_actions,
    member_actions,
    member_list,
    permissions,
    queries,
)
from governance.foundation.people.forms import InviteForm, RoleForm
from governance.foundation.people.member_list import MEMBERS
from governance.foundation.people.models import Membership
from governance.kernel import current
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.web.step_up import StepUp

feature = Feature("people", __name__)


@feature.get("/settings/members", needs=permissions.MEMBERS)
def members() -> ResponseReturnValue:
    return _members_page(InviteForm())


def _members_page(
    form: InviteForm, *, status: int = 200, problem: str | None = None
) -> ResponseReturnValue:
    live: dict[UUID, int] = {}
    for row in queries.live_sessions():
        live[row.person_id] = live.get(row.person_id, 0) + 1
    asked, members = MEMBERS.read(), queries.members()
    return page(
        "foundation/people/members.html",
        status=status,
        form=form,
        members=members,
        shown=member_list.matching(members, asked),
        asked=asked,
        live=live,
        problem=problem,
        invitations=queries.open_invitations(),
        role_form=RoleForm,
        fragments=("list",),
    )


@feature.post(
    "/settings/members/invite", needs=permissions.MANAGE, fresh=StepUp("Invite member", InviteForm)
)
def invite() -> ResponseReturnValue:
    form, who = InviteForm(), current.actor()
    if not accepted(
        form,
        lambda: invitation_actions.invite_member(
            form.email.data or "",
            form.role.data,
            tenant_name=who.tenant_name,
            link=sign_in_address(who.tenant_slug),
        ),
    ):
        return _members_page(form, status=422)
    flash(f"Invitation sent. It expires in {invitation_actions.INVITATION_DAYS} days.")
    return redirect(url_for("people.members"), 303)


def sign_in_address(slug: str) -> str:
    return f"{current_app.config['PUBLIC_URL']}/login?tenant={slug}"


@feature.post("/settings/invitations/<uuid:invitation_id>/withdraw", needs=permissions.MANAGE)
def withdraw(invitation_id: UUID) -> ResponseReturnValue:
    invitation_actions.withdraw_invitation(queries.invitation(invitation_id))
    flash("Invitation withdrawn. It can no longer be used to join.")
    return redirect(url_for("people.members"), 303)


def _who(membership_id: UUID) -> list[tuple[str, str]]:
    person = queries.membership(membership_id).person
    return [("Member", person.name), ("Email", person.email)]


CHANGE_ROLE = StepUp("Change role", RoleForm, facts=_who)
REMOVE = StepUp(
    "Remove member",
    facts=_who,
    danger="This member loses access immediately, and all their sessions end.",
)


@feature.post(
    "/settings/members/<uuid:membership_id>/role", needs=permissions.MANAGE, fresh=CHANGE_ROLE
)
def change_role(membership_id: UUID) -> ResponseReturnValue:
    membership, form = queries.membership(membership_id), RoleForm()
    if not accepted(form, lambda: member_actions.change_role(membership, form.role.data)):
        return _members_page(
            InviteForm(), status=422, problem="; ".join(text for _, text in form.problems)
        )
    flash("Role changed. It takes effect immediately.")
    return redirect(url_for("people.members"), 303)


@feature.get("/settings/members/<uuid:membership_id>/remove", needs=permissions.MANAGE)
def removal(membership_id: UUID) -> ResponseReturnValue:
    return _removal_page(queries.membership(membership_id))


def _removal_page(
    member: Membership, *, status: int = 200, problem: str | None = None
) -> ResponseReturnValue:
    return page(
        "foundation/people/remove.html",
        status=status,
        member=member,
        sessions=queries.live_sessions(member.person_id),
        problem=problem,
    )


@feature.post(
    "/settings/members/<uuid:membership_id>/remove", needs=permissions.MANAGE, fresh=REMOVE
)
def remove(membership_id: UUID) -> ResponseReturnValue:
    member = queries.membership(membership_id)
    try:
        member_actions.remove_member(member)
    except member_actions.LastAdmin as refused:
        return _removal_page(member, status=422, problem=refused.message)
    flash("Member removed. All their sessions have ended.")
    return redirect(url_for("people.members"), 303)
