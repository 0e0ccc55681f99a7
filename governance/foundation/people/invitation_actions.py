"""Invite members and auditors, and withdraw invitations."""

from datetime import datetime, timedelta
from uuid import UUID, uuid5

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people import (
    queries,
)
from governance.foundation.people.member_actions import change_role, check_assignable_role
from governance.foundation.people.models import (
    NAMESPACE,
    Invitation,
)
from governance.foundation.people.ports import why_not_member
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.safety.access import ROLE_NAMES
from governance.kernel.work import outbox

INVITATION_SENT = action(
    "invitation.sent",
    "invited a member",
    target="Invitation",
    activity="create",
    severity="low",
    fields="role",
    personal="email",
)
INVITATION_WITHDRAWN = action(
    "invitation.withdrawn",
    "withdrew an invitation",
    target="Invitation",
    activity="delete",
    severity="informational",
    fields="role how",
    personal="email",
)
INVITATION_DAYS = 14


class AlreadyMember(DomainError):
    pass


def invite_member(email: str, role: str, *, tenant_name: str, link: str) -> Invitation:
    """Invite an address; the mail leaves after the commit.

    An expired invitation makes room for a new one.
    """
    email = email.strip().lower()
    check_assignable_role(role)
    if queries.members_at_address(email):
        raise AlreadyMember(f"{email} is already a member.", field="email")
    if why := why_not_member()(email):
        raise Invalid(why, field="email")
    return _write_invitation(email, role, tenant_name=tenant_name, link=link)


def _write_invitation(email: str, role: str, *, tenant_name: str, link: str) -> Invitation:
    invitation = create_invitation(email, role, clock.now() + timedelta(days=INVITATION_DAYS))
    outbox.send_mail(
        email,
        f"Join {' '.join(tenant_name.split())} on Meridian",
        f"{current.actor().name} invited you to {tenant_name} on Meridian."
        f" Your role: {ROLE_NAMES[role].lower()}.\n\n"
        f"To accept, sign in with your company account: {link}\n\n"
        f"The invitation expires in {INVITATION_DAYS} days.\n",
    )
    return invitation


def make_admin(email: str, issuer: str, *, tenant_name: str, link: str) -> None:
    """Make the person with this address at that issuer an admin (break-glass).

    A member becomes one at once, others by an invitation.
    """
    email, role = email.strip().lower(), _admin_role()
    known = [m for m in queries.members_at_address(email) if m.person.issuer == issuer]
    if len(known) > 1:
        raise Invalid(
            f"{len(known)} members have the email address {email}. Give an address that only one"
            " member has.",
            field="admin",
        )
    if known:
        change_role(known[0], role)
        return
    for old in session().scalars(queries.invitations_to(email)).all():
        withdraw_invitation(old, how="the operator invited an admin")
    _write_invitation(email, role, tenant_name=tenant_name, link=link)


def _admin_role() -> str:
    return "operator_admin" if current.actor().role.startswith("operator") else "admin"


def create_invitation(email: str, role: str, until: datetime) -> Invitation:
    for old in (
        session()
        .scalars(queries.invitations_to(email).where(Invitation.expires_at <= clock.now()))
        .all()
    ):
        withdraw_invitation(old, how="expired, and a new invitation was sent")
    invitation = Invitation(
        email=email,
        role=role,
        invited_by=current.actor().person_id,
        expires_at=until,
        accepted_at=None,
        accepted_by=None,
        withdrawn_at=None,
    )
    session().add(invitation)
    record(INVITATION_SENT, invitation, about=invitee_id(email), role=role, email=email)
    return invitation


def invite_auditor(email: str, *, until: datetime) -> Invitation:
    """Invite an auditor, whose role and letter come with an engagement.

    The engagement says from when until when. An open invitation is reused and lasts as long as the
    longer engagement.
    """
    there = check_auditor_address(email)
    if there is None:
        return create_invitation(email, "auditor", until)  # The call records it.
    there.expires_at = max(there.expires_at, until)
    return there


def check_auditor_address(email: str) -> Invitation | None:
    """Return the open invitation of an address, if it has one.

    Raises Invalid for the address of a member, or of somebody invited as one.
    """
    if any(held.role != "auditor" for held in queries.members_at_address(email)):
        raise Invalid(
            f"{email} is already a member of this tenant. Members can't audit their own tenant.",
            field="email",
        )
    there: Invitation | None = (
        session()
        .scalars(queries.invitations_to(email).where(Invitation.expires_at > clock.now()))
        .one_or_none()
    )
    if there is not None and there.role != "auditor":
        raise Invalid(
            f"{email} already has an invitation as {ROLE_NAMES[there.role].lower()}. Withdraw it"
            " first.",
            field="email",
        )
    return there


def invitee_id(email: str) -> UUID:
    """Return the id of an invited address: a data subject before they are a person here."""
    return uuid5(NAMESPACE, f"invited\0{email}")


def withdraw_invitation(invitation: Invitation, *, how: str = "withdrawn by an admin") -> None:
    if invitation.accepted_at or invitation.withdrawn_at:
        raise DomainError("This invitation was already accepted or withdrawn.")
    invitation.withdrawn_at = clock.now()
    record(
        INVITATION_WITHDRAWN,
        invitation,
        about=invitee_id(invitation.email),
        role=invitation.role,
        how=how,
        email=invitation.email,
    )
