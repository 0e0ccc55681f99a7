"""Stops, drills, and the consumers that obey them.

active_stops(), platform_stops()    the stops for the decision API
stop(id), active_stops_of(…)        the rows that actions change
restart_requests(stops)             open requests to restart
listeners(), obediences(stops)      consumers, and their obedience by stop
due()                               the tenants with due drills, over all tenants
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Integer, Select, Uuid, and_, bindparam, or_, select

from governance.foundation.approvals import kinds
from governance.foundation.approvals import queries as approvals
from governance.foundation.approvals.models import Approval
from governance.kernel.data.db import find, session
from governance.kernel.data.selects import Rows
from governance.operations.switches.active_stops import ActiveStop
from governance.operations.switches.models import (
    Acknowledgement,
    Consumer,
    Drill,
    PlatformStop,
    Stop,
)
from governance.operations.switches.stop_propagation import Listener, Obedience, obedience
from governance.operations.systems.models import AISystem, SystemFeature

MAX_LISTENERS = 20_000
ENDED = ("passed", "failed")
RESTART, PLATFORM_RESTART, DRILL = "restart", "platform_restart", "drill"  # Kinds of approval


def active_stops() -> Sequence[ActiveStop]:
    """Return all active stops that cover the tenant, the operator's first. Runs two statements."""
    columns = (
        Stop.id,
        Stop.scope,
        Stop.system_id,
        Stop.feature_id,
        Stop.generate,
        Stop.serve,
        Stop.reason,
        Stop.version,
        Stop.created_at,
        Stop.drill_id,
    )
    own = session().execute(
        select(*columns).where(Stop.restarted_at.is_(None)).order_by(Stop.created_at)
    )
    return platform_stops() + [
        ActiveStop(
            s.id,
            s.scope,
            s.system_id,
            s.feature_id,
            s.generate,
            s.serve,
            s.reason,
            s.version,
            s.created_at,
            s.drill_id is not None,
        )
        for s in own
    ]


def platform_stops() -> list[ActiveStop]:
    """Return the operator's stop of everything, if it is active."""
    return of_platform(session().scalars(select_platform_stop()))


def select_platform_stop() -> Select[PlatformStop]:
    """Select the operator's stop of everything, if it is active."""
    return select(PlatformStop).where(PlatformStop.restarted_at.is_(None))


def of_platform(stops: Iterable[PlatformStop]) -> list[ActiveStop]:
    return [
        ActiveStop(p.id, "platform", None, None, p.generate, p.serve, p.reason, 0, p.created_at)
        for p in stops
    ]


# ---- the rows that actions change


def stop(stop_id: UUID) -> Stop:
    """Return a stop, unlocked.

    Actions take the tenant's lock first, so that no stop waits for a restart.
    """
    return find(Stop, stop_id, what="stop")


def drill(drill_id: UUID, *, lock: bool = False) -> Drill:
    return find(Drill, drill_id, what="drill", lock=lock)


def select_own_active() -> Select[Stop]:
    """Select the tenant's own active stops, newest first."""
    query = select(Stop).where(Stop.restarted_at.is_(None))
    return query.order_by(Stop.created_at.desc(), Stop.version.desc())


def active_stops_of(
    scope: str, system_id: UUID | None, feature_id: UUID | None, *, lock: bool = True
) -> Sequence[Stop]:
    """Return the active stops of exactly this scope, newest (and widest) first, without drills."""
    if not lock:
        return _active_stops_of(scope, system_id, feature_id)
    query = _select_active_of(scope, system_id, feature_id)
    return session().scalars(query.with_for_update()).all()


def _active_stops_of(scope: str, system_id: UUID | None, feature_id: UUID | None) -> Sequence[Stop]:
    return session().scalars(_select_active_of(scope, system_id, feature_id)).all()


def _select_active_of(scope: str, system_id: UUID | None, feature_id: UUID | None) -> Select[Stop]:
    same = (
        Stop.scope == scope,
        Stop.system_id.is_not_distinct_from(system_id),
        Stop.feature_id.is_not_distinct_from(feature_id),
    )
    query = select(Stop).where(*same, Stop.restarted_at.is_(None), Stop.drill_id.is_(None))
    return query.order_by(Stop.version.desc())


def scope_of(of: Stop | Drill) -> tuple[AISystem | None, SystemFeature | None]:
    """Return the system and the feature of a stop or drill, retired or not."""
    system = session().get(AISystem, (of.tenant_id, of.system_id)) if of.system_id else None
    feature = session().get(SystemFeature, (of.tenant_id, of.feature_id)) if of.feature_id else None
    return system, feature


def name_of(system: AISystem | None, feature: SystemFeature | None) -> str:
    """Return the name of a scope, such as "claims-triage · auto-approve"."""
    return " · ".join(each.key for each in (system, feature) if each is not None) or "everything"


def overlapping_stops(found: Stop) -> tuple[list[ActiveStop], list[ActiveStop]]:
    """Return the other active stops: wider ones, which keep it stopped, and inner ones."""
    own = (found.scope, found.system_id, found.feature_id)
    others = [
        each
        for each in active_stops()
        if not each.is_drill and (each.scope, each.system_id, each.feature_id) != own
    ]
    wider = [each for each in others if each.covers(found.system_id, found.feature_id)]
    within = (
        []
        if found.scope == "feature"
        else [each for each in others if found.system_id in {None, each.system_id}]
    )
    return wider, [each for each in within if each not in wider]


def stop_of_drill(drill_id: UUID) -> Stop | None:
    return session().scalars(select(Stop).where(Stop.drill_id == drill_id)).one_or_none()


def platform_stop() -> PlatformStop | None:
    return session().scalars(select_platform_stop()).one_or_none()


def platform_stops_past(*, limit: int = 20) -> Sequence[PlatformStop]:
    query = (
        select(PlatformStop)
        .where(PlatformStop.restarted_at.is_not(None))
        .order_by(PlatformStop.created_at.desc())
    )
    return session().scalars(query.limit(limit)).all()


def has_high_risk() -> bool:
    """Return True if any active system is high risk, so that a stop of everything is, too."""
    query = (
        select(AISystem.id)
        .where(AISystem.lane == "high_risk", AISystem.retired_at.is_(None))
        .limit(1)
    )
    return session().scalar(query) is not None


def needs_second(found: Stop) -> bool:
    """Return True if a restart needs two people, by the system's current risk class."""
    if found.system_id is None:
        return has_high_risk()
    return find(AISystem, found.system_id).lane == "high_risk"


def restart_requests(stops: Collection[Stop]) -> dict[UUID, Approval]:
    """Map each stop to its open request to restart. Runs one statement, or none without stops."""
    found = approvals.latest(RESTART, [each.id for each in stops])
    return {stop_id: each for stop_id, each in found.items() if approvals.is_open(each)}


def restart_request(found: Stop) -> Approval | None:
    """Return the open request to restart the scope, unless the stop has changed since."""
    active = active_stops_of(found.scope, found.system_id, found.feature_id, lock=False)
    request = approvals.open_approval(RESTART, active[0].id) if active else None
    is_current = (
        request is not None
        and approvals.is_open(request)
        and kinds.fingerprint(request) == request.fingerprint
    )
    return request if is_current else None


# ---- consumers


def listeners() -> dict[UUID, Listener]:
    """Return every consumer, by id."""
    columns = (
        Consumer.id,
        Consumer.name,
        Consumer.region,
        Consumer.system_id,
        Consumer.version,
        Consumer.seen_at,
    )
    rows = session().execute(
        select(*columns).order_by(Consumer.seen_at.desc()).limit(MAX_LISTENERS)
    )
    return {row.id: Listener(*row) for row in rows}


def obediences(
    stops: Collection[Stop], known: Mapping[UUID, Listener] | None = None
) -> dict[UUID, Obedience]:
    """Return the obedience to each stop. Runs one statement, or two without known consumers."""
    if not stops:
        return {}
    consumers = listeners() if known is None else known
    query = select(Acknowledgement.stop_id, Acknowledgement.consumer_id, Acknowledgement.at)
    acknowledged: dict[UUID, dict[UUID, datetime]] = {}
    for row in session().execute(query.where(Acknowledgement.stop_id.in_([s.id for s in stops]))):
        acknowledged.setdefault(row.stop_id, {})[row.consumer_id] = row.at
    return {
        s.id: obedience(
            consumers, [UUID(one) for one in s.expected], acknowledged.get(s.id, {}), s.created_at
        )
        for s in stops
    }


# ---- lists


def names_of(stops: Iterable[Stop]) -> dict[UUID, str]:
    """Return the name of each stop, such as claims-triage · auto-approve. Runs one statement."""
    every = list(stops)
    query = select(AISystem.id, AISystem.key, SystemFeature.id, SystemFeature.key)
    query = query.outerjoin(SystemFeature, SystemFeature.system_id == AISystem.id)
    system_ids = {s.system_id for s in every if s.system_id}
    rows = session().execute(query.where(AISystem.id.in_(system_ids))).all() if system_ids else ()
    system, feature = {row[0]: row[1] for row in rows}, {row[2]: row[3] for row in rows if row[2]}
    return {
        s.id: (
            " · ".join(
                names[key]
                for names, key in ((system, s.system_id), (feature, s.feature_id))
                if key in names
            )
            or "everything"
        )
        for s in every
    }


def stops_past(*, limit: int = 20, system_id: UUID | None = None) -> Sequence[Stop]:
    """Return ended stops, newest first, without drills."""
    query = select(Stop).where(Stop.restarted_at.is_not(None), Stop.drill_id.is_(None))
    query = query if system_id is None else query.where(Stop.system_id == system_id)
    return session().scalars(query.order_by(Stop.created_at.desc()).limit(limit)).all()


DRILLS_OF = Rows(
    Drill,
    lambda m: m.system_id == bindparam("system_id", type_=Uuid()),
    lambda m: (m.due_at.desc(), m.id.desc()),
    limit=bindparam("drills", type_=Integer),
)


def drills(*, limit: int = 20, system_id: UUID | None = None) -> Sequence[Drill]:
    """Return the newest drills, in any state."""
    if system_id is not None:
        return DRILLS_OF.read(system_id=system_id, drills=limit)
    query = select(Drill).order_by(Drill.due_at.desc(), Drill.id.desc())
    return session().scalars(query.limit(limit)).all()


# ---- drills, over all tenants


def due(now: datetime, since: datetime) -> Sequence[UUID]:
    """Return the tenants with a drill to start, to end, or (ended after `since`) to report.

    Outside a tenant's transaction the database shows only such drills.
    """
    unreported = and_(
        Drill.state.in_(ENDED), Drill.evidence_version_id.is_(None), Drill.ended_at > since
    )
    is_due = or_(
        and_(Drill.state == "planned", Drill.due_at <= now), Drill.state == "running", unreported
    )
    return session().scalars(select(Drill.tenant_id).where(is_due).distinct()).all()


def due_here(now: datetime, since: datetime) -> Sequence[Drill]:
    """Return such drills of the acting tenant, locked, without those that are already locked."""
    unreported = and_(
        Drill.state.in_(ENDED), Drill.evidence_version_id.is_(None), Drill.ended_at > since
    )
    is_due = or_(
        and_(Drill.state == "planned", Drill.due_at <= now), Drill.state == "running", unreported
    )
    return (
        session()
        .scalars(
            select(Drill).where(is_due).order_by(Drill.due_at).with_for_update(skip_locked=True)
        )
        .all()
    )
