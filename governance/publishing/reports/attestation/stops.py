"""The stops, drills and kill switches of an attestation."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import or_, select

from governance.assurance.controls.runtime_dependencies import SwitchFacts
from governance.kernel.data.db import session
from governance.operations.policies.effective_policies import (
    Governed,
)
from governance.operations.switches.models import (
    Acknowledgement,
    Consumer,
    Drill,
    PlatformStop,
    Stop,
)
from governance.operations.switches.stop_propagation import Listener, Obedience, obedience
from governance.publishing.reports.attestation.known_rows import Json, KnownRows, iso, risk_class

OPERATOR = "the operator"


def stops_in(since: datetime | None, until: datetime) -> Sequence[Stop]:
    """List the stops that were active at any time in the period, without those of drills."""
    query = select(Stop).where(Stop.drill_id.is_(None), Stop.created_at <= until)
    query = query.where(or_(Stop.restarted_at.is_(None), Stop.restarted_at > (since or until)))
    return session().scalars(query.order_by(Stop.created_at, Stop.id)).all()


def stop_facts(stops: Sequence[Stop], known: KnownRows) -> Iterator[Json]:
    listeners, acknowledged = (
        _listeners() if stops else {},
        _acknowledged([s.id for s in stops], known.until),
    )
    for stop in stops:
        of = [UUID(str(one)) for one in stop.expected or ()]
        yield _stop(
            stop,
            known,
            obedience(listeners, of, acknowledged[stop.id], stop.created_at),
            len(acknowledged[stop.id]),
        )


def _listeners() -> dict[UUID, Listener]:
    return {
        c.id: Listener(c.id, c.name, c.region, c.system_id, c.version, c.seen_at)
        for c in session().scalars(select(Consumer))
    }


def _acknowledged(ids: Sequence[UUID], until: datetime) -> dict[UUID, dict[UUID, datetime]]:
    """Return, by stop, when each consumer first confirmed."""
    found: dict[UUID, dict[UUID, datetime]] = defaultdict(dict)
    if ids:
        query = select(Acknowledgement).where(
            Acknowledgement.stop_id.in_(ids), Acknowledgement.at <= until
        )
        for each in session().scalars(query):
            found[each.stop_id][each.consumer_id] = each.at
    return found


def _stop(stop: Stop, known: KnownRows, obeyed: Obedience, confirmed_count: int) -> Json:
    restarted = known.before_end(stop.restarted_at)
    return {
        "scope": _scope_words(stop, known),
        "planes": _planes(generate=stop.generate, serve=stop.serve),
        "reason": stop.reason,
        "by": known.who(stop.stopped_by),
        "at": iso(stop.created_at),
        "expected": obeyed.expected,
        "obeyed": obeyed.obeyed,
        "heard": confirmed_count,
        "slowest_ms": None if obeyed.slowest is None else round(obeyed.slowest * 1000),
        "missing": [one.name for one in obeyed.missing],
        "restart_requested_by": (
            known.who(stop.restart_requested_by)
            if restarted and stop.restart_requested_by
            else None
        ),
        "restarted_by": known.who(stop.restarted_by) if restarted else None,
        "restarted_at": iso(restarted),
        "restart_reason": stop.restart_reason if restarted else None,
    }


def _scope_words(stop: Stop | Drill, known: KnownRows) -> str:
    key = known.system(stop.system_id)
    return (
        f"{known.features.get(stop.feature_id, '')} of {key}"
        if stop.feature_id
        else key or "everything"
    )


def _planes(*, generate: bool, serve: bool) -> str:
    return (
        "generating and serving" if generate and serve else "generating" if generate else "serving"
    )


def platform_stop_facts(since: datetime | None, until: datetime) -> list[Json]:
    query = select(PlatformStop).where(PlatformStop.created_at <= until)
    query = query.where(
        or_(PlatformStop.restarted_at.is_(None), PlatformStop.restarted_at > (since or until))
    )
    return [
        _platform_stop(row, until)
        for row in session().scalars(query.order_by(PlatformStop.created_at))
    ]


def _platform_stop(row: PlatformStop, until: datetime) -> Json:
    restarted = row.restarted_at if row.restarted_at and row.restarted_at <= until else None
    return {
        "scope": "everything, of all tenants",
        "planes": _planes(generate=row.generate, serve=row.serve),
        "reason": row.reason,
        "by": OPERATOR,
        "at": iso(row.created_at),
        "expected": 0,
        "obeyed": 0,
        "heard": 0,
        "slowest_ms": None,
        "missing": [],
        "restart_requested_by": None,
        "restarted_by": OPERATOR if restarted else None,
        "restarted_at": iso(restarted),
        "restart_reason": row.restart_reason if restarted else None,
    }


def finished_drills(until: datetime) -> list[Drill]:
    """List every drill that had ended by then, the oldest first."""
    query = select(Drill).where(Drill.state.in_(("passed", "failed", "cancelled")))
    return sorted((d for d in session().scalars(query) if drill_end(d) <= until), key=drill_end)


def drill_end(drill: Drill) -> datetime:
    return drill.ended_at or drill.due_at


def drill_facts(row: Drill, known: KnownRows) -> Json:
    return {
        "scope": _scope_words(row, known),
        "state": row.state,
        "at": iso(drill_end(row)),
        "seconds": row.seconds,
        "expected": row.expected,
        "obeyed": row.obeyed,
        "slowest_ms": row.slowest_ms,
        "planned_by": known.who(row.planned_by),
        "approved_by": known.who(row.approved_by) if row.approved_by else None,
    }


def switch_facts(system: Governed, drills: Sequence[Drill], known: KnownRows) -> Iterator[Json]:
    """Yield the switch of the system, and of each feature with a drill.

    A drill of the entire system also proves its features.
    """
    own = [d for d in drills if d.system_id == system.id and d.state != "cancelled"]
    yield _switch(system, system.key, [d for d in own if d.feature_id is None], known)
    for feature_id in dict.fromkeys(d.feature_id for d in own if d.feature_id is not None):
        over = [d for d in own if d.feature_id in {None, feature_id}]
        yield _switch(system, f"{known.features.get(feature_id, '')} of {system.key}", over, known)


def _switch(system: Governed, name: str, drills: Sequence[Drill], known: KnownRows) -> Json:
    """Return the state of a switch at the end, from the last drill that covers it."""
    last = drills[-1] if drills else None
    found = SwitchFacts(
        system.id,
        system.key,
        drill_end(last).date() if last else None,
        passed=last is not None and last.state == "passed",
    )
    state = (
        "dead"
        if last is not None and last.state == "failed"
        else "armed"
        if found.proven(known.until.date())
        else "unproven"
    )
    return {
        "system": name,
        "name": system.name,
        "lane": risk_class(system),
        "state": state,
        "last": iso(drill_end(last)) if last else None,
    }
