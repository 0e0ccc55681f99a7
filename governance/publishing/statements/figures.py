"""Shares, counts and days of a statement as people read them, from the result's JSON. Pure.

A share is cut off for display, never rounded up: an attainment of 98.9999% against a promise of 99%
is shown as 98.999%.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from governance.kernel.formatting import plural
from governance.kernel.intervals import Span, union
from governance.kernel.months import Month, ZonePeriod, zone_at
from governance.publishing.statements.statement_calculation import (
    DISPUTE,
    MET,
    MISSED,
    NOT_DETERMINABLE,
    read_instant,
    read_span,
)

MINUS, TIMES, DIVIDED = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}", "\N{DIVISION SIGN}"
NO_VALUE = "\N{EN DASH}"
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
ONES = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
MAX_DAYS_NAMED = 4


def month_name(month: str) -> str:
    """Return "October"."""
    return MONTHS[Month.parse(month).number - 1]


def month_title(month: str) -> str:
    """Return "October 2026"."""
    return f"{month_name(month)} {Month.parse(month).year}"


def share(text: str | None) -> Fraction | None:
    """Read "43581/44076" or "0.99"."""
    return Fraction(text) if text else None


def percent(value: Fraction | str | None, places: int = 3) -> str:
    """Return "98.876%", cut off, or a dash for None."""
    found = share(value) if isinstance(value, str) else value
    if found is None:
        return NO_VALUE
    cut = int(found * 100 * 10**places)
    whole, rest = divmod(cut, 10**places)
    return f"{whole}.{rest:0{places}}%" if places else f"{whole}%"


def promise(value: str) -> str:
    """Return a promised share as it was agreed, with at least one digit: "99.0%", "99.95%"."""
    exact = percent(value, 8).rstrip("%").rstrip("0")
    return f"{exact}0%" if exact.endswith(".") else f"{exact}%"


def plain_share(value: Fraction | str) -> str:
    """Return "10%" or "2.5%"."""
    exact = percent(value, 8).rstrip("%").rstrip("0").rstrip(".")
    return f"{exact}%"


def coverage(value: str | None) -> str:
    """Return "99.1%". It returns "100%" only if nothing is missing."""
    found = share(value)
    return "100%" if found == 1 else percent(found, 1)


def word(count: int) -> str:
    """Return "two", or "14"."""
    return ONES[count] if 0 <= count < len(ONES) else f"{count:,}"


def attained(line: Mapping[str, Any]) -> str:
    if line["kind"] == "support":
        count = line["measured"]
        return f"{count - line['lost']} of {count}" if count else "no incident"
    if line["result"] == NOT_DETERMINABLE:
        return NOT_DETERMINABLE
    return percent(line["attained"])


def promised(line: Mapping[str, Any]) -> str:
    if line["kind"] == "support" and Fraction(line["promised"]) == 1:
        return "all in time"
    return promise(line["promised"])


def lost(line: Mapping[str, Any], unit: str) -> str:
    """Return "495 min" or "24,680 answers"."""
    if line["result"] == NOT_DETERMINABLE:
        return NO_VALUE
    if line["kind"] == "downtime":
        return f"{line['lost']:,} min"
    return f"{line['lost']:,}" if line["kind"] == "support" else f"{line['lost']:,} {unit}"


def outcome(line: Mapping[str, Any], minimum_coverage: str, unit: str) -> str:
    """Return "Missed: band 10%", "Met by 3 min" or "Coverage below 95%"."""
    if line["result"] == NOT_DETERMINABLE:
        found = share(line["coverage"])
        if found is not None and found < Fraction(minimum_coverage):
            return f"Coverage below {plain_share(minimum_coverage)}"
        return "Nothing to measure"
    if line["result"] == MISSED:
        return f"Missed: band {plain_share(line['share'])}" if line["share"] else "Missed: no band"
    if line["left"] is None:
        return "Met"
    left = int(Fraction(line["left"]))
    if not left:
        return "Met"
    return f"Met by {left:,} {'min' if line['kind'] == 'downtime' else unit}"


STATES = {MET: ("ok", "ok"), MISSED: ("bad", "bad"), NOT_DETERMINABLE: ("none", "open")}


def state(line: Mapping[str, Any]) -> tuple[str, str]:
    """Return the color and shape of the line's mark on a page."""
    return STATES[line["result"]]


def measures(line: Mapping[str, Any], unit: str) -> str:
    """Return the small text below the line's name."""
    match line["kind"]:
        case "downtime":
            return "minutes down"
        case "threshold":
            return f"share of {unit}"
        case "support":
            return "answered in time"
        case _:
            return f"good {DIVIDED} total {unit}"


def units(facts: Mapping[str, Any]) -> dict[str, str]:
    """Map each indicator's key to the unit that it counts."""
    return {each["key"]: each["unit"] for each in facts["indicators"]}


def unit_of(line: Mapping[str, Any], by_key: Mapping[str, str]) -> str:
    return next((by_key[key] for key in line["indicators"] if key in by_key), "events")


def zones_of(facts: Mapping[str, Any]) -> list[ZonePeriod]:
    return [ZonePeriod(read_instant(since), zone) for since, zone in facts["zones"]]


def local(at: datetime, zones: Sequence[ZonePeriod]) -> datetime:
    return at.astimezone(zone_at(zones, at))


def day(at: datetime, zones: Sequence[ZonePeriod]) -> str:
    """Return "9 October"."""
    found = local(at, zones)
    return f"{found.day} {MONTHS[found.month - 1]}"


def short_day(at: datetime, zones: Sequence[ZonePeriod]) -> str:
    """Return "9 Oct"."""
    found = local(at, zones)
    return f"{found.day} {MONTHS[found.month - 1][:3]}"


def category_words(category: str) -> str:
    """Return the category of an exclusion inside a sentence, such as "force majeure"."""
    return "accepted dispute" if category == DISPUTE else category.replace("_", " ")


def days_of(spans: Iterable[Span], zones: Sequence[ZonePeriod]) -> str:
    """Return "4 and 18 October", or "on 9 days" if there are many."""
    days: dict[tuple[int, int], None] = {}
    for span in union(spans):
        at = local(span.start, zones).date()
        last = local(span.end - timedelta(minutes=1), zones).date()
        while at <= last:
            days[at.month, at.day] = None
            at += timedelta(days=1)
    if len(days) > MAX_DAYS_NAMED:
        return f"on {len(days)} days"
    parts = []
    for month in dict.fromkeys(month for month, _ in days):
        numbers = [str(number) for its, number in days if its == month]
        listed = " and ".join([", ".join(numbers[:-1]), numbers[-1]] if numbers[1:] else numbers)
        parts.append(f"{listed} {MONTHS[month - 1]}")
    return ", ".join(parts)


def length_of_month(facts: Mapping[str, Any]) -> str:
    """Return how the minutes of the month add up, such as "… 1,440 + 60: the 25th has 25 hours"."""
    span, zones = read_span(facts["span"]), zones_of(facts)
    first, last = local(span.start, zones).date(), local(span.end - timedelta(minutes=1), zones)
    days = (last.date() - first).days + 1
    rest = span.minutes - days * 1440
    base = f"{days} {TIMES} 1,440"
    if not rest:
        return base
    sign = "+" if rest > 0 else MINUS
    return f"{base} {sign} {abs(rest):,}{_odd_day(span, zones)}"


def _odd_day(span: Span, zones: Sequence[ZonePeriod]) -> str:
    """Return which day is shorter or longer, or which change of the time zone caused it."""
    moved = [each for each in zones if span.start < each.since < span.end]
    if moved:
        return f": the time zone changed to {moved[0].zone}"
    zone = zone_at(zones, span.start)
    at = local(span.start, zones).date()
    while True:
        start, end = _midnight(at, zone), _midnight(at + timedelta(days=1), zone)
        hours, rest = divmod((end - start) // timedelta(minutes=1), 60)
        if (hours, rest) != (24, 0):
            return f": the {ordinal(at.day)} has {plural(hours, 'hour')}"
        if end >= span.end:
            return ""
        at += timedelta(days=1)


def _midnight(at: Any, zone: ZoneInfo) -> datetime:
    from_local = datetime(at.year, at.month, at.day, tzinfo=zone)
    return from_local.astimezone(ZoneInfo("UTC"))


def ordinal(number: int) -> str:
    """Return "25th"."""
    teens = {11, 12, 13}
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number in teens else ending}"
