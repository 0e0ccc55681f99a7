"""What is in force, now or at an instant; versions, the open draft, waivers.

standing(at)                    everything that effective policies follow from, in four statements
platform(at)                    the operator's layer
version(number), versions()     what was in force
draft()                         the one open version, if there is one
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from governance.foundation.approvals.models import Approval, ApprovalGiven
from governance.kernel import clock
from governance.kernel.db import find, session
from governance.kernel.errors import NotFound
from governance.kernel.pages import Keyset, keyset
from governance.operations.policies.effective_policies import (
    Content,
    EffectivePolicy,
    Governed,
    LiveWaiver,
    Platform,
    read_content,
    read_platform,
)
from governance.operations.policies.models import OPEN, PlatformPolicy, PolicyVersion, Waiver
from governance.operations.policies.strictness import (
    FLOOR,
    Layer,
    Value,
    effective,
    read,
    read_all,
    values,
)
from governance.operations.systems.models import AISystem

POLICY, WAIVER, PLATFORM = "policy", "waiver", "platform_minimum"  # kinds of approvals


def standing(at: datetime | None = None) -> EffectivePolicy:
    """The tenant as it stood at the instant.

    Now, by default, is whatever is committed: what another machine has just brought into force
    holds here too, however far this one's clock is behind.
    """
    row, systems = in_force(at), governed(at)
    content = read_content(row.content).within(systems) if row else Content()
    return EffectivePolicy(
        platform(at),
        (row.number or 0) if row else 0,
        content,
        systems,
        live_waivers(at),
        row.in_force_from if row else None,
    )


def in_force(at: datetime | None = None) -> PolicyVersion | None:
    query = select(PolicyVersion).where(_by(PolicyVersion.in_force_from, at))
    return session().scalars(query.order_by(PolicyVersion.number.desc()).limit(1)).one_or_none()


def _by(
    began: InstrumentedAttribute[datetime | None] | InstrumentedAttribute[datetime],
    at: datetime | None,
) -> ColumnElement[bool]:
    """Begun by the instant; None: at all."""
    return began.is_not(None) if at is None else began <= at


def _not_by(
    ended: InstrumentedAttribute[datetime | None], at: datetime | None
) -> ColumnElement[bool]:
    return ended.is_(None) if at is None else or_(ended.is_(None), ended > at)


def governed(at: datetime | None = None) -> tuple[Governed, ...]:
    query = select(AISystem).where(_by(AISystem.created_at, at), _not_by(AISystem.retired_at, at))
    return tuple(
        Governed(s.id, s.key, s.name, s.lane)
        for s in session().scalars(query.order_by(AISystem.key))
    )


def live_waivers(at: datetime | None = None) -> tuple[LiveWaiver, ...]:
    """Approved by the instant, and not ended by it."""
    query = select(Waiver).where(
        _by(Waiver.live_from, at),
        Waiver.expires_at > (at or clock.now()),
        _not_by(Waiver.closed_at, at),
    )
    return tuple(
        LiveWaiver(w.id, w.system_id, w.dimension, read(w.dimension, w.value), w.expires_at)
        for w in session().scalars(query.order_by(Waiver.created_at))
    )


def platform(at: datetime | None = None) -> Platform:
    """The operator's layer: the newest version.

    When its floor has ended, the floor of the newest one that has not holds again (the built-in one
    where none is left), with whatever the ended one asked for beyond it: no end loosens anything.
    """
    moment = at or clock.now()
    rows = platforms_in_force(moment, started_by=at)
    if not rows:
        return Platform()
    newest, holds = (
        read_platform(row.number or 0, row.content, row.until) for row in (rows[0], rows[-1])
    )
    if newest.until is None or newest.until > moment:
        return newest
    if holds.until is not None and holds.until <= moment:
        holds = Platform()
    both = effective([Layer("floor", "", holds.floor), Layer("floor", "", newest.floor)])
    return replace(newest, number=holds.number, floor=values(both), until=holds.until)


def platforms_in_force(at: datetime, *, started_by: datetime | None) -> Sequence[PlatformPolicy]:
    """The newest version first, down to the one whose floor holds: only those above it have
    ended.
    """
    began = select(PlatformPolicy).where(_by(PlatformPolicy.in_force_from, started_by))
    lasting = began.where(
        or_(PlatformPolicy.until.is_(None), PlatformPolicy.until > at)
    ).with_only_columns(func.max(PlatformPolicy.number))
    from_there = began.where(PlatformPolicy.number >= func.coalesce(lasting.scalar_subquery(), 0))
    return session().scalars(from_there.order_by(PlatformPolicy.number.desc())).all()


def version(number: int) -> PolicyVersion:
    found = (
        session().scalars(select(PolicyVersion).where(PolicyVersion.number == number)).one_or_none()
    )
    if found is None:
        raise NotFound("There is no such version of the policy.")
    return found


def versions(*, after: str | None = None, size: int = 50) -> Keyset:
    """What came into force, newest first."""
    query = select(PolicyVersion).where(PolicyVersion.number.is_not(None))
    return keyset(query, PolicyVersion.number, after=after, size=size, descending=True)


def draft(*, lock: bool = False) -> PolicyVersion | None:
    """The one version that is open: drafted, waiting for a second person, or scheduled."""
    query = select(PolicyVersion).where(PolicyVersion.state.in_(OPEN))
    return session().scalars(_locked(query) if lock else query).one_or_none()


def _locked[S: Select[Any]](query: S) -> S:
    """As the row is now: whoever waited for the lock may have read it before."""
    return query.with_for_update().execution_options(populate_existing=True)


def policy_version(version_id: UUID, *, lock: bool = False) -> PolicyVersion:
    """Any version, in force, open or decided, by its id."""
    return find(PolicyVersion, version_id, what="version of the policy", lock=lock)


def numbers() -> Sequence[int]:
    """Of the newest versions that came into force, newest first: what one can be compared with."""
    query = (
        select(PolicyVersion.number)
        .where(PolicyVersion.number.is_not(None))
        .order_by(PolicyVersion.number.desc())
        .limit(200)
    )
    return [number for number in session().scalars(query) if number is not None]


def contents(of: Iterable[int]) -> dict[int, Content]:
    """What these versions say, in one statement; 0 is what is built in."""
    rows = session().execute(
        select(PolicyVersion.number, PolicyVersion.content).where(PolicyVersion.number.in_(set(of)))
    )
    return {0: Content()} | {row.number: read_content(row.content) for row in rows}


def system_keys(ids: Iterable[UUID]) -> dict[UUID, str]:
    """The short names of these systems, retired ones too; no statement when none is asked for."""
    wanted = set(ids)
    if not wanted:
        return {}
    rows = session().execute(select(AISystem.id, AISystem.key).where(AISystem.id.in_(wanted)))
    return {row.id: row.key for row in rows}


def waiver(waiver_id: UUID, *, lock: bool = False) -> Waiver:
    return find(Waiver, waiver_id, lock=lock)


def open_waiver(system_id: UUID, key: str) -> Waiver | None:
    """One that is requested or live for that dimension of that system."""
    query = select(Waiver).where(
        Waiver.system_id == system_id,
        Waiver.dimension == key,
        Waiver.state.in_(("requested", "live")),
        Waiver.expires_at > clock.now(),
    )
    return session().scalars(query.limit(1)).one_or_none()


def approvals_of_waivers(ids: Collection[UUID]) -> dict[UUID, list[ApprovalGiven]]:
    """Waiver → the approvals given to it, the first one first; no statement when none is wanted."""
    found: dict[UUID, list[ApprovalGiven]] = {}
    if ids:
        query = select(Approval.target_id, ApprovalGiven).join(
            ApprovalGiven, ApprovalGiven.approval_id == Approval.id
        )
        query = query.where(Approval.kind == WAIVER, Approval.target_id.in_(set(ids)))
        for waiver_id, given in session().execute(
            query.order_by(ApprovalGiven.given_at, ApprovalGiven.id)
        ):
            found.setdefault(waiver_id, []).append(given)
    return found


# ---- the operator's layer, in versions


def open_platform(*, lock: bool = False) -> PlatformPolicy | None:
    query = select(PlatformPolicy).where(PlatformPolicy.state == "requested")
    return session().scalars(_locked(query) if lock else query).one_or_none()


def newest_platform_number() -> int:
    return session().scalar(select(func.max(PlatformPolicy.number))) or 0


def lasting_floor() -> Mapping[str, Value]:
    """The floor that holds when every looser one has ended."""
    query = select(PlatformPolicy.content).where(
        PlatformPolicy.number.is_not(None), PlatformPolicy.until.is_(None)
    )
    content = session().scalar(query.order_by(PlatformPolicy.number.desc()).limit(1))
    return FLOOR if content is None else read_all(content.get("floor", {}))


def platform_policy(policy_id: UUID, *, lock: bool = False) -> PlatformPolicy:
    return find(PlatformPolicy, policy_id, what="version of the floor", lock=lock)


def platform_version(number: int) -> PlatformPolicy:
    found = (
        session()
        .scalars(select(PlatformPolicy).where(PlatformPolicy.number == number))
        .one_or_none()
    )
    if found is None:
        raise NotFound("There is no such version of the platform minimum.")
    return found


def platform_versions(*, after: str | None = None, size: int = 50) -> Keyset:
    query = select(PlatformPolicy).where(PlatformPolicy.number.is_not(None))
    return keyset(query, PlatformPolicy.number, after=after, size=size, descending=True)
