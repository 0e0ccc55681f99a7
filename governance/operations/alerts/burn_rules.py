"""Burn-rate rules: when a budget burns so fast that a person must know.

Pure: no database, no clock, no floats. The method is that of the Site Reliability Workbook,
chapter 5, "Multiwindow, multi-burn-rate alerts".

    DEFAULT_RULES               2% in 1 h, 5% in 6 h (page), 10% in 24 h, 10% in 3 days (ticket)
    rule.factor(window)         budget share times window ÷ long window
    judge(rule, …)              one rule at one moment: fires, is clear, or is unknown
    judge_all(rules, …)         a set of rules, with the slow rule if traffic is too low
    exhausted_in(…)             minutes until the budget is gone at this pace
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from governance.operations.measurements.scoring import Counts, IndicatorKind, burn_rate

type Severity = Literal["page", "ticket"]
type Status = Literal["firing", "clear", "unknown"]

MIN_BAD = 3  # Bad events in the long window
MIN_TOTAL = 100  # Events in the long window
MAX_SLOW_MINUTES = 90 * 1440
SHORT_PART = 12  # The short window is a twelfth of the long one (Workbook, table 5-8).


@dataclass(frozen=True, slots=True)
class BurnRule:
    """A rule that fires when both windows burn faster than its factor. Windows are in minutes."""

    budget_share: Fraction
    long: int
    short: int
    severity: Severity
    min_bad: int = MIN_BAD
    min_total: int = MIN_TOTAL

    @property
    def key(self) -> str:
        """The name of the rule in its set, in addresses and in an alert's facts: "0.02-60-5"."""
        return f"{decimal_text(self.budget_share)}-{self.long}-{self.short}"

    def factor(self, window: int) -> Fraction:
        """Return how many times the even pace this rule allows.

        Budget share times window ÷ long window, both in minutes: 2% in 1 h of 30 days is 14.4
        (Site Reliability Workbook, table 5-6), of 28 days 13.44.
        """
        return self.budget_share * window / self.long

    def can_fire(self, target: Fraction, window: int) -> bool:
        """Return True if losing every event would exceed the limit.

        2% in 1 h of 90 days is 43.2 times the even pace: with a target below 97.7% the limit is
        above 100% of the events.
        """
        return self.factor(window) * (1 - target) < 1

    def needed_events(self, kind: IndicatorKind) -> int:
        """Return how many events the long window must have before this rule judges.

        Minutes of downtime are judged by the requests behind them: as many, or one a minute where
        the window has fewer minutes, so that a probe a minute is enough.
        """
        return min(self.min_total, self.long) if kind == "downtime" else self.min_total

    def lacks_traffic(self, kind: IndicatorKind, long: Counts) -> bool:
        """Return True if the long window has data but too few events; a gap isn't low traffic."""
        return 2 * long.minutes >= self.long and long.total < self.needed_events(kind)


DEFAULT_RULES = (
    BurnRule(Fraction(2, 100), 60, 5, "page"),
    BurnRule(Fraction(5, 100), 360, 30, "page"),
    BurnRule(Fraction(10, 100), 1440, 120, "ticket"),
    BurnRule(Fraction(10, 100), 4320, 360, "ticket"),
)


def whole_window_rule(window: int) -> BurnRule:
    """Return the slow rule for low traffic: the full budget in the full window (factor 1).

    For a window of more than 90 days it reads the last 90, and the factor grows accordingly.

    Of a window of more than 90 days it reads the last 90, and the factor grows accordingly.
    """
    long = min(window, MAX_SLOW_MINUTES)
    return BurnRule(Fraction(1), long, max(long // SHORT_PART, 1), "ticket", min_total=0)


@dataclass(frozen=True, slots=True)
class RuleVerdict:
    """The verdict of a rule at one moment. A burn is None if nothing was measured."""

    rule: BurnRule
    status: Status
    factor: Fraction
    long: Counts
    short: Counts
    long_burn: Fraction | None
    short_burn: Fraction | None
    lacks_traffic: bool
    exceeds_long: bool
    exceeds_short: bool
    can_fire: bool = True


def judge(
    rule: BurnRule,
    *,
    long: Counts,
    short: Counts,
    kind: IndicatorKind,
    target: Fraction,
    window: int,
) -> RuleVerdict:
    """Judge one rule by the counts of its two windows.

    It fires when both burn faster than the factor and the long window has enough events. It is
    clear when the short window has data for at least half of its minutes and it doesn't fire.
    Otherwise it is unknown: a gap neither fires nor resolves.
    """
    factor = rule.factor(window)
    limit = factor * (1 - target)
    over_long, over_short = (_exceeds(each, kind, limit) for each in (long, short))
    enough = long.total >= rule.needed_events(kind) and long.total - long.good >= rule.min_bad
    firing = over_long and over_short and enough
    knows = short.measured(kind) > 0 and 2 * short.minutes >= rule.short
    return RuleVerdict(
        rule,
        "firing" if firing else "clear" if knows else "unknown",
        factor,
        long,
        short,
        burn_rate(long, kind, target),
        burn_rate(short, kind, target),
        rule.lacks_traffic(kind, long),
        over_long,
        over_short,
        rule.can_fire(target, window),
    )


def _exceeds(counts: Counts, kind: IndicatorKind, limit: Fraction) -> bool:
    """Return True if the share lost is above `limit`; exact, also for a target of 100%."""
    return counts.lost(kind) * limit.denominator > limit.numerator * counts.measured(kind)


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict of a set of rules at one moment. `slow` is the rule over the full window."""

    rules: tuple[RuleVerdict, ...]
    slow: RuleVerdict
    lacks_traffic: bool

    @property
    def applying(self) -> tuple[RuleVerdict, ...]:
        """The rules that can fire now; the slow one only if traffic is too low for the rest."""
        return (*self.rules, self.slow) if self.lacks_traffic else self.rules

    @property
    def firing(self) -> dict[str, BurnRule]:
        """The rules that fire now, by key."""
        return {v.rule.key: v.rule for v in self.applying if v.status == "firing"}

    @property
    def statuses(self) -> dict[str, Status]:
        """The status of each rule by key, without a slow rule that would fire but doesn't apply."""
        found = {v.rule.key: v.status for v in self.rules}
        is_idle = self.slow.status == "firing" and not self.lacks_traffic
        return {**found, self.slow.rule.key: "unknown" if is_idle else self.slow.status}


def judge_all(
    rules: Sequence[BurnRule],
    counts: Mapping[int, Counts],
    *,
    kind: IndicatorKind,
    target: Fraction,
    window: int,
) -> Verdict:
    """Judge a set of rules; `counts` maps each window length in minutes to its counts.

    When at least half of the rules lack traffic, the slow rule over the full window applies too.
    """

    def judged(rule: BurnRule) -> RuleVerdict:
        return judge(
            rule,
            long=counts[rule.long],
            short=counts[rule.short],
            kind=kind,
            target=target,
            window=window,
        )

    verdicts = tuple(judged(rule) for rule in rules)
    return Verdict(
        verdicts,
        judged(whole_window_rule(window)),
        most_lack([v.lacks_traffic for v in verdicts]),
    )


def most_lack(lacking: Sequence[bool]) -> bool:
    """Return True if at least half of the rules lack traffic; False for a set without rules."""
    return bool(lacking) and 2 * sum(lacking) >= len(lacking)


def lengths(rules: Iterable[BurnRule], window: int) -> list[int]:
    """Return the lengths of all windows that a set reads, in minutes, shortest first."""
    every = (*rules, whole_window_rule(window))
    return sorted({length for rule in every for length in (rule.long, rule.short)})


def exhausted_in(burn: Fraction, window: int, left: Fraction = Fraction(1)) -> Fraction | None:
    """Return the minutes until the budget is exhausted: share left times window ÷ burn rate.

    Burning 1, 2, 10 and 1000 times too fast spends 30 days' budget in 30 days, 15 days, 3 days and
    43 minutes (Site Reliability Workbook, table 5-5). None when nothing burns.
    """
    return max(left, Fraction(0)) * window / burn if burn > 0 else None


def decimal_text(value: Fraction) -> str:
    """Format a fraction as a decimal without an exponent or trailing zeros: "0.02"."""
    text = f"{Decimal(value.numerator) / Decimal(value.denominator):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
