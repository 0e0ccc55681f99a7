"""Every switch of the tenant, or of one AI system: stops, obedience, the last drill.

board(), board(system) -> Board
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from governance.foundation.approvals.models import Approval
from governance.kernel import clock
from governance.kernel.data.selects import Selected, read_rows
from governance.operations.switches import queries
from governance.operations.switches.active_stops import ActiveStop
from governance.operations.switches.models import Drill, Stop
from governance.operations.switches.readiness import LastDrill, Readiness, readiness
from governance.operations.switches.stop_propagation import Listener, Obedience
from governance.operations.systems import queries as systems
from governance.operations.systems.models import AISystem, SystemFeature


@dataclass(frozen=True, slots=True)
class SwitchScope:
    """The scope of a switch: everything, a system, or a feature."""

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
        """Its name on the page of its system."""
        if self.feature:
            return self.feature.key
        return f"all of {self.system.key}" if self.system else "everything"

    @property
    def name(self) -> str:
        return queries.name_of(self.system, self.feature)

    @property
    def flag(self) -> str:
        if self.system is None:
            return ""
        return f"switch.{self.system.key}" + (f".{self.feature.key}" if self.feature else "")

    @property
    def key(self) -> tuple[UUID | None, UUID | None]:
        return self.system_id, self.feature_id


@dataclass(frozen=True, slots=True)
class SwitchStatus:
    """One switch.

    `stop` is its own stop, `above` a wider one. `drill` is the last finished drill, `planned` the
    next one.
    """

    scope: SwitchScope
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
    """Switches, and the active stops that cover them, newest first."""

    rows: Sequence[SwitchStatus]
    stops: Sequence[Stop]
    platform: Sequence[ActiveStop]
    listeners: Mapping[UUID, Listener]
    obeyed: Mapping[UUID, Obedience]
    requests: Mapping[UUID, Approval]  # Open request to restart, by stop

    @property
    def stopped(self) -> int:
        """The number of active stops."""
        return len(self.stops) + len(self.platform)

    def row(self, stop: Stop) -> SwitchStatus | None:
        return next(
            (r for r in self.rows if r.scope.key == (stop.system_id, stop.feature_id)), None
        )


def board(only: AISystem | None = None) -> Board:
    """Return every switch of the tenant, or of one system.

    Runs six statements for the tenant, or five for one system, for which it also reads the log of
    the newest stop.
    """
    scopes, known = _scopes(only), queries.listeners()
    active, drills, last, above = read_rows(*HELD)
    stops = [s for s in active if only is None or s.scope == "tenant" or s.system_id == only.id]
    obeyed = queries.obediences(stops, known)
    facts = _BoardFacts(
        stops,
        queries.of_platform(above),
        obeyed,
        known,
        _by_scope(drills),
        _newest(last),
        clock.now(),
    )
    return Board(
        [_row(scope, facts) for scope in scopes],
        stops,
        facts.platform,
        known,
        obeyed,
        queries.restart_requests(stops),
    )


def newest_stop(stops: Sequence[Stop]) -> Stop | None:
    """Return the stop that a system's page shows: the newest; a drill only if there is no other."""
    return min(stops, key=lambda s: s.drill_id is not None, default=None)


def _scopes(only: AISystem | None) -> list[SwitchScope]:
    if only is not None:
        return [
            *(SwitchScope("feature", only, f) for f in systems.features(only.id)),
            SwitchScope("system", only),
        ]
    features, found = systems.every_feature(), [SwitchScope("tenant")]
    for each in sorted(systems.live_systems(), key=lambda s: s.key):
        found.append(SwitchScope("system", each))
        found += [SwitchScope("feature", each, f) for f in features.get(each.id, ())]
    return found


type Key = tuple[UUID | None, UUID | None]


@dataclass(frozen=True, slots=True)
class _BoardFacts:
    stops: Sequence[Stop]
    platform: Sequence[ActiveStop]
    obeyed: Mapping[UUID, Obedience]
    listeners: Mapping[UUID, Listener]
    drills: Mapping[tuple[UUID, UUID | None, bool], Drill]
    newest: Mapping[Key, tuple[int, Stop | None]]
    now: datetime


def _row(scope: SwitchScope, facts: _BoardFacts) -> SwitchStatus:
    own = next((s for s in facts.stops if (s.system_id, s.feature_id) == scope.key), None)
    above = next((s for s in facts.stops if (s.system_id, s.feature_id) in _wider(scope)), None)
    drill = _last_drill(scope, facts.drills)
    newest = max(
        (facts.newest[key][0] for key in (scope.key, *_wider(scope)) if key in facts.newest),
        default=0,
    )
    heard = [
        one
        for one in facts.listeners.values()
        if one.is_under(scope.system_id) and one.is_heard(facts.now)
    ]
    ready = None
    if scope.system is not None:
        last = (
            LastDrill(drill.state == "passed", drill.ended_at) if drill and drill.ended_at else None
        )
        ready = readiness(
            last, facts.listeners.values(), system_id=scope.system_id, newest=newest, now=facts.now
        )
    planned = (
        facts.drills.get((scope.system_id, scope.feature_id, True)) if scope.system_id else None
    )
    return SwitchStatus(
        scope,
        own,
        above,
        bool(facts.platform),
        facts.obeyed.get(own.id) if own else None,
        ready,
        drill,
        planned,
        facts.newest.get(scope.key, (0, None))[1],
        len(heard),
        sum(one.version >= newest for one in heard),
    )


def _wider(scope: SwitchScope) -> list[Key]:
    """Return the wider scopes: the tenant, and for a feature its system."""
    if scope.kind == "tenant":
        return []
    return [(None, None), (scope.system_id, None)] if scope.kind == "feature" else [(None, None)]


def _last_drill(
    scope: SwitchScope, drills: Mapping[tuple[UUID, UUID | None, bool], Drill]
) -> Drill | None:
    """Return the last finished drill of this scope or of its system."""
    if scope.system_id is None:
        return None
    keys = {(scope.system_id, scope.feature_id, False), (scope.system_id, None, False)}
    found = [drills[key] for key in keys if key in drills]
    return max(found, key=lambda d: d.ended_at or d.due_at, default=None)


def _select_drills() -> Select[Drill]:
    """Select the last finished drill of each scope, and its next one."""
    is_open = Drill.ended_at.is_(None)
    order = func.coalesce(
        -func.extract("epoch", Drill.ended_at), func.extract("epoch", Drill.due_at)
    )
    query = (
        select(Drill)
        .where(Drill.state != "cancelled")
        .ext(distinct_on(Drill.system_id, Drill.feature_id, is_open))
    )
    return query.order_by(Drill.system_id, Drill.feature_id, is_open, order)


def _by_scope(drills: Iterable[Drill]) -> dict[tuple[UUID, UUID | None, bool], Drill]:
    """Map (system, feature, True if open) to the last finished drill, or to the next one."""
    return {(d.system_id, d.feature_id, d.state not in queries.ENDED): d for d in drills}


def _select_newest() -> Select[Stop]:
    """Select the last stop of each scope, and the last one of its drills."""
    is_drill = Stop.drill_id.is_not(None)
    query = select(Stop).ext(distinct_on(Stop.system_id, Stop.feature_id, is_drill))
    return query.order_by(Stop.system_id, Stop.feature_id, is_drill, Stop.version.desc())


def _newest(stops: Iterable[Stop]) -> dict[Key, tuple[int, Stop | None]]:
    """Return, by scope, the version of its last stop or drill, and its last real stop."""
    found: dict[Key, tuple[int, Stop | None]] = {}
    for each in stops:
        key = (each.system_id, each.feature_id)
        version, last = found.get(key, (0, None))
        found[key] = max(version, each.version), (each if each.drill_id is None else last)
    return found


HELD: tuple[Selected[Any], ...] = (
    Selected(queries.select_own_active),
    Selected(_select_drills),
    Selected(_select_newest),
    Selected(queries.select_platform_stop),
)
