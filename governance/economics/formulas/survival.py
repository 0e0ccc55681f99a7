"""Survival of accounts, estimated from lost and still active accounts.

Kaplan and Meier, "Nonparametric estimation from incomplete observations", 1958, by
`scipy.stats.ecdf`; standard errors by Greenwood, 1926. SciPy's statistics take a second to load, so
they are imported on first use.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import sqrt
from statistics import NormalDist

from governance.economics.formulas.estimates import (
    CONFIDENCE,
    Estimate,
    Interval,
    NotEstimable,
    known,
)

CAP_MONTHS = 60
MIN_LOST = 8  # with fewer accounts the interval is narrower than the data justify
PRECISION = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Tenure:
    """Months that an account has paid, and whether it then left. `left` is False if it is active."""

    months: int
    left: bool


@dataclass(frozen=True, slots=True)
class SurvivalStep:
    """The estimated share of accounts that stay longer than `months`."""

    months: int
    share: Decimal
    standard_error: Decimal
    at_risk: int  # accounts with a tenure of at least `months`
    left: int


@dataclass(frozen=True, slots=True)
class Lifetime:
    """The restricted mean lifetime of an account, up to a horizon."""

    months: Interval
    horizon: int  # in months; time after it isn't counted
    accounts: int
    left: int


def survival_curve(tenures: Sequence[Tenure]) -> tuple[SurvivalStep, ...]:
    """Return the Kaplan–Meier estimate at each month in which an account left, in order.

    S(t) is the product of 1 − left ÷ at risk over the months up to t. Its standard error is S(t) ×
    √Σ left ÷ (at risk × (at risk − left)).
    """
    if not tenures:
        return ()
    from scipy.stats import CensoredData, ecdf  # noqa: PLC0415 - loads SciPy

    lost = Counter(each.months for each in tenures if each.left)
    there = [each.months for each in tenures if not each.left]
    curve = ecdf(CensoredData(uncensored=sorted(lost.elements()), right=there)).sf
    steps, variance = [], 0.0
    for month, left in sorted(lost.items()):
        at_risk = sum(each.months >= month for each in tenures)
        share = float(curve.evaluate(month))
        variance += left / (at_risk * (at_risk - left)) if at_risk > left else 0.0
        error = share * sqrt(variance)
        steps.append(SurvivalStep(month, _decimal(share), _decimal(error), at_risk, left))
    return tuple(steps)


def lifetime(tenures: Sequence[Tenure], cap_months: int = CAP_MONTHS) -> Lifetime | NotEstimable:
    """Return the restricted mean lifetime with its 90% interval, in months.

    The mean is the area under the survival curve up to the cap, or up to the longest tenure if the
    curve is unknown after it. Its variance is Σ area(t)² × left ÷ (at risk × (at risk − left)),
    where area(t) is the area after t (Klein and Moeschberger, "Survival Analysis", 2nd ed., 4.5).
    NotEstimable if fewer than eight accounts left.
    """
    left = sum(each.left for each in tenures)
    if not left:
        return NotEstimable(f"no churn, {_accounts(len(tenures))}")
    if left < MIN_LOST:
        return NotEstimable("fewer than eight accounts lost")
    steps = survival_curve(tenures)
    longest = max(each.months for each in tenures)
    horizon = min(cap_months, longest) if steps[-1].share else cap_months
    mean = _area(steps, 0, horizon)
    variance = sum(
        _area(steps, step.months, horizon) ** 2
        * step.left
        / (step.at_risk * (step.at_risk - step.left))
        for step in steps
        if step.months < horizon and step.at_risk > step.left
    )
    error = Decimal(NormalDist().inv_cdf(float(1 + CONFIDENCE) / 2)) * Decimal(variance).sqrt()
    low, high = max(mean - error, Decimal(0)), min(mean + error, Decimal(horizon))
    months = Interval(*(each.quantize(PRECISION) for each in (mean, low, high)))
    return Lifetime(months, horizon, len(tenures), left)


def survival_ltv(
    arpa: Estimate, gross_margin: Estimate, stay: Lifetime | NotEstimable
) -> Interval | NotEstimable:
    """Return LTV = ARPA × gross margin × mean lifetime, in money per customer.

    The lifetime ends at the horizon. The interval reflects only the uncertainty of the lifetime;
    ARPA and margin are treated as exact.
    """
    values = known(arpa, gross_margin)
    if isinstance(values, NotEstimable):
        return values
    if isinstance(stay, NotEstimable):
        return stay
    profit = values[0] * values[1]
    if profit <= 0:
        return NotEstimable("gross margin isn't positive")
    return stay.months.times(profit)


def _area(steps: Sequence[SurvivalStep], start: int, end: int) -> Decimal:
    """Return the area under the survival curve between two months."""
    area, share, since = Decimal(0), Decimal(1), 0
    for step in steps:
        area += share * max(min(step.months, end) - max(since, start), 0)
        share, since = step.share, step.months
    return area + share * max(end - max(since, start), 0)


def _decimal(number: float) -> Decimal:
    return Decimal(repr(float(number)))


def _accounts(number: int) -> str:
    return f"{number} account" if number == 1 else f"{number} accounts"
