"""Lifetimes of accounts, for survival curves. Pure."""

from datetime import date


def months_observed(won_on: date, until: date) -> int:
    """Return how many months an account was observed: the months between the two days, at least 1.

    An account lost in the month in which it was won has a lifetime of one month. With zero it would
    count as if it had never been a customer.
    """
    return max((until.year - won_on.year) * 12 + until.month - won_on.month, 1)


def lifetime(won_on: date, lost_on: date | None, as_of: date) -> tuple[int, bool] | None:
    """Return (months observed, whether it churned) as known on `as_of`; None before it was won.

    A loss after `as_of` isn't known yet, so the account has not churned.
    """
    if won_on > as_of:
        return None
    if lost_on is not None and lost_on <= as_of:
        return months_observed(won_on, lost_on), True
    return months_observed(won_on, as_of), False
