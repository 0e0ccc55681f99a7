"""The freshness of evidence items. Pure functions, without a clock or a database.

    Version, Freshness                 the known facts about a version, and the result
    freshness(versions, …)             the state on a day, with its days and label
    deadline(…), accepted_version(…)   the last day it isn't overdue, and the version that counts
    CADENCES, max_age_days(cadence)    the days each cadence allows between two versions
    due_soon_days(cadence)             the days before its deadline when it becomes due

Only an accepted version makes evidence fresh, and it ages. freshness_sql.py implements the same
rules in SQL for long lists. Change both together (test_freshness_sql.py compares them).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

type State = Literal["fresh", "due", "overdue", "missing", "in review", "rejected"]
type Review = Literal[
    "pending", "accepted", "rejected", "broken"
]  # broken: the stored file is missing or altered, regardless of the review.
CORRUPTED = "file corrupted"

# Maximum days between two versions. None: versions follow events, so age doesn't matter.
CADENCES: Mapping[str, int | None] = {
    "daily": 1,
    "weekly": 7,
    "monthly": 31,
    "quarterly": 92,
    "half-yearly": 184,
    "yearly": 366,
    "per change": None,
    "per release": None,
    "per incident": None,
    "once": None,
}
CURRENT: tuple[State, ...] = (
    "fresh",
    "due",
)  # Has an accepted version, and isn't past its deadline.
DUE_SOON_DAYS = 14
MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class Version:
    """A version as known on a day. `sha256` is None for a link."""

    number: int
    collected_on: date
    uploaded_on: date
    period_from: date
    period_to: date
    valid_until: date
    review: Review
    sha256: str | None
    source: str
    collector: str


@dataclass(frozen=True, slots=True)
class Freshness:
    """The state of an item.

    `days` is the time since the deadline (overdue), until the deadline (fresh, due, missing), or
    since the upload (in review, rejected).
    """

    state: State
    days: int
    says: str

    @property
    def word(self) -> str:
        """The label with a capital, for a badge or the start of a sentence."""
        return self.says[:1].upper() + self.says[1:]


def freshness(
    versions: Sequence[Version], *, cadence: str, due_on: date | None, today: date
) -> Freshness:
    """Return the state of evidence on `today`. The longest valid accepted version counts.

    Overdue: its deadline has passed. Without an accepted version, the deadline is the due date or
    the end of an upload's validity. Due: up to 14 days are left (or half the cadence, if shorter),
    or no accepted version was collected within the cadence. In review, rejected: no version was
    accepted. A corrupted file counts as rejected.
    """
    accepted = accepted_version(versions)
    until = _deadline(accepted, versions, due_on)
    if until is not None and until < today:
        late = (today - until).days
        return Freshness("overdue", late, f"{_days(late)} overdue")
    if accepted is None:
        return _unaccepted(versions, until, today)
    left, age = (accepted.valid_until - today).days, (today - _last_collected(versions)).days
    if left <= due_soon_days(cadence):
        return Freshness("due", left, f"due {short_day(accepted.valid_until, today)}")
    if (allowed := max_age_days(cadence)) is not None and age > allowed:
        return Freshness("due", left, f"{_days(age)} old")
    return Freshness("fresh", left, "fresh")


def accepted_version(versions: Sequence[Version]) -> Version | None:
    """Return the accepted version with the longest validity.

    So accepting another version never makes evidence older.
    """
    return _longest([v for v in versions if v.review == "accepted"])


def latest_version(versions: Sequence[Version]) -> Version | None:
    """Return the version uploaded last, regardless of its review."""
    return max(versions, key=lambda v: v.number, default=None)


def deadline(versions: Sequence[Version], *, due_on: date | None) -> date | None:
    """Return the last day on which an item isn't overdue: the end of the longest accepted validity.

    Without an accepted version, it is the earliest of `due_on` and the validity ends of all
    uploads, so a rejected version doesn't extend it. None: no version and no due date.
    """
    return _deadline(accepted_version(versions), versions, due_on)


def _deadline(
    accepted: Version | None, versions: Sequence[Version], due_on: date | None
) -> date | None:
    if accepted is not None:
        return accepted.valid_until
    return min([*(v.valid_until for v in versions), *([due_on] if due_on else [])], default=None)


def max_age_days(cadence: str) -> int | None:
    """Return the days that a cadence allows between versions, or None if it follows events."""
    return CADENCES.get(cadence)


def due_soon_days(cadence: str) -> int:
    """Return how many days before its deadline an item becomes due."""
    allowed = max_age_days(cadence)
    return DUE_SOON_DAYS if allowed is None else min(DUE_SOON_DAYS, allowed // 2)


def short_day(when: date, today: date) -> str:
    """Format a day as 5 Dec, with the year if it differs from today's."""
    return f"{when.day} {MONTHS[when.month]}" + (f" {when.year}" if when.year != today.year else "")


def _longest(versions: Sequence[Version]) -> Version | None:
    return max(versions, key=lambda v: (v.valid_until, v.collected_on, v.number), default=None)


def _last_collected(versions: Sequence[Version]) -> date:
    return max(v.collected_on for v in versions if v.review == "accepted")


def _unaccepted(versions: Sequence[Version], until: date | None, today: date) -> Freshness:
    last = latest_version(versions)
    if last is None:
        left = (until - today).days if until else 0
        return Freshness(
            "missing", left, f"missing, due {short_day(until, today)}" if until else "missing"
        )
    waited = max(0, (today - last.uploaded_on).days)
    if last.review == "pending":
        return Freshness("in review", waited, "in review")
    return Freshness("rejected", waited, CORRUPTED if last.review == "broken" else "rejected")


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"
