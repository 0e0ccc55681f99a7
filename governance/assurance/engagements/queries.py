"""Queries for audit engagements, and for access to them.

open_engagements_of(person)   a person's engagements that are open now
has_access(who, now)          whether someone may sign in; only auditors need an engagement
read_only_engagement(now)     the engagement that makes evidence and controls read-only
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Select,
    exists,
    or_,
    select,
)

from governance.assurance.engagements.fieldwork_window import phase
from governance.assurance.engagements.models import (
    Engagement,
    EngagementAuditor,
)
from governance.assurance.frameworks import queries as frameworks
from governance.foundation.people.models import Invitation
from governance.foundation.people.sessions import MAX_SESSION_LIFETIME
from governance.kernel import clock
from governance.kernel import current as acting
from governance.kernel.current import Actor
from governance.kernel.data.db import find, session
from governance.kernel.errors import NotFound

STATES = ("open", "provided", "returned", "accepted")


def _of_person(person_id: Any) -> Select[Any]:
    """Select engagements that have this person as an auditor, also by an accepted invitation."""
    a = EngagementAuditor
    known = or_(a.person_id == person_id, Invitation.accepted_by == person_id)
    mine = (
        select(a.engagement_id)
        .outerjoin(Invitation, Invitation.id == a.invitation_id)
        .where(known, a.removed_at.is_(None))
    )
    return select(Engagement).where(Engagement.id.in_(mine))


def is_open_sql(now: Any) -> Any:
    return (Engagement.opens_at <= now) & has_not_ended(now)


def has_not_ended(now: Any) -> Any:
    """Return the SQL condition that an engagement is open or planned."""
    return (Engagement.closes_at > now) & or_(
        Engagement.ended_at.is_(None), Engagement.ended_at > now
    )


def current_at(person_id: UUID, now: datetime) -> Sequence[Engagement]:
    return (
        session()
        .scalars(_of_person(person_id).where(is_open_sql(now)).order_by(Engagement.ref))
        .all()
    )


def open_engagement_ids_of(person: Any, now: Any) -> Select[Any]:
    """Select the ids of a person's open engagements. The arguments may be SQL expressions."""
    return _of_person(person).where(is_open_sql(now)).with_only_columns(Engagement.id)


def open_engagements_of(person_id: UUID) -> Sequence[Engagement]:
    """List this person's engagements that are open now."""
    return current_at(person_id, clock.now())


def has_access(who: Actor, now: datetime) -> bool:
    """Check whether someone may sign in. Auditors need an open engagement."""
    return who.role != "auditor" or (
        who.person_id is not None and bool(current_at(who.person_id, now))
    )


def has_read_only_engagement() -> bool:
    """Check whether any engagement, past or future, makes evidence and controls read-only."""
    return bool(
        session().scalar(
            select(
                exists().where(
                    Engagement.freezes_changes, Engagement.tenant_id == acting.actor().tenant_id
                )
            )
        )
    )


def read_only_engagement(now: datetime) -> Engagement | None:
    """Return the open engagement that makes evidence and controls read-only, if any.

    If there are several, return the one that closes last.
    """
    query = (
        select(Engagement)
        .where(is_open_sql(now), Engagement.freezes_changes)
        .order_by(Engagement.closes_at.desc())
        .limit(1)
    )
    return session().scalars(query).one_or_none()


def engagement(engagement_id: UUID, *, lock: bool = False) -> Engagement:
    """Return an engagement. Raises NotFound for auditors unless it is theirs and open."""
    found = find(Engagement, engagement_id, what="engagement", lock=lock)
    who = acting.actor()
    if who.role == "auditor" and found.id not in {
        each.id for each in open_engagements_of(who.person_id or UUID(int=0))
    }:
        raise NotFound("This engagement doesn't exist, or you don't have access to it.")
    return found


def engagements() -> Sequence[Engagement]:
    """List the engagements that the acting person may see. Members get the latest end first."""
    who = acting.actor()
    if who.role == "auditor":
        return open_engagements_of(who.person_id or UUID(int=0))
    return (
        session()
        .scalars(select(Engagement).order_by(Engagement.closes_at.desc(), Engagement.ref))
        .all()
    )


def tenants_with_closed_window(now: datetime) -> Sequence[UUID]:
    """Return the ids of tenants with a window that closed within the lifetime of a session.

    Call it in a transaction without a tenant. Row-level security then shows only such engagements.
    """
    closed = (
        Engagement.closes_at <= now,
        Engagement.closes_at > now - MAX_SESSION_LIFETIME,
        Engagement.ended_at.is_(None),
    )
    return session().scalars(select(Engagement.tenant_id).where(*closed).distinct()).all()


def not_over(now: datetime) -> Sequence[Engagement]:
    """List planned and open engagements."""
    query = select(Engagement).where(has_not_ended(now)).order_by(Engagement.ref)
    return session().scalars(query).all()


def lock_engagements_not_over(now: datetime) -> Sequence[Engagement]:
    """Lock and return planned and open engagements."""
    query = select(Engagement).where(Engagement.ended_at.is_(None), Engagement.closes_at > now)
    return session().scalars(query.order_by(Engagement.ref).with_for_update()).all()


def identical_engagement(facts: Mapping[str, Any]) -> Engagement | None:
    """Return an engagement with the same fields that wasn't ended early, if any."""
    query = select(Engagement).filter_by(**facts).where(Engagement.ended_at.is_(None))
    return session().scalars(query.order_by(Engagement.ref).limit(1)).one_or_none()


def engagement_refs() -> Sequence[str]:
    return session().scalars(select(Engagement.ref)).all()


def scope_name(engagement: Engagement) -> str:
    """Return the scope as people read it, such as "SOC 2, CC6.1"."""
    if engagement.is_red_team:
        return "Its red team"
    if engagement.framework_id is None:
        return "All controls"
    found = frameworks.framework_by_id(engagement.framework_id)
    return f"{found.title}{', ' + ', '.join(engagement.criteria) if engagement.criteria else ''}"


def phase_of(engagement: Engagement) -> str:
    return phase(engagement.opens_at, engagement.closes_at, engagement.ended_at, clock.now())
