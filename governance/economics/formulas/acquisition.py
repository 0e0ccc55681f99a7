"""Customer acquisition: cost per customer (CAC), payback time and lifetime value.

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
    """Acquisition spend and customers won in a segment and month."""

    month: Month
    segment: str
    spend: Decimal
    wins: int


def cac(spend: Decimal, wins: int) -> Estimate:
    """Return CAC = spend ÷ wins, in money per customer won.

    Wins without spend mean that spend data is missing, so the result is NotEstimable, not 0.
    """
    if wins and not spend:
        return NotEstimable("wins without spend")
    return ratio(spend, wins, otherwise="no wins")


def cac_by_segment(
    lines: Iterable[AcquisitionMonth], months: Sequence[Month], *, lag_months: int = 0
) -> dict[str, Estimate]:
    """Return the CAC of each segment, from wins in `months` and spend `lag_months` earlier.

    A lag of 3 compares the spend of January to March with the wins of April to June.
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
    """Return LTV = ARPA × gross margin ÷ monthly logo churn, in money per customer.

    The formula assumes that this month's churn stays constant; survival.lifetime() doesn't.
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
    """Return the first month in which a customer's cumulative gross profit reaches its CAC.

    `gross_profits` lists the customer's monthly gross profit in order, from the month it was won.
    """
    if isinstance(cost, NotEstimable):
        return cost
    earned = ZERO
    for month, profit in gross_profits:
        earned += profit
        if earned >= cost:
            return month
    return NotEstimable("not recovered yet")
