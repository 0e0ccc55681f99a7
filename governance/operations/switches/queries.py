"""What is stopped, for whom, and who obeys.

active_stops(), platform_stops()      what every answer follows from
stop(id), active_stops_of(…)                the rows behind a verb
listeners(), obedience(stops)           who asks, and who obeys which stop
board(…) -> Board                       every scope of the tenant, or of one system, as its page shows it
waiting_restarts()                      restarts that wait for a second person
due()                                   over all tenants: whose drills are to begin, end or be filed
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on

from governance.kernel import clock
from governance.kernel.db import find, session
from governance.operations.switches.active_stops import ActiveStop
from governance.operations.switches.models import Acknowledgement, Consumer, Drill, PlatformStop, Stop
from governance.operations.switches.readiness import LastDrill, Readiness, readiness
from governance.operations.switches.stop_propagation import Listener, Obedience, obedience
from governance.operations.systems import queries as systems
from governance.operations.systems.models import AISystem, SystemFeature

MOST_LISTENERS = 20_000
ENDED = ("passed", "failed")


def active_stops() -> Sequence[ActiveStop]:
    """All active stops that cover the acting tenant, the operator's first; two statements."""
    columns = (Stop.id, Stop.scope, Stop.system_id, Stop.feature_id, Stop.generate, Stop.serve, Stop.reason, Stop.version,
               Stop.created_at, Stop.drill_id)  # fmt: skip
    own = session().execute(select(*columns).where(Stop.restarted_at.is_(None)).order_by(Stop.created_at))
    return platform_stops() + [
        ActiveStop(s.id, s.scope, s.system_id, s.feature_id, s.generate, s.serve, s.reason, s.version, s.created_at,
                s.drill_id is not None)
        for s in own
    ]  # fmt: skip


def platform_stops() -> list[ActiveStop]:
    """The operator's stop of everything, if it is active."""
    above = session().scalars(select(PlatformStop).where(PlatformStop.restarted_at.is_(None)))
    return [ActiveStop(p.id, "platform", None, None, p.generate, p.serve, p.reason, 0, p.created_at) for p in above]


# ---- the rows behind a verb


def stop(stop_id: UUID) -> Stop:
    """Its verbs lock it themselves, after the tenant's lock: in the other order a stop would wait for a restart."""
    return find(Stop, stop_id, what="stop")


def drill(drill_id: UUID, *, lock: bool = False) -> Drill:
    return find(Drill, drill_id, what="drill", lock=lock)


def own_active_stops() -> Sequence[Stop]:
    """Every active stop of the tenant's own, the newest first."""
    query = select(Stop).where(Stop.restarted_at.is_(None))
    return session().scalars(query.order_by(Stop.created_at.desc(), Stop.version.desc())).all()


def active_stops_of(scope: str, system_id: UUID | None, feature_id: UUID | None, *, lock: bool = True) -> Sequence[Stop]:
    """The active stops of exactly this scope, the newest (and widest) first; drills end by themselves and are left out."""
    same = (Stop.scope == scope, Stop.system_id.is_not_distinct_from(system_id), Stop.feature_id.is_not_distinct_from(feature_id))
    query = select(Stop).where(*same, Stop.restarted_at.is_(None), Stop.drill_id.is_(None)).order_by(Stop.version.desc())
    return session().scalars(query.with_for_update() if lock else query).all()


def stop_of_drill(drill_id: UUID) -> Stop | None:
    return session().scalars(select(Stop).where(Stop.drill_id == drill_id)).one_or_none()


def platform_stop() -> PlatformStop | None:
    return session().scalars(select(PlatformStop).where(PlatformStop.restarted_at.is_(None))).one_or_none()


def platform_stops_past(*, limit: int = 20) -> Sequence[PlatformStop]:
    query = select(PlatformStop).where(PlatformStop.restarted_at.is_not(None)).order_by(PlatformStop.created_at.desc())
    return session().scalars(query.limit(limit)).all()


def has_high_risk() -> bool:
    """Whether any live system is in the high-risk lane: then everything is, when it is stopped together."""
    query = select(AISystem.id).where(AISystem.lane == "high_risk", AISystem.retired_at.is_(None)).limit(1)
    return session().scalar(query) is not None


def needs_second(found: Stop) -> bool:
    """Whether restarting it takes two persons: by the lane of its system as it is now, whatever it was."""
    if found.system_id is None:
        return has_high_risk()
    return session().scalar(select(AISystem.lane).where(AISystem.id == found.system_id)) == "high_risk"


def waiting_restarts() -> Sequence[Stop]:
    """Restarts that were asked for and wait for a second person, the oldest first."""
    query = select(Stop).where(Stop.restarted_at.is_(None), Stop.restart_asked_at.is_not(None))
    return session().scalars(query.order_by(Stop.restart_asked_at)).all()


def waiting_drills() -> Sequence[Drill]:
    """Drills that were asked for, wait for a second person, and whose time is still to come."""
    query = select(Drill).where(Drill.state == "asked", Drill.due_at > clock.now())
    return session().scalars(query.order_by(Drill.due_at)).all()


# ---- who asks, and who obeys


def listeners() -> dict[UUID, Listener]:
    """Every consumer that was ever heard, by id."""
    columns = (Consumer.id, Consumer.name, Consumer.region, Consumer.system_id, Consumer.version, Consumer.seen_at)
    rows = session().execute(select(*columns).order_by(Consumer.seen_at.desc()).limit(MOST_LISTENERS))
    return {row.id: Listener(*row) for row in rows}


def obediences(stops: Collection[Stop], known: Mapping[UUID, Listener] | None = None) -> dict[UUID, Obedience]:
    """Who obeys each of these stops; one statement, two without the known listeners."""
    if not stops:
        return {}
    there = listeners() if known is None else known
    query = select(Acknowledgement.stop_id, Acknowledgement.consumer_id, Acknowledgement.at)
    acknowledged: dict[UUID, dict[UUID, datetime]] = {}
    for row in session().execute(query.where(Acknowledgement.stop_id.in_([s.id for s in stops]))):
        acknowledged.setdefault(row.stop_id, {})[row.consumer_id] = row.at
    return {s.id: obedience(there, [UUID(one) for one in s.expected], acknowledged.get(s.id, {}), s.created_at) for s in stops}


# ---- the board


@dataclass(frozen=True, slots=True)
class Scope:
    """What a switch stops: everything of the tenant, a system, or a feature of one."""

    kind: str
    system: AISystem | None = None
    feature: SystemFeature | None = None

    @property
    def system_id(self) -> UUID | None:
        return self.system.id if self.system else None

    @property
    def feature_id(self) -> UUID | None:
        return self.feature.id if self.feature else None

    @property
    def own(self) -> str:
        """What it is called on its system's page."""
        if self.feature:
            return self.feature.key
        return f"all of {self.system.key}" if self.system else "everything"

    @property
    def name(self) -> str:
        if self.system and self.feature:
            return f"{self.system.key} · {self.feature.key}"
        return self.system.key if self.system else "everything"

    @property
    def flag(self) -> str:
        if self.system is None:
            return ""
        return f"switch.{self.system.key}" + (f".{self.feature.key}" if self.feature else "")

    @property
    def key(self) -> tuple[UUID | None, UUID | None]:
        return self.system_id, self.feature_id


@dataclass(frozen=True, slots=True)
class Row:
    """One switch. `stop` is its own stop, `above` a wider one; `drill` the newest that is over, `planned` the next."""

    scope: Scope
    stop: Stop | None
    above: Stop | None
    is_platform: bool
    obeyed: Obedience | None
    ready: Readiness | None
    drill: Drill | None
    planned: Drill | None
    last: Stop | None
    heard: int
    current: int

    @property
    def is_live(self) -> bool:
        return self.stop is None and self.above is None and not self.is_platform


@dataclass(frozen=True, slots=True)
class Board:
    """Switches with the stops that stand over them, the newest first."""

    rows: Sequence[Row]
    stops: Sequence[Stop]
    platform: Sequence[ActiveStop]
    listeners: Mapping[UUID, Listener]
    obeyed: Mapping[UUID, Obedience]

    @property
    def stopped(self) -> int:
        """How many stops stand."""
        return len(self.stops) + len(self.platform)

    def row(self, stop: Stop) -> Row | None:
        return next((r for r in self.rows if r.scope.key == (stop.system_id, stop.feature_id)), None)


def board(only: AISystem | None = None) -> Board:
    """Every switch of the tenant, or of one system; eight statements whatever their number, seven for one system."""
    scopes, known = _scopes(only), listeners()
    stops = [s for s in own_active_stops() if only is None or s.scope == "tenant" or s.system_id == only.id]
    obeyed, drills, newest = obediences(stops, known), _drills(), _newest()
    facts = _Facts(stops, platform_stops(), obeyed, known, drills, newest, clock.now())
    return Board([_row(scope, facts) for scope in scopes], stops, facts.platform, known, obeyed)


def _scopes(only: AISystem | None) -> list[Scope]:
    if only is not None:
        return [*(Scope("feature", only, f) for f in systems.features(only.id)), Scope("system", only)]
    features, found = systems.every_feature(), [Scope("tenant")]
    for each in sorted(systems.live_systems(), key=lambda s: s.key):
        found.append(Scope("system", each))
        found += [Scope("feature", each, f) for f in features.get(each.id, ())]
    return found


type Key = tuple[UUID | None, UUID | None]


@dataclass(frozen=True, slots=True)
class _Facts:
    stops: Sequence[Stop]
    platform: Sequence[ActiveStop]
    obeyed: Mapping[UUID, Obedience]
    listeners: Mapping[UUID, Listener]
    drills: Mapping[tuple[UUID, UUID | None, bool], Drill]
    newest: Mapping[Key, tuple[int, Stop | None]]
    now: datetime


def _row(scope: Scope, facts: _Facts) -> Row:
    own = next((s for s in facts.stops if (s.system_id, s.feature_id) == scope.key), None)
    above = next((s for s in facts.stops if (s.system_id, s.feature_id) in _wider(scope)), None)
    drill = _last_drill(scope, facts.drills)
    newest = max((facts.newest[key][0] for key in (scope.key, *_wider(scope)) if key in facts.newest), default=0)
    heard = [one for one in facts.listeners.values() if one.is_under(scope.system_id) and one.is_heard(facts.now)]
    ready = None
    if scope.system is not None:
        last = LastDrill(drill.state == "passed", drill.ended_at) if drill and drill.ended_at else None
        ready = readiness(last, facts.listeners.values(), system_id=scope.system_id, newest=newest, now=facts.now)
    planned = facts.drills.get((scope.system_id, scope.feature_id, True)) if scope.system_id else None
    return Row(
        scope, own, above, bool(facts.platform), facts.obeyed.get(own.id) if own else None, ready, drill, planned,
        facts.newest.get(scope.key, (0, None))[1], len(heard), sum(one.version >= newest for one in heard),
    )  # fmt: skip


def _wider(scope: Scope) -> list[Key]:
    """The scopes that hold this one: the tenant, and of a feature its system."""
    if scope.kind == "tenant":
        return []
    return [(None, None), (scope.system_id, None)] if scope.kind == "feature" else [(None, None)]


def _last_drill(scope: Scope, drills: Mapping[tuple[UUID, UUID | None, bool], Drill]) -> Drill | None:
    """The newest that is over: its own, or one of its whole system, which stopped it too."""
    if scope.system_id is None:
        return None
    keys = {(scope.system_id, scope.feature_id, False), (scope.system_id, None, False)}
    found = [drills[key] for key in keys if key in drills]
    return max(found, key=lambda d: d.ended_at or d.due_at, default=None)


def _drills() -> dict[tuple[UUID, UUID | None, bool], Drill]:
    """(system, feature, whether it is still to come or under way) → the newest that is over, the next that is not."""
    is_open = Drill.ended_at.is_(None)
    order = func.coalesce(-func.extract("epoch", Drill.ended_at), func.extract("epoch", Drill.due_at))
    query = select(Drill).where(Drill.state != "cancelled").ext(distinct_on(Drill.system_id, Drill.feature_id, is_open))
    rows = session().scalars(query.order_by(Drill.system_id, Drill.feature_id, is_open, order))
    return {(d.system_id, d.feature_id, d.state not in ENDED): d for d in rows}


def _newest() -> dict[Key, tuple[int, Stop | None]]:
    """Of each scope: the version of its last stop or drill, and its last stop that was no drill."""
    is_drill = Stop.drill_id.is_not(None)
    query = select(Stop).ext(distinct_on(Stop.system_id, Stop.feature_id, is_drill))
    found: dict[Key, tuple[int, Stop | None]] = {}
    for each in session().scalars(query.order_by(Stop.system_id, Stop.feature_id, is_drill, Stop.version.desc())):
        key = (each.system_id, each.feature_id)
        version, last = found.get(key, (0, None))
        found[key] = max(version, each.version), (each if each.drill_id is None else last)
    return found


def names_of(stops: Iterable[Stop]) -> dict[UUID, str]:
    """What each of these stops is called: claims-triage · auto-approve; one statement, also of what was retired since."""
    held = list(stops)
    query = select(AISystem.id, AISystem.key, SystemFeature.id, SystemFeature.key)
    query = query.outerjoin(SystemFeature, SystemFeature.system_id == AISystem.id)
    wanted = {s.system_id for s in held if s.system_id}
    rows = session().execute(query.where(AISystem.id.in_(wanted))).all() if wanted else ()
    system, feature = {row[0]: row[1] for row in rows}, {row[2]: row[3] for row in rows if row[2]}
    return {s.id: " · ".join(filter(None, (system.get(s.system_id), feature.get(s.feature_id)))) or "everything" for s in held}  # type: ignore[arg-type]  # None is in neither


def stops_past(*, limit: int = 20, system_id: UUID | None = None) -> Sequence[Stop]:
    """What was stopped and restarted, the newest first; drills are listed by themselves."""
    query = select(Stop).where(Stop.restarted_at.is_not(None), Stop.drill_id.is_(None))
    query = query if system_id is None else query.where(Stop.system_id == system_id)
    return session().scalars(query.order_by(Stop.created_at.desc()).limit(limit)).all()


def drills(*, limit: int = 20, system_id: UUID | None = None) -> Sequence[Drill]:
    """The newest drills, in whatever state."""
    query = select(Drill) if system_id is None else select(Drill).where(Drill.system_id == system_id)
    return session().scalars(query.order_by(Drill.due_at.desc(), Drill.id.desc()).limit(limit)).all()


# ---- drills, over all tenants


def due(now: datetime, since: datetime) -> Sequence[UUID]:
    """The tenants with a drill to begin, to end, or (ended after `since`) to report; asked in a transaction of no tenant,
    to which the database shows only such drills.
    """
    unreported = and_(Drill.state.in_(ENDED), Drill.evidence_version_id.is_(None), Drill.ended_at > since)
    wanted = or_(and_(Drill.state == "planned", Drill.due_at <= now), Drill.state == "running", unreported)
    return session().scalars(select(Drill.tenant_id).where(wanted).distinct()).all()


def due_here(now: datetime, since: datetime) -> Sequence[Drill]:
    """The same drills of the acting tenant, locked; who is at work on one already keeps it."""
    unreported = and_(Drill.state.in_(ENDED), Drill.evidence_version_id.is_(None), Drill.ended_at > since)
    wanted = or_(and_(Drill.state == "planned", Drill.due_at <= now), Drill.state == "running", unreported)
    return session().scalars(select(Drill).where(wanted).order_by(Drill.due_at).with_for_update(skip_locked=True)).all()
