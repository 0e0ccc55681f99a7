"""How long a file of evidence is kept once it proves nothing any more.

Pure.

kept_until(valid_until, months)      the day after which its kind's retention lets it go; None: kept
                                     for ever
LEAST, MOST                          months that a rule may say
"""

from calendar import monthrange
from datetime import date

MIN_MONTHS, MAX_MONTHS = 12, 180


def kept_until(valid_until: date, months: int | None) -> date | None:
    """The same day that many months later, or the last day of that month where it has no such
    day.
    """
    if months is None:
        return None
    count = valid_until.year * 12 + valid_until.month - 1 + months
    year, month = divmod(count, 12)
    return date(year, month + 1, min(valid_until.day, monthrange(year, month + 1)[1]))
