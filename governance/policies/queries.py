"""What is in force, now or at an instant; versions, the open draft, waivers.

standing(at)                    everything that effective policies follow from, in four statements
platform(at)                    the operator's layer
version(number), versions()     what was in force
draft()                         the one open version, if there is one
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select

from governance.kernel import clock
from governance.kernel.db import session
from governance.kernel.errors import NotFound
from governance.kernel.pages import Keyset, keyset
from governance.policies.models import OPEN, PlatformPolicy, PolicyVersion, Waiver
from governance.policies.standing import (
    Content,
    Governed,
    LiveWaiver,
    Platform,
    Standing,
    read_content,
    read_platform,
)
from governance.policies.strictness import read
from governance.systems.models import AISystem


def standing(at: datetime | None = None) -> Standing:
    """The tenant as it stood at the instant (now by default). Systems are today's live ones, or those that lived then."""
    moment = at or clock.now()
    row = in_force(moment)
    return Standing(
        platform(moment), (row.number or 0) if row else 0, read_content(row.content) if row else Content(), governed(moment),
        live_waivers(moment), row.in_force_from if row else None,
    )  # fmt: skip


def in_force(at: datetime) -> PolicyVersion | None:
    query = select(PolicyVersion).where(PolicyVersion.in_force_from <= at)
    return (
        session().scalars(query.order_by(PolicyVersion.in_force_from.desc(), PolicyVersion.number.desc()).limit(1)).one_or_none()
    )


def governed(at: datetime) -> tuple[Governed, ...]:
    query = select(AISystem).where(AISystem.created_at <= at, or_(AISystem.retired_at.is_(None), AISystem.retired_at > at))
    return tuple(Governed(s.id, s.key, s.name, s.lane) for s in session().scalars(query.order_by(AISystem.key)))


def live_waivers(at: datetime) -> tuple[LiveWaiver, ...]:
    """Agreed before the instant, and neither ended nor withdrawn by it."""
    query = select(Waiver).where(
        Waiver.second_at <= at, Waiver.expires_at > at, or_(Waiver.closed_at.is_(None), Waiver.closed_at > at)
    )
    return tuple(
        LiveWaiver(w.id, w.system_id, w.dimension, read(w.dimension, w.value), w.expires_at)
        for w in session().scalars(query.order_by(Waiver.created_at))
    )


def platform(at: datetime | None = None) -> Platform:
    """The operator's layer: the newest version that has not ended, or the built-in one."""
    row = platform_in_force(at or clock.now())
    return read_platform(row.number or 0, row.content, row.until) if row else Platform()


def platform_in_force(at: datetime) -> PlatformPolicy | None:
    query = select(PlatformPolicy).where(
        PlatformPolicy.in_force_from <= at, or_(PlatformPolicy.until.is_(None), PlatformPolicy.until > at)
    )
    newest = query.order_by(PlatformPolicy.in_force_from.desc(), PlatformPolicy.number.desc()).limit(1)
    return session().scalars(newest).one_or_none()


def version(number: int) -> PolicyVersion:
    found = session().scalars(select(PolicyVersion).where(PolicyVersion.number == number)).one_or_none()
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
    return session().scalars(query.with_for_update() if lock else query).one_or_none()


def waiver(waiver_id: UUID, *, lock: bool = False) -> Waiver:
    query = select(Waiver).where(Waiver.id == waiver_id)
    found = session().scalars(query.with_for_update() if lock else query).one_or_none()
    if found is None:
        raise NotFound("There is no such waiver here.")
    return found


def waivers(*, limit: int = 200) -> Sequence[Waiver]:
    """Open and live ones first, then the newest of those that ended."""
    return session().scalars(select(Waiver).order_by(Waiver.created_at.desc(), Waiver.id.desc()).limit(limit)).all()
