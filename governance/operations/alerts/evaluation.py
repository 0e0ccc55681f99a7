"""One pass over all active objectives of a tenant: alerts that fire, escalate or resolve.

    evaluate()      every minute, by the jobs process; also finds exhausted budgets

Only one evaluation of a tenant runs at a time, and a second one of the same minute changes nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from governance.foundation.tenants.time_zones import zone_periods
from governance.kernel import clock
from governance.kernel.data.db import lock_tenant
from governance.kernel.intervals import MINUTE
from governance.operations.alerts import actions, budgets, queries
from governance.operations.alerts.burn_rules import Verdict
from governance.operations.alerts.judging import judged
from governance.operations.alerts.life_cycle import OpenAlert, step
from governance.operations.alerts.models import Alert
from governance.operations.alerts.rule_facts import facts_of, rule_of
from governance.operations.alerts.watching import Watched, moment_of, watch
from governance.operations.measurements.rollups import minute_at, minute_number
from governance.operations.objectives.windows import minute_of

LOCK = "alerts"
MAX_PAUSE = timedelta(minutes=5)  # Longest gap between two evaluations within one hold


@dataclass(slots=True)
class Pass:
    """Numbers of fired, escalated and resolved alerts, and of newly exhausted budgets."""

    objectives: int = 0
    fired: int = 0
    escalated: int = 0
    resolved: int = 0
    exhausted: int = 0


def evaluate(at: datetime | None = None) -> Pass:
    """Evaluate every active objective of the acting tenant at a minute, by default now."""
    at = minute_of(at or clock.now())
    lock_tenant(LOCK)
    zones = zone_periods()
    watched = {each.id: each for each in watch(zones, at)}
    done = Pass(len(watched))
    opened = {each.objective_id: each for each in queries.open_alerts(lock=True)}
    for objective_id, alert in opened.items():
        if objective_id not in watched:
            name = queries.objective_name(alert)
            actions.resolve(alert, name, at, cause="its objective was retired")
            done.resolved += 1
    if not watched:
        return done
    verdicts = judged(watched.values(), moment_of(watched.values(), zones, at), opened.keys())
    for objective_id, verdict in verdicts.items():
        _advance(watched[objective_id], opened.get(objective_id), verdict, at, done)
    burning = {
        objective_id
        for objective_id, verdict in verdicts.items()
        if any(each.exceeds_short for each in verdict.applying)
    }
    readings = budgets.check_some(burning | (opened.keys() & watched.keys()), at)
    done.exhausted = sum(newly for _reading, newly in readings.values())
    for alert in queries.open_alerts() if verdicts else ():
        if alert.objective_id in readings:
            gone_at = readings[alert.objective_id][0].gone_at
            alert.latest = {**alert.latest, "gone_at": gone_at.isoformat() if gone_at else None}
    return done


def _advance(
    each: Watched, alert: Alert | None, verdict: Verdict, at: datetime, done: Pass
) -> None:
    state = _state_of(alert, at) if alert else None
    after, happened = step(state, verdict.firing, verdict.statuses, minute_number(at))
    fresh = {
        v.rule.key: facts_of(v, each.kind, at)
        for v in verdict.applying
        if v.status == "firing" and (alert is None or v.rule.key not in alert.rules)
    }
    if alert is None:
        if after is not None:
            fired = actions.fire(each.id, each.name, each.version, after.severity, fresh, at)
            fired.latest = _latest(each, fired, verdict, at)
            done.fired += 1
        return
    if fresh:
        alert.rules = {**alert.rules, **fresh}
    alert.evaluated_at, alert.latest = at, _latest(each, alert, verdict, at)
    if after is None:
        actions.resolve(alert, each.name, at)
        done.resolved += 1
        return
    alert.level = after.level
    alert.clear_since = None if after.clear_since is None else minute_at(after.clear_since)
    alert.calm_since = None if after.calm_since is None else minute_at(after.calm_since)
    if happened == "escalated":
        actions.escalate(alert, each.name, at)
        done.escalated += 1


def _latest(each: Watched, alert: Alert, verdict: Verdict, at: datetime) -> dict[str, Any]:
    """Return this minute's findings about an open alert, for the pages."""
    before = alert.latest or {}
    firing = [v for v in verdict.applying if v.status == "firing"]
    shortest = min(verdict.rules, key=lambda v: v.rule.short, default=verdict.slow)
    since = at - shortest.rule.short * MINUTE
    known = shortest.short.measured(each.kind) > 0
    worst = max(firing, key=lambda v: v.factor, default=None)
    return {
        "burning": facts_of(worst, each.kind, at) if worst else None,
        "unknown_since": None if known else before.get("unknown_since") or since.isoformat(),
        "gone_at": before.get("gone_at"),
    }


def _state_of(alert: Alert, at: datetime) -> OpenAlert:
    """Convert an alert for life_cycle.py. A pause of the evaluation interrupts a hold."""
    paused = at - alert.evaluated_at > MAX_PAUSE
    clear, calm = (
        None if since is None or paused else minute_number(since)
        for since in (alert.clear_since, alert.calm_since)
    )
    return OpenAlert(
        cast("Any", alert.severity),
        cast("Any", alert.level),
        {key: rule_of(facts) for key, facts in alert.rules.items()},
        clear,
        calm,
    )
