"""Gross margin, contribution, and the waterfall from revenue to contribution.

Source: design/economics.md §4. The cost of revenue of an AI product is the cost of models,
guardrails, infrastructure and support. Acquisition is deducted after gross margin.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from governance.economics.formulas.estimates import Estimate, Interval, NotEstimable, ratio

NO_REVENUE = "no revenue"
ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Result:
    """Revenue and costs of a tenant, a segment or the whole company in a month."""

    revenue: Decimal
    inference: Decimal = ZERO
    guardrails: Decimal = ZERO
    infrastructure: Decimal = ZERO
    support: Decimal = ZERO
    acquisition: Decimal = ZERO

    @property
    def cost_of_revenue(self) -> Decimal:
        """Inference + guardrails + infrastructure + support."""
        return self.inference + self.guardrails + self.infrastructure + self.support

    def __add__(self, other: "Result") -> "Result":
        return Result(
            self.revenue + other.revenue,
            self.inference + other.inference,
            self.guardrails + other.guardrails,
            self.infrastructure + other.infrastructure,
            self.support + other.support,
            self.acquisition + other.acquisition,
        )


@dataclass(frozen=True, slots=True)
class Step:
    """A bar of the waterfall: a total, or a change from the bar before."""

    name: str
    amount: Decimal  # negative if it reduces the total
    total: Decimal  # after this step
    share: Estimate  # amount ÷ revenue, positive for a cost
    is_total: bool = False


def total(results: Iterable[Result]) -> Result:
    """Return the sum of results, for example of all tenants."""
    return sum(results, Result(ZERO))


def gross_profit(result: Result) -> Decimal:
    """Return gross profit = revenue − inference − guardrails − infrastructure − support."""
    return result.revenue - result.cost_of_revenue


def gross_margin(result: Result) -> Estimate:
    """Return gross profit ÷ revenue, as a share, or NotEstimable without revenue."""
    return ratio(gross_profit(result), result.revenue, otherwise=NO_REVENUE)


def gross_margin_interval(result: Result, residual: Decimal) -> Interval | NotEstimable:
    """Return gross margin ± residual ÷ revenue.

    The residual is the difference in money between invoices and the cost computed from usage. Its
    sign in future months is unknown, so the interval is symmetric.
    """
    margin = gross_margin(result)
    if isinstance(margin, NotEstimable):
        return margin
    error = abs(residual) / abs(result.revenue)
    return Interval(margin, margin - error, margin + error)


def contribution(result: Result) -> Decimal:
    """Return contribution = gross profit − acquisition, in money."""
    return gross_profit(result) - result.acquisition


def contribution_margin(result: Result) -> Estimate:
    """Return contribution ÷ revenue, as a share, or NotEstimable without revenue."""
    return ratio(contribution(result), result.revenue, otherwise=NO_REVENUE)


def floor_price(cost_of_revenue: Decimal, target_margin: Decimal) -> Estimate:
    """Return cost of revenue ÷ (1 − target margin), the lowest price that reaches the margin.

    The price is for the same period as the cost. NotEstimable for a target of 100% or more.
    """
    if target_margin >= 1:
        return NotEstimable("no price reaches a margin of 100%")
    return cost_of_revenue / (1 - target_margin)


def waterfall(result: Result) -> tuple[Step, ...]:
    """Return the steps from revenue to contribution, in chart order."""
    steps = [_step("Revenue", result.revenue, result.revenue, result, is_total=True)]
    for name, cost in (
        ("Models", result.inference),
        ("Guardrails", result.guardrails),
        ("Infrastructure", result.infrastructure),
        ("Support", result.support),
    ):
        steps.append(_step(name, -cost, steps[-1].total - cost, result))
    steps.append(_step("Gross margin", steps[-1].total, steps[-1].total, result, is_total=True))
    after = steps[-1].total - result.acquisition
    steps.append(_step("Acquisition", -result.acquisition, after, result))
    steps.append(_step("Contribution", after, after, result, is_total=True))
    return tuple(steps)


def _step(
    name: str, amount: Decimal, after: Decimal, result: Result, *, is_total: bool = False
) -> Step:
    of_revenue = amount if is_total else -amount
    return Step(
        name, amount, after, ratio(of_revenue, result.revenue, otherwise=NO_REVENUE), is_total
    )
