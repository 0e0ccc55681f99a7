"""Forecast of an error budget's exhaustion at the pace of the last 24 hours.

Pure, exact. Source: Site Reliability Workbook, chapter 5, table "burn rates and time to complete
budget exhaustion": a constant burn rate b spends the budget of a window of T in T ÷ b.
"""

from datetime import datetime, timedelta
from fractions import Fraction

from governance.kernel.intervals import Span
from governance.operations.measurements.scoring import Counts, IndicatorKind

MINUTES_OF_DAY = 1440


def gone_at(
    left: Fraction,
    last_day: Counts,
    kind: IndicatorKind,
    target: Fraction,
    *,
    now: datetime,
    month: Span | None = None,
) -> datetime | None:
    """Return when `left` minutes or events will be lost at the pace of the last 24 hours.

    `month` is the full window of an objective by calendar month: its budget grows with the
    measurements until the month ends, so only the difference is spent. None: not within the window
    at this pace. For an exhausted budget, returns `now`.
    """
    if left <= 0:
        return now
    lost, measured = last_day.lost(kind), last_day.measured(kind)
    bad = target.denominator - target.numerator
    if lost * target.denominator <= bad * measured:
        return None  # At a burn rate of 1 or less the window regains what is spent, or more.
    allowed = Fraction(bad * measured, target.denominator)
    spent_a_day = lost - allowed if month is not None else Fraction(lost)
    minutes = int(left * MINUTES_OF_DAY / spent_a_day)
    if minutes > MINUTES_OF_DAY * 400:
        return None
    at = now + timedelta(minutes=minutes)
    return None if month is not None and at >= month.end else at
