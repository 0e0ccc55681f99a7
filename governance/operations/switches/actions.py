"""Stop and restart a scope of the tenant.

stop                      immediately, by one person; voids a request to restart
request_restart           by the first of two people; another approves it
restart                   by one person with a reason, if one is enough
carry_out_restart         after the approval of a restart

A restart needs a fresh sign-in (which its routes enforce) and, for a high-risk system, two people.
The person who stopped it can be one of them.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals import kinds
from governance.foundation.approvals.models import Approval
from governance.foundation.approvals.queries import open_approval
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.work.events import publish
from governance.operations.switches import queries, stop_propagation
from governance.operations.switches.active_stops import ActiveStop, news_of, news_of_restart
from governance.operations.switches.events import StopLifted, StopOrdered
from governance.operations.switches.models import SCOPES, Drill, Stop
from governance.operations.systems.models import AISystem, SystemFeature

WHAT = {
    "tenant": "every AI system in the tenant",
    "system": "an AI system",
    "feature": "a feature of an AI system",
}
STOP_FIELDS = "key name generate serve version expected remind_at"
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
        persons="requested_by",
        shape="ok",
    )
    for scope, what in WHAT.items()
}
RESTART_ASKED = action(
    "switch.restart.requested",
    "requested a restart",
    target="Stop",
    activity="update",
    severity="medium",
    fields="key name version",
)
RESTART_REFUSED = action(
    "switch.restart.rejected",
    "rejected a restart",
    target="Stop",
    activity="update",
    severity="medium",
    fields="key name version",
)

LOCK = "switches"  # Lock for every stop and restart
MAX_REASON_LENGTH = 2000
MAX_AHEAD = timedelta(days=366)  # Limit for a drill or a reminder


REASON_NEEDED = "Enter a reason. It is shown to everyone who can see the stop."


class NotStopped(DomainError):
    pass


# ---- stopping


def stop(
    scope: str,
    system: AISystem | None,
    feature: SystemFeature | None,
    *,
    generate: bool = True,
    serve: bool = True,
    reason: str,
    remind_at: datetime | None = None,
) -> Stop:
    """Stop a scope on these planes. It takes effect at the commit.

    A scope that is already stopped on them doesn't change; one stopped on the other plane gets a
    second stop, of both. Either voids a request to restart it. `remind_at` is only a reminder: no
    restart is automatic.
    """
    lock_tenant(LOCK)  # A second click sees the stop of the first.
    _check_scope(scope, system, feature, generate=generate, serve=serve, remind_at=remind_at)
    active = queries.active_stops_of(
        scope, system.id if system else None, feature.id if feature else None
    )
    if active:
        approvals.void(
            queries.RESTART,
            active[0].id,
            reason=f"It was stopped again: {reason.strip()}".rstrip(": "),
        )
    generate, serve = (
        generate or any(s.generate for s in active),
        serve or any(s.serve for s in active),
    )
    if active and (active[0].generate, active[0].serve) == (generate, serve):
        return active[0]
    made = place(
        scope,
        system,
        feature,
        generate=generate,
        serve=serve,
        reason=check_reason(reason),
        remind_at=remind_at,
    )
    record(
        STOPPED[scope],
        made,
        reason=made.reason,
        generate=generate,
        serve=serve,
        version=made.version,
        expected=len(made.expected),
        remind_at=remind_at,
        **slugs(system, feature),
    )
    switch = " · ".join(each.key for each in (system, feature) if each is not None)
    publish(StopOrdered(made.id, switch or "Everything"))
    return made


def place(
    scope: str,
    system: AISystem | None,
    feature: SystemFeature | None,
    *,
    generate: bool = True,
    serve: bool = True,
    reason: str,
    drill_id: UUID | None = None,
    remind_at: datetime | None = None,
) -> Stop:
    """Add the row of a stop, by a person or a drill. The caller records it."""
    system_id, now = system.id if system else None, clock.now()
    reached = stop_propagation.expected(queries.listeners().values(), system_id, now)
    stop_id, feature_id = uuid7(), feature.id if feature else None
    told = ActiveStop(
        stop_id,
        scope,
        system_id,
        feature_id,
        generate=generate,
        serve=serve,
        reason="",
        version=0,
        since=now,
        is_drill=drill_id is not None,
    )
    made = Stop(
        id=stop_id,
        scope=scope,
        system_id=system_id,
        feature_id=feature_id,
        generate=generate,
        serve=serve,
        reason=reason,
        version=tenant_revision.advance(news_of(told)),
        expected=[str(one.id) for one in reached],
        drill_id=drill_id,
        remind_at=remind_at,
        stopped_by=current.actor().person_id,
        created_at=now,
    )
    session().add(made)
    return made


def _check_scope(
    scope: str,
    system: AISystem | None,
    feature: SystemFeature | None,
    *,
    generate: bool,
    serve: bool,
    remind_at: datetime | None,
) -> None:
    if (
        scope not in SCOPES
        or (scope == "tenant") != (system is None)
        or (scope == "feature") != (feature is not None)
    ):
        raise Invalid("Choose what to stop.", field="what")
    if system is not None and feature is not None and feature.system_id != system.id:
        raise Invalid(
            "This feature belongs to another AI system. Choose a feature of this one.", field="what"
        )
    if system is not None and (system.retired_at or (feature is not None and feature.retired_at)):
        raise Invalid("It is retired, so there is nothing to stop.", field="what")
    if not generate and not serve:
        raise Invalid("Choose to stop generating, serving, or both.", field="generate")
    if remind_at is not None and not clock.now() < remind_at <= clock.now() + MAX_AHEAD:
        raise Invalid("Choose a future time within a year.", field="remind_at")


def check_reason(text: str) -> str:
    if not text.strip():
        raise Invalid(REASON_NEEDED, field="reason")
    return text.strip()[:MAX_REASON_LENGTH]


def slugs(system: AISystem | None, feature: SystemFeature | None) -> dict[str, Any]:
    """Return the slugs of a scope, for log entries."""
    return {n: each.key for n, each in (("key", system), ("name", feature)) if each is not None}


def slugs_of(of: Stop | Drill) -> dict[str, Any]:
    """Return the slugs of the scope of a stop or drill, retired or not."""
    return slugs(*queries.scope_of(of))


# ---- restarting


def seen(found: Stop) -> str:
    """Return the fingerprint that the form of a restart carries.

    It changes when more is stopped, or when the restart starts to need two people.
    """
    return _seen(
        queries.active_stops_of(found.scope, found.system_id, found.feature_id, lock=False), found
    )


def _seen(active: Sequence[Stop], found: Stop) -> str:
    parts = [
        str(queries.needs_second(found)),
        *(f"{each.id} {each.generate} {each.serve}" for each in active),
    ]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def request_restart(found: Stop, *, seen: str, reason: str) -> Approval:
    """Request a restart of the scope of this stop, or return the open request."""
    active = _check_active(found, seen)
    if not queries.needs_second(found):
        raise DomainError("This restart needs only you.")
    target = active[0]
    request = open_approval(queries.RESTART, target.id)
    if request is not None and kinds.fingerprint(request) != request.fingerprint:
        approvals.void(
            queries.RESTART,
            target.id,
            reason="The stop changed after this request was made.",
        )
    summary = f"restart {queries.names_of([target])[target.id]}"
    return approvals.request(
        queries.RESTART, target.id, summary=summary, reason=check_reason(reason)
    )


def restart(found: Stop, *, seen: str, reason: str = "") -> None:
    """Restart the scope on both planes, if one person is enough."""
    lock_tenant(LOCK)
    session().refresh(found)
    if found.restarted_at is not None and found.restarted_by == current.person_id():
        return
    active = _check_active(found, seen)
    if queries.needs_second(found):
        raise DomainError(
            "A restart of a high-risk system needs two people. Request it, so that another person"
            " can approve it."
        )
    if open_approval(queries.RESTART, active[0].id) is not None:
        raise DomainError("A restart is already requested. Decide on that request, or withdraw it.")
    _end(active, reason=check_reason(reason), requested_by=None)


def carry_out_restart(found: Stop, *, reason: str, requested_by: UUID | None) -> None:
    """Restart the scope after another person, the acting one, has approved it."""
    _end(_check_active(found), reason=reason, requested_by=requested_by)


def _end(active: Sequence[Stop], *, reason: str, requested_by: UUID | None) -> None:
    now = clock.now()
    for each in active:
        each.restarted_by, each.restarted_at, each.restart_reason = current.person_id(), now, reason
        each.restart_requested_by = requested_by
        record(
            RESTARTED[each.scope],
            each,
            reason=reason,
            version=each.version,
            stopped_at=each.created_at,
            requested_by=requested_by,
            **slugs_of(each),
        )
        publish(StopLifted(each.id))
    tenant_revision.advance(news_of_restart(each.id for each in active))


def _check_active(found: Stop, seen: str | None = None) -> Sequence[Stop]:
    """Return the active stops of the scope, widest first.

    Raises NotStopped if it was restarted, Stale if it differs from `seen`.
    """
    lock_tenant(LOCK)
    session().refresh(found)
    if found.drill_id is not None:
        raise DomainError("This stop belongs to a drill, so it ends with the drill.")
    if found.restarted_at is not None:
        raise NotStopped("Someone else has already restarted it.")
    active = queries.active_stops_of(found.scope, found.system_id, found.feature_id)
    if seen is not None and seen != _seen(active, found):
        raise Stale(
            "The stop has changed since you opened this page. Review it, then decide again."
        )
    return active
