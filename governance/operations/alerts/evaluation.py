"""One pass over all active objectives of a tenant: what fires, escalates or resolves this minute.

    evaluate()      every minute, by the jobs process; also which of the burning budgets are gone
    judge_one(…)    what the rules say of one objective, for its page

The counts of every objective's short windows are one statement. Only where a short window exceeds,
an alert is open, or traffic is low are the long windows counted too, so the pass costs little more
for thousands of objectives. Minutes outside service hours or inside exclusions don't count: an
objective with such minutes in a window is counted by spans.

Only one evaluation of a tenant runs at a time, and a second one of the same minute changes nothing.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from functools import lru_cache
from typing import Any, cast
from uuid import UUID

import structlog
from sqlalchemy import select

from governance.foundation.tenants.time_zones import zone_periods
from governance.kernel import clock, current
from governance.kernel.db import lock_tenant, session
from governance.kernel.intervals import MINUTE, Span, difference
from governance.kernel.months import ZonePeriod
from governance.operations.alerts import actions, budgets, queries
from governance.operations.alerts.burn_rules import (
    DEFAULT_RULES,
    BurnRule,
    Verdict,
    judge_all,
    lengths,
    most_lack,
    read_rules,
    whole_window_rule,
)
from governance.operations.alerts.life_cycle import OpenAlert, step
from governance.operations.alerts.models import Alert
from governance.operations.alerts.rule_facts import facts_of, rule_of
from governance.operations.alerts.window_counts import last_counts, lost_since
from governance.operations.maintenance.queries import ExclusionSpan
from governance.operations.measurements import queries as measurements
from governance.operations.measurements.models import Indicator
from governance.operations.measurements.rollups import minute_at, minute_number
from governance.operations.measurements.scoring import Counts, IndicatorKind
from governance.operations.objectives.exclusions import applying, exclusions_in
from governance.operations.objectives.models import Objective
from governance.operations.objectives.service_hours import ServiceHours
from governance.operations.objectives.windows import Window, minute_of, window

LOCK = "alerts"
MAX_PAUSE = timedelta(minutes=5)  # between two evaluations of one hold
log = structlog.get_logger("alerts")


@dataclass(frozen=True, slots=True)
class Watched:
    """What the evaluation needs of an objective. `window` is in minutes."""

    id: UUID
    name: str
    version: int
    indicator_id: UUID
    system_id: UUID
    kind: IndicatorKind
    target: Fraction
    window: int
    rules: tuple[BurnRule, ...]
    hours: ServiceHours | None


@dataclass(frozen=True, slots=True)
class Moment:
    """The minute that is evaluated, with what hides minutes before it."""

    at: datetime
    zones: Sequence[ZonePeriod]
    exclusions: Sequence[ExclusionSpan]


@dataclass(slots=True)
class Pass:
    """How many alerts a pass fired, escalated and resolved, and how many budgets are newly gone."""

    objectives: int = 0
    fired: int = 0
    escalated: int = 0
    resolved: int = 0
    exhausted: int = 0


def evaluate(at: datetime | None = None) -> Pass:
    """Evaluate every active objective of the acting tenant at a minute, by default the present."""
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


# ---- what is watched


def watch(
    zones: Sequence[ZonePeriod], at: datetime, ids: Collection[UUID] | None = None
) -> list[Watched]:
    """Return the active objectives, or these; columns alone, since there may be thousands."""
    query = (
        select(
            Objective.id,
            Objective.name,
            Objective.number,
            Objective.target,
            Objective.window,
            Objective.window_days,
            Objective.rules,
            Objective.service_hours,
            Objective.indicator_id,
            Indicator.system_id,
            Indicator.kind,
        )
        .join(Indicator, Indicator.id == Objective.indicator_id)
        .where(Objective.tenant_id == current.actor().tenant_id, Objective.retired_at.is_(None))
        .order_by(Objective.id)
    )
    if ids is not None:
        query = query.where(Objective.id.in_(ids))
    spans: dict[tuple[str, int], int] = {}
    found = []
    for row in session().execute(query):
        its = (row.window, row.window_days)
        if its not in spans:
            spans[its] = window(row.window, row.window_days, zones, at).whole.minutes
        found.append(
            Watched(
                row.id,
                row.name,
                row.number,
                row.indicator_id,
                row.system_id,
                cast("IndicatorKind", row.kind),
                Fraction(row.target),
                spans[its],
                rules_of(row.rules, row.id),
                None if row.service_hours is None else ServiceHours.parse(row.service_hours),
            )
        )
    return found


def watched_of(objective: Objective, indicator: Indicator, its: Window) -> Watched:
    """Return the same of an objective that the caller has read, retired or not."""
    return Watched(
        objective.id,
        objective.name,
        objective.number,
        indicator.id,
        indicator.system_id,
        cast("IndicatorKind", indicator.kind),
        objective.target_share,
        its.whole.minutes,
        rules_of(objective.rules, objective.id),
        objective.hours,
    )


def rules_of(raw: Any, objective_id: UUID) -> tuple[BurnRule, ...]:
    """Read the rules of an objective; the default ones where what is stored can't be read."""
    try:
        return read_rules(raw)
    except ValueError as error:
        log.warning("unreadable alert rules", objective=str(objective_id), reason=str(error))
        return DEFAULT_RULES


def moment_of(watched: Iterable[Watched], zones: Sequence[ZonePeriod], at: datetime) -> Moment:
    """Read the exclusions of the longest window that is watched."""
    longest = max(max(lengths(each.rules, each.window)) for each in watched)
    return Moment(at, zones, exclusions_in(Span(at - longest * MINUTE, at)))


# ---- what the rules say


def judged(
    watched: Iterable[Watched], moment: Moment, always: Collection[UUID] = ()
) -> dict[UUID, Verdict]:
    """Judge the objectives for which a rule may fire now, and those that are `always` judged."""
    every = list(watched)
    first = _first_lengths(every)
    counts = counts_of({each.id: first for each in every}, every, moment)
    low = [each for each in every if _lacks_traffic(each, counts[each.id])]
    losing = _losing(low, moment.at)
    chosen = [
        each
        for each in every
        if each.id in always or each.id in losing or _may_fire(each, counts[each.id])
    ]
    wanted = {each.id: lengths(each.rules, each.window) for each in chosen}
    found = counts_of(wanted, chosen, moment)
    return {
        each.id: judge_all(
            each.rules, found[each.id], kind=each.kind, target=each.target, window=each.window
        )
        for each in chosen
    }


def judge_one(each: Watched, moment: Moment) -> Verdict:
    """Judge one objective; one statement for the counts, and one where minutes don't count."""
    counts = counts_of({each.id: lengths(each.rules, each.window)}, [each], moment)[each.id]
    return judge_all(each.rules, counts, kind=each.kind, target=each.target, window=each.window)


def _first_lengths(watched: Iterable[Watched]) -> list[int]:
    """The short windows of all rules, and the shortest long one, which shows low traffic."""
    found: set[int] = set()
    for rules in {each.rules for each in watched}:
        found.update(rule.short for rule in rules)
        found.update([min(rule.long for rule in rules)] if rules else [])
    return sorted(found)


def _lacks_traffic(each: Watched, counts: Mapping[int, Counts]) -> bool:
    """Whether the slow rule may apply: the rule with the shortest window lacks traffic."""
    if not each.rules:
        return False
    rule = min(each.rules, key=lambda rule: rule.long)
    return most_lack([rule.lacks_traffic(each.kind, counts[rule.long])])


def _losing(watched: Sequence[Watched], at: datetime) -> set[UUID]:
    """Of these, the objectives that lost anything in the short window of the slow rule."""
    if not watched:
        return set()
    longest = max(whole_window_rule(each.window).short for each in watched)
    lost = lost_since({each.indicator_id for each in watched}, at - longest * MINUTE)
    return {each.id for each in watched if each.indicator_id in lost}


def _may_fire(each: Watched, counts: Mapping[int, Counts]) -> bool:
    """Whether the short window of a rule exceeds: without that, it can't fire."""
    return any(
        counts[short].lost(each.kind) * down > up * counts[short].measured(each.kind)
        for short, up, down in _limits(each.rules, each.window, each.target)
    )


@lru_cache(maxsize=4096)
def _limits(
    rules: tuple[BurnRule, ...], window: int, target: Fraction
) -> tuple[tuple[int, int, int], ...]:
    """The short window of each rule, and the share lost that it allows as a fraction of integers."""
    limits = [(rule.short, rule.factor(window) * (1 - target)) for rule in rules]
    return tuple((short, limit.numerator, limit.denominator) for short, limit in limits)


def counts_of(
    wanted: Mapping[UUID, Sequence[int]], watched: Sequence[Watched], moment: Moment
) -> dict[UUID, dict[int, Counts]]:
    """Return the counts of these lengths before the moment, by objective."""
    by_span: list[tuple[Watched, int, Sequence[Span]]] = []
    by_length: dict[tuple[int, ...], set[UUID]] = defaultdict(set)
    for each in watched:
        mine = [
            exclusion.span
            for exclusion in applying(
                moment.exclusions, system_id=each.system_id, indicator_id=each.indicator_id
            )
        ]
        last = max((span.end for span in mine), default=None)
        whole = []
        for length in wanted[each.id]:
            start = moment.at - length * MINUTE
            if each.hours is None and (last is None or last <= start):
                whole.append(length)
            else:
                span = Span(start, moment.at)
                service = [span] if each.hours is None else each.hours.spans(moment.zones, span)
                by_span.append((each, length, difference(service, mine)))
        if whole:
            by_length[tuple(whole)].add(each.indicator_id)
    fast = {
        some: last_counts(indicators, some, moment.at) for some, indicators in by_length.items()
    }
    found: dict[UUID, dict[int, Counts]] = {each.id: {} for each in watched}
    by_indicator: dict[UUID, dict[int, Counts]] = defaultdict(dict)
    for some in fast.values():
        for indicator_id, counts in some.items():
            by_indicator[indicator_id] |= counts
    for each in watched:
        found[each.id] = dict(by_indicator[each.indicator_id])
    slow = measurements.counts_of_many([(each.indicator_id, spans) for each, _, spans in by_span])
    for (each, length, _spans), counted in zip(by_span, slow, strict=True):
        found[each.id][length] = counted
    return found


# ---- what becomes of the alerts


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
    """What this minute found of an open alert, for the pages."""
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
    """The alert as life_cycle.py sees it. A pause of the evaluation interrupts a hold."""
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
