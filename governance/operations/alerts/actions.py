"""Change alerts and exhausted error budgets.

fire, escalate, resolve     by the evaluation of every minute (evaluation.py)
acknowledge                 by a person, once
link_incident               an incident was declared from it
exhaust, restore            when the budget of an objective is exhausted, or back
set_response                the response when the budget of an AI objective is exhausted

Each publishes its event; deliveries.py and tightening.py are the first to act on it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.work.events import publish
from governance.operations.alerts import queries
from governance.operations.alerts.burn_rules import decimal_text
from governance.operations.alerts.events import (
    AlertAcknowledged,
    AlertFired,
    AlertResolved,
    BudgetExhausted,
)
from governance.operations.alerts.models import Alert, BudgetExhaustion, BudgetResponse
from governance.operations.measurements.scoring import Budget, Score
from governance.operations.objectives.models import Objective
from governance.operations.policies import queries as policies

ALERT_FIRED = action(
    "alert.fired",
    "reported that an objective spends its error budget too fast",
    target="Alert",
    activity="create",
    severity="medium",
    fields="ref objective severity rules",
    shape="bad",
)
ALERT_ESCALATED = action(
    "alert.escalated",
    "escalated an alert to a page",
    target="Alert",
    activity="update",
    severity="high",
    fields="ref objective severity rules",
    shape="bad",
)
ALERT_ACKNOWLEDGED = action(
    "alert.acknowledged",
    "acknowledged an alert",
    target="Alert",
    activity="update",
    severity="informational",
    fields="ref objective severity",
)
ALERT_RESOLVED = action(
    "alert.resolved",
    "reported that an alert resolved",
    target="Alert",
    activity="update",
    severity="informational",
    fields="ref objective severity cause",
    shape="ok",
)
BUDGET_EXHAUSTED = action(
    "budget.exhausted",
    "reported that the error budget of an objective is gone",
    target="BudgetExhaustion",
    activity="create",
    severity="high",
    fields="objective lost measured allowed",
    shape="bad",
)
BUDGET_RESTORED = action(
    "budget.restored",
    "reported that an objective has error budget again",
    target="BudgetExhaustion",
    activity="update",
    severity="informational",
    fields="objective lost measured allowed",
    shape="ok",
)
RESPONSE_SET = action(
    "budget.response.set",
    "chose what happens when the error budget of an objective is gone",
    target="Objective",
    activity="update",
    severity="medium",
    fields="objective tier",
)


class AlreadyAcknowledged(DomainError):
    """Another person acknowledged the alert first."""


class AlertIsResolved(DomainError):
    """The alert is resolved, so it can't be acknowledged."""


# ---- alerts


def fire(
    objective_id: UUID,
    name: str,
    version: int,
    severity: str,
    rules: Mapping[str, Mapping[str, Any]],
    at: datetime,
) -> Alert:
    """Open an alert for an objective without one. The caller holds the tenant's lock "alerts"."""
    alert = Alert(
        number=queries.next_number(),
        objective_id=objective_id,
        version=version,
        state="firing",
        severity=severity,
        level=severity,
        rules=dict(rules),
        fired_at=at,
        evaluated_at=at,
        created_at=clock.now(),
    )
    session().add(alert)
    session().flush()
    record(ALERT_FIRED, alert, **_facts(alert, name), rules=_rule_names(alert))
    publish(AlertFired(alert.id, objective_id, _severity(alert), at, is_escalation=False))
    return alert


def escalate(alert: Alert, name: str, at: datetime) -> None:
    """Escalate a ticket to a page. It fires again, since its acknowledger hasn't seen the page."""
    alert.severity = alert.level = "page"
    alert.state, alert.escalated_at = "firing", at
    alert.acknowledged_by = alert.acknowledged_at = None
    record(ALERT_ESCALATED, alert, **_facts(alert, name), rules=_rule_names(alert))
    publish(AlertFired(alert.id, alert.objective_id, "page", at, is_escalation=True))


def resolve(alert: Alert, name: str, at: datetime, *, cause: str = "the burn stopped") -> None:
    """Resolve an alert; `cause` completes the sentence after "because"."""
    alert.state, alert.resolved_at = "resolved", at
    record(ALERT_RESOLVED, alert, **_facts(alert, name), cause=cause)
    publish(AlertResolved(alert.id, alert.objective_id, at))


def acknowledge(alert_id: UUID) -> Alert:
    """Acknowledge an alert. Idempotent for the same person.

    Raises AlreadyAcknowledged if another person was first, AlertIsResolved after its end.
    """
    me = current.person_id()
    alert = queries.alert(alert_id, lock=True)
    if alert.state == "acknowledged" and alert.acknowledged_by == me:
        return alert
    if alert.state == "acknowledged":
        raise AlreadyAcknowledged(f"{alert.ref} is acknowledged by someone else already.")
    if alert.state == "resolved":
        raise AlertIsResolved(f"{alert.ref} resolved before you acknowledged it.")
    now = clock.now()
    alert.state, alert.acknowledged_by, alert.acknowledged_at = "acknowledged", me, now
    name = queries.objective_name(alert)
    record(ALERT_ACKNOWLEDGED, alert, **_facts(alert, name))
    publish(AlertAcknowledged(alert.id, alert.objective_id, me, now))
    return alert


def link_incident(alert: Alert, incident_id: UUID, incident_ref: str) -> None:
    """Link the incident that was declared from an alert.

    The incident's own log entry records it.
    """
    alert.incident_id, alert.incident_ref = incident_id, incident_ref


def _facts(alert: Alert, name: str) -> dict[str, Any]:
    return {"ref": alert.ref, "objective": name, "severity": alert.severity}


def _rule_names(alert: Alert) -> list[str]:
    return [facts["text"] for facts in alert.rules.values()]


def _severity(alert: Alert) -> Any:
    return alert.severity


# ---- error budgets


def exhaust(objective: Objective, score: Score, budget: Budget, at: datetime) -> BudgetExhaustion:
    """Record that the budget is exhausted. The caller holds the tenant's lock "alerts"."""
    gone = BudgetExhaustion(
        objective_id=objective.id,
        version=objective.number,
        exhausted_at=at,
        lost=budget.lost,
        measured=score.measured,
        allowed=decimal_text(budget.allowed),
        created_at=clock.now(),
    )
    session().add(gone)
    session().flush()
    record(BUDGET_EXHAUSTED, gone, objective=objective.name, **_sums(score, budget))
    publish(BudgetExhausted(gone.id, objective.id, at))
    return gone


def restore(
    gone: BudgetExhaustion, objective: Objective, score: Score, budget: Budget, at: datetime
) -> None:
    """Record that there is budget again. A tightened tier stays until people change it."""
    gone.restored_at = at
    record(BUDGET_RESTORED, gone, objective=objective.name, **_sums(score, budget))


def _sums(score: Score, budget: Budget) -> dict[str, Any]:
    return {
        "lost": budget.lost,
        "measured": score.measured,
        "allowed": decimal_text(budget.allowed),
    }


def set_response(objective: Objective, tier: str | None) -> BudgetResponse:
    """Choose the response to an AI objective's exhausted budget: nothing, or a tighter tier.

    Raises Invalid for an objective that is not about AI quality, or a tier that doesn't exist.
    """
    if not objective.is_ai:
        raise Invalid(
            "Only an AI objective can tighten the policy. Mark it as an AI objective first.",
            field="tier",
        )
    if tier is not None and tier not in policies.platform().tiers:
        raise Invalid("Choose a tier that exists.", field="tier")
    lock_tenant("budget responses")
    row = queries.response_of(objective.id)
    before = row.tier if row else None
    if row is None:
        row = BudgetResponse(objective_id=objective.id, set_at=clock.now())
        session().add(row)
    elif before == tier:
        return row
    row.tier, row.set_by, row.set_at = tier, current.actor().person_id, clock.now()
    record(
        RESPONSE_SET,
        objective,
        before={"tier": before},
        after={"tier": tier},
        objective=objective.name,
    )
    return row
