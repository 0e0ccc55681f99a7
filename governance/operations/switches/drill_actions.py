"""Drills: planned, approved by another person where that is needed, run by the jobs process, and
what they found.

plan, cancel                    by a person
schedule, close                 what an approval of a drill does, and what its rejection does
begin_or_end                    the jobs process, again and again
report, file_as                 what an ended drill found becomes evidence
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from governance.foundation.approvals import actions as approvals
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current, tenant_revision
from governance.kernel.db import alone, session
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.events import publish
from governance.kernel.spreadsheet_writer import csv_bytes
from governance.operations.switches import actions as stops
from governance.operations.switches import queries, stop_propagation
from governance.operations.switches.actions import AHEAD
from governance.operations.switches.events import DrillEnded
from governance.operations.switches.models import Drill, Stop
from governance.operations.switches.stop_propagation import Obedience
from governance.operations.systems.models import AISystem, SystemFeature

DRILL_PLANNED = action(
    "switch.drill.planned",
    "planned a drill",
    target="Drill",
    activity="create",
    severity="informational",
    fields="key name due_at seconds repeat_days state",
)
DRILL_AGREED = action(
    "switch.drill.approved",
    "approved a drill",
    target="Drill",
    activity="update",
    severity="low",
    fields="key name due_at seconds repeat_days",
)
DRILL_CANCELLED = action(
    "switch.drill.cancelled",
    "cancelled a drill",
    target="Drill",
    activity="update",
    severity="low",
    fields="key name due_at",
)
DRILL_BEGUN = action(
    "switch.drill.started",
    "started a drill",
    target="Drill",
    activity="update",
    severity="low",
    fields="key name seconds version expected",
)
DRILL_LIFTED = action(
    "switch.drill.stop.ended",
    "ended a drill's stop",
    target="Drill",
    activity="update",
    severity="low",
    fields="key name version",
)
DRILL_PASSED = action(
    "switch.drill.passed",
    "completed a drill, which passed",
    target="Drill",
    activity="update",
    severity="informational",
    fields="key name expected obeyed slowest_ms",
    shape="ok",
)
DRILL_FAILED = action(
    "switch.drill.failed",
    "completed a drill, which failed",
    target="Drill",
    activity="update",
    severity="high",
    fields="key name expected obeyed slowest_ms missing why",
    shape="bad",
)


SECONDS = (1, 60)  # how long a drill may last
REPEATS = (7, 366)  # days between drills
SETTLE = timedelta(
    seconds=2
)  # after a drill was lifted, what workers heard in its time may still come in
REPORT_WITHIN = timedelta(hours=1)  # so long is a drill's report tried again
NOBODY = "nobody was listening"
NAMED = 20  # consumers that did not obey, by name

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
    """A real stop of so many seconds, from that instant on.

    On the high-risk lane another person approves it first.
    """
    alone(LOCK)
    needs_second = system.lane == "high_risk"
    if system.retired_at or (
        feature is not None and (feature.retired_at or feature.system_id != system.id)
    ):
        raise Invalid("Only what is live can be drilled.", field="what")
    if not clock.now() - timedelta(minutes=1) <= due_at <= clock.now() + AHEAD:
        raise Invalid("A drill begins after now, and within a year.", field="due_at")
    if needs_second and due_at <= clock.now():
        raise Invalid(
            "Choose a later time: another person has to approve the drill before it begins.",
            field="due_at",
        )
    if not SECONDS[0] <= seconds <= SECONDS[1]:
        raise Invalid(f"A drill lasts {SECONDS[0]} to {SECONDS[1]} seconds.", field="seconds")
    if repeat_days is not None and not REPEATS[0] <= repeat_days <= REPEATS[1]:
        raise Invalid(
            f"A drill comes again after {REPEATS[0]} to {REPEATS[1]} days, or not at all.",
            field="repeat_days",
        )
    if needs_second and not reason.strip():
        raise Invalid("Give a reason: the approver decides by it.", field="reason")
    if (there := _open_drill(system, feature)) is not None:
        if there.planned_by == current.actor().person_id and (there.due_at, there.seconds) == (
            due_at,
            seconds,
        ):
            return there
        raise DomainError("A drill of it is planned already. Cancel that one first.", field="what")
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
    """The one that awaits approval, is planned, or is under way.

    One whose time has passed before that is closed now.
    """
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
    """Cancel a drill that hasn't started; one that is under way ends by itself within a minute."""
    alone(LOCK)
    if approvals.void(queries.DRILL, drill.id, reason=reason.strip() or "The drill was cancelled."):
        return
    session().refresh(drill, with_for_update={"key_share": True})
    if drill.state not in {"requested", "planned"}:
        raise DomainError("That drill has begun, or was cancelled already.")
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
    """What is due of a drill whose row is locked: begin it, lift its stop, judge it.

    True while it is under way.

    Called again and again by the jobs process; killed between two calls, the next one goes on from
    the row.
    """
    if drill.state == "planned" and drill.due_at <= clock.now():
        _begin(drill)
    if drill.state != "running":
        return False
    held = queries.stop_of_drill(drill.id)
    if held is None or drill.started_at is None:
        raise RuntimeError("a drill that runs has its stop")
    obeyed, time = (
        queries.obediences([held])[held.id],
        drill.started_at + timedelta(seconds=drill.seconds),
    )
    if held.restarted_at is None and (obeyed.is_whole or clock.now() >= time):
        _lift(drill, held)
    if obeyed.is_whole or clock.now() >= time + SETTLE:
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
        _overtaken(drill, "It was retired before the drill.")
        return
    if system.lane == "high_risk" and drill.approved_by is None:
        _overtaken(
            drill,
            "It was raised to the high-risk lane, where another person approves a drill first.",
        )
        return
    reached = stop_propagation.expected(queries.listeners().values(), system.id, clock.now())
    drill.state, drill.started_at, drill.expected = "running", clock.now(), len(reached)
    if not reached:
        _end(
            drill, Obedience(), NOBODY
        )  # without a stop: there is no consumer that it would prove anything about
        return
    held = stops.place(
        "feature" if feature else "system", system, feature, reason="A drill.", drill_id=drill.id
    )
    record(
        DRILL_BEGUN,
        drill,
        seconds=drill.seconds,
        version=held.version,
        expected=len(reached),
        **stops.slugs(system, feature),
    )


def _overtaken(drill: Drill, why: str) -> None:
    drill.state = "cancelled"
    record(DRILL_CANCELLED, drill, reason=why, due_at=drill.due_at, **stops.slugs_of(drill))


def _lift(drill: Drill, held: Stop) -> None:
    """Only the drill's own stop; whatever else is stopped over the scope stays stopped."""
    held.restarted_at = clock.now()
    record(DRILL_LIFTED, drill, version=held.version, **stops.slugs_of(drill))
    tenant_revision.advance()


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
        "missing": list(late[:NAMED]),
        "consumers": [[one.listener.name, one.listener.region, one.seconds] for one in obeyed.each],
    }
    facts: dict[str, Any] = {
        "expected": drill.expected,
        "obeyed": drill.obeyed,
        "slowest_ms": drill.slowest_ms,
        **stops.slugs_of(drill),
    }
    if why:
        record(DRILL_FAILED, drill, missing=list(late[:NAMED]) or None, why=why, **facts)
    else:
        record(DRILL_PASSED, drill, **facts)
    _plan_next(drill)


def _plan_next(drill: Drill) -> None:
    """What was approved once holds for those that repeat it.

    A time that was missed is not made up for.
    """
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


# ---- what a drill found


def report(drill: Drill) -> None:
    """Publish what an ended drill found, until a feature above has filed it."""
    if (
        drill.state not in queries.ENDED
        or drill.evidence_version_id is not None
        or drill.ended_at is None
    ):
        return
    system = session().get_one(AISystem, (drill.tenant_id, drill.system_id))
    publish(DrillEnded(drill.id, system.key, drill.ended_at.date(), _sheet(drill)))


def file_as(drill_id: UUID, evidence_version_id: UUID) -> None:
    """Note the version of evidence that a drill's result became."""
    queries.drill(drill_id).evidence_version_id = evidence_version_id


def _sheet(drill: Drill) -> bytes:
    """One row per consumer; without consumers, one row that states this."""
    names = " · ".join(stops.slugs_of(drill).values())
    about = (
        str(drill.id),
        names,
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
        "Began",
        "Seconds",
        "Why",
        "Consumer",
        "Region",
        "Obeyed after (s)",
    )
    return csv_bytes(head, ((*about, name, region, seconds) for name, region, seconds in heard))
