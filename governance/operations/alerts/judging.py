"""Verdicts of objectives' rules at a minute, from exact counts.

    judged(…)       the objectives for which a rule may fire, and those with an open alert
    judge_one(…)    one objective, for its page

The counts of every objective's short windows are one statement. Only where a short window exceeds,
an alert is open, or traffic is low are the long windows counted too, so a pass costs little more
for thousands of objectives. Minutes outside service hours or inside exclusions don't count: an
objective with such minutes in a window is counted by spans.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from functools import lru_cache
from uuid import UUID

from governance.kernel.intervals import MINUTE, Span, difference
from governance.operations.alerts.burn_rules import (
    BurnRule,
    Verdict,
    judge_all,
    lengths,
    most_lack,
    whole_window_rule,
)
from governance.operations.alerts.watching import Moment, Watched
from governance.operations.alerts.window_counts import last_counts, lost_since
from governance.operations.measurements import queries as measurements
from governance.operations.measurements.scoring import Counts
from governance.operations.objectives.exclusions import applying


def judged(
    watched: Iterable[Watched], moment: Moment, always: Collection[UUID] = ()
) -> dict[UUID, Verdict]:
    """Judge the objectives whose rules may fire now, and those in `always`."""
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
    """Judge one objective. Runs one statement for counts, and one more if minutes are hidden."""
    counts = counts_of({each.id: lengths(each.rules, each.window)}, [each], moment)[each.id]
    return judge_all(each.rules, counts, kind=each.kind, target=each.target, window=each.window)


def _first_lengths(watched: Iterable[Watched]) -> list[int]:
    """Return the short windows of all rules, and the shortest long one, which shows low traffic."""
    found: set[int] = set()
    for rules in {each.rules for each in watched}:
        found.update(rule.short for rule in rules)
        found.update([min(rule.long for rule in rules)] if rules else [])
    return sorted(found)


def _lacks_traffic(each: Watched, counts: Mapping[int, Counts]) -> bool:
    """Return True if the slow rule may apply: the rule with the shortest window lacks traffic."""
    if not each.rules:
        return False
    rule = min(each.rules, key=lambda rule: rule.long)
    return most_lack([rule.lacks_traffic(each.kind, counts[rule.long])])


def _losing(watched: Sequence[Watched], at: datetime) -> set[UUID]:
    """Return the objectives that lost anything in the slow rule's short window."""
    if not watched:
        return set()
    longest = max(whole_window_rule(each.window).short for each in watched)
    lost = lost_since({each.indicator_id for each in watched}, at - longest * MINUTE)
    return {each.id for each in watched if each.indicator_id in lost}


def _may_fire(each: Watched, counts: Mapping[int, Counts]) -> bool:
    """Return True if the short window of a rule exceeds its limit; otherwise none can fire."""
    return any(
        counts[short].lost(each.kind) * down > up * counts[short].measured(each.kind)
        for short, up, down in _limits(each.rules, each.window, each.target)
    )


@lru_cache(maxsize=4096)
def _limits(
    rules: tuple[BurnRule, ...], window: int, target: Fraction
) -> tuple[tuple[int, int, int], ...]:
    """Return each rule's short window and its allowed loss as an integer fraction."""
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
