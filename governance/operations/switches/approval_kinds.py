"""The approvals of the kill switch: restarts, the operators' restart of every tenant, and
drills.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from governance.foundation.approvals.kinds import ApprovalKind, Description, Effect, LogEntry
from governance.foundation.approvals.models import Approval
from governance.foundation.people import queries as people
from governance.foundation.tenants import queries as directory
from governance.kernel import clock
from governance.kernel.db import find
from governance.kernel.formatting import ago, moment, plural, thousands
from governance.operations.switches import (
    actions,
    drill_actions,
    permissions,
    platform_actions,
    queries,
)
from governance.operations.switches.active_stops import ActiveStop, planes
from governance.operations.switches.models import Drill, PlatformStop, Stop
from governance.operations.switches.stop_propagation import Obedience
from governance.operations.systems import queries as systems
from governance.operations.systems.models import AISystem, SystemFeature

RESTART_WITHIN = timedelta(days=7)  # what was fixed and tested longer ago is requested again
SHOWN = 3  # of each list


# ---- restarting a scope of the tenant


def _describe_restart(approval: Approval) -> Description:
    found = queries.stop(approval.target_id)
    scope, obeyed = queries.scope_of(found), queries.obediences([found])[found.id]
    what, others = queries.name_of(*scope), queries.overlapping_stops(found)
    active = queries.active_stops_of(found.scope, found.system_id, found.feature_id, lock=False)
    since = min((each.created_at for each in active), default=found.created_at)
    answering = _answering(*scope, others[0] + others[1])
    facts = [
        ("Scope", what),
        ("Stopped since", moment(since)),
        ("Stopped by", _name(found.stopped_by)),
        ("Reason", found.reason),
        ("Planes", planes(generate=found.generate, serve=found.serve)),
        ("Version", thousands(found.version)),
    ]
    outcome = _outcome(approval, found, what)
    return Description(
        title=approval.summary,
        heading="What restarts",
        facts=facts,
        effects=outcome or [*_effects(scope, what, others, obeyed, answering)],
        figures=(
            []
            if outcome
            else [
                (_for(since), "stopped"),
                (f"{obeyed.obeyed} of {obeyed.expected}", "consumers obey the stop"),
                (
                    str(len(answering)),
                    "feature answers again" if len(answering) == 1 else "features answer again",
                ),
            ]
        ),
        covers="Covers what is stopped, since when and on which planes, and the request itself.",
        verb="Approve and restart",
        consequence=(
            "It is live again within a second of your approval. Anyone who can stop it can stop it"
            " again immediately."
        ),
        back=_back(scope[0]),
    )


def _answering(
    system: AISystem | None, feature: SystemFeature | None, others: Sequence[ActiveStop]
) -> list[SystemFeature]:
    """The live features of the scope that no other stop covers."""
    every: Mapping[UUID, Sequence[SystemFeature]]
    if feature is not None:
        every = {feature.system_id: [feature]}
    else:
        every = (
            {system.id: systems.features(system.id)}
            if system is not None
            else systems.every_feature()
        )
    live = {each.id for each in systems.live_systems()}
    return [
        each
        for system_id in every
        if system_id in live
        for each in every[system_id]
        if not each.retired_at and not any(o.covers(system_id, each.id) for o in others)
    ]


def _outcome(approval: Approval, found: Stop, what: str) -> list[Effect]:
    """Once it is decided: whether it is still stopped."""
    link = ("switches.stop", {"stop_id": found.id}, "Open the stop")
    if found.restarted_at is not None:
        return [
            Effect(
                "ok", f"{_start(what)} was restarted.", f"On {moment(found.restarted_at)}.", link
            )
        ]
    if approval.state == "open":
        return []
    return [
        Effect(
            "due", f"{_start(what)} is still stopped.", "A restart can be requested again.", link
        )
    ]


def _effects(
    scope: tuple[AISystem | None, SystemFeature | None],
    what: str,
    others: tuple[Sequence[ActiveStop], Sequence[ActiveStop]],
    obeyed: Obedience,
    answering: Sequence[SystemFeature],
) -> Iterator[Effect]:
    """What answers again, what stays stopped, and which consumers the stop may not have reached."""
    wider, within = others
    if any(each is not None and each.retired_at for each in scope):
        yield Effect("bad", f"{what} was retired.", "Nothing of it answers, also after a restart.")
    elif wider:
        yield Effect(
            "bad",
            f"{_start(what)} stays stopped.",
            "It answers again only when the wider stop is restarted, too.",
        )
    else:
        yield Effect("ok", f"{_start(what)} answers again.", "Within a second of the approval.")
    for each in wider:
        yield _other(
            each,
            (
                "The operator's stop of everything stays."
                if each.scope == "platform"
                else "A wider stop stays."
            ),
        )
    for each in within[:SHOWN]:
        yield _other(each, "A stop within it stays.")
    if len(within) > SHOWN:
        yield Effect(
            "due",
            f"{plural(len(within) - SHOWN, 'more stop')} within it"
            f" {'stays' if len(within) == SHOWN + 1 else 'stay'}.",
        )
    for part in answering[:SHOWN]:
        yield Effect("open", f"The fallback of {part.key} ends.", part.fallback)
    if obeyed.missing:
        names = ", ".join(one.name for one in obeyed.missing[:SHOWN])
        yield Effect(
            "due", f"{plural(len(obeyed.missing), 'consumer')} did not obey the stop yet.", names
        )


def _other(stop: ActiveStop, lead: str) -> Effect:
    link = (
        None
        if stop.scope == "platform"
        else ("switches.stop", {"stop_id": stop.id}, "Open the stop")
    )
    return Effect("due", lead, f"Stopped for {_for(stop.since)}: {stop.reason}", link)


def _restart(approval: Approval) -> Mapping[str, Any]:
    found = queries.stop(approval.target_id)
    active = queries.active_stops_of(found.scope, found.system_id, found.feature_id, lock=False)
    retired = [bool(each.retired_at) for each in queries.scope_of(found) if each is not None]
    return {
        "scope": found.scope,
        "system": found.system_id,
        "feature": found.feature_id,
        "retired": retired,
        "stops": [
            [s.id, s.generate, s.serve, s.reason, s.version, s.created_at.timestamp()]
            for s in active
        ],
    }


def _around(approval: Approval) -> Mapping[str, Any]:
    """What else is stopped above and below it, and how many obey."""
    found = queries.stop(approval.target_id)
    wider, within = queries.overlapping_stops(found)
    return {
        "others": [[each.id, each.generate, each.serve, each.reason] for each in (*wider, *within)],
        "obeyed": queries.obediences([found])[found.id].obeyed,
    }


def _carry_out(approval: Approval) -> None:
    actions.carry_out_restart(
        queries.stop(approval.target_id), reason=approval.reason, requested_by=approval.requested_by
    )


def _restart_entry(approval: Approval, _step: str) -> LogEntry:
    found = queries.stop(approval.target_id)
    return LogEntry(found, facts={"version": found.version, **actions.slugs_of(found)})


RESTART = ApprovalKind(
    name=queries.RESTART,
    label="Restart",
    permission=permissions.RESTART,
    describe=_describe_restart,
    fingerprint=_restart,
    context=_around,
    apply=_carry_out,
    entry=_restart_entry,
    lifetime=RESTART_WITHIN,
    lock=actions.LOCK,
    entries={
        "requested": actions.RESTART_ASKED,
        "approved": None,
        "rejected": actions.RESTART_REFUSED,
        "withdrawn": actions.RESTART_REFUSED,
        "voided": actions.RESTART_REFUSED,
        "expired": actions.RESTART_REFUSED,
    },
)

# ---- restarting every tenant


def _describe_platform(approval: Approval) -> Description:
    found = find(PlatformStop, approval.target_id, what="stop")
    tenants = sum(each.kind != "operator" for each in directory.all_tenants())
    if found.restarted_at is not None:
        outcome = Effect("ok", "Every tenant was restarted.", f"On {moment(found.restarted_at)}.")
    else:
        outcome = Effect(
            "ok",
            f"The AI systems of {plural(tenants, 'tenant')} answer again.",
            "Stops of the tenants' own stay.",
        )
    facts = [
        ("Scope", "everything, for every tenant"),
        ("Stopped since", moment(found.created_at)),
        ("Stopped by", _name(found.stopped_by)),
        ("Reason", found.reason),
        ("Planes", planes(generate=found.generate, serve=found.serve)),
    ]
    return Description(
        title=approval.summary,
        heading="What restarts",
        facts=facts,
        effects=[outcome],
        back=("Switch", "operator_switches.switch", {}),
        figures=[
            (_for(found.created_at, found.restarted_at), "stopped"),
            (str(tenants), "tenants answer again"),
        ],
        covers="Covers what is stopped, since when and on which planes, and the request itself.",
        verb="Approve and restart every tenant",
        consequence=(
            "Products of every tenant answer again within a second. One operator can stop them"
            " again immediately."
        ),
    )


def _platform(approval: Approval) -> Mapping[str, Any]:
    found = find(PlatformStop, approval.target_id, what="stop")
    return {
        "generate": found.generate,
        "serve": found.serve,
        "reason": found.reason,
        "restarted": bool(found.restarted_at),
        "since": found.created_at.timestamp(),
    }


def _carry_out_platform(approval: Approval) -> None:
    platform_actions.carry_out_platform_restart(
        reason=approval.reason, requested_by=approval.requested_by
    )


PLATFORM_RESTART = ApprovalKind(
    name=queries.PLATFORM_RESTART,
    label="Restart of every tenant",
    permission=permissions.PLATFORM,
    describe=_describe_platform,
    fingerprint=_platform,
    apply=_carry_out_platform,
    entry=lambda approval, _step: LogEntry(find(PlatformStop, approval.target_id)),
    lifetime=RESTART_WITHIN,
    lock=platform_actions.LOCK,
    entries={
        "requested": platform_actions.PLATFORM_ASKED,
        "approved": None,
        "rejected": platform_actions.PLATFORM_KEPT,
        "withdrawn": platform_actions.PLATFORM_KEPT,
        "voided": platform_actions.PLATFORM_KEPT,
        "expired": platform_actions.PLATFORM_KEPT,
    },
)

# ---- drills


def _describe_drill(approval: Approval) -> Description:
    drill = queries.drill(approval.target_id)
    scope = queries.scope_of(drill)
    what, link = queries.name_of(*scope), ("drills.drill", {"drill_id": drill.id}, "Open the drill")
    facts = [
        ("Scope", what),
        ("Starts", moment(drill.due_at)),
        ("Lasts", f"{plural(drill.seconds, 'second')} at most"),
        ("Planes", planes(generate=True, serve=True)),
        ("Repeats", f"every {plural(drill.repeat_days, 'day')}" if drill.repeat_days else "once"),
        ("Planned by", _name(drill.planned_by)),
    ]
    return Description(
        title=approval.summary,
        heading="What is drilled",
        facts=facts,
        effects=[*_effects_of_drill(drill, what, link)],
        verb="Approve drill",
        covers=(
            "Covers the scope, the time, the duration and the repetition, and the request itself."
        ),
        back=("Drill", link[0], link[1]),
        consequence=f"The drill starts on {moment(drill.due_at)}. It can be cancelled until then.",
    )


def _effects_of_drill(
    drill: Drill, what: str, link: tuple[str, Mapping[str, Any], str]
) -> Iterator[Effect]:
    if drill.state != "requested":
        yield Effect("open", "The drill", "has a page of its own.", link)
        return
    heard = [
        one
        for one in queries.listeners().values()
        if one.is_under(drill.system_id) and one.is_heard(clock.now())
    ]
    yield Effect(
        "due",
        f"{what} is stopped for up to {plural(drill.seconds, 'second')}.",
        "Every request gets the response that it is stopped.",
        link,
    )
    if heard:
        yield Effect(
            "ok",
            f"{plural(len(heard), 'consumer')} connected in the last 24 hours.",
            "Each of them has to obey within that time.",
        )
    else:
        yield Effect(
            "bad",
            "No consumer connected in the last 24 hours.",
            "Without one, the drill fails and stops nothing.",
        )
    yield Effect(
        "ok", "It restarts automatically", "as soon as every consumer has obeyed. Other stops stay."
    )
    if drill.repeat_days:
        yield Effect(
            "due",
            f"It repeats every {plural(drill.repeat_days, 'day')}.",
            "This approval covers each repetition.",
        )


def _drill(approval: Approval) -> Mapping[str, Any]:
    drill = queries.drill(approval.target_id)
    retired = [bool(each.retired_at) for each in queries.scope_of(drill) if each is not None]
    return {
        "system": drill.system_id,
        "feature": drill.feature_id,
        "retired": retired,
        "due_at": drill.due_at.timestamp(),
        "seconds": drill.seconds,
        "repeat_days": drill.repeat_days,
        "state": drill.state,
    }


def _drill_entry(approval: Approval, _step: str) -> LogEntry:
    drill = queries.drill(approval.target_id)
    facts = {"due_at": drill.due_at, "seconds": drill.seconds, "repeat_days": drill.repeat_days}
    return LogEntry(drill, facts={**facts, **actions.slugs_of(drill)})


DRILL = ApprovalKind(
    name=queries.DRILL,
    label="Drill",
    permission=permissions.DRILL,
    describe=_describe_drill,
    fingerprint=_drill,
    apply=lambda approval: drill_actions.schedule(queries.drill(approval.target_id, lock=True)),
    on_reject=lambda approval: drill_actions.close(queries.drill(approval.target_id, lock=True)),
    entry=_drill_entry,
    lifetime=None,
    lock=drill_actions.LOCK,  # plan() has it expire at the drill's own time
    own="You planned it yourself, so another person approves it.",
    entries={
        "requested": None,
        "approved": drill_actions.DRILL_AGREED,
        "rejected": drill_actions.DRILL_CANCELLED,
        "withdrawn": drill_actions.DRILL_CANCELLED,
        "voided": drill_actions.DRILL_CANCELLED,
        "expired": drill_actions.DRILL_CANCELLED,
    },
)

KINDS = (RESTART, PLATFORM_RESTART, DRILL)


# ---- formatting


def _name(person_id: Any) -> str:
    return people.names([person_id]).get(person_id, "a former member")


def _start(what: str) -> str:
    """At the start of a sentence; a slug stays as it is."""
    return "Everything" if what == "everything" else what


def _for(since: datetime, until: datetime | None = None) -> str:
    """How long it was stopped: 42 minutes."""
    return ago(clock.now() - ((until or clock.now()) - since)).removesuffix(" ago")


def _back(system: AISystem | None) -> tuple[str, str, Mapping[str, Any]]:
    if system is None:
        return "Switches", "switches.index", {}
    return f"Switches of {system.key}", "switches.system", {"system_key": system.key}
