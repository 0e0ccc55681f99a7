"""The retention of evidence files after their validity ends. Pure functions.

kept_until(valid_until, months)   the last day a file is kept; None: indefinitely
MIN_MONTHS, MAX_MONTHS            the limits of a rule
"""

from calendar import monthrange
from datetime import date

MIN_MONTHS, MAX_MONTHS = 12, 180


def kept_until(valid_until: date, months: int | None) -> date | None:
    """Return the day `months` after `valid_until`, or the last day of a shorter month."""
    if months is None:
        return None
    count = valid_until.year * 12 + valid_until.month - 1 + months
    year, month = divmod(count, 12)
    return date(year, month + 1, min(valid_until.day, monthrange(year, month + 1)[1]))
