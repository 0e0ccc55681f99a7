"""How long minutes are kept; their hours and days stay.

use(months)     what the installation sets (GOVERNANCE_MINUTE_MONTHS)
to_drop(…)      pure: which of the months with minutes are old enough
"""

from collections.abc import Iterable

from governance.kernel.feature_settings import Setting
from governance.kernel.months import Month

DEFAULT_MINUTE_MONTHS, MIN_MINUTE_MONTHS = 25, 15
# By default two years and the month under way. At least those that the longest backfill, of 400
# days, reaches: the database refuses to drop one of them.
_months = DEFAULT_MINUTE_MONTHS


def use(months: int) -> None:
    """Keep the minutes of so many months, the present one included."""
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
    """How many months of minutes are kept."""
    return _months


def to_drop(
    existing: Iterable[Month], present: Month, needed: Iterable[Month | None] = ()
) -> list[Month]:
    """The months of `existing` that are neither recent nor needed by anyone, the oldest first.

    Only the oldest months go: one that is needed keeps every later one, too.
    """
    first_kept = min([present.plus(1 - _months), *(month for month in needed if month)])
    return sorted(month for month in existing if month < first_kept)
