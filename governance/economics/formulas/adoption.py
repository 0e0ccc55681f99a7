"""Adoption metrics: activation, stickiness and cohort retention, computed on pseudonyms.

Source: design/economics.md §4; report/pages b3.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from decimal import Decimal

from governance.economics.formulas.estimates import Estimate, NotEstimable, ratio
from governance.kernel.months import Month


@dataclass(frozen=True, slots=True)
class Cohort:
    """Users who sent their first request in the same month, with their monthly retention."""

    first: Month
    size: int
    retained: tuple[
        Decimal, ...
    ]  # share of `size` active in each month from `first` on; the first is always 1


def activated_share(eligible: int, activated: int) -> Estimate:
    """Return activated users ÷ eligible users, as a share. A user is activated by a first request."""
    if activated > eligible:
        return NotEstimable("more users activated than are eligible")
    return ratio(activated, eligible, otherwise="no eligible users")


def weekly_stickiness(weekly_users: int, monthly_users: int) -> Estimate:
    """Return WAU ÷ MAU, as a share. WAU counts the users of the last seven days."""
    return ratio(weekly_users, monthly_users, otherwise="no active users")


def daily_stickiness(daily_users: Decimal, monthly_users: int) -> Estimate:
    """Return DAU ÷ MAU, as a share. DAU is the mean over the days of the month."""
    return ratio(daily_users, monthly_users, otherwise="no active users")


def retained_share(started: int, still_active: int) -> Estimate:
    """Return users of a cohort who are active in a later month ÷ cohort size, as a share."""
    return ratio(still_active, started, otherwise="nobody started")


def cohorts(active: Mapping[Month, AbstractSet[str]]) -> tuple[Cohort, ...]:
    """Return one cohort for each month in which a user first appears, in order.

    `active` maps a month to the pseudonyms of its users. A month without an entry had no users.
    """
    months = _every_month(active)
    known: set[str] = set()
    found = []
    for n, first in enumerate(months):
        started = active.get(first, frozenset()) - known
        known |= started
        if started:
            later = (len(started & active.get(month, frozenset())) for month in months[n:])
            shares = tuple(Decimal(count) / len(started) for count in later)
            found.append(Cohort(first, len(started), shares))
    return tuple(found)


def _every_month(active: Mapping[Month, AbstractSet[str]]) -> list[Month]:
    if not active:
        return []
    months, last = [min(active)], max(active)
    while months[-1] < last:
        months.append(months[-1].plus(1))
    return months
