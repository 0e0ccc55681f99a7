"""Who uses what was sold: activation, stickiness and cohorts, on pseudonyms.

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
    """Users who first sent a request in a month, and the share that did so in each later one."""

    first: Month
    size: int
    retained: tuple[Decimal, ...]  # of the first month, always 1, and of each one after it


def activated_share(eligible: int, activated: int) -> Estimate:
    """Return users who ever sent a request ÷ users who may, a share."""
    if activated > eligible:
        return NotEstimable("more users activated than are eligible")
    return ratio(activated, eligible, otherwise="no eligible users")


def weekly_stickiness(weekly_users: int, monthly_users: int) -> Estimate:
    """Return WAU ÷ MAU, a share: users of the last seven days of the month's users."""
    return ratio(weekly_users, monthly_users, otherwise="no active users")


def daily_stickiness(daily_users: Decimal, monthly_users: int) -> Estimate:
    """Return DAU ÷ MAU, a share; daily users are the mean of the month's days."""
    return ratio(daily_users, monthly_users, otherwise="no active users")


def retained_share(started: int, still_active: int) -> Estimate:
    """Return users of a cohort who are active in a later month ÷ the cohort, a share."""
    return ratio(still_active, started, otherwise="nobody started")


def cohorts(active: Mapping[Month, AbstractSet[str]]) -> tuple[Cohort, ...]:
    """Return a cohort for each month in which a user first appears, in order.

    `active` holds the pseudonyms of each month; a month without an entry had no users.
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
