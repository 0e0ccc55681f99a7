"""The months and quarters that scheduled reports cover.

period_of(cadence, day)              the period that contains the day
ended_periods(cadence, first, day)   periods that ended before the day, from the one of `first` on
"""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

MONTHS = {"monthly": 1, "quarterly": 3}  # Months per period of each cadence.


@dataclass(frozen=True, slots=True)
class ReportPeriod:
    """A month or a quarter, from its first to its last day inclusive."""

    first: date
    last: date

    @property
    def title(self) -> str:
        """The title of a period, such as "October 2026" or "Q4 2026"."""
        if self.first.month == self.last.month:
            return f"{calendar.month_name[self.first.month]} {self.first.year}"
        return f"Q{(self.first.month + 2) // 3} {self.first.year}"

    @property
    def due_on(self) -> date:
        """The day after the period, when its report is generated."""
        return self.last + timedelta(days=1)


def period_of(cadence: str, day: date) -> ReportPeriod:
    """Return the period of that cadence that contains the day."""
    months = MONTHS[cadence]
    first = day.replace(month=(day.month - 1) // months * months + 1, day=1)
    month = first.month + months - 1
    last = day.replace(month=month, day=calendar.monthrange(day.year, month)[1])
    return ReportPeriod(first, last)


def ended_periods(cadence: str, first: date, day: date) -> Iterator[ReportPeriod]:
    """Yield the periods that ended before `day`, from the one that contains `first`, oldest first."""
    period = period_of(cadence, first)
    while period.last < day:
        yield period
        period = period_of(cadence, period.due_on)
