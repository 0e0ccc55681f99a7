"""Plan, approve and run drills, and report their results.

plan, cancel                    by a person
schedule, close                 after the decision on a drill
begin_or_end                    by the jobs process, repeatedly
report, file_as                 make the result evidence
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from governance.foundation.approvals import actions as approvals
from governance.foundation.audit.record import record
from governance.kernel import clock, current
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.files.spreadsheet_writer import csv_bytes
from governance.kernel.work.events import publish
from governance.operations.switches import actions as stops
from governance.operations.switches import queries, stop_propagation
from governance.operations.switches.actions import MAX_AHEAD
from governance.operations.switches.active_stops import news_of_restart
from governance.operations.switches.drill_log import (
    DRILL_BEGUN,
    DRILL_CANCELLED,
    DRILL_FAILED,
    DRILL_LIFTED,
    DRILL_PASSED,
    DRILL_PLANNED,
)
from governance.operations.switches.events import DrillEnded
from governance.operations.switches.models import Drill, Stop
from governance.operations.switches.stop_propagation import Obedience
from governance.operations.systems.models import AISystem, SystemFeature

MIN_SECONDS, MAX_SECONDS = 1, 60  # Duration of a drill
MIN_REPEAT_DAYS, MAX_REPEAT_DAYS = 7, 366
SETTLING_TIME = timedelta(seconds=2)  # Workers may still report answers from before the end
REPORT_WITHIN = timedelta(hours=1)  # Period in which a failed report is retried
NO_CONSUMERS = "no consumer was connected"
MAX_NAMED = 20  # Consumers that did not obey

LOCK = "drills"


# ---- planning


def plan(
    system: AISystem,
    feature: SystemFeature | None,
    *,
    due_at: datetime,
    seconds: int,
    repeat_days: int | None = None,
    reason: str = "",
) -> Drill:
    """Plan a real stop of at most `seconds`, starting at `due_at`.

    Another person must approve a drill of a high-risk system first.
    """
    lock_tenant(LOCK)
    needs_second = system.lane == "high_risk"
    if system.retired_at or (
        feature is not None and (feature.retired_at or feature.system_id != system.id)
    ):
        raise Invalid("It is retired, so it can't be drilled.", field="what")
    if not clock.now() - timedelta(minutes=1) <= due_at <= clock.now() + MAX_AHEAD:
        raise Invalid("Choose a future time within a year.", field="due_at")
    if needs_second and due_at <= clock.now():
        raise Invalid(
            "Choose a later time, because another person must approve the drill first.",
            field="due_at",
        )
    if not MIN_SECONDS <= seconds <= MAX_SECONDS:
        raise Invalid(f"Enter {MIN_SECONDS} to {MAX_SECONDS} seconds.", field="seconds")
    if repeat_days is not None and not MIN_REPEAT_DAYS <= repeat_days <= MAX_REPEAT_DAYS:
        raise Invalid(
            f"Enter {MIN_REPEAT_DAYS} to {MAX_REPEAT_DAYS} days, or leave it empty.",
            field="repeat_days",
        )
    if needs_second and not reason.strip():
        raise Invalid("Enter a reason. The approver reads it.", field="reason")
    if (known := _open_drill(system, feature)) is not None:
        if known.planned_by == current.actor().person_id and (known.due_at, known.seconds) == (
            due_at,
            seconds,
        ):
            return known
        raise DomainError("A drill is already planned. Cancel it first.", field="what")
    made = Drill(
        system_id=system.id,
        feature_id=feature.id if feature else None,
        state="requested" if needs_second else "planned",
        due_at=due_at,
        seconds=seconds,
        repeat_days=repeat_days,
        planned_by=current.actor().person_id,
        created_at=clock.now(),
    )
    session().add(made)
    record(
        DRILL_PLANNED,
        made,
        reason=reason.strip() or None,
        due_at=due_at,
        seconds=seconds,
        repeat_days=repeat_days,
        state=made.state,
        **stops.slugs(system, feature),
    )
    if needs_second:
        session().flush()
        summary = f"drill {queries.name_of(system, feature)}"
        approvals.request(queries.DRILL, made.id, summary=summary, reason=reason, expires_at=due_at)
    return made


def _open_drill(system: AISystem, feature: SystemFeature | None) -> Drill | None:
    """Return the drill that awaits approval, is planned or is running. Close an expired request."""
    query = select(Drill).where(
        Drill.system_id == system.id,
        Drill.feature_id.is_not_distinct_from(feature.id if feature else None),
    )
    there = (
        session()
        .scalars(query.where(Drill.state.in_(("requested", "planned", "running"))).limit(1))
        .one_or_none()
    )
    if (
        there is not None
        and there.state == "requested"
        and approvals.close_expired(queries.DRILL, there.id)
    ):
        return None
    return there


def schedule(drill: Drill) -> None:
    """Schedule an approved drill and its repetitions."""
    drill.state, drill.approved_by = "planned", current.person_id()


def close(drill: Drill) -> None:
    """Close a drill whose request was not approved."""
    drill.state = "cancelled"


def cancel(drill: Drill, *, reason: str = "") -> None:
    """Cancel a drill that hasn't started. A running one ends by itself within a minute."""
    lock_tenant(LOCK)
    if approvals.void(queries.DRILL, drill.id, reason=reason.strip() or "The drill was cancelled."):
        return
    session().refresh(drill, with_for_update={"key_share": True})
    if drill.state not in {"requested", "planned"}:
        raise DomainError("This drill has started, or is cancelled already.")
    drill.state = "cancelled"
    record(
        DRILL_CANCELLED,
        drill,
        reason=reason.strip() or None,
        due_at=drill.due_at,
        **stops.slugs_of(drill),
    )


# ---- running


def begin_or_end(drill: Drill) -> bool:
    """Start a drill, end its stop or record its result, as due. Return True if it runs.

    The jobs process calls this repeatedly, with the row locked. The row has all of the state, so
    the next call continues after a killed process.
    """
    if drill.state == "planned" and drill.due_at <= clock.now():
        _begin(drill)
    if drill.state != "running":
        return False
    stop = queries.stop_of_drill(drill.id)
    if stop is None or drill.started_at is None:
        raise RuntimeError("a running drill has a stop")
    obeyed, deadline = (
        queries.obediences([stop])[stop.id],
        drill.started_at + timedelta(seconds=drill.seconds),
    )
    if stop.restarted_at is None and (obeyed.is_whole or clock.now() >= deadline):
        _lift(drill, stop)
    if obeyed.is_whole or clock.now() >= deadline + SETTLING_TIME:
        _judge(drill, obeyed)
    return drill.state == "running"


def _begin(drill: Drill) -> None:
    system = session().get_one(AISystem, (drill.tenant_id, drill.system_id))
    feature = (
        session().get(SystemFeature, (drill.tenant_id, drill.feature_id))
        if drill.feature_id
        else None
    )
    if system.retired_at or (feature is not None and feature.retired_at):
        _cancel_late(drill, "It was retired before the drill.")
        return
    if system.lane == "high_risk" and drill.approved_by is None:
        _cancel_late(
            drill,
            "Its risk class is high now, so another person must approve a drill first.",
        )
        return
    reached = stop_propagation.expected(queries.listeners().values(), system.id, clock.now())
    drill.state, drill.started_at, drill.expected = "running", clock.now(), len(reached)
    if not reached:
        _end(drill, Obedience(), NO_CONSUMERS)  # Stops nothing, since it couldn't prove anything.
        return
    stop = stops.place(
        "feature" if feature else "system", system, feature, reason="A drill.", drill_id=drill.id
    )
    record(
        DRILL_BEGUN,
        drill,
        seconds=drill.seconds,
        version=stop.version,
        expected=len(reached),
        **stops.slugs(system, feature),
    )


def _cancel_late(drill: Drill, why: str) -> None:
    drill.state = "cancelled"
    record(DRILL_CANCELLED, drill, reason=why, due_at=drill.due_at, **stops.slugs_of(drill))


def _lift(drill: Drill, stop: Stop) -> None:
    """End the drill's own stop. Any other stop of the scope stays."""
    stop.restarted_at = clock.now()
    record(DRILL_LIFTED, drill, version=stop.version, **stops.slugs_of(drill))
    tenant_revision.advance(news_of_restart([stop.id]))


def _judge(drill: Drill, obeyed: Obedience) -> None:
    late = [
        one.listener.name
        for one in obeyed.each
        if one.seconds is None or one.seconds > drill.seconds
    ]
    _end(
        drill,
        obeyed,
        f"{len(late)} of {obeyed.expected} did not obey within {drill.seconds} s" if late else "",
        late,
    )


def _end(drill: Drill, obeyed: Obedience, why: str, late: Sequence[str] = ()) -> None:
    slowest = obeyed.slowest
    drill.state, drill.ended_at = "failed" if why else "passed", clock.now()
    drill.expected, drill.obeyed = obeyed.expected, obeyed.expected - len(late)
    drill.slowest_ms = None if slowest is None else round(slowest * 1000)
    drill.found = {
        "why": why,
        "missing": list(late[:MAX_NAMED]),
        "consumers": [[one.listener.name, one.listener.region, one.seconds] for one in obeyed.each],
    }
    facts: dict[str, Any] = {
        "expected": drill.expected,
        "obeyed": drill.obeyed,
        "slowest_ms": drill.slowest_ms,
        **stops.slugs_of(drill),
    }
    if why:
        record(DRILL_FAILED, drill, missing=list(late[:MAX_NAMED]) or None, why=why, **facts)
    else:
        record(DRILL_PASSED, drill, **facts)
    _plan_next(drill)


def _plan_next(drill: Drill) -> None:
    """Plan the next repetition, which the first approval covers. Skip missed ones."""
    if drill.repeat_days is None:
        return
    due = drill.due_at + timedelta(days=drill.repeat_days)
    while due <= clock.now():
        due += timedelta(days=drill.repeat_days)
    following = Drill(
        system_id=drill.system_id,
        feature_id=drill.feature_id,
        state="planned",
        due_at=due,
        seconds=drill.seconds,
        repeat_days=drill.repeat_days,
        planned_by=drill.planned_by,
        approved_by=drill.approved_by,
        created_at=clock.now(),
    )
    session().add(following)
    record(
        DRILL_PLANNED,
        following,
        due_at=due,
        seconds=drill.seconds,
        repeat_days=drill.repeat_days,
        state="planned",
        **stops.slugs_of(drill),
    )


# ---- results


def report(drill: Drill) -> None:
    """Publish the result of an ended drill, until it is filed as evidence."""
    if (
        drill.state not in queries.ENDED
        or drill.evidence_version_id is not None
        or drill.ended_at is None
    ):
        return
    system = session().get_one(AISystem, (drill.tenant_id, drill.system_id))
    publish(DrillEnded(drill.id, system.key, drill.ended_at.date(), _sheet(drill)))


def file_as(drill_id: UUID, evidence_version_id: UUID) -> None:
    """Record the evidence version that contains a drill's result."""
    queries.drill(drill_id).evidence_version_id = evidence_version_id


def _sheet(drill: Drill) -> bytes:
    """Return one row per consumer, or one row that states that there are none."""
    switch = " · ".join(stops.slugs_of(drill).values())
    about = (
        str(drill.id),
        switch,
        drill.state,
        drill.started_at.isoformat() if drill.started_at else "",
        drill.seconds,
        drill.found.get("why", ""),
    )
    heard = drill.found.get("consumers") or [["", "", None]]
    head = (
        "Drill",
        "Switch",
        "Result",
        "Started",
        "Seconds",
        "Reason",
        "Consumer",
        "Region",
        "Obeyed after (s)",
    )
    return csv_bytes(head, ((*about, name, region, seconds) for name, region, seconds in heard))
