"""Compute how often a control was due in a period, and how often it was performed. Pure.

    cycles(cadence, first, last)         the calendar cycles that end in the period
    cycle_states(cadence, first, last)   each cycle as performed, missed, late or due, with its
                                         proof
    is_per_event(cadence)                whether events trigger the control, so that no calendar
                                         cycle is expected

An evidence version proves each cycle that its covered period ends in or contains. A cycle is due
until GRACE_DAYS days after its end. Proof collected later leaves it missed: a missed cycle stays an
exception even if it is performed later.
"""

import calendar
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

type State = Literal["performed", "missed", "late", "due"]

GRACE_DAYS = 14  # Days after a cycle's end in which its proof is still in time.
CALENDAR_CADENCES = ("daily", "weekly", "monthly", "quarterly", "half-yearly", "yearly")
CYCLE_DAYS: Mapping[str, int] = {
    "daily": 1,
    "weekly": 7,
    "monthly": 31,
    "quarterly": 92,
    "half-yearly": 184,
    "yearly": 366,
}
CYCLE_MONTHS: Mapping[str, int] = {"monthly": 1, "quarterly": 3, "half-yearly": 6, "yearly": 12}


@dataclass(frozen=True, slots=True)
class Cycle:
    """A calendar cycle, first and last day included.

    `says` names it in a sentence: Q3, August, H1 2026. `month` is the first day of the month in
    which it ends, which is its column in the matrix.
    """

    first: date
    last: date
    says: str
    month: date


@dataclass(frozen=True, slots=True)
class PerformanceRecord:
    """Proof that a control was performed: an accepted evidence version or a test. `rhythm` is in
    days.
    """

    first: date
    last: date
    collected: date
    says: str
    rhythm: int | None = None


@dataclass(frozen=True, slots=True)
class CycleState:
    """A cycle with its state. `proof` is the proof that counts, or the one that came too late."""

    cycle: Cycle
    state: State
    proof: PerformanceRecord | None = None


def is_per_event(cadence: str) -> bool:
    """Check whether events trigger the control (per change, per incident), without cycles."""
    return cadence not in CALENDAR_CADENCES


@lru_cache(maxsize=256)
def cycles(cadence: str, first: date, last: date) -> tuple[Cycle, ...]:
    """Return the cycles that end in the period, oldest first. Raise ValueError if last < first."""
    if last < first:
        raise ValueError("the period ends before it begins")
    if is_per_event(cadence):
        return ()
    if cadence == "daily":
        days = (first + timedelta(days=n) for n in range((last - first).days + 1))
        return tuple(Cycle(day, day, f"{day.day} {day:%b}", month_of(day)) for day in days)
    if cadence == "weekly":
        return tuple(_weeks(first, last))
    return tuple(_spans(CYCLE_MONTHS[cadence], first, last))


def cycle_states(
    cadence: str,
    first: date,
    last: date,
    proofs: Iterable[PerformanceRecord],
    *,
    today: date,
    since: date | None = None,
) -> tuple[CycleState, ...]:
    """Return the state of each cycle of the period on `today`.

    The cycle in which the control was created (`since`) counts if it was created in its first half.
    """
    expected = cycles(cadence, first, last)
    if since is not None:
        expected = tuple(
            c for c in expected if (c.last - since).days * 2 >= (c.last - c.first).days
        )
    best = _best_proofs(expected, proofs)
    return tuple(_state_of(cycle, best[n], today) for n, cycle in enumerate(expected))


def missed_cycles(stands: Sequence[CycleState]) -> tuple[Cycle, ...]:
    """Return the missed cycles in order, including those performed late."""
    return tuple(s.cycle for s in stands if s.state in {"missed", "late"})


def month_of(day: date) -> date:
    """Return the first day of the day's month."""
    return day.replace(day=1)


def months(first: date, last: date) -> tuple[date, ...]:
    """Return the first day of each month that the period touches."""
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    return tuple(_plus_months(month_of(first), n) for n in range(count))


# ---- which proof counts


def _best_proofs(
    expected: Sequence[Cycle], proofs: Iterable[PerformanceRecord]
) -> list[PerformanceRecord | None]:
    """Return for each cycle the proof in time, else the earliest late one."""
    firsts, lasts = [c.first for c in expected], [c.last for c in expected]
    best: list[PerformanceRecord | None] = [None] * len(expected)
    for proof in sorted(proofs, key=lambda p: (p.collected, p.first, p.last)):
        for n in _covered_cycles(firsts, lasts, proof):
            best_so_far = best[n]
            if best_so_far is None or (
                not _is_in_time(expected[n], best_so_far) and _is_in_time(expected[n], proof)
            ):
                best[n] = proof
    return best


def _covered_cycles(
    firsts: Sequence[date], lasts: Sequence[date], proof: PerformanceRecord
) -> range:
    """Return the indexes of the cycles that the proof contains or ends in; they are adjacent."""
    begin, end = bisect_left(firsts, proof.first), bisect_right(lasts, proof.last)
    ends_in = bisect_left(lasts, proof.last)
    if ends_in < len(firsts) and firsts[ends_in] <= proof.last:
        begin, end = min(begin, ends_in), ends_in + 1
    return range(begin, end)


def _is_in_time(cycle: Cycle, proof: PerformanceRecord) -> bool:
    """Check whether proof came in the grace period.

    Proof of a period that ends after the cycle may come later, by its rhythm in days (a quarter if
    unknown).
    """
    allowed = GRACE_DAYS + (
        (proof.rhythm or CYCLE_DAYS["quarterly"]) if proof.last > cycle.last else 0
    )
    return (proof.collected - cycle.last).days <= allowed


def _state_of(cycle: Cycle, proof: PerformanceRecord | None, today: date) -> CycleState:
    if proof is not None:
        return CycleState(cycle, "performed" if _is_in_time(cycle, proof) else "late", proof)
    return CycleState(cycle, "due" if (today - cycle.last).days <= GRACE_DAYS else "missed")


# ---- the calendar


def _weeks(first: date, last: date) -> Iterable[Cycle]:
    sunday = first + timedelta(days=6 - first.weekday())
    while sunday <= last:
        monday = sunday - timedelta(days=6)
        yield Cycle(monday, sunday, f"the week of {monday.day} {monday:%b}", month_of(sunday))
        sunday += timedelta(days=7)


def _spans(size: int, first: date, last: date) -> Iterable[Cycle]:
    """Yield the calendar months, quarters, halves or years that end in the period."""
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
