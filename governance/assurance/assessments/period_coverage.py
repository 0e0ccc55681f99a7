"""The days of a period that evidence covers, and the sentence that reports them.

period_coverage(stretches, first, last)    the covered days and the gaps between them
sentence(title, coverage)                  "Admission record covers 92 of 365 days; gap from …"
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from governance.kernel import formatting
from governance.kernel.formatting import plural

A_DAY = timedelta(days=1)
type Stretch = tuple[date, date]  # First and last day, both included


@dataclass(frozen=True, slots=True)
class PeriodCoverage:
    """The days from `first` to `last`, both included, and the evidence that covers them.

    `is_over` means that the period ends on `last`. Otherwise `last` is today, and later days aren't
    counted.
    """

    first: date
    last: date
    covered: tuple[Stretch, ...]
    gaps: tuple[Stretch, ...]
    is_over: bool = True

    @property
    def days(self) -> int:
        return max(0, (self.last - self.first).days + 1)

    @property
    def covered_days(self) -> int:
        return sum(map(_days, self.covered))

    @property
    def gap_days(self) -> int:
        return sum(map(_days, self.gaps))

    @property
    def is_whole(self) -> bool:
        return not self.gaps

    @property
    def longest_gap(self) -> Stretch | None:
        return max(self.gaps, key=_days, default=None)


def _days(stretch: Stretch) -> int:
    return (stretch[1] - stretch[0]).days + 1


def period_coverage(
    stretches: Iterable[Stretch], first: date, last: date, *, is_over: bool = True
) -> PeriodCoverage:
    """Return the coverage of the days from `first` to `last`. Stretches may overlap."""
    covered: list[Stretch] = []
    gaps: list[Stretch] = []
    reached = first  # First day not yet known to be covered or not
    for begins, ends in sorted(stretches):
        start, end = max(begins, reached), min(ends, last)
        if end < start:
            continue
        if reached < start:
            gaps.append((reached, start - A_DAY))
        covered.append((start, end))
        reached = end + A_DAY
    if reached <= last:
        gaps.append((reached, last))
    return PeriodCoverage(first, last, tuple(covered), tuple(gaps), is_over)


def sentence(title: str, coverage: PeriodCoverage) -> str:
    """Return a sentence like "Admission record covers 92 of 365 days; gap from 1 January …"."""
    gap, so_far = coverage.longest_gap, "" if coverage.is_over else " so far"
    if gap is None:
        return f"{title} covers the whole period{so_far}"
    said = f"{title} covers {coverage.covered_days} of {plural(coverage.days, 'day')}{so_far}"
    begins, ends = (formatting.long_day(day) for day in gap)
    others = len(coverage.gaps) - 1
    where = f"gap on {begins}" if gap[0] == gap[1] else f"gap from {begins} to {ends}"
    return f"{said}; {'longest ' if others else ''}{where}"
