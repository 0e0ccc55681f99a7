"""Queries for the auditors of engagements, their invitations, links and sessions."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    exists,
    func,
    or_,
    select,
)

from governance.assurance.engagements import queries
from governance.assurance.engagements.models import (
    Engagement,
    EngagementAuditor,
)
from governance.foundation.people.models import Invitation, Membership, Session
from governance.kernel import clock
from governance.kernel.data.db import find, session
from governance.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class AuditorView:
    """An auditor of an engagement.

    `person_id` is None until they sign in. `is_revoked` means that their membership ended, or that
    their invitation was withdrawn before they accepted it.
    """

    auditor: EngagementAuditor
    person_id: UUID | None
    is_revoked: bool

    @property
    def sign_in_method(self) -> str:
        return "Personal link and email code" if self.auditor.link_hash else "Single sign-on"


def auditors(engagement_id: UUID) -> list[AuditorView]:
    return _auditors(EngagementAuditor.engagement_id == engagement_id)


def auditors_by_email(email: str) -> list[AuditorView]:
    """List the auditors with this email address, in all engagements."""
    return _auditors(EngagementAuditor.email == email)


def hides_names_from(email: str) -> bool:
    """Check whether any open or planned engagement of this email address hides names."""
    a, e = EngagementAuditor, Engagement
    mine = (a.engagement_id == e.id) & (a.email == email) & a.removed_at.is_(None)
    hiding = exists().where(mine, ~e.shows_names, queries.has_not_ended(clock.now()))
    return bool(session().scalar(select(hiding)))


def _auditors(those: ColumnElement[bool]) -> list[AuditorView]:
    a = EngagementAuditor
    who = func.coalesce(a.person_id, Invitation.accepted_by)
    query = select(a, who, Membership.ended_at, Invitation.withdrawn_at, Invitation.accepted_at)
    query = query.outerjoin(Invitation, Invitation.id == a.invitation_id).outerjoin(
        Membership, Membership.person_id == who
    )
    rows = session().execute(
        query.where(those, a.removed_at.is_(None)).order_by(a.name, a.email, a.created_at)
    )
    return [
        AuditorView(each, person, bool(ended) or bool(withdrawn and not taken))
        for each, person, ended, withdrawn, taken in rows
    ]


def open_invitations(engagement_id: UUID) -> Sequence[UUID]:
    """Return the ids of this engagement's invitations that weren't accepted or withdrawn."""
    query = select(Invitation.id).join(
        EngagementAuditor, EngagementAuditor.invitation_id == Invitation.id
    )
    query = query.where(
        EngagementAuditor.engagement_id == engagement_id, EngagementAuditor.removed_at.is_(None)
    )
    return (
        session()
        .scalars(
            query.where(
                Invitation.accepted_at.is_(None), Invitation.withdrawn_at.is_(None)
            ).distinct()
        )
        .all()
    )


def needed_until(invitation_id: UUID) -> datetime | None:
    """Return the end of the last engagement that needs this invitation, or None."""
    query = select(func.max(Engagement.closes_at)).join(
        EngagementAuditor, EngagementAuditor.engagement_id == Engagement.id
    )
    live = (EngagementAuditor.removed_at.is_(None), Engagement.ended_at.is_(None))
    return session().scalar(query.where(EngagementAuditor.invitation_id == invitation_id, *live))


def why_not_member(email: str) -> str | None:
    """Return why this email address can't be a member, or None if it can.

    Auditors of an open or planned engagement can't be members.
    """
    a, email = EngagementAuditor, email.strip().lower()
    query = (
        select(Engagement.ref)
        .join(a, a.engagement_id == Engagement.id)
        .where(a.email == email, a.removed_at.is_(None))
    )
    ref = session().scalar(
        query.where(Engagement.ended_at.is_(None), Engagement.closes_at > clock.now()).limit(1)
    )
    return (
        f"{email} is an auditor of {ref}. Members can't audit their own tenant. Remove them from"
        f" {ref} first."
        if ref
        else None
    )


def auditor(engagement_id: UUID, auditor_id: UUID) -> EngagementAuditor:
    found = find(EngagementAuditor, auditor_id, what="auditor", lock=True)
    if found.engagement_id != engagement_id or found.removed_at is not None:
        raise NotFound("This auditor doesn't exist, or you don't have access to it.")
    return found


def auditor_rows_of_person(
    person_id: UUID, addresses: Collection[str]
) -> Sequence[EngagementAuditor]:
    """Lock and return all auditor rows of this person, including removed ones."""
    a = EngagementAuditor
    query = select(a).where(
        or_(a.person_id == person_id, func.lower(a.email).in_([each.lower() for each in addresses]))
    )
    return session().scalars(query.order_by(a.id).with_for_update()).all()


def auditor_by_link(link_hash: bytes, *, lock: bool = False) -> EngagementAuditor | None:
    query = select(EngagementAuditor).where(
        EngagementAuditor.link_hash == link_hash, EngagementAuditor.removed_at.is_(None)
    )
    return session().scalars(query.with_for_update() if lock else query).one_or_none()


def open_link_of(
    person_id: UUID, *, lock: bool = False
) -> tuple[EngagementAuditor, Engagement] | None:
    """Return this person's personal link in an open engagement, and the engagement.

    If there are several, return the one whose engagement closes last.
    """
    a = EngagementAuditor
    query = (
        select(a, Engagement)
        .join(Engagement, Engagement.id == a.engagement_id)
        .where(queries.is_open_sql(clock.now()), a.person_id == person_id)
    )
    query = (
        query.where(a.link_hash.is_not(None), a.removed_at.is_(None))
        .order_by(Engagement.closes_at.desc(), a.id)
        .limit(1)
    )
    row = session().execute(query.with_for_update(of=a) if lock else query).one_or_none()
    return (row[0], row[1]) if row else None


def auditors_without_access(now: datetime) -> Sequence[UUID]:
    """Return the ids of auditors who have a session, but no open engagement.

    People who now have another role are left out.
    """
    a = EngagementAuditor
    who = func.coalesce(a.person_id, Invitation.accepted_by)
    every = (
        select(who).outerjoin(Invitation, Invitation.id == a.invitation_id).where(who.is_not(None))
    )
    inside = every.join(Engagement, Engagement.id == a.engagement_id).where(
        queries.is_open_sql(now), a.removed_at.is_(None)
    )
    signed_in = select(Session.person_id).join(
        Membership, Membership.person_id == Session.person_id
    )
    signed_in = signed_in.where(
        Session.ended_at.is_(None), Membership.role == "auditor", Membership.ended_at.is_(None)
    )
    found = every.where(who.not_in(inside), who.in_(signed_in)).distinct().order_by(who)
    return session().scalars(found).all()
