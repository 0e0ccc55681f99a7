"""How long minutes are kept; their hours and days stay.

use(months)     what the installation sets (GOVERNANCE_MINUTE_MONTHS)
to_drop(…)      pure: which of the months with minutes are old enough
"""

from collections.abc import Iterable

from governance.kernel.config import DEFAULT_MINUTE_MONTHS, MIN_MINUTE_MONTHS
from governance.kernel.months import Month

# By default two years and the month under way. At least those that the longest backfill, of 400
# days, reaches: the database refuses to drop one of them.
_months = DEFAULT_MINUTE_MONTHS


def use(months: int) -> None:
    """Keep the minutes of so many months, the present one included."""
    global _months  # noqa: PLW0603 - one setting of the installation
    _months = max(months, MIN_MINUTE_MONTHS)


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
