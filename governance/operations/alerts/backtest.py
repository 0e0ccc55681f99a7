"""Run a set of rules over recorded minutes: the alerts, their precision and their delays.

Pure. Minutes are dense arrays whose sums come from running totals, so 130,000 minutes take a
fraction of a second; the verdict of each minute is that of burn_rules.py, and the alerts are those
of life_cycle.py.

    History.of(…)         the minutes of a span, with gaps as gaps
    alerts_of(…)          the alerts that a rule set would have raised
    result(…)             their number, precision, time to detect and to reset
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, groupby
from operator import sub
from statistics import median
from typing import NamedTuple

from governance.operations.alerts.burn_rules import (
    BurnRule,
    Severity,
    Status,
    whole_window_rule,
)
from governance.operations.alerts.life_cycle import OpenAlert, hold, step
from governance.operations.measurements.scoring import IndicatorKind

CLEAR, FIRING, UNKNOWN = 0, 1, 2
NEVER = 1 << 62
STATUSES: tuple[Status, ...] = ("clear", "firing", "unknown")


@dataclass(frozen=True, slots=True)
class History:
    """Running totals of minutes: entry n is the sum of the first n minutes from `start`.

    `start` is the number of the first minute; `known` counts minutes with data.
    """

    kind: IndicatorKind
    start: int
    known: list[int]
    lost: list[int]
    measured: list[int]
    bad: list[int]
    total: list[int]

    @classmethod
    def of(
        cls,
        kind: IndicatorKind,
        start: int,
        end: int,
        rows: Iterable[tuple[int, int, int, bool]],
        hidden: Iterable[tuple[int, int]] = (),
    ) -> "History":
        """Build a history from (minute, good, total, is down), without the ranges in `hidden`."""
        size = max(end - start, 0)
        known, down, bad, total = ([0] * size for _ in range(4))
        for minute, good, all_events, is_down in rows:
            place = minute - start
            if 0 <= place < size:
                known[place], down[place] = 1, int(is_down)
                bad[place], total[place] = all_events - good, all_events
        for first, until in hidden:
            part = slice(max(first - start, 0), max(until - start, 0))
            length = len(range(*part.indices(size)))
            for column in (known, down, bad, total):
                column[part] = [0] * length
        sums = [list(accumulate(column, initial=0)) for column in (known, down, bad, total)]
        if kind == "downtime":
            return cls(kind, start, sums[0], sums[1], sums[0], sums[2], sums[3])
        return cls(kind, start, sums[0], sums[2], sums[3], sums[2], sums[3])

    @property
    def end(self) -> int:
        return self.start + len(self.known) - 1


class Fired(NamedTuple):
    """An alert that a rule set would have raised. Minutes are numbers; `end` is None if open."""

    at: int
    end: int | None
    severity: Severity
    rules: tuple[str, ...]


def alerts_of(
    rules: Sequence[BurnRule],
    history: History,
    *,
    target: Fraction,
    window: int,
    since: int,
    known: dict[str, bytearray] | None = None,
) -> list[Fired]:
    """Return the alerts from minute `since`; earlier minutes only fill the windows.

    At minute `at` the windows end with the minute before it, as at the evaluation that runs then.
    `known` keeps the statuses of each rule, for further sets over the same history.
    """
    first = max(since, history.start + 1)
    if first > history.end:
        return []
    known = {} if known is None else known
    slow = whole_window_rule(window)
    for rule in (*rules, slow):
        if rule.key not in known:
            known[rule.key] = _statuses(rule, history, target, window, first)
    columns = [known[rule.key] for rule in rules]
    columns.append(_slow_statuses(known[slow.key], rules, history, first))
    return list(_run({rule.key: rule for rule in (*rules, slow)}, columns, first))


def _sums(totals: list[int], length: int, first: int) -> Iterator[int]:
    """Yield the sum of the last `length` minutes at each place from `first`."""
    places = len(totals) - first
    short = min(max(length - first, 0), places)  # Places whose window begins before the history
    begin = first + short - length
    return map(sub, totals[first:], [0] * short + totals[begin : begin + places - short])


def _statuses(
    rule: BurnRule, history: History, target: Fraction, window: int, first: int
) -> bytearray:
    """Return the status of a rule at each minute from `first`, equal to `burn_rules.judge`."""
    place = first - history.start
    limit = rule.factor(window) * (1 - target)
    up, down = limit.numerator, limit.denominator
    needed, least, half = rule.needed_events(history.kind), rule.min_bad, rule.short
    of = history
    return bytearray(
        FIRING
        if s_lost * down > up * s_measured
        and l_lost * down > up * l_measured
        and total >= needed
        and bad >= least
        else CLEAR
        if s_measured and 2 * s_known >= half
        else UNKNOWN
        for s_lost, s_measured, s_known, l_lost, l_measured, bad, total in zip(
            _sums(of.lost, rule.short, place),
            _sums(of.measured, rule.short, place),
            _sums(of.known, rule.short, place),
            _sums(of.lost, rule.long, place),
            _sums(of.measured, rule.long, place),
            _sums(of.bad, rule.long, place),
            _sums(of.total, rule.long, place),
            strict=True,
        )
    )


def _slow_statuses(
    found: bytearray, rules: Sequence[BurnRule], history: History, first: int
) -> bytearray:
    """Return the slow rule's statuses: it fires only if at least half of the rules lack traffic.

    If it would fire but the other rules have traffic, its status is unknown.
    """
    if FIRING not in found:
        return found
    if not rules:
        return bytearray(UNKNOWN if status == FIRING else status for status in found)
    place, most = first - history.start, len(rules)
    lacking = zip(*(_lacking(rule, history, place) for rule in rules), strict=True)
    return bytearray(
        UNKNOWN if status == FIRING and 2 * sum(some) < most else status
        for status, some in zip(found, lacking, strict=True)
    )


def _lacking(rule: BurnRule, history: History, place: int) -> Iterator[bool]:
    """Yield a bool for each place: True if the rule lacks traffic, as in `BurnRule`."""
    needed = rule.needed_events(history.kind)
    return (
        2 * known >= rule.long and total < needed
        for known, total in zip(
            _sums(history.known, rule.long, place),
            _sums(history.total, rule.long, place),
            strict=True,
        )
    )


def _run(rules: dict[str, BurnRule], columns: list[bytearray], first: int) -> Iterator[Fired]:
    """Step through runs of minutes with equal statuses. Within a run, only a hold can end."""
    keys = list(rules)
    alert: OpenAlert | None = None
    began = at = first
    for codes, run in groupby(zip(*columns, strict=True)):
        until = at + sum(1 for _ in run)
        firing = {k: rules[k] for k, code in zip(keys, codes, strict=True) if code == FIRING}
        if alert is None and not firing:
            at = until
            continue
        statuses = {k: STATUSES[code] for k, code in zip(keys, codes, strict=True)}
        while at < until:
            before = alert
            alert, happened = step(alert, firing, statuses, at)
            if happened == "fired":
                began = at
            elif happened == "resolved" and before is not None:
                yield Fired(began, at, before.severity, tuple(before.rules))
            at = min(until, _next_change(alert, at))
        at = until
    if alert is not None:
        yield Fired(began, None, alert.severity, tuple(alert.rules))


def _next_change(alert: OpenAlert | None, at: int) -> int:
    """Return the next minute at which unchanged statuses have an effect because a hold ends."""
    if alert is None:
        return NEVER
    due = [] if alert.clear_since is None else [alert.clear_since + hold(alert.rules)]
    if alert.calm_since is not None and alert.level == "page":
        paging = {key: rule for key, rule in alert.rules.items() if rule.severity == "page"}
        due.append(alert.calm_since + hold(paging))
    return min((minute for minute in due if minute > at), default=NEVER)


# ---- results


class IncidentSpan(NamedTuple):
    """A declared incident: minutes as numbers; `end` is None while it lasts."""

    ref: str
    start: int
    end: int | None


@dataclass(frozen=True, slots=True)
class BackTest:
    """The result of a back-test. Times are in minutes, or None if they can't be computed.

    precision  alerts during an incident ÷ all alerts
    detect     median of the minutes from an incident's start to its first alert
    reset      median of the minutes from the end of an alert's cause to its resolution
    """

    alerts: tuple[Fired, ...]
    incidents: int
    found: int
    precision: Fraction | None
    detect: float | None
    reset: float | None


def result(
    alerts: Sequence[Fired], incidents: Sequence[IncidentSpan], history: History
) -> BackTest:
    """Compare alerts with declared incidents.

    An alert belongs to an incident when both are open at the same minute. The cause of an alert
    ends with its incident, or else with the last minute that lost something.
    """
    matched = [[each for each in incidents if _overlap(alert, each)] for alert in alerts]
    detected = [
        max(min(alert.at for alert in alerts if _overlap(alert, each)) - each.start, 0)
        for each in incidents
        if any(_overlap(alert, each) for alert in alerts)
    ]
    resets = [
        max(alert.end - _cause_end(alert, theirs, history), 0)
        for alert, theirs in zip(alerts, matched, strict=True)
        if alert.end is not None
    ]
    hits = sum(1 for theirs in matched if theirs)
    return BackTest(
        tuple(alerts),
        len(incidents),
        len(detected),
        Fraction(hits, len(alerts)) if alerts and incidents else None,
        median(detected) if detected else None,
        median(resets) if resets else None,
    )


def _overlap(alert: Fired, incident: IncidentSpan) -> bool:
    return (incident.end is None or alert.at < incident.end) and (
        alert.end is None or alert.end > incident.start
    )


def _cause_end(alert: Fired, incidents: Sequence[IncidentSpan], history: History) -> int:
    """Return the end of the last incident, or the minute after the last loss before it resolved."""
    end = alert.end if alert.end is not None else history.end
    ends = [each.end for each in incidents if each.end is not None and each.end <= end]
    if ends:
        return max(ends)
    place = min(end, history.end) - history.start
    level = history.lost[place]
    while place > 0 and history.lost[place - 1] == level:
        place -= 1
    return history.start + place
