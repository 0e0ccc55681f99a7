"""How often a control was to be performed in a period, and how often it was.

Pure: what is on file is given.

    cycles(cadence, first, last)          the calendar cycles whose end lies in the period: 12
                                          months, 4 quarters, 365 days
    stand(cadence, first, last, …)        each cycle with its state: performed, missed, late, due;
                                          and the proof of it
    is_per_event(cadence)                 it follows events, so nothing is expected by the calendar

A version of evidence performs each cycle that its covered period ends in or contains whole. A cycle
is due until 14 days after its end; proof that was collected later than that leaves it missed, for
good: a missed cycle is an exception even if it is repaired afterwards.
"""

import calendar
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

type State = Literal["performed", "missed", "late", "due"]

GRACE = 14  # days after a cycle's end in which its proof is still in time
CALENDAR = ("daily", "weekly", "monthly", "quarterly", "half-yearly", "yearly")
LENGTH: Mapping[str, int] = {
    "daily": 1,
    "weekly": 7,
    "monthly": 31,
    "quarterly": 92,
    "half-yearly": 184,
    "yearly": 366,
}
MONTHS_OF: Mapping[str, int] = {"monthly": 1, "quarterly": 3, "half-yearly": 6, "yearly": 12}


@dataclass(frozen=True, slots=True)
class Cycle:
    """One turn of the calendar, first and last day included.

    `says` reads after "lacks": Q3, August, H1 2026.

    `month` is the first day of the month that it ends in: the column that it stands in.
    """

    first: date
    last: date
    says: str
    month: date


@dataclass(frozen=True, slots=True)
class PerformanceRecord:
    """What shows that a control was performed: an accepted version of evidence, or a test.

    `rhythm` in days, if it has one.
    """

    first: date
    last: date
    collected: date
    says: str
    rhythm: int | None = None


@dataclass(frozen=True, slots=True)
class Stand:
    """A cycle and what is on file of it.

    `proof` is the one that counts, or the one that came too late.
    """

    cycle: Cycle
    state: State
    proof: PerformanceRecord | None = None


def is_per_event(cadence: str) -> bool:
    """It follows events (per change, per release, per incident, once), so the calendar expects
    nothing.
    """
    return cadence not in CALENDAR


@lru_cache(maxsize=256)
def cycles(cadence: str, first: date, last: date) -> tuple[Cycle, ...]:
    """The cycles that end in the period, oldest first; none for what follows events.

    Raises ValueError if last < first.
    """
    if last < first:
        raise ValueError("the period ends before it begins")
    if is_per_event(cadence):
        return ()
    if cadence == "daily":
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return tuple(Cycle(day, day, f"{day.day} {day:%b}", month_of(day)) for day in days)
    if cadence == "weekly":
        return tuple(_weeks(first, last))
    return tuple(_spans(MONTHS_OF[cadence], first, last))


def stand(
    cadence: str,
    first: date,
    last: date,
    proofs: Iterable[PerformanceRecord],
    *,
    today: date,
    since: date | None = None,
) -> tuple[Stand, ...]:
    """Each cycle of the period as it stands on `today`.

    Of the cycle in which the control began (`since`), only what was begun in its first half is
    expected.
    """
    expected = cycles(cadence, first, last)
    if since is not None:
        expected = tuple(
            c for c in expected if (c.last - since).days * 2 >= (c.last - c.first).days
        )
    best = _best(expected, proofs)
    return tuple(_stood(cycle, best[n], today) for n, cycle in enumerate(expected))


def gaps(stands: Sequence[Stand]) -> tuple[Cycle, ...]:
    """The cycles that are missed, wherever in the period, in its order; those that were repaired
    late among them.
    """
    return tuple(s.cycle for s in stands if s.state in {"missed", "late"})


def month_of(day: date) -> date:
    """The first day of its month: the column that it stands in."""
    return day.replace(day=1)


def months(first: date, last: date) -> tuple[date, ...]:
    """The first day of each month that the period touches."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return tuple(_plus_months(month_of(first), n) for n in range(count))


# ---- which proof counts


def _best(
    expected: Sequence[Cycle], proofs: Iterable[PerformanceRecord]
) -> list[PerformanceRecord | None]:
    """For each cycle the proof in time, otherwise the earliest that came too late."""
    firsts, lasts = [c.first for c in expected], [c.last for c in expected]
    best: list[PerformanceRecord | None] = [None] * len(expected)
    for proof in sorted(proofs, key=lambda p: (p.collected, p.first, p.last)):
        for n in _touched(firsts, lasts, proof):
            held = best[n]
            if held is None or (not _in_time(expected[n], held) and _in_time(expected[n], proof)):
                best[n] = proof
    return best


def _touched(firsts: Sequence[date], lasts: Sequence[date], proof: PerformanceRecord) -> range:
    """The cycles that the proof contains whole, and the one that it ends in: always next to each
    other.
    """
    begin, end = bisect_left(firsts, proof.first), bisect_right(lasts, proof.last)
    ends_in = bisect_left(lasts, proof.last)
    if ends_in < len(firsts) and firsts[ends_in] <= proof.last:
        begin, end = min(begin, ends_in), ends_in + 1
    return range(begin, end)


def _in_time(cycle: Cycle, proof: PerformanceRecord) -> bool:
    """Within the grace after the cycle; a proof of many cycles at once may take its own rhythm
    besides.
    """
    allowed = GRACE + ((proof.rhythm or LENGTH["quarterly"]) if proof.last > cycle.last else 0)
    return (proof.collected - cycle.last).days <= allowed


def _stood(cycle: Cycle, proof: PerformanceRecord | None, today: date) -> Stand:
    if proof is not None:
        return Stand(cycle, "performed" if _in_time(cycle, proof) else "late", proof)
    return Stand(cycle, "due" if (today - cycle.last).days <= GRACE else "missed")


# ---- the calendar


def _weeks(first: date, last: date) -> Iterable[Cycle]:
    sunday = first + timedelta(days=6 - first.weekday())
    while sunday <= last:
        monday = sunday - timedelta(days=6)
        yield Cycle(monday, sunday, f"the week of {monday.day} {monday:%b}", month_of(sunday))
        sunday += timedelta(days=7)


def _spans(size: int, first: date, last: date) -> Iterable[Cycle]:
    """Months, quarters, halves or years of the calendar whose last day lies in the period."""
    begin = date(first.year, (first.month - 1) // size * size + 1, 1)
    while (end := _end_of(begin, size)) <= last:
        if end >= first:
            yield Cycle(begin, end, _NAMES[size](begin), month_of(end))
        begin = _plus_months(begin, size)


_NAMES: Mapping[int, Callable[[date], str]] = {
    1: lambda d: f"{d:%B}",
    3: lambda d: f"Q{(d.month + 2) // 3}",
    6: lambda d: f"H{1 if d.month == 1 else 2} {d.year}",
    12: lambda d: f"{d.year}",
}


def _end_of(begin: date, size: int) -> date:
    month = _plus_months(begin, size - 1)
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])


def _plus_months(day: date, count: int) -> date:
    number = day.year * 12 + day.month - 1 + count
    return date(number // 12, number % 12 + 1, 1)
