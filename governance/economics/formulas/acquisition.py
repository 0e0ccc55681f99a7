"""What a customer costs to win, how soon it pays that back, and what it is worth.

Source: design/economics.md §4, with the worked examples of §8.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from governance.economics.formulas.estimates import Estimate, NotEstimable, known, ratio
from governance.kernel.months import Month

NO_PROFIT = "gross margin isn't positive"
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class AcquisitionMonth:
    """Spend on winning customers and customers won, in a segment and month."""

    month: Month
    segment: str
    spend: Decimal
    wins: int


def cac(spend: Decimal, wins: int) -> Estimate:
    """Return spend ÷ wins: customer acquisition cost, money for each customer won.

    Wins without any spend aren't free customers but missing spend: NotEstimable.
    """
    if wins and not spend:
        return NotEstimable("wins without spend")
    return ratio(spend, wins, otherwise="no wins")


def cac_by_segment(
    lines: Iterable[AcquisitionMonth], months: Sequence[Month], *, lag_months: int = 0
) -> dict[str, Estimate]:
    """Return the CAC of each segment: wins of `months`, spend of the months that many earlier.

    A lag of 3 sets the spend of January to March against the wins of April to June.
    """
    spend: dict[str, Decimal] = {}
    wins: dict[str, int] = {}
    won_in = set(months)
    spent_in = {month.plus(-lag_months) for month in months}
    for line in lines:
        if line.month in spent_in:
            spend[line.segment] = spend.get(line.segment, ZERO) + line.spend
        if line.month in won_in:
            wins[line.segment] = wins.get(line.segment, 0) + line.wins
    segments = sorted(spend.keys() | wins.keys())
    return {each: cac(spend.get(each, ZERO), wins.get(each, 0)) for each in segments}


def payback_months(cost: Estimate, arpa: Estimate, gross_margin: Estimate) -> Estimate:
    """Return CAC ÷ (ARPA × gross margin), in months."""
    values = known(cost, arpa, gross_margin)
    if isinstance(values, NotEstimable):
        return values
    spent, revenue, margin = values
    if revenue * margin <= 0:
        return NotEstimable(NO_PROFIT)
    return spent / (revenue * margin)


def simple_ltv(arpa: Estimate, gross_margin: Estimate, monthly_churn: Estimate) -> Estimate:
    """Return LTV = ARPA × gross margin ÷ monthly logo churn, money for each customer.

    It assumes the churn of this month for ever; survival.lifetime() does not.
    """
    values = known(arpa, gross_margin, monthly_churn)
    if isinstance(values, NotEstimable):
        return values
    revenue, margin, churn = values
    return ratio(revenue * margin, churn, otherwise="no churn")


def ltv_to_cac(ltv: Estimate, cost: Estimate) -> Estimate:
    """Return LTV ÷ CAC, a multiple."""
    values = known(ltv, cost)
    if isinstance(values, NotEstimable):
        return values
    return ratio(*values, otherwise="no spend")


def month_recovered(
    cost: Estimate, gross_profits: Sequence[tuple[Month, Decimal]]
) -> Month | NotEstimable:
    """Return the first month in which a customer's gross profit, added up, reaches its CAC.

    `gross_profits` are of the customer by month, in order from the one in which it was won.
    """
    if isinstance(cost, NotEstimable):
        return cost
    earned = ZERO
    for month, profit in gross_profits:
        earned += profit
        if earned >= cost:
            return month
    return NotEstimable("not recovered yet")
