"""Policies in force, now or at an instant; versions, the open draft, and waivers.

current_policy(at)              all data for effective policies, in one statement
current_and_draft()             the current data and the open draft, in one statement
platform(at)                    the operator's layer
version(number), versions()     published versions
draft()                         the one open version, if any
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Select,
    any_,
    bindparam,
    func,
    or_,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute

from governance.foundation.approvals.models import Approval, ApprovalGiven
from governance.kernel import clock
from governance.kernel.data.db import find, session
from governance.kernel.data.selects import Selected
from governance.kernel.errors import NotFound
from governance.kernel.pages.rendering import Keyset, keyset
from governance.operations.policies.dimensions import Value, read, read_all
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
from governance.operations.policies.strictness import Layer, effective, values
from governance.operations.policies.tiers import FLOOR
from governance.operations.systems.models import AISystem

type GovernedRow = tuple[UUID, str, str, str]  # Id, key, name and lane of an AI system

POLICY, WAIVER, PLATFORM = "policy", "waiver", "platform_minimum"  # Kinds of approvals


def current_policy(at: datetime | None = None) -> EffectivePolicy:
    """Return the tenant's policy at the instant.

    Without an instant, it is everything committed, even if this machine's clock is behind.
    """
    return _effective(_parts(at), at)


def current_and_draft() -> tuple[EffectivePolicy, PolicyVersion | None]:
    """Return the tenant's current policy and the one open version."""
    parts = _parts(None)
    return _effective(parts, None), parts.draft


@dataclass(frozen=True, slots=True)
class _Parts:
    """The stored data of effective policies, and the current open draft."""

    version: PolicyVersion | None
    systems: Sequence[GovernedRow]
    platforms: Sequence[PlatformPolicy]
    waivers: Sequence[Waiver]
    draft: PolicyVersion | None


def _parts(at: datetime | None) -> _Parts:
    moment, work = at or this_moment(), session()
    return _Parts(
        work.scalars(_in_force(at)).one_or_none(),
        _governed_rows(at),
        work.scalars(_platforms(moment, started_by=at)).all(),
        work.scalars(_live_waivers(moment, started_by=at)).all(),
        work.scalars(_open_versions()).one_or_none(),
    )


def this_moment() -> datetime:
    """Return the moment of the current policy, the same for all parts of a page."""
    return clock.now()


def _open_versions() -> Select[PolicyVersion]:
    return select(PolicyVersion).where(PolicyVersion.state.in_(OPEN))


def _governed_rows(at: datetime | None) -> list[GovernedRow]:
    return [(row[0], row[1], row[2], row[3]) for row in session().execute(_governed(at))]


def _effective(parts: _Parts, at: datetime | None) -> EffectivePolicy:
    row, systems = parts.version, _read_systems(parts.systems)
    content = read_content(row.content).within(systems) if row else Content()
    return EffectivePolicy(
        _platform(parts.platforms, at or clock.now()),
        (row.number or 0) if row else 0,
        content,
        systems,
        _read_waivers(parts.waivers),
        row.in_force_from if row else None,
    )


def in_force(at: datetime | None = None) -> PolicyVersion | None:
    return session().scalars(_in_force(at)).one_or_none()


def _in_force(at: datetime | None) -> Select[PolicyVersion]:
    v = PolicyVersion
    query = select(v).where(_started(v.in_force_from, at))
    return query.order_by(v.number.desc()).limit(1)


def _started(
    start: InstrumentedAttribute[datetime | None] | InstrumentedAttribute[datetime],
    at: datetime | None,
) -> ColumnElement[bool]:
    """Match rows that had started by the instant; None: at any time."""
    return start.is_not(None) if at is None else start <= at


def _not_ended(
    end: InstrumentedAttribute[datetime | None], at: datetime | None
) -> ColumnElement[bool]:
    return end.is_(None) if at is None else or_(end.is_(None), end > at)


def governed() -> tuple[Governed, ...]:
    return _read_systems(_governed_rows(None))


def _governed(at: datetime | None) -> Select[UUID, str, str, str]:
    started, lives = _started(AISystem.created_at, at), _not_ended(AISystem.retired_at, at)
    query = select(AISystem.id, AISystem.key, AISystem.name, AISystem.lane)
    return query.where(started, lives).order_by(AISystem.key)


def _read_systems(rows: Iterable[GovernedRow]) -> tuple[Governed, ...]:
    return tuple(Governed(*row) for row in rows)


def _live_waivers(moment: Any, *, started_by: datetime | None) -> Select[Waiver]:
    query = select(Waiver).where(
        _started(Waiver.live_from, started_by),
        Waiver.expires_at > moment,
        _not_ended(Waiver.closed_at, started_by),
    )
    return query.order_by(Waiver.created_at)


def _read_waivers(rows: Iterable[Waiver]) -> tuple[LiveWaiver, ...]:
    return tuple(
        LiveWaiver(w.id, w.system_id, w.dimension, read(w.dimension, w.value), w.expires_at)
        for w in rows
    )


def platform(at: datetime | None = None) -> Platform:
    """Return the operator's layer: the newest version.

    When its minimum has ended, the newest one that hasn't ended applies again (or the built-in
    one), joined with the ended one, so that an end never loosens anything.
    """
    if at is None:
        moment = this_moment()
        return _platform(session().scalars(_platforms(moment, started_by=None)).all(), moment)
    return _platform(session().scalars(_platforms(at, started_by=at)).all(), at)


def _platform(rows: Sequence[PlatformPolicy], moment: datetime) -> Platform:
    if not rows:
        return Platform()
    newest, lasting = (
        read_platform(row.number or 0, row.content, row.until) for row in (rows[0], rows[-1])
    )
    if newest.until is None or newest.until > moment:
        return newest
    if lasting.until is not None and lasting.until <= moment:
        lasting = Platform()
    both = effective([Layer("floor", "", lasting.floor), Layer("floor", "", newest.floor)])
    return replace(newest, number=lasting.number, floor=values(both), until=lasting.until)


def _platforms(at: Any, *, started_by: datetime | None) -> Select[PlatformPolicy]:
    """Select the newest version first, down to the newest one that has not ended."""
    started = select(PlatformPolicy).where(_started(PlatformPolicy.in_force_from, started_by))
    lasting = started.where(
        or_(PlatformPolicy.until.is_(None), PlatformPolicy.until > at)
    ).with_only_columns(func.max(PlatformPolicy.number))
    from_there = started.where(PlatformPolicy.number >= func.coalesce(lasting.scalar_subquery(), 0))
    return from_there.order_by(PlatformPolicy.number.desc())


NUMBERED = Selected[PolicyVersion](
    lambda: select(PolicyVersion).where(
        PolicyVersion.number == any_(bindparam("numbers", type_=ARRAY(Integer)))
    )
)


def version(number: int) -> PolicyVersion:
    return _numbered(number, NUMBERED.read(numbers=(number,)))


def two_versions(
    number: int, other: int | None = None
) -> tuple[PolicyVersion, PolicyVersion | None]:
    """Return a version and the one to compare it with, by default its base.

    The latter is None for a version before the first.
    """
    numbers = number, number - 1 if other is None else other
    found = NUMBERED.read(numbers=numbers)
    row = _numbered(number, found)
    compared = row.base if other is None else other
    before = next((each for each in found if each.number == compared), None)
    return row, before or version(compared) if compared > 0 else None


def _numbered(number: int, found: Iterable[PolicyVersion]) -> PolicyVersion:
    version = next((each for each in found if each.number == number), None)
    if version is None:
        raise NotFound("This policy version doesn't exist, or you don't have access to it.")
    return version


def versions(*, after: str | None = None, size: int = 50) -> Keyset:
    """Return published versions, newest first."""
    query = select(PolicyVersion).where(PolicyVersion.number.is_not(None))
    return keyset(query, PolicyVersion.number, after=after, size=size, descending=True)


def draft(*, lock: bool = False) -> PolicyVersion | None:
    """Return the one open version: drafted, awaiting approval, or scheduled."""
    query = _open_versions()
    return session().scalars(_locked(query) if lock else query).one_or_none()


def _locked[S: Select[Any]](query: S) -> S:
    """Lock the row and read it again, since it may have changed during the wait."""
    return query.with_for_update().execution_options(populate_existing=True)


def policy_version(version_id: UUID, *, lock: bool = False) -> PolicyVersion:
    """Return any version by its id: published, open or decided."""
    return find(PolicyVersion, version_id, what="version of this policy", lock=lock)


MAX_NUMBERS = 200  # Versions to compare with


def numbers(policy: EffectivePolicy) -> Sequence[int]:
    """Return the numbers of the newest published versions, newest first.

    They count up from 1, and each was published as the one in force.
    """
    return range(policy.number, max(policy.number - MAX_NUMBERS, 0), -1)


def contents(of: Iterable[int]) -> dict[int, Content]:
    """Return the contents of these versions, in one statement. Version 0 is the built-in one."""
    rows = session().execute(
        select(PolicyVersion.number, PolicyVersion.content).where(PolicyVersion.number.in_(set(of)))
    )
    return {0: Content()} | {row.number: read_content(row.content) for row in rows}


def system_keys(ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the slugs of these systems, including retired ones. Runs no statement without ids."""
    known = set(ids)
    if not known:
        return {}
    rows = session().execute(select(AISystem.id, AISystem.key).where(AISystem.id.in_(known)))
    return {row.id: row.key for row in rows}


def waiver(waiver_id: UUID, *, lock: bool = False) -> Waiver:
    return find(Waiver, waiver_id, lock=lock)


def open_waiver(system_id: UUID, key: str) -> Waiver | None:
    """Return the requested or live waiver for this setting of this system."""
    query = select(Waiver).where(
        Waiver.system_id == system_id,
        Waiver.dimension == key,
        Waiver.state.in_(("requested", "live")),
        Waiver.expires_at > clock.now(),
    )
    return session().scalars(query.limit(1)).one_or_none()


def approvals_of_waivers(ids: Collection[UUID]) -> dict[UUID, list[ApprovalGiven]]:
    """Return each waiver's approvals, oldest first. Runs no statement without ids."""
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
    """Return the minimum that applies when every looser one has ended."""
    query = select(PlatformPolicy.content).where(
        PlatformPolicy.number.is_not(None), PlatformPolicy.until.is_(None)
    )
    content = session().scalar(query.order_by(PlatformPolicy.number.desc()).limit(1))
    return FLOOR if content is None else read_all(content.get("floor", {}))


def platform_policy(policy_id: UUID, *, lock: bool = False) -> PlatformPolicy:
    return find(PlatformPolicy, policy_id, what="version of the platform minimum", lock=lock)


def platform_version(number: int) -> PlatformPolicy:
    found = (
        session()
        .scalars(select(PlatformPolicy).where(PlatformPolicy.number == number))
        .one_or_none()
    )
    if found is None:
        raise NotFound(
            "This version of the platform minimum doesn't exist, or you don't have access to it."
        )
    return found


def platform_versions(*, after: str | None = None, size: int = 50) -> Keyset:
    query = select(PlatformPolicy).where(PlatformPolicy.number.is_not(None))
    return keyset(query, PlatformPolicy.number, after=after, size=size, descending=True)
