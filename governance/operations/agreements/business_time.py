"""Business time: which minutes count for a support clock, and when a time limit ends.

Pure: weekly hours in a time zone, public holidays of a country and its subdivision (the library
`holidays`, which follows each country's law), days of one's own, and pauses while the other side
has to answer. Instants may have seconds; business time is exact.

    calendar = Calendar.from_json({"zone": "Europe/Berlin", "hours": {"mon": [["09:00", "17:00"]]}})
    elapsed(start, end, calendar, pauses)        how much business time has passed
    deadline(start, 240, calendar, pauses)       when 240 minutes of it are over

With `calendar` None the clock runs around the clock. Local times that a change to summer time skips
are read as the library zoneinfo reads them (PEP 495, fold=0), so a day keeps its 23 or 25 hours.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from governance.kernel.errors import Invalid
from governance.kernel.intervals import Span

DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAY = timedelta(days=1)
MINUTES_OF_DAY = 24 * 60
MAX_DAYS = 366 * 5  # Deadlines further away than five years raise ValueError.
MAX_OWN_DAYS = 60
NO_TIME = timedelta(0)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Business hours. `hours` has seven tuples of (from, to) in minutes of the local day."""

    zone: str
    hours: tuple[tuple[tuple[int, int], ...], ...]
    country: str = ""
    subdivision: str = ""
    own_days: frozenset[date] = field(default_factory=frozenset)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Calendar":
        """Read what `as_json` wrote. Raises Invalid, naming the error."""
        found = cls(
            str(content.get("zone", "")),
            tuple(_read_day(day, content.get("hours", {}).get(day, [])) for day in DAY_NAMES),
            str(content.get("country") or ""),
            str(content.get("subdivision") or ""),
            frozenset(_read_date(each) for each in content.get("own_days", [])),
        )
        check_calendar(found)
        return found

    def as_json(self) -> dict[str, Any]:
        """Return the calendar as JSON for a column, an agreement's terms and its fingerprint."""
        return {
            "zone": self.zone,
            "hours": {
                day: [[_clock(a), _clock(b)] for a, b in spans]
                for day, spans in zip(DAY_NAMES, self.hours, strict=True)
                if spans
            },
            "country": self.country,
            "subdivision": self.subdivision,
            "own_days": sorted(day.isoformat() for day in self.own_days),
        }

    def is_holiday(self, day: date) -> bool:
        """Return True for a public holiday or one of the calendar's own days off."""
        return day in self.own_days or day in _holidays(self.country, self.subdivision, day.year)


def check_calendar(calendar: Calendar) -> None:
    """Raise Invalid for an unknown zone, country or subdivision, and for hours that overlap."""
    if calendar.zone not in available_timezones():
        raise Invalid("Choose a time zone for the business hours.", field="time_zone")
    import holidays  # noqa: PLC0415 - a worker loads it for the first calendar

    known = holidays.list_supported_countries(include_aliases=False)
    if calendar.country and calendar.country not in known:
        raise Invalid(
            f"There is no holiday calendar for {calendar.country[:20]}. Enter a country code such as"
            " DE, or leave it empty.",
            field="country",
        )
    if calendar.subdivision and calendar.subdivision not in known.get(calendar.country, []):
        raise Invalid(
            f"{calendar.subdivision[:20]} isn't a subdivision of {calendar.country or 'no country'}."
            " Enter one such as BE for Berlin, or leave it empty.",
            field="subdivision",
        )
    for day, spans in zip(DAY_NAMES, calendar.hours, strict=True):
        last = 0
        for start, end in spans:
            if not last <= start < end <= MINUTES_OF_DAY:
                raise Invalid(
                    f"Business hours on {day.capitalize()} overlap or end before they start. Enter"
                    " them in order, such as 09:00-12:00, 13:00-17:00.",
                    field=f"hours_{day}",
                )
            last = end
    if not any(calendar.hours):
        raise Invalid("Enter business hours on at least one day.", field="hours_mon")
    if len(calendar.own_days) > MAX_OWN_DAYS:
        raise Invalid(f"Enter up to {MAX_OWN_DAYS} days of your own.", field="own_days")


def _read_day(day: str, spans: Sequence[Sequence[str]]) -> tuple[tuple[int, int], ...]:
    try:
        return tuple((_minute(start), _minute(end)) for start, end in spans)
    except ValueError as error:
        raise Invalid(
            f"Business hours on {day.capitalize()} can't be read. Enter them such as 09:00-17:00.",
            field=f"hours_{day}",
        ) from error


def _minute(text: str) -> int:
    """Convert a local time such as 09:00 to its minute of the day; 24:00 is the end of the day."""
    if text == "24:00":
        return MINUTES_OF_DAY
    read = time.fromisoformat(text)
    if read.second or read.microsecond or read.tzinfo:
        raise ValueError(f"{text!r} is not a time such as 09:00")
    return read.hour * 60 + read.minute


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _read_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid(
            f"{text[:20]} isn't a date. Enter days such as 2026-12-24.", field="own_days"
        ) from error


@lru_cache(maxsize=512)
def _holidays(country: str, subdivision: str, year: int) -> frozenset[date]:
    """Return a year's public holidays by the country's current law, as the library knows it."""
    if not country:
        return frozenset()
    import holidays  # noqa: PLC0415 - the same

    return frozenset(holidays.country_holidays(country, subdiv=subdivision or None, years=year))


# ---- counting


def elapsed(
    start: datetime, end: datetime, calendar: Calendar | None, pauses: Iterable[Span] = ()
) -> timedelta:
    """Return the business time between two instants, without pauses; zero when `end` isn't later.

    For a pause that is still open, the caller passes the current time as its end.
    """
    return sum((b - a for a, b in _running(start, end, calendar, pauses)), NO_TIME)


def deadline(
    start: datetime, minutes: int, calendar: Calendar | None, pauses: Iterable[Span] = ()
) -> datetime:
    """Return the first instant with that many minutes of business time since `start`, in UTC.

    It is the inverse of `elapsed`: elapsed(start, deadline(start, n, …), …) is n minutes.
    Pauses known so far move it; a later pause moves it again. Raises ValueError when the hours
    don't reach it within five years.
    """
    left, stops = timedelta(minutes=minutes), sorted(pauses)
    begin = start.astimezone(UTC)
    if minutes <= 0:
        return begin
    horizon = begin + MAX_DAYS * DAY
    for opens, closes in _running(begin, horizon, calendar, stops):
        if closes - opens >= left:
            return opens + left
        left -= closes - opens
    raise ValueError(f"{minutes} minutes of business time aren't reached in five years")


def _running(
    start: datetime, end: datetime, calendar: Calendar | None, pauses: Iterable[Span]
) -> Iterator[tuple[datetime, datetime]]:
    """Yield the open periods in order, with pauses cut out."""
    stops = sorted(pause for pause in pauses if pause.end > pause.start)
    for opens, closes in _open(start, end, calendar):
        at = opens
        for pause in stops:
            if pause.end <= at or pause.start >= closes:
                continue
            if pause.start > at:
                yield at, pause.start
            at = max(at, pause.end)
        if at < closes:
            yield at, closes


def _open(
    start: datetime, end: datetime, calendar: Calendar | None
) -> Iterator[tuple[datetime, datetime]]:
    """Yield the periods of business time between two instants, in UTC, day by day."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    if end <= start:
        return
    if calendar is None:
        yield start, end
        return
    zone = ZoneInfo(calendar.zone)
    day, last = start.astimezone(zone).date() - DAY, end.astimezone(zone).date()
    reached = start
    while day <= last:
        for opens, closes in () if calendar.is_holiday(day) else calendar.hours[day.weekday()]:
            a = max(_instant(day, opens, zone), reached)
            b = min(_instant(day, closes, zone), end)
            if a < b:
                yield a, b
                reached = b
        day += DAY


def _instant(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """Convert a local minute of a day to an instant; minute 1,440 is the next midnight."""
    midnight = day + DAY * (minute // MINUTES_OF_DAY)
    at = time(minute % MINUTES_OF_DAY // 60, minute % 60)
    return datetime.combine(midnight, at, zone).astimezone(UTC)
