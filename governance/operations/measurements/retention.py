"""Retention of minutes. Their hours and days stay.

use(months)     the installation's setting (GOVERNANCE_MINUTE_MONTHS)
to_drop(…)      the months that are old enough to drop; pure
"""

from collections.abc import Iterable

from governance.kernel.feature_settings import Setting
from governance.kernel.months import Month

DEFAULT_MINUTE_MONTHS, MIN_MINUTE_MONTHS = 25, 15
# By default two years and the current month. At least the months that the longest backfill, of 400
# days, reaches: the database rejects dropping one of them.
_months = DEFAULT_MINUTE_MONTHS


def use(months: int) -> None:
    """Keep the minutes of that many months, including the current one."""
    global _months  # noqa: PLW0603 - one setting of the installation
    _months = max(months, MIN_MINUTE_MONTHS)


def _problem(months: str) -> str | None:
    if months.isdecimal() and int(months) >= MIN_MINUTE_MONTHS:
        return None
    return f"must be a number of months, at least {MIN_MINUTE_MONTHS}"


SETTING = Setting(
    name="GOVERNANCE_MINUTE_MONTHS",
    meaning="for how many months indicators keep their minutes, at least 15; hours and days stay, see `measurements.md`",
    unset="25",
    use=lambda text: use(int(text)),
    default=str(DEFAULT_MINUTE_MONTHS),
    problem=_problem,
)


def kept_months() -> int:
    """Return how many months of minutes are kept."""
    return _months


def to_drop(
    existing: Iterable[Month], present: Month, needed: Iterable[Month | None] = ()
) -> list[Month]:
    """Return the months of `existing` that are neither recent nor needed, oldest first.

    Only the oldest months are dropped: a needed month keeps every later one, too.
    """
    first_kept = min([present.plus(1 - _months), *(month for month in needed if month)])
    return sorted(month for month in existing if month < first_kept)
