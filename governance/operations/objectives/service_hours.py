"""Service hours: the weekly hours in which an objective counts, as spans of minutes.

Pure. As JSON:

    {"days": {"mon": [["09:00", "12:00"], ["13:00", "17:30"]], "sat": [["00:00", "24:00"]]},
     "zone": "Europe/Paris"}

Hours are local: in `zone`, or else in the tenant's zone at that time. A day of 23 or 25 hours has
that many between 00:00 and 24:00. A local time that a clock change skips is read as
the instant after the change; one that occurs twice is the first of the two.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from governance.kernel.intervals import Span, intersection, union
from governance.kernel.months import ZonePeriod

DAYS = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}
MAX_HOURS_A_DAY = 8  # Spans per day
MINUTES_OF_DAY = 1440
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00")


class InvalidHours(ValueError):
    """Invalid service hours. The message is for the person who entered them."""


class Hours(NamedTuple):
    """Minutes of a day from local midnight, half open; 1,440 is its end."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class ServiceHours:
    """The hours of each day of the week, Monday first."""

    days: tuple[tuple[Hours, ...], ...]
    zone: str | None = None

    @classmethod
    def parse(cls, content: Mapping[str, Any]) -> "ServiceHours":
        """Parse the JSON above. Raises InvalidHours with a sentence for anything else."""
        if not isinstance(content, Mapping) or not isinstance(content.get("days"), Mapping):
            raise InvalidHours('Service hours need "days", such as {"mon": [["09:00", "17:00"]]}.')
        if unknown := set(content) - {"days", "zone"} | set(content["days"]) - set(DAYS):
            raise InvalidHours(f"Service hours have no part {min(map(str, unknown))!r}.")
        zone = content.get("zone")
        if zone is not None and zone not in available_timezones():
            raise InvalidHours(f"{zone!r} is not a time zone such as Europe/Paris.")
        days = tuple(_hours(DAYS[day], content["days"].get(day, ())) for day in DAYS)
        if not any(days):
            raise InvalidHours("Service hours need at least one hour in the week.")
        return cls(days, zone)

    def as_json(self) -> dict[str, Any]:
        """Return the JSON that `parse` reads."""
        days = {
            day: [[_clock(each.start), _clock(each.end)] for each in hours]
            for day, hours in zip(DAYS, self.days, strict=True)
            if hours
        }
        return {"days": days} | ({"zone": self.zone} if self.zone else {})

    @property
    def minutes_a_week(self) -> int:
        return sum(each.end - each.start for day in self.days for each in day)

    def spans(self, zones: Sequence[ZonePeriod], within: Span) -> list[Span]:
        """Return the service minutes inside `within`; `zones` are the tenant's."""
        periods = [ZonePeriod(within.start, self.zone)] if self.zone else zones
        found: list[Span] = []
        for position, period in enumerate(periods):
            start = within.start if position == 0 else max(within.start, period.since)
            last = position + 1 == len(periods)
            end = within.end if last else min(within.end, periods[position + 1].since)
            if start < end:
                found += self._in_zone(ZoneInfo(period.zone), Span(start, end))
        return union(found)

    def _in_zone(self, zone: ZoneInfo, within: Span) -> list[Span]:
        day = within.start.astimezone(zone).date() - timedelta(days=1)
        last = within.end.astimezone(zone).date()
        spans: list[Span] = []
        while day <= last:
            spans += [
                Span(_instant(day, hours.start, zone), _instant(day, hours.end, zone))
                for hours in self.days[day.weekday()]
            ]
            day += timedelta(days=1)
        return intersection(spans, [within])


def _hours(day: str, written: Any) -> tuple[Hours, ...]:
    if not isinstance(written, Sequence) or isinstance(written, str):
        raise InvalidHours(f"{day}: write hours as pairs, such as 09:00 to 17:00.")
    if len(written) > MAX_HOURS_A_DAY:
        raise InvalidHours(f"{day}: a day has at most {MAX_HOURS_A_DAY} parts.")
    found = []
    for pair in written:
        if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2:  # noqa: PLR2004 - a pair
            raise InvalidHours(f"{day}: write hours as pairs, such as 09:00 to 17:00.")
        start, end = (_minute(day, each) for each in pair)
        if end <= start:
            raise InvalidHours(
                f"{day}: {pair[1]} is not after {pair[0]}. Write hours past midnight on both days."
            )
        found.append(Hours(start, end))
    ordered = tuple(sorted(found))
    for earlier, later in pairwise(ordered):
        if later.start < earlier.end:
            raise InvalidHours(f"{day}: {_clock(later.start)} is inside the part before it.")
    return ordered


def _minute(day: str, written: Any) -> int:
    if not isinstance(written, str) or not _CLOCK.fullmatch(written):
        raise InvalidHours(f"{day}: {written!r} is not a time such as 09:00.")
    return int(written[:2]) * 60 + int(written[3:])


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _instant(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """Convert a local time to an instant in UTC."""
    if minute == MINUTES_OF_DAY:
        day, minute = day + timedelta(days=1), 0
    local = datetime.combine(day, time(minute // 60, minute % 60), zone)
    return local.astimezone(UTC)
