"""What is stopped, in which scope, and which consumers obey.

active_stops(), platform_stops()    what every answer follows from
stop(id), active_stops_of(…)        the rows behind a verb
restart_requests(stops)             their open requests to restart
listeners(), obediences(stops)      who asks, and who obeys which stop
due()                               over all tenants: whose drills are to begin, end or be filed
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, or_, select

from governance.foundation.approvals import kinds
from governance.foundation.approvals import queries as approvals
from governance.foundation.approvals.models import Approval
from governance.kernel.db import find, session
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

MOST_LISTENERS = 20_000
ENDED = ("passed", "failed")
RESTART, PLATFORM_RESTART, DRILL = "restart", "platform_restart", "drill"  # kinds of approval


def active_stops() -> Sequence[ActiveStop]:
    """All active stops that cover the acting tenant, the operator's first; two statements."""
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
    """The operator's stop of everything, if it is active."""
    above = session().scalars(select(PlatformStop).where(PlatformStop.restarted_at.is_(None)))
    return [
        ActiveStop(p.id, "platform", None, None, p.generate, p.serve, p.reason, 0, p.created_at)
        for p in above
    ]


# ---- the rows behind a verb


def stop(stop_id: UUID) -> Stop:
    """Its verbs lock it themselves, after the tenant's lock: in the other order a stop would wait
    for a restart.
    """
    return find(Stop, stop_id, what="stop")


def drill(drill_id: UUID, *, lock: bool = False) -> Drill:
    return find(Drill, drill_id, what="drill", lock=lock)


def own_active_stops() -> Sequence[Stop]:
    """Every active stop of the tenant's own, the newest first."""
    query = select(Stop).where(Stop.restarted_at.is_(None))
    return session().scalars(query.order_by(Stop.created_at.desc(), Stop.version.desc())).all()


def active_stops_of(
    scope: str, system_id: UUID | None, feature_id: UUID | None, *, lock: bool = True
) -> Sequence[Stop]:
    """The active stops of exactly this scope, the newest (and widest) first; drills end by
    themselves and are left out.
    """
    same = (
        Stop.scope == scope,
        Stop.system_id.is_not_distinct_from(system_id),
        Stop.feature_id.is_not_distinct_from(feature_id),
    )
    query = (
        select(Stop)
        .where(*same, Stop.restarted_at.is_(None), Stop.drill_id.is_(None))
        .order_by(Stop.version.desc())
    )
    return session().scalars(query.with_for_update() if lock else query).all()


def scope_of(of: Stop | Drill) -> tuple[AISystem | None, SystemFeature | None]:
    """What a stop or drill is of, also when it was retired since."""
    system = session().get(AISystem, (of.tenant_id, of.system_id)) if of.system_id else None
    feature = session().get(SystemFeature, (of.tenant_id, of.feature_id)) if of.feature_id else None
    return system, feature


def name_of(system: AISystem | None, feature: SystemFeature | None) -> str:
    """What a scope is called: claims-triage · auto-approve."""
    return " · ".join(each.key for each in (system, feature) if each is not None) or "everything"


def overlapping_stops(found: Stop) -> tuple[list[ActiveStop], list[ActiveStop]]:
    """Active stops beside those of this scope: the wider ones, which keep it stopped, and the
    narrower ones within it.
    """
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
    return (
        session()
        .scalars(select(PlatformStop).where(PlatformStop.restarted_at.is_(None)))
        .one_or_none()
    )


def platform_stops_past(*, limit: int = 20) -> Sequence[PlatformStop]:
    query = (
        select(PlatformStop)
        .where(PlatformStop.restarted_at.is_not(None))
        .order_by(PlatformStop.created_at.desc())
    )
    return session().scalars(query.limit(limit)).all()


def has_high_risk() -> bool:
    """Whether any live system is in the high-risk lane: then everything is, when it is stopped
    together.
    """
    query = (
        select(AISystem.id)
        .where(AISystem.lane == "high_risk", AISystem.retired_at.is_(None))
        .limit(1)
    )
    return session().scalar(query) is not None


def needs_second(found: Stop) -> bool:
    """Whether restarting it takes two people: by the lane of its system as it is now, whatever it
    was.
    """
    if found.system_id is None:
        return has_high_risk()
    return (
        session().scalar(select(AISystem.lane).where(AISystem.id == found.system_id)) == "high_risk"
    )


def restart_requests(stops: Collection[Stop]) -> dict[UUID, Approval]:
    """Stop → the open request to restart it; one statement, none without stops."""
    found = approvals.latest(RESTART, [each.id for each in stops])
    return {stop_id: each for stop_id, each in found.items() if approvals.is_open(each)}


def restart_request(found: Stop) -> Approval | None:
    """The open request to restart the scope of this stop, as long as nothing of what it would
    restart has changed.
    """
    active = active_stops_of(found.scope, found.system_id, found.feature_id, lock=False)
    there = approvals.open_approval(RESTART, active[0].id) if active else None
    is_current = (
        there is not None
        and approvals.is_open(there)
        and kinds.fingerprint(there) == there.fingerprint
    )
    return there if is_current else None


# ---- who asks, and who obeys


def listeners() -> dict[UUID, Listener]:
    """Every consumer that was ever heard, by id."""
    columns = (
        Consumer.id,
        Consumer.name,
        Consumer.region,
        Consumer.system_id,
        Consumer.version,
        Consumer.seen_at,
    )
    rows = session().execute(
        select(*columns).order_by(Consumer.seen_at.desc()).limit(MOST_LISTENERS)
    )
    return {row.id: Listener(*row) for row in rows}


def obediences(
    stops: Collection[Stop], known: Mapping[UUID, Listener] | None = None
) -> dict[UUID, Obedience]:
    """Who obeys each of these stops; one statement, two without the known listeners."""
    if not stops:
        return {}
    there = listeners() if known is None else known
    query = select(Acknowledgement.stop_id, Acknowledgement.consumer_id, Acknowledgement.at)
    acknowledged: dict[UUID, dict[UUID, datetime]] = {}
    for row in session().execute(query.where(Acknowledgement.stop_id.in_([s.id for s in stops]))):
        acknowledged.setdefault(row.stop_id, {})[row.consumer_id] = row.at
    return {
        s.id: obedience(
            there, [UUID(one) for one in s.expected], acknowledged.get(s.id, {}), s.created_at
        )
        for s in stops
    }


# ---- lists


def names_of(stops: Iterable[Stop]) -> dict[UUID, str]:
    """What each of these stops is called: claims-triage · auto-approve; one statement, also of what
    was retired since.
    """
    held = list(stops)
    query = select(AISystem.id, AISystem.key, SystemFeature.id, SystemFeature.key)
    query = query.outerjoin(SystemFeature, SystemFeature.system_id == AISystem.id)
    wanted = {s.system_id for s in held if s.system_id}
    rows = session().execute(query.where(AISystem.id.in_(wanted))).all() if wanted else ()
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
        for s in held
    }


def stops_past(*, limit: int = 20, system_id: UUID | None = None) -> Sequence[Stop]:
    """What was stopped and restarted, the newest first; drills are listed by themselves."""
    query = select(Stop).where(Stop.restarted_at.is_not(None), Stop.drill_id.is_(None))
    query = query if system_id is None else query.where(Stop.system_id == system_id)
    return session().scalars(query.order_by(Stop.created_at.desc()).limit(limit)).all()


def drills(*, limit: int = 20, system_id: UUID | None = None) -> Sequence[Drill]:
    """The newest drills, in whatever state."""
    query = (
        select(Drill) if system_id is None else select(Drill).where(Drill.system_id == system_id)
    )
    return (
        session().scalars(query.order_by(Drill.due_at.desc(), Drill.id.desc()).limit(limit)).all()
    )


# ---- drills, over all tenants


def due(now: datetime, since: datetime) -> Sequence[UUID]:
    """The tenants with a drill to begin, to end, or (ended after `since`) to report; asked in a
    transaction of no tenant, to which the database shows only such drills.
    """
    unreported = and_(
        Drill.state.in_(ENDED), Drill.evidence_version_id.is_(None), Drill.ended_at > since
    )
    wanted = or_(
        and_(Drill.state == "planned", Drill.due_at <= now), Drill.state == "running", unreported
    )
    return session().scalars(select(Drill.tenant_id).where(wanted).distinct()).all()


def due_here(now: datetime, since: datetime) -> Sequence[Drill]:
    """The same drills of the acting tenant, locked; who is at work on one already keeps it."""
    unreported = and_(
        Drill.state.in_(ENDED), Drill.evidence_version_id.is_(None), Drill.ended_at > since
    )
    wanted = or_(
        and_(Drill.state == "planned", Drill.due_at <= now), Drill.state == "running", unreported
    )
    return (
        session()
        .scalars(
            select(Drill).where(wanted).order_by(Drill.due_at).with_for_update(skip_locked=True)
        )
        .all()
    )
