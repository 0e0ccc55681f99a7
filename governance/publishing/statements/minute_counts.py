"""Minute counts of a month in a statement's data file: readable, and checked three ways.

Pure. An indicator's counts are days of UTC, a day is hours, and an hour is one line:

    ["06", "14*20 6/20 45*20", [60, 0, 1186, 1200], [1830, 36390, 36600]]

The text has one count for each minute of the hour that belongs to the month, in order: `20` is 20
events, all good; `6/20` is 6 good of 20; `-` is a minute without data; `14*` repeats what follows.
The first sums are minutes with data, minutes down, good and total events. The second ones are the
same (without down) times the number of the minute, from 1 on. A single altered minute shifts a
second sum by its number times what it shifts the first one, so the two name the minute and what it
was. `sha256` of a day is over its hours.

    encode(counts, rule)       MonthCounts → days
    decode(days, span, …)      days → MonthCounts and what is wrong with them, in order of time
    Tally                      sums over any spans, from MonthCounts
"""

import hashlib
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import accumulate, groupby
from typing import Any

import rfc8785

from governance.kernel.intervals import MINUTE, Span
from governance.operations.measurements.scoring import Counts, IndicatorRule, MinuteCount

UNKNOWN = -1
TOKEN = re.compile(r"(?:([1-9]\d?)\*)?(?:-|(\d{1,15})(?:/(\d{1,15}))?)")
HOUR = timedelta(hours=1)
MINUTES_OF_HOUR = 60
NOTHING = (UNKNOWN, UNKNOWN)


@dataclass(frozen=True, slots=True)
class MonthCounts:
    """Good and total events of each minute of a span. UNKNOWN marks minutes without data."""

    span: Span
    good: "array[int]"
    total: "array[int]"

    @classmethod
    def empty(cls, span: Span) -> "MonthCounts":
        blank = array("q", [UNKNOWN]) * span.minutes
        return cls(span, blank, blank[:])

    @classmethod
    def of(cls, span: Span, rows: Iterable[tuple[datetime, int, int]]) -> "MonthCounts":
        """Build the counts from (minute, good, total). Minutes outside the span are left out."""
        made = cls.empty(span)
        for at, good, total in rows:
            made.put(at, good, total)
        return made

    def put(self, at: datetime, good: int, total: int) -> None:
        if self.span.start <= at < self.span.end:
            place = (at - self.span.start) // MINUTE
            self.good[place], self.total[place] = good, total

    def at(self, place: int) -> datetime:
        """Return the minute at that place."""
        return self.span.start + place * MINUTE


def is_down_rule(rule: IndicatorRule) -> Any:
    """Return `rule.is_down` with a cache: a month has few different counts."""

    @lru_cache(maxsize=65_536)
    def is_down(good: int, total: int) -> bool:
        return rule.is_down(MinuteCount(good, total))

    return is_down


class Tally:
    """Sums over any spans in constant time, from running totals before each minute."""

    __slots__ = ("_down", "_good", "_known", "_total", "span")

    def __init__(self, counts: MonthCounts, rule: IndicatorRule) -> None:
        is_down = is_down_rule(rule)
        self.span = counts.span
        pairs = list(zip(counts.good, counts.total, strict=True))
        self._known = [0, *accumulate(total >= 0 for _, total in pairs)]
        self._down = [0, *accumulate(total >= 0 and is_down(good, total) for good, total in pairs)]
        self._good = [0, *accumulate(max(good, 0) for good, _ in pairs)]
        self._total = [0, *accumulate(max(total, 0) for _, total in pairs)]

    def counts(self, spans: Iterable[Span]) -> Counts:
        """Return the counts in disjoint spans. Parts outside the month are left out."""
        known = down = good = total = 0
        for span in spans:
            start = max(span.start, self.span.start)
            end = min(span.end, self.span.end)
            if start >= end:
                continue
            i, j = (start - self.span.start) // MINUTE, (end - self.span.start) // MINUTE
            known += self._known[j] - self._known[i]
            down += self._down[j] - self._down[i]
            good += self._good[j] - self._good[i]
            total += self._total[j] - self._total[i]
        return Counts(known, down, good, total)


def encode(counts: MonthCounts, rule: IndicatorRule) -> list[dict[str, Any]]:
    """Return the days of a month, as JSON."""
    is_down = is_down_rule(rule)
    days: list[dict[str, Any]] = []
    for hour, places in _hours(counts.span):
        pairs = [(counts.good[i], counts.total[i]) for i in places]
        first = counts.at(places.start).minute
        line = [f"{hour:%H}", _text(pairs), _sums(pairs, is_down), _weighted(pairs, first)]
        day = f"{hour:%Y-%m-%d}"
        if not days or days[-1]["day"] != day:
            days.append({"day": day, "hours": []})
        days[-1]["hours"].append(line)
    for each in days:
        each["sums"] = [sum(column) for column in zip(*(h[2] for h in each["hours"]), strict=True)]
        each["sha256"] = day_digest(each["hours"])
    return days


def day_digest(hours: Sequence[Any]) -> str:
    """Return the SHA-256 over the canonical JSON of a day's hours, in hex."""
    return hashlib.sha256(rfc8785.dumps(list(hours))).hexdigest()


def _hours(span: Span) -> Iterator[tuple[datetime, range]]:
    """Yield each hour of UTC with the places of its minutes in the span."""
    start = span.start.astimezone(UTC)
    while start < span.end:
        hour = start.replace(minute=0)
        end = min(hour + HOUR, span.end)
        yield hour, range((start - span.start) // MINUTE, (end - span.start) // MINUTE)
        start = end


def _text(pairs: Sequence[tuple[int, int]]) -> str:
    runs = ((pair, sum(1 for _ in same)) for pair, same in groupby(pairs))
    return " ".join(
        f"{count}*{_token(pair)}" if count > 1 else _token(pair) for pair, count in runs
    )


def _token(pair: tuple[int, int]) -> str:
    good, total = pair
    if total < 0:
        return "-"
    return str(total) if good == total else f"{good}/{total}"


def _sums(pairs: Sequence[tuple[int, int]], is_down: Any) -> list[int]:
    known = [(good, total) for good, total in pairs if total >= 0]
    return [
        len(known),
        sum(is_down(good, total) for good, total in known),
        sum(good for good, _ in known),
        sum(total for _, total in known),
    ]


def _weighted(pairs: Sequence[tuple[int, int]], first: int) -> list[int]:
    """Return minutes with data, good and total, each times the minute's number in its hour from 1."""
    known = [(n, good, total) for n, (good, total) in enumerate(pairs, first + 1) if total >= 0]
    return [
        sum(n for n, _, _ in known),
        sum(n * good for n, good, _ in known),
        sum(n * total for n, _, total in known),
    ]


@dataclass(slots=True)
class DecodedCounts:
    """The counts of one indicator in a file.

    `wrong` has sentences, the first wrong minute first.
    """

    counts: MonthCounts
    wrong: list[str] = field(default_factory=list)


def decode(days: Any, span: Span, key: str, rule: IndicatorRule) -> DecodedCounts:
    """Read the days of an indicator and compare them with their sums and digests.

    Never raises: every problem is a sentence in `wrong`.
    """
    found = DecodedCounts(MonthCounts.empty(span))
    lines = _lines(days, found.wrong, key)
    is_down = is_down_rule(rule)
    for hour, places in _hours(span):
        named = f"{hour:%Y-%m-%dT%H}"
        line = lines.pop(named, None)
        if line is None:
            found.wrong.append(f"The hour {named}Z of {key} is missing.")
            continue
        pairs = _pairs(line[1])
        if isinstance(pairs, str):
            found.wrong.append(f"The hour {named}Z of {key} can't be read: {pairs}.")
            continue
        if len(pairs) != len(places):
            found.wrong.append(
                f"The hour {named}Z of {key} has {len(pairs)} minutes instead of {len(places)}."
            )
            continue
        found.wrong += _hour_problems(line, pairs, found.counts.at(places.start), key, is_down)
        for place, (good, total) in zip(places, pairs, strict=True):
            found.counts.good[place], found.counts.total[place] = min(good, total), total
    found.wrong += [f"The hour {named}Z of {key} isn't in the month." for named in lines]
    found.wrong += _day_problems(days, key)
    return found


def _lines(days: Any, wrong: list[str], key: str) -> dict[str, Any]:
    lines: dict[str, Any] = {}
    for day in days if isinstance(days, list) else []:
        hours = day.get("hours") if isinstance(day, dict) else None
        for line in hours if isinstance(hours, list) else []:
            match line:
                case [str(hour), str(), [*_], [*_]]:
                    named = f"{day.get('day')}T{hour}"
                    if named in lines:
                        wrong.append(f"The hour {named}Z of {key} is there twice.")
                    lines[named] = line
                case _:
                    wrong.append(f"An hour of {day.get('day')} of {key} can't be read.")
    return lines


def _pairs(text: str) -> list[tuple[int, int]] | str:
    """Return the counts in an hour's text, or the problem if it can't be read."""
    pairs: list[tuple[int, int]] = []
    for token in text.split(" "):
        match = TOKEN.fullmatch(token)
        if match is None:
            return f"{token[:20]!r} is no count"
        times, first, second = match.groups()
        if first is None:
            pair = NOTHING
        else:
            pair = (int(first), int(second if second is not None else first))
        pairs += [pair] * int(times or 1)
        if len(pairs) > MINUTES_OF_HOUR:
            return "it has more than 60 minutes"
    return pairs


def _hour_problems(
    line: Any, pairs: list[tuple[int, int]], start: datetime, key: str, is_down: Any
) -> Iterator[str]:
    impossible = {n for n, (good, total) in enumerate(pairs) if good > total >= 0}
    sums, weighted = _sums(pairs, is_down), _weighted(pairs, start.minute)
    if impossible:
        for n in sorted(impossible):
            was = _explained(line, pairs, start, only=n)
            yield _minute(start, n, key, pairs[n]) + (f" The hour's sums say {was}." if was else "")
        return
    if [sums, weighted] == [line[2], line[3]]:
        return
    for n in range(len(pairs)):
        if (was := _explained(line, pairs, start, only=n)) is not None:
            yield f"{_minute(start, n, key, pairs[n])} The hour's sums say {was}."
            return
    if sums[:1] + sums[2:] == [*line[2][:1], *line[2][2:]] and weighted == line[3]:
        yield f"Minutes down in the hour {start:%Y-%m-%dT%H}Z of {key}: {line[2][1]}, not {sums[1]}."
        return
    names = ("minutes with data", "minutes down", "good events", "events")
    each = [
        f"{name} {stated}, but its minutes add up to {sums[n]}"
        for n, (name, stated) in enumerate(zip(names, line[2], strict=False))
        if stated != sums[n]
    ]
    what = "; ".join(each) or "its minutes were swapped or altered"
    yield f"The hour {start:%Y-%m-%dT%H}Z of {key}: {what}."


def _minute(start: datetime, n: int, key: str, pair: tuple[int, int]) -> str:
    at = start + n * MINUTE
    return f"Minute {at.astimezone(UTC):%Y-%m-%dT%H:%MZ} of {key}: recorded {_said(pair)}."


def _said(pair: tuple[int, int]) -> str:
    return "no data" if pair[1] < 0 else f"good {pair[0]} of {pair[1]}"


def _explained(
    line: Any, pairs: list[tuple[int, int]], start: datetime, *, only: int
) -> str | None:
    """Return the original value of a minute that makes both sums hold.

    None if no single one does.
    """
    try:
        known, _down, good, total = line[2]
        others = [pair for n, pair in enumerate(pairs) if n != only and pair[1] >= 0]
        missing = known - len(others)
        was = (good - sum(g for g, _ in others), total - sum(t for _, t in others))
        if missing == 0 and was == (0, 0):
            candidate = NOTHING
        elif missing == 1 and 0 <= was[0] <= was[1]:
            candidate = was
        else:
            return None
        repaired = [*pairs[:only], candidate, *pairs[only + 1 :]]
        if candidate == pairs[only] or _weighted(repaired, start.minute) != line[3]:
            return None
    except (TypeError, ValueError):
        return None
    return _said(candidate)


def _day_problems(days: Any, key: str) -> Iterator[str]:
    for day in days if isinstance(days, list) else []:
        try:
            sums = [sum(column) for column in zip(*(h[2] for h in day["hours"]), strict=True)]
            if day["sums"] != sums:
                yield f"The sums of {day['day']} of {key} are {day['sums']}, its hours give {sums}."
            if day["sha256"] != day_digest(day["hours"]):
                yield f"The minutes of {day['day']} of {key} don't have the day's digest."
        except (KeyError, TypeError, ValueError, rfc8785.CanonicalizationError):
            yield f"A day of {key} can't be read."
