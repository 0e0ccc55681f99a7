"""Stopping, restarting, drilling, and noting who obeys.

stop, ask_restart, keep_stopped, restart                  a scope of the tenant
stop_platform, ask_platform_restart, restart_platform     everything, by the operators
plan, agree, cancel, begin_or_end, report                 drills
note_consumers, forget_consumers                          what workers heard

A stop needs one person and waits for nobody. A restart needs a sign-in of the last minutes (asked for by its route)
and, where the high-risk lane is concerned, two persons. Any two: who stopped may be one of them, since he knows best
why; who asked may not also decide.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import batched
from typing import Any
from uuid import UUID

from sqlalchemy import String, and_, cast, delete, func, or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert

from governance.foundation.api_keys import actions as api_keys
from governance.foundation.api_keys.models import ApiKey
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.second_person import ApprovalRequest
from governance.kernel import clock, current, tenant_revision
from governance.kernel.db import alone, session
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.events import publish
from governance.kernel.ids import uuid7
from governance.kernel.spreadsheet_writer import csv_bytes
from governance.operations.switches import consumers, queries, stop_propagation
from governance.operations.switches.consumers import Heard
from governance.operations.switches.events import DrillEnded, StopLifted
from governance.operations.switches.models import SCOPES, Acknowledgement, Consumer, Drill, PlatformStop, Stop
from governance.operations.switches.stop_propagation import FORGOTTEN_AFTER, Obedience
from governance.operations.systems.models import AISystem, SystemFeature

WHAT = {"tenant": "everything of the tenant", "system": "an AI system", "feature": "a feature of an AI system"}
STOP_FIELDS = "key name generate serve version expected look_again_at"
STOPPED = {
    scope: action(
        f"switch.{scope}.stopped",
        f"stopped {what}",
        target="Stop",
        activity="create",
        severity="high",
        fields=STOP_FIELDS,
        shape="stop",
    )
    for scope, what in WHAT.items()
}
RESTARTED = {
    scope: action(
        f"switch.{scope}.restarted",
        f"restarted {what}",
        target="Stop",
        activity="update",
        severity="medium",
        fields="key name version stopped_at",
        persons="asked_by",
        shape="ok",
    )
    for scope, what in WHAT.items()
}
RESTART_ASKED = action(
    "switch.restart.asked",
    "asked to restart what is stopped",
    target="Stop",
    activity="update",
    severity="medium",
    fields="key name version",
)
RESTART_REFUSED = action(
    "switch.restart.refused",
    "kept stopped what was to be restarted",
    target="Stop",
    activity="update",
    severity="medium",
    fields="key name version",
)
PLATFORM_STOPPED = action(
    "switch.platform.stopped",
    "stopped everything, for every tenant",
    target="PlatformStop",
    activity="create",
    severity="high",
    fields="generate serve",
    shape="stop",
)
PLATFORM_ASKED = action(
    "switch.platform.restart_asked",
    "asked to restart everything, for every tenant",
    target="PlatformStop",
    activity="update",
    severity="medium",
)
PLATFORM_KEPT = action(
    "switch.platform.restart_refused",
    "kept everything stopped, for every tenant",
    target="PlatformStop",
    activity="update",
    severity="medium",
)
PLATFORM_RESTARTED = action(
    "switch.platform.restarted",
    "restarted everything, for every tenant",
    target="PlatformStop",
    activity="update",
    severity="high",
    fields="stopped_at",
    persons="asked_by",
)
DRILL_PLANNED = action(
    "switch.drill.planned",
    "planned a drill",
    target="Drill",
    activity="create",
    severity="informational",
    fields="key name due_at seconds repeat_days state",
)
DRILL_AGREED = action(
    "switch.drill.agreed",
    "agreed to a drill",
    target="Drill",
    activity="update",
    severity="low",
    fields="key name due_at seconds repeat_days",
)
DRILL_CANCELLED = action(
    "switch.drill.cancelled", "cancelled a drill", target="Drill", activity="update", severity="low", fields="key name due_at"
)
DRILL_BEGUN = action(
    "switch.drill.begun",
    "began a drill",
    target="Drill",
    activity="update",
    severity="low",
    fields="key name seconds version expected",
)
DRILL_LIFTED = action(
    "switch.drill.lifted",
    "lifted the stop of a drill",
    target="Drill",
    activity="update",
    severity="low",
    fields="key name version",
)
DRILL_PASSED = action(
    "switch.drill.passed",
    "found that a drill passed",
    target="Drill",
    activity="update",
    severity="informational",
    fields="key name expected obeyed slowest_ms",
    shape="ok",
)
DRILL_FAILED = action(
    "switch.drill.failed",
    "found that a drill failed",
    target="Drill",
    activity="update",
    severity="high",
    fields="key name expected obeyed slowest_ms missing why",
    shape="bad",
)

LONGEST_REASON = 2000
AHEAD = timedelta(days=366)  # how far ahead a drill, or a second look, can be
SECONDS = (1, 60)  # how long a drill may stand
REPEATS = (7, 366)  # days between drills
SETTLE = timedelta(seconds=2)  # after a drill was lifted, what workers heard in its time may still come in
REPORT_WITHIN = timedelta(hours=1)  # so long is a drill's report tried again
NOBODY = "nobody was listening"
MOST_NAMES = 200  # consumers of a key in a day
QUIET = timedelta(days=30)
AT_ONCE = 5_000  # rows of a statement, whose parameters PostgreSQL numbers up to 65 535
NAMED = 20  # consumers that did not obey, by name


class NotStopped(DomainError):
    pass


# ---- stopping


def stop(
    scope: str, system: AISystem | None, feature: SystemFeature | None, *, generate: bool = True, serve: bool = True, reason: str,
    look_again_at: datetime | None = None,
) -> Stop:  # fmt: skip
    """Stop a scope on these planes, from this commit on. One that is stopped so already is left as it is; one that is
    stopped on the other plane gets a stop of both, beside the one that stands. Nothing restarts by itself:
    `look_again_at` only says when somebody is reminded.
    """
    alone("switches")  # of two clicks the second sees the first one's stop
    _sensible(scope, system, feature, generate=generate, serve=serve, look_again_at=look_again_at)
    there = queries.standing_of(scope, system.id if system else None, feature.id if feature else None)
    generate, serve = generate or any(s.generate for s in there), serve or any(s.serve for s in there)
    if there and (there[0].generate, there[0].serve) == (generate, serve):
        return there[0]
    made = _stop(scope, system, feature, generate=generate, serve=serve, reason=_reason(reason), drill_id=None,
                 look_again_at=look_again_at)  # fmt: skip
    record(STOPPED[scope], made, because=made.reason, generate=generate, serve=serve, version=made.version,
           expected=len(made.expected), look_again_at=look_again_at, **_named(system, feature))  # fmt: skip
    return made


def _stop(
    scope: str, system: AISystem | None, feature: SystemFeature | None, *, generate: bool, serve: bool, reason: str,
    drill_id: UUID | None, look_again_at: datetime | None = None,
) -> Stop:  # fmt: skip
    system_id, now = system.id if system else None, clock.now()
    reached = stop_propagation.expected(queries.listeners().values(), system_id, now)
    made = Stop(
        scope=scope, system_id=system_id, feature_id=feature.id if feature else None, generate=generate, serve=serve, reason=reason,
        version=tenant_revision.move(), expected=[str(one.id) for one in reached], drill_id=drill_id, look_again_at=look_again_at,
        stopped_by=current.actor().person_id, created_at=now,
    )  # fmt: skip
    session().add(made)
    return made


def _sensible(
    scope: str, system: AISystem | None, feature: SystemFeature | None, *, generate: bool, serve: bool, look_again_at: datetime | None
) -> None:  # fmt: skip
    if scope not in SCOPES or (scope == "tenant") != (system is None) or (scope == "feature") != (feature is not None):
        raise Invalid("Choose what to stop.", field="what")
    if system is not None and feature is not None and feature.system_id != system.id:
        raise Invalid("That feature is another system's.", field="what")
    if system is not None and (system.retired_at or (feature is not None and feature.retired_at)):
        raise Invalid("It was retired: nothing of it answers any more.", field="what")
    if not generate and not serve:
        raise Invalid("Stop generating, serving, or both.", field="generate")
    if look_again_at is not None and not clock.now() < look_again_at <= clock.now() + AHEAD:
        raise Invalid("Look again later than now, and within a year.", field="look_again_at")


def _reason(text: str) -> str:
    if not text.strip():
        raise Invalid("Say why: the reason is shown to those who ask.", field="because")
    return text.strip()[:LONGEST_REASON]


def _named(system: AISystem | None, feature: SystemFeature | None) -> dict[str, Any]:
    """The fields by which the log calls a scope."""
    return {n: each.key for n, each in (("key", system), ("name", feature)) if each is not None}


def _names(of: Stop | Drill) -> dict[str, Any]:
    system = session().get(AISystem, (of.tenant_id, of.system_id)) if of.system_id else None
    feature = session().get(SystemFeature, (of.tenant_id, of.feature_id)) if of.feature_id else None
    return _named(system, feature)


# ---- restarting


def mark(stops: Sequence[Stop], *, second: bool) -> str:
    """Of what stands of a scope, and of what was asked: a restart carries it, and is refused when either has changed."""
    said = [str(second)]
    for each in sorted(stops, key=lambda s: s.version):
        said += [str(each.id), str(each.generate), str(each.serve), str(each.restart_asked_by), str(each.restart_asked_at),
                 each.restart_reason or ""]  # fmt: skip
    return hashlib.sha256("\0".join(said).encode()).hexdigest()[:16]


def seen(found: Stop) -> str:
    """The mark that the page of a stop carries; it locks nothing."""
    there = queries.standing_of(found.scope, found.system_id, found.feature_id, lock=False)
    return mark(there, second=queries.needs_second(found))


def ask_restart(found: Stop, *, seen: str, because: str) -> None:
    """The first of two persons. Asked twice by the same one is asked once."""
    there = _still(found)
    if there[0].restart_asked_by is not None:
        if there[0].restart_asked_by == current.person_id():
            return
        raise DomainError("Somebody has asked to restart it already: decide on that.")
    _unchanged(there, seen, second=queries.needs_second(found))
    why, now = _reason(because), clock.now()
    for each in there:
        each.restart_asked_by, each.restart_asked_at, each.restart_reason = current.person_id(), now, why
    record(RESTART_ASKED, found, because=why, version=there[0].version, **_names(found))


def approval_of_restart(stop: Stop | PlatformStop) -> ApprovalRequest:
    return ApprovalRequest([stop.restart_asked_by], stop.restart_asked_at)


def keep_stopped(found: Stop, *, because: str = "") -> None:
    """The restart that was asked for does not happen: another person refuses, or who asked withdraws."""
    there = _still(found)
    if there[0].restart_asked_by is None:
        raise DomainError("Nobody has asked to restart it.")
    if there[0].restart_asked_by != current.person_id():
        _reason(because)
    for each in there:
        each.restart_asked_by = each.restart_asked_at = each.restart_reason = None
    record(RESTART_REFUSED, found, because=because.strip() or None, version=there[0].version, **_names(found))


def restart(found: Stop, *, seen: str, because: str = "") -> None:
    """What stands of the scope ends, on both planes. On the high-risk lane the acting person is the second one."""
    alone("switches")
    session().refresh(found)
    if found.restarted_at is not None and found.restarted_by == current.person_id():
        return
    there = _still(found)
    asked_by, second = there[0].restart_asked_by, queries.needs_second(found)
    if second and asked_by is not None:
        approval_of_restart(there[0]).check()
    _unchanged(there, seen, second=second)
    if second and asked_by is None:
        raise DomainError("On the high-risk lane a restart is asked for first, and a second person decides.")
    why, now = (there[0].restart_reason or "") if second else _reason(because), clock.now()
    for each in there:
        each.restarted_by, each.restarted_at, each.restart_reason = current.person_id(), now, why
        record(RESTARTED[each.scope], each, because=why, version=each.version, stopped_at=each.created_at, asked_by=asked_by,
               **_names(each))  # fmt: skip
        publish(StopLifted(each.id))
    tenant_revision.move()


def _still(found: Stop) -> Sequence[Stop]:
    """What stands of the scope of this stop, the widest first; refused when it was restarted meanwhile."""
    alone("switches")
    session().refresh(found)
    if found.drill_id is not None:
        raise DomainError("That is the stop of a drill: it ends with the drill.")
    if found.restarted_at is not None:
        raise NotStopped("It was restarted already, by somebody else.")
    return queries.standing_of(found.scope, found.system_id, found.feature_id)


def _unchanged(there: Sequence[Stop], sent: str, *, second: bool) -> None:
    if sent != mark(there, second=second):
        raise Stale("What is stopped, or what was asked, has changed since you opened this page. Look at it again.")


# ---- the operators


def stop_platform(*, generate: bool = True, serve: bool = True, reason: str) -> PlatformStop:
    """Everything, for every tenant. Stopped already, it is widened or left as it is."""
    alone("platform switch")
    if not generate and not serve:
        raise Invalid("Stop generating, serving, or both.", field="generate")
    held = queries.platform_stop()
    if held is not None and (held.generate or not generate) and (held.serve or not serve):
        return held
    why = _reason(reason)
    if held is None:
        held = PlatformStop(generate=generate, serve=serve, reason=why, stopped_by=current.person_id(), created_at=clock.now())
        session().add(held)
    else:  # what was asked was about the narrower stop
        held.generate, held.serve = held.generate or generate, held.serve or serve
        held.restart_asked_by = held.restart_asked_at = held.restart_reason = None
    record(PLATFORM_STOPPED, held, because=why, generate=held.generate, serve=held.serve)
    tenant_revision.move_all()
    return held


def platform_mark(held: PlatformStop) -> str:
    said = (held.id, held.generate, held.serve, held.restart_asked_by, held.restart_asked_at, held.restart_reason)
    return hashlib.sha256("\0".join(map(str, said)).encode()).hexdigest()[:16]


def ask_platform_restart(*, seen: str, because: str) -> None:
    held = _platform_still(seen)
    if held.restart_asked_by is not None:
        raise DomainError("Somebody has asked to restart already: decide on that.")
    held.restart_asked_by, held.restart_asked_at, held.restart_reason = current.person_id(), clock.now(), _reason(because)
    record(PLATFORM_ASKED, held, because=held.restart_reason)


def keep_platform_stopped(*, seen: str) -> None:
    held = _platform_still(seen)
    held.restart_asked_by = held.restart_asked_at = held.restart_reason = None
    record(PLATFORM_KEPT, held)


def restart_platform(*, seen: str) -> None:
    """By a second operator, always."""
    held = _platform_still(seen)
    if held.restart_asked_by is None:
        raise DomainError("A restart for every tenant is asked for first, and a second operator decides.")
    approval_of_restart(held).check()
    held.restarted_by, held.restarted_at = current.person_id(), clock.now()
    record(PLATFORM_RESTARTED, held, because=held.restart_reason, stopped_at=held.created_at, asked_by=held.restart_asked_by)
    tenant_revision.move_all()


def _platform_still(sent: str) -> PlatformStop:
    alone("platform switch")
    held = queries.platform_stop()
    if held is None:
        raise NotStopped("It was restarted already.")
    session().refresh(held)
    if sent != platform_mark(held):
        raise Stale("What is stopped, or what was asked, has changed since you opened this page. Look at it again.")
    return held


# ---- what workers heard


def note_consumers(heard: Sequence[Heard]) -> None:
    """A batch of one tenant: five statements, whatever its length. A version only grows; of two acknowledgements of one
    stop the first counts. No entry in the log: a stop's page shows each, and a drill files them.

    A key tells MOST_NAMES consumers apart in a day; what it names beyond is heard under the key's own name, so that who
    makes up names fills no table.
    """
    known = _known(heard)
    beyond = consumers.beyond(heard, known, MOST_NAMES, clock.now() - FORGOTTEN_AFTER)
    if beyond:
        key_names = {row.id: row.name for row in session().execute(select(ApiKey.id, ApiKey.name))}
        heard = [replace(h, name=key_names[h.key_id], region="") if (h.key_id, h.name) in beyond else h for h in heard]
        known = _known(heard)
    batch = consumers.steps(heard)
    if not batch:
        return
    api_keys.note_uses({h.key_id for h in heard})
    rows = [_consumer(steps) for _, steps in sorted(batch.items(), key=lambda pair: (str(pair[0][0]), pair[0][1]))]
    write = insert(Consumer).values(rows)
    write = write.on_conflict_do_update(
        index_elements=[Consumer.tenant_id, Consumer.key_id, Consumer.name],
        set_={
            "version": func.greatest(Consumer.version, write.excluded.version), "region": write.excluded.region,
            "system_id": write.excluded.system_id, "seen_at": func.greatest(Consumer.seen_at, write.excluded.seen_at),
        },
    )  # fmt: skip
    ids = {
        (row.key_id, row.name): row.id for row in session().execute(write.returning(Consumer.id, Consumer.key_id, Consumer.name))
    }
    versions = {whose: listener.version for whose, listener in known.items()}
    moved = {whose: steps for whose, steps in batch.items() if steps[-1].version > versions.get(whose, 0)}
    if moved:
        _acknowledge(moved, versions, ids)


def _known(heard: Sequence[Heard]) -> dict[consumers.Whose, consumers.Known]:
    """Those that are heard now, and all of the same keys that were heard in the last day."""
    of_these = tuple_(Consumer.key_id, Consumer.name).in_([(h.key_id, h.name) for h in heard])
    lately = and_(Consumer.key_id.in_({h.key_id for h in heard}), Consumer.seen_at > clock.now() - FORGOTTEN_AFTER)
    query = select(Consumer.key_id, Consumer.name, Consumer.version, Consumer.seen_at).where(or_(of_these, lately))
    return {(row.key_id, row.name): consumers.Known(row.version, row.seen_at) for row in session().execute(query)}


def _consumer(steps: Sequence[Heard]) -> dict[str, object]:
    last = steps[-1]
    return {
        "id": uuid7(), "tenant_id": current.actor().tenant_id, "key_id": last.key_id, "name": last.name, "region": last.region,
        "system_id": last.system_id, "version": last.version, "seen_at": max(h.seen_at for h in steps), "created_at": clock.now(),
    }  # fmt: skip


def _acknowledge(
    moved: dict[consumers.Whose, Sequence[Heard]], known: dict[consumers.Whose, int], ids: dict[consumers.Whose, UUID]
) -> None:
    """For each stop that a consumer now knows and did not know before, when it first answered from it."""
    oldest, newest = min(known.get(w, 0) for w in moved), max(steps[-1].version for steps in moved.values())
    query = select(Stop.id, Stop.version, Stop.system_id, Stop.restarted_at).where(Stop.version > oldest, Stop.version <= newest)
    recent = Stop.restarted_at.is_(None) | (Stop.restarted_at > clock.now() - FORGOTTEN_AFTER)
    rows = [
        {"id": uuid7(), "tenant_id": current.actor().tenant_id, "stop_id": found.id, "consumer_id": ids[whose], "at": at,
         "created_at": clock.now()}
        for found in session().execute(query.where(recent).order_by(Stop.version))
        for whose, steps in moved.items()
        if (steps[-1].system_id is None or found.system_id is None or steps[-1].system_id == found.system_id)
        and (at := consumers.acknowledged(steps, known.get(whose, 0), found.version, found.restarted_at))
    ]  # fmt: skip
    for some in batched(rows, AT_ONCE):
        session().execute(insert(Acknowledgement).values(some).on_conflict_do_nothing())


def forget_consumers() -> int:
    """Those that were not heard for a month and of whom no stop tells; how many went. The others stay with their stops."""
    c = Consumer
    told_of = select(Stop.id).where(Stop.tenant_id == c.tenant_id, Stop.expected.has_key(cast(c.id, String)))
    obeyed = select(Acknowledgement.id).where(Acknowledgement.tenant_id == c.tenant_id, Acknowledgement.consumer_id == c.id)
    gone = delete(c).where(c.seen_at < clock.now() - QUIET, ~told_of.exists(), ~obeyed.exists())
    return int(session().execute(gone).rowcount)  # type: ignore[attr-defined]  # a cursor's result


# ---- drills


def plan(
    system: AISystem, feature: SystemFeature | None, *, due_at: datetime, seconds: int, repeat_days: int | None = None
) -> Drill:  # fmt: skip
    """A real stop of so many seconds, from that instant on. On the high-risk lane a second person agrees to it first."""
    alone("drills")
    if system.retired_at or (feature is not None and (feature.retired_at or feature.system_id != system.id)):
        raise Invalid("Only what is live can be drilled.", field="what")
    if not clock.now() - timedelta(minutes=1) <= due_at <= clock.now() + AHEAD:
        raise Invalid("A drill begins after now, and within a year.", field="due_at")
    if not SECONDS[0] <= seconds <= SECONDS[1]:
        raise Invalid(f"A drill stands for {SECONDS[0]} to {SECONDS[1]} seconds.", field="seconds")
    if repeat_days is not None and not REPEATS[0] <= repeat_days <= REPEATS[1]:
        raise Invalid(f"A drill comes again after {REPEATS[0]} to {REPEATS[1]} days, or not at all.", field="repeat_days")
    if (there := _open_drill(system, feature)) is not None:
        if there.planned_by == current.actor().person_id and (there.due_at, there.seconds) == (due_at, seconds):
            return there
        raise DomainError("A drill of it is planned already. Cancel that one first.", field="what")
    made = Drill(
        system_id=system.id, feature_id=feature.id if feature else None, state="asked" if system.lane == "high_risk" else "planned",
        due_at=due_at, seconds=seconds, repeat_days=repeat_days, planned_by=current.actor().person_id, created_at=clock.now(),
    )  # fmt: skip
    session().add(made)
    record(
        DRILL_PLANNED, made, due_at=due_at, seconds=seconds, repeat_days=repeat_days, state=made.state, **_named(system, feature)
    )
    return made


def _open_drill(system: AISystem, feature: SystemFeature | None) -> Drill | None:
    """The one that is planned or under way. One whose time passed before anybody agreed stands in nobody's way."""
    query = select(Drill).where(
        Drill.system_id == system.id, Drill.feature_id.is_not_distinct_from(feature.id if feature else None)
    )
    live = Drill.state.in_(("planned", "running")) | ((Drill.state == "asked") & (Drill.due_at > clock.now()))
    return session().scalars(query.where(live).limit(1)).one_or_none()


def approval_of_drill(drill: Drill) -> ApprovalRequest:
    return ApprovalRequest([drill.planned_by], drill.created_at, own="You planned it yourself, so another person approves it.")


def agree(drill: Drill) -> None:
    """The second person; the drill, and those that repeat it, take place."""
    if drill.state != "asked":
        raise DomainError("That drill was agreed to, or cancelled, already.")
    approval_of_drill(drill).check()
    if drill.due_at <= clock.now():
        raise DomainError("Its time has passed. Plan another drill.")
    drill.state, drill.agreed_by = "planned", current.person_id()
    record(DRILL_AGREED, drill, due_at=drill.due_at, seconds=drill.seconds, repeat_days=drill.repeat_days, **_names(drill))


def cancel(drill: Drill, *, because: str = "") -> None:
    """Before it begins; one that stands ends by itself within a minute."""
    if drill.state not in {"asked", "planned"}:
        raise DomainError("That drill has begun, or was cancelled already.")
    drill.state = "cancelled"
    record(DRILL_CANCELLED, drill, because=because.strip() or None, due_at=drill.due_at, **_names(drill))


def begin_or_end(drill: Drill) -> bool:
    """What is due of a drill whose row is locked: begin it, lift its stop, judge it. True while it is under way.

    Called again and again by the jobs process; killed between two calls, the next one goes on from the row.
    """
    if drill.state == "planned" and drill.due_at <= clock.now():
        _begin(drill)
    if drill.state != "running":
        return False
    held = queries.stop_of_drill(drill.id)
    if held is None or drill.started_at is None:
        raise RuntimeError("a drill that runs has its stop")
    obeyed, time = queries.obediences([held])[held.id], drill.started_at + timedelta(seconds=drill.seconds)
    if held.restarted_at is None and (obeyed.is_whole or clock.now() >= time):
        _lift(drill, held)
    if obeyed.is_whole or clock.now() >= time + SETTLE:
        _judge(drill, obeyed)
    return drill.state == "running"


def _begin(drill: Drill) -> None:
    system = session().get_one(AISystem, (drill.tenant_id, drill.system_id))
    feature = session().get(SystemFeature, (drill.tenant_id, drill.feature_id)) if drill.feature_id else None
    if system.retired_at or (feature is not None and feature.retired_at):
        _overtaken(drill, "It was retired before the drill.")
        return
    if system.lane == "high_risk" and drill.agreed_by is None:
        _overtaken(drill, "It was raised to the high-risk lane, where a second person agrees first.")
        return
    reached = stop_propagation.expected(queries.listeners().values(), system.id, clock.now())
    drill.state, drill.started_at, drill.expected = "running", clock.now(), len(reached)
    if not reached:
        _end(drill, Obedience(), NOBODY)  # without a stop: there is nobody whom it would prove anything of
        return
    held = _stop("feature" if feature else "system", system, feature, generate=True, serve=True, reason="A drill that was agreed on.",
                 drill_id=drill.id)  # fmt: skip
    record(DRILL_BEGUN, drill, seconds=drill.seconds, version=held.version, expected=len(reached), **_named(system, feature))


def _overtaken(drill: Drill, why: str) -> None:
    drill.state = "cancelled"
    record(DRILL_CANCELLED, drill, because=why, due_at=drill.due_at, **_names(drill))


def _lift(drill: Drill, held: Stop) -> None:
    """Only the drill's own stop; whatever else stands over the scope stays."""
    held.restarted_at = clock.now()
    record(DRILL_LIFTED, drill, version=held.version, **_names(drill))
    tenant_revision.move()


def _judge(drill: Drill, obeyed: Obedience) -> None:
    late = [one.listener.name for one in obeyed.each if one.seconds is None or one.seconds > drill.seconds]
    _end(drill, obeyed, f"{len(late)} of {obeyed.expected} did not obey within {drill.seconds} s" if late else "", late)


def _end(drill: Drill, obeyed: Obedience, why: str, late: Sequence[str] = ()) -> None:
    slowest = obeyed.slowest
    drill.state, drill.ended_at = "failed" if why else "passed", clock.now()
    drill.expected, drill.obeyed = obeyed.expected, obeyed.expected - len(late)
    drill.slowest_ms = None if slowest is None else round(slowest * 1000)
    drill.found = {"why": why, "missing": list(late[:NAMED]), "consumers": [
        [one.listener.name, one.listener.region, one.seconds] for one in obeyed.each]}  # fmt: skip
    facts: dict[str, Any] = {"expected": drill.expected, "obeyed": drill.obeyed, "slowest_ms": drill.slowest_ms, **_names(drill)}
    if why:
        record(DRILL_FAILED, drill, missing=list(late[:NAMED]) or None, why=why, **facts)
    else:
        record(DRILL_PASSED, drill, **facts)
    _plan_next(drill)


def _plan_next(drill: Drill) -> None:
    """What was agreed to once holds for those that repeat it. A time that was missed is not made up for."""
    if drill.repeat_days is None:
        return
    due = drill.due_at + timedelta(days=drill.repeat_days)
    while due <= clock.now():
        due += timedelta(days=drill.repeat_days)
    following = Drill(
        system_id=drill.system_id, feature_id=drill.feature_id, state="planned", due_at=due, seconds=drill.seconds,
        repeat_days=drill.repeat_days, planned_by=drill.planned_by, agreed_by=drill.agreed_by, created_at=clock.now(),
    )  # fmt: skip
    session().add(following)
    record(
        DRILL_PLANNED,
        following,
        due_at=due,
        seconds=drill.seconds,
        repeat_days=drill.repeat_days,
        state="planned",
        **_names(drill),
    )


# ---- what a drill found


def report(drill: Drill) -> None:
    """Publish what an ended drill found, until a feature above has filed it."""
    if drill.state not in queries.ENDED or drill.evidence_version_id is not None or drill.ended_at is None:
        return
    system = session().get_one(AISystem, (drill.tenant_id, drill.system_id))
    publish(DrillEnded(drill.id, system.key, drill.ended_at.date(), _sheet(drill)))


def file_as(drill_id: UUID, evidence_version_id: UUID) -> None:
    """Note the version of evidence that a drill's result became."""
    queries.drill(drill_id).evidence_version_id = evidence_version_id


def _sheet(drill: Drill) -> bytes:
    """One row a consumer; without one, the row that says so."""
    names = " · ".join(_names(drill).values())
    about = (
        str(drill.id),
        names,
        drill.state,
        drill.started_at.isoformat() if drill.started_at else "",
        drill.seconds,
        drill.found.get("why", ""),
    )
    heard = drill.found.get("consumers") or [["", "", None]]
    head = ("Drill", "Switch", "Result", "Began", "Seconds", "Why", "Consumer", "Region", "Obeyed after (s)")
    return csv_bytes(head, ((*about, name, region, seconds) for name, region, seconds in heard))
