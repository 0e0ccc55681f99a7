"""Recurring spans of time, by RRULE (RFC 5545, section 3.3.10) in a time zone. Pure.

A rule repeats the local time of day: 02:00 stays 02:00 when summer time begins or ends. A local
time that a clock change skips takes the offset before it; if a time occurs twice, the first counts.
Each occurrence has the exact duration of the first (RFC 5545, section 3.8.5.3).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule as Rule  # noqa: N812 - a class with a small name
from dateutil.rrule import rrulestr

from governance.kernel.intervals import Span

# The parts of a rule by its frequency. Each combination has a day at least every few years, so no
# search runs for long.
ALWAYS = frozenset({"FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST"})
PARTS = {
    "DAILY": ALWAYS | {"BYDAY"},
    "WEEKLY": ALWAYS | {"BYDAY"},
    "MONTHLY": ALWAYS | {"BYDAY", "BYMONTHDAY", "BYSETPOS"},
    "YEARLY": ALWAYS | {"BYDAY", "BYMONTHDAY", "BYSETPOS", "BYMONTH"},
}
WITHIN_A_DAY = ("BYSECOND", "BYMINUTE", "BYHOUR")
MAX_RULE_LENGTH = 200
MAX_COUNT = 1000  # Occurrences of one series
MAX_YEARS = timedelta(days=5 * 366)
MAX_INTERVAL = 366
MAX_EXPANDED = 128  # Series in the cache of a process


@dataclass(frozen=True, slots=True)
class Recurrence:
    """The occurrences of one exclusion. `rule` is None for a single one.

    `until` is the last instant at which an occurrence may start.
    """

    first: Span
    zone: str
    rule: str | None = None
    until: datetime | None = None

    @property
    def length(self) -> timedelta:
        return self.first.end - self.first.start


class BadRule(ValueError):
    """A rule that the maintenance calendar doesn't support. The message is for the person."""


def check_rule(text: str, first: Span, zone: str, until: datetime | None) -> Recurrence:
    """Return the series of a typed rule. Raises BadRule with the problem.

    An UNTIL in the rule, a COUNT, or `until` ends it. One of them is required.
    """
    parts = _parts(text)
    until = _until(parts.pop("UNTIL", None), zone, until)
    if until is None and "COUNT" not in parts:
        raise BadRule("Enter a last day, or a COUNT in the rule: the repetition needs an end.")
    if until is not None and until > first.start + MAX_YEARS:
        raise BadRule("Choose a last day within five years of the first start.")
    rule = ";".join(f"{name}={value}" for name, value in parts.items())
    series = Recurrence(first, zone, rule, until)
    try:
        starts = [each.start for each in occurrences(series)]
    except (ValueError, TypeError, OverflowError) as error:
        raise BadRule("This rule can't be read. An example: FREQ=WEEKLY;BYDAY=TU") from error
    if not starts or starts[0] != first.start:
        raise BadRule("The first start isn't one of the rule's days. Change the start or the rule.")
    if len(starts) > MAX_COUNT:
        raise BadRule(f"The rule repeats more than {MAX_COUNT:,} times. Choose an earlier end.")
    if len(starts) < int(parts.get("COUNT", 0)) and until is None:
        raise BadRule("The last repetition is over five years away. Enter a smaller COUNT.")
    return series


def _parts(text: str) -> dict[str, str]:
    text = text.strip().upper().removeprefix("RRULE:")
    if not text or len(text) > MAX_RULE_LENGTH or "\n" in text or "\r" in text:
        raise BadRule(f"Enter a rule of 1 to {MAX_RULE_LENGTH} characters on one line.")
    parts: dict[str, str] = {}
    for part in text.strip(";").split(";"):
        name, _, value = part.partition("=")
        if not value or name in parts:
            raise BadRule(f"{part[:40]} isn't a part of a rule. An example: FREQ=WEEKLY;BYDAY=TU")
        parts[name] = value
    frequency = parts.get("FREQ", "")
    if frequency not in PARTS:
        raise BadRule("FREQ can be DAILY, WEEKLY, MONTHLY or YEARLY.")
    if finer := [name for name in WITHIN_A_DAY if name in parts]:
        raise BadRule(f"Remove {finer[0]}: the time of day is that of the start.")
    if unknown := sorted(parts.keys() - PARTS[frequency]):
        raise BadRule(f"{unknown[0][:40]} can't be used with FREQ={frequency}. Remove it.")
    for name, most in (("COUNT", MAX_COUNT), ("INTERVAL", MAX_INTERVAL)):
        if name in parts and not (parts[name].isdecimal() and 1 <= int(parts[name][:9]) <= most):
            raise BadRule(f"{name} can be 1 to {most:,}.")
    if "COUNT" in parts and "UNTIL" in parts:
        raise BadRule("A rule has a COUNT or an UNTIL, not both.")
    return parts


def _until(text: str | None, zone: str, given: datetime | None) -> datetime | None:
    """Return the earlier end. An UNTIL with only a day includes that day."""
    if text is None:
        return given
    try:
        if len(text) == len("20261231"):
            local = datetime.strptime(text, "%Y%m%d").replace(hour=23, minute=59)  # noqa: DTZ007 - local
            ends = local.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        else:
            ends = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise BadRule(
            "UNTIL is a day such as 20261231, or an instant such as 20261231T010000Z."
        ) from None
    return ends if given is None else min(ends, given)


def occurrences(series: Recurrence) -> Iterator[Span]:
    """Yield each occurrence in order, in UTC."""
    return iter((series.first,) if series.rule is None else _expanded(series))


@lru_cache(MAX_EXPANDED)
def _expanded(series: Recurrence) -> tuple[Span, ...]:
    """Return the occurrences of a recurring series, cached since they are read often."""
    zone, length = ZoneInfo(series.zone), series.length
    local = series.first.start.astimezone(zone).replace(tzinfo=None, fold=0)
    starts = (
        start.replace(tzinfo=zone).astimezone(UTC)
        for start in _local_starts(series.rule or "", local)
    )
    kept = takewhile(lambda at: series.until is None or at <= series.until, starts)
    return tuple(Span(at, at + length) for at in islice(kept, MAX_COUNT + 1))


def _local_starts(text: str, first: datetime) -> Iterator[datetime]:
    """Yield starts for five years at most, so that a rule without matching days ends too."""
    parts = dict(part.split("=", 1) for part in text.split(";"))
    count = int(parts.pop("COUNT", MAX_COUNT + 1))
    rule = rrulestr(";".join(f"{name}={value}" for name, value in parts.items()), dtstart=first)
    if not isinstance(rule, Rule):
        raise TypeError("one rule, no set")
    return islice(rule.replace(until=first + MAX_YEARS), count)


def occurrences_in(series: Recurrence, span: Span) -> Iterator[Span]:
    """Yield each complete occurrence that has a minute in `span`, in order."""
    for each in occurrences(series):
        if each.start >= span.end:
            return
        if each.end > span.start:
            yield each


def last_end(series: Recurrence) -> datetime:
    """Return the end of the last occurrence."""
    end = series.first.end
    for each in occurrences(series):
        end = max(end, each.end)
    return end
