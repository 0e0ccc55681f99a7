"""Margins of the months before the first closed one, so that renewal sheets include them.

read(first)     months back to the first that can't be computed, and the reason

Margins are computed from invoices, usage, bills and the rules in force, as for a close. Active
users of those months were never counted, so the search ends at a pool allocated by them.
"""

from governance.economics.allocation import queries as allocation
from governance.economics.costs import queries as costs
from governance.economics.formulas.allocation import Driver
from governance.economics.rates.conversion import MissingRate
from governance.economics.rates.queries import provisional_rates
from governance.economics.revenue import queries as revenue
from governance.economics.reviews.facts.assembly import assemble
from governance.economics.reviews.facts.review_facts import EarlierMonth, EarlierMonths
from governance.economics.reviews.inputs import reading as input_reading
from governance.economics.reviews.inputs.usage_sums import usage_sums
from governance.kernel.months import Month

MAX_MONTHS = 24


def read(first: Month) -> EarlierMonths:
    """Return the months before `first` in order, and why there are no earlier ones."""
    found: list[EarlierMonth] = []
    why = ""
    for back in range(1, MAX_MONTHS + 1):
        month = first.plus(-back)
        try:
            with provisional_rates() as used:  # kept apart from the rates that stop the close
                why = _why_not(month)
                if why:
                    break
                facts = assemble(input_reading.read(month, {}))
        except MissingRate as error:
            why = f"{error.month.long_name} has no rate for {error.currency}"
            break
        if used:
            newest = max(used)
            why = f"{newest.month.long_name} has no rate for {newest.currency}"
            break
        margins = {each.id: each.margin for each in facts.tenants}
        found.append(EarlierMonth(month=str(month), margins=margins))
    return EarlierMonths(months=found[::-1], why=why or f"{MAX_MONTHS} earlier months are counted")


def _why_not(month: Month) -> str:
    """Return why the month's margins can't be computed, such as "June 2025 has no invoices".

    Returns "" if they can.
    """
    missing = _missing(month)
    if missing:
        return f"{month.long_name} has no {missing}"
    pools = costs.pools(month)
    by_users = [
        pool.value
        for pool, rule in allocation.rules_in_force(month).rules.items()
        if rule.driver is Driver.ACTIVE_USERS and pools.get(pool.value)
    ]
    if by_users:
        return (
            f"{by_users[0]} of {month.long_name} is allocated by active users, who weren't counted"
        )
    return ""


def _missing(month: Month) -> str:
    if not revenue.invoiced_by_customer(month):
        return "invoices"
    if not usage_sums(month):
        return "usage"
    return "" if costs.month_totals(month) else "bills"
