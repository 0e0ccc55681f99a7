"""The approval of a restart of everything, a system or a feature."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from governance.foundation.approvals.kinds import (
    ApprovalEffect,
    ApprovalKind,
    Description,
    LogEntry,
)
from governance.foundation.approvals.models import Approval
from governance.kernel.formatting import moment, plural, thousands
from governance.operations.switches import (
    actions,
    permissions,
    queries,
)
from governance.operations.switches.active_stops import ActiveStop, planes
from governance.operations.switches.approval_words import person_name, sentence_start, stopped_for
from governance.operations.switches.models import Stop
from governance.operations.switches.stop_propagation import Obedience
from governance.operations.systems import queries as systems
from governance.operations.systems.models import AISystem, SystemFeature

RESTART_LIFETIME = timedelta(days=7)
MAX_SHOWN = 3  # Maximum of each list


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
        ("Stopped by", person_name(found.stopped_by)),
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
                (stopped_for(since), "stopped"),
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
    """Return the active features of the scope that no other stop covers."""
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


def _outcome(approval: Approval, found: Stop, what: str) -> list[ApprovalEffect]:
    """Return True if it is still stopped, once the request is decided."""
    link = ("switches.stop", {"stop_id": found.id}, "Open the stop")
    if found.restarted_at is not None:
        return [
            ApprovalEffect(
                "ok",
                f"{sentence_start(what)} was restarted.",
                f"On {moment(found.restarted_at)}.",
                link,
            )
        ]
    if approval.state == "open":
        return []
    return [
        ApprovalEffect(
            "due",
            f"{sentence_start(what)} is still stopped.",
            "You can request a restart again.",
            link,
        )
    ]


def _effects(
    scope: tuple[AISystem | None, SystemFeature | None],
    what: str,
    others: tuple[Sequence[ActiveStop], Sequence[ActiveStop]],
    obeyed: Obedience,
    answering: Sequence[SystemFeature],
) -> Iterator[ApprovalEffect]:
    """Return what answers again, what stays stopped, and consumers that the stop didn't reach."""
    wider, within = others
    if any(each is not None and each.retired_at for each in scope):
        yield ApprovalEffect(
            "bad", f"{what} is retired.", "It doesn't answer, even after a restart."
        )
    elif wider:
        yield ApprovalEffect(
            "bad",
            f"{sentence_start(what)} stays stopped.",
            "A wider stop covers it. Restart that one, too.",
        )
    else:
        yield ApprovalEffect(
            "ok", f"{sentence_start(what)} answers again.", "Within a second of the approval."
        )
    for each in wider:
        yield _other(
            each,
            (
                "The operator's stop of everything stays."
                if each.scope == "platform"
                else "A wider stop stays."
            ),
        )
    for each in within[:MAX_SHOWN]:
        yield _other(each, "A stop within it stays.")
    if len(within) > MAX_SHOWN:
        yield ApprovalEffect(
            "due",
            f"{plural(len(within) - MAX_SHOWN, 'more stop')} within it"
            f" {'stays' if len(within) == MAX_SHOWN + 1 else 'stay'}.",
        )
    for part in answering[:MAX_SHOWN]:
        yield ApprovalEffect("open", f"The fallback of {part.key} ends.", part.fallback)
    if obeyed.missing:
        names = ", ".join(one.name for one in obeyed.missing[:MAX_SHOWN])
        yield ApprovalEffect(
            "due", f"{plural(len(obeyed.missing), 'consumer')} didn't obey the stop yet.", names
        )


def _other(stop: ActiveStop, lead: str) -> ApprovalEffect:
    link = (
        None
        if stop.scope == "platform"
        else ("switches.stop", {"stop_id": stop.id}, "Open the stop")
    )
    return ApprovalEffect(
        "due", lead, f"Stopped for {stopped_for(stop.since)}: {stop.reason}", link
    )


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
    """Return the other stops around it, and the number of obeying consumers."""
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
    lifetime=RESTART_LIFETIME,
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


def _back(system: AISystem | None) -> tuple[str, str, Mapping[str, Any]]:
    if system is None:
        return "Switches", "switches.index", {}
    return f"Switches of {system.key}", "switches.system", {"system_key": system.key}
