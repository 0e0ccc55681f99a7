"""Calendar months in a time zone that may change: months adjoin, so each minute is in exactly one.

The boundary between two months is midnight of the first day in the zone that applies at that
midnight. When a tenant changes its zone in the middle of a month, that month is longer or shorter
by the difference, and no minute is lost or counted twice.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from governance.kernel.intervals import Span

MAX_MONTH_LENGTH = timedelta(days=33)  # 31 days, and a time zone that moved by two.


class Month(NamedTuple):
    """A calendar month, such as October 2026."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> "Month":
        """Read "2026-10". Raises ValueError for anything else."""
        year, _, number = text.partition("-")
        if len(year) != 4 or len(number) != 2 or not (year + number).isdecimal():  # noqa: PLR2004 - digits of YYYY-MM
            raise ValueError(f"{text!r} is not a month such as 2026-10")
        month = cls(int(year), int(number))
        if not 1 <= month.number <= 12:  # noqa: PLR2004 - months of a year
            raise ValueError(f"{text!r} is not a month such as 2026-10")
        return month

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    @property
    def long_name(self) -> str:
        """The long name, such as "October 2026"."""
        return f"{self.first_day:%B %Y}"

    @property
    def first_day(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def last_day(self) -> date:
        return self.plus(1).first_day - timedelta(days=1)

    @classmethod
    def of(cls, day: date) -> "Month":
        """Return the month that a day is in."""
        return cls(day.year, day.month)

    def plus(self, months: int) -> "Month":
        """Return the month so many later, or earlier."""
        index = self.year * 12 + self.number - 1 + months
        return Month(index // 12, index % 12 + 1)


class ZonePeriod(NamedTuple):
    """The time zone from an instant on; the first period also covers all time before."""

    since: datetime
    zone: str


def zone_at(zones: Sequence[ZonePeriod], at: datetime) -> ZoneInfo:
    """Return the zone at that instant; `zones` are in order of time, at least one."""
    found = zones[0].zone
    for period in zones:
        if period.since <= at:
            found = period.zone
    return ZoneInfo(found)


def month_span(zones: Sequence[ZonePeriod], month: Month) -> Span:
    """Return the span from the first minute of the month to the first of the next, in UTC."""
    return Span(_first_minute(zones, month), _first_minute(zones, month.plus(1)))


def month_of(zones: Sequence[ZonePeriod], at: datetime) -> Month:
    """Return the month that this instant belongs to."""
    local = at.astimezone(zone_at(zones, at))
    month = Month(local.year, local.month)
    for candidate in (month, month.plus(-1), month.plus(1)):
        span = month_span(zones, candidate)
        if span.start <= at < span.end:
            return candidate
    return month


def close_instant(zones: Sequence[ZonePeriod], month: Month, close_day: int) -> datetime:
    """Return midnight of that day of the following month, in the zone at its beginning."""
    zone = zone_at(zones, month_span(zones, month).end)
    after = month.plus(1)
    return datetime(after.year, after.number, close_day, tzinfo=zone)


def _first_minute(zones: Sequence[ZonePeriod], month: Month) -> datetime:
    """Return midnight in the zone of that instant. A change in that very night: the later zone."""
    for period in reversed(zones):
        midnight = datetime(month.year, month.number, 1, tzinfo=ZoneInfo(period.zone))
        start = midnight.astimezone(UTC)
        if start >= period.since:
            return start
    first = datetime(month.year, month.number, 1, tzinfo=ZoneInfo(zones[0].zone))
    return first.astimezone(UTC)
