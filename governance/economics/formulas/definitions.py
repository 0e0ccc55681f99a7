"""Definitions of all measures: name, version, and formula in words.

A published figure names the version that it was computed with. A version never changes: a changed
formula becomes the next version, and the older one is kept so that closed months can be recomputed.

compute(name, version, inputs)      one figure
compare(name, version, months)      months recomputed with another version, beside the figures
                                    that were published
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from governance.economics.formulas import acquisition, adoption, margin, retention, unit_cost
from governance.economics.formulas.estimates import Estimate, NotEstimable, known, ratio
from governance.economics.formulas.margin import Result
from governance.economics.formulas.retention import Movements
from governance.kernel.months import Month

type Inputs = Mapping[str, Any]  # Decimal, int, or an Estimate of another formula


class UnknownFormula(LookupError):
    """Raised if no formula has the given name and version."""


class MissingInput(LookupError):
    """Raised if an input that the formula needs is missing."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A version of a formula."""

    name: str
    version: int
    title: str
    formula: str
    unit: str
    inputs: tuple[str, ...]
    function: Callable[..., Estimate]  # takes the inputs in the order of `inputs`

    @property
    def label(self) -> str:
        """The name that a review prints: "gross_margin v1"."""
        return f"{self.name} v{self.version}"


@dataclass(frozen=True, slots=True)
class PublishedMonth:
    """A published figure of a closed month, with its inputs and formula version."""

    month: Month
    figure: Estimate
    version: int
    inputs: Inputs


@dataclass(frozen=True, slots=True)
class ComparedMonth:
    """A published figure beside the figure that another version gives."""

    published: PublishedMonth
    recomputed: Estimate
    difference: Estimate  # recomputed − published


@dataclass(frozen=True, slots=True)
class VersionComparison:
    """Months recomputed with another version of a formula. Published figures aren't restated."""

    definition: Definition
    months: tuple[ComparedMonth, ...]


def definition(name: str, version: int | None = None) -> Definition:
    """Return a formula, by default its current version. Raises UnknownFormula."""
    wanted = CURRENT.get(name) if version is None else version
    for each in DEFINITIONS:
        if (each.name, each.version) == (name, wanted):
            return each
    raise UnknownFormula(f"There is no formula {name} in version {version or 'current'}.")


def versions(name: str) -> tuple[Definition, ...]:
    """Return all versions of a formula, the oldest first."""
    return tuple(each for each in DEFINITIONS if each.name == name)


def compute(name: str, version: int, inputs: Inputs) -> Estimate:
    """Compute a figure. Inputs that the formula doesn't use are ignored.

    Returns NotEstimable if an input is NotEstimable. Raises UnknownFormula and MissingInput.
    """
    chosen = definition(name, version)
    missing = [each for each in chosen.inputs if each not in inputs]
    if missing:
        raise MissingInput(f"{chosen.label} needs {', '.join(missing)}.")
    values = [inputs[each] for each in chosen.inputs]
    for value in values:
        if isinstance(value, NotEstimable):
            return value
    return chosen.function(*values)


def compare(name: str, version: int, months: Sequence[PublishedMonth]) -> VersionComparison:
    """Recompute months with that version of the formula, each beside its published figure."""
    return VersionComparison(
        definition(name, version), tuple(_compared(name, version, each) for each in months)
    )


def _compared(name: str, version: int, month: PublishedMonth) -> ComparedMonth:
    recomputed = compute(name, version, month.inputs)
    both = known(month.figure, recomputed)
    difference = both if isinstance(both, NotEstimable) else both[1] - both[0]
    return ComparedMonth(month, recomputed, difference)


COSTS = ("revenue", "inference", "guardrails", "infrastructure", "support")
MRR = ("mrr_at_start", "new", "expansion", "contraction", "churn", "reactivation")


def _of_result(function: Callable[[Result], Estimate]) -> Callable[..., Estimate]:
    return lambda *amounts: function(Result(*amounts))


def _of_movements(function: Callable[[Movements], Estimate]) -> Callable[..., Estimate]:
    return lambda *amounts: function(Movements(*amounts))


def _gross_margin_without_support(*amounts: Decimal) -> Estimate:
    result = Result(*amounts)
    profit = margin.gross_profit(result) + result.support
    return ratio(profit, result.revenue, otherwise=margin.NO_REVENUE)


def _quick_ratio_with_reactivation(movements: Movements) -> Estimate:
    won = movements.new + movements.expansion + movements.reactivation
    lost = movements.contraction + movements.churn
    return ratio(won, lost, otherwise="no MRR lost")


DEFINITIONS: tuple[Definition, ...] = (
    Definition(
        "arpa", 1, "Average revenue per account", "MRR ÷ paying accounts", "money per month",
        ("mrr", "paying_accounts"), retention.arpa,
    ),
    Definition(
        "gross_margin", 1, "Gross margin",
        "(revenue − inference − guardrails − infrastructure − support) ÷ revenue", "share",
        COSTS, _of_result(margin.gross_margin),
    ),
    Definition(
        "gross_margin", 2, "Gross margin, support as an operating expense",
        "(revenue − inference − guardrails − infrastructure) ÷ revenue", "share",
        COSTS, _gross_margin_without_support,
    ),
    Definition(
        "contribution_margin", 1, "Contribution margin",
        "(revenue − inference − guardrails − infrastructure − support − acquisition) ÷ revenue",
        "share", (*COSTS, "acquisition"), _of_result(margin.contribution_margin),
    ),
    Definition(
        "logo_churn", 1, "Logo churn", "lost accounts ÷ accounts at the start", "share",
        ("accounts_at_start", "lost_accounts"), retention.logo_churn,
    ),
    Definition(
        "gross_revenue_retention", 1, "Gross revenue retention",
        "(start − contraction − churn) ÷ start", "share",
        MRR, _of_movements(retention.gross_retention),
    ),
    Definition(
        "net_revenue_retention", 1, "Net revenue retention",
        "(start + expansion − contraction − churn) ÷ start", "share",
        MRR, _of_movements(retention.net_retention),
    ),
    Definition(
        "net_revenue_retention", 2, "Net revenue retention with reactivation",
        "(start + expansion + reactivation − contraction − churn) ÷ start", "share",
        MRR, _of_movements(retention.net_retention_with_reactivation),
    ),
    Definition(
        "quick_ratio", 1, "Quick ratio", "(new + expansion) ÷ (contraction + churn)", "multiple",
        MRR, _of_movements(retention.quick_ratio),
    ),
    Definition(
        "quick_ratio", 2, "Quick ratio with reactivation",
        "(new + expansion + reactivation) ÷ (contraction + churn)", "multiple",
        MRR, _of_movements(_quick_ratio_with_reactivation),
    ),
    Definition(
        "cac", 1, "Customer acquisition cost, spend of the same months", "spend ÷ wins",
        "money per customer", ("spend", "wins"), acquisition.cac,
    ),
    Definition(
        "cac", 2, "Customer acquisition cost, spend of a quarter earlier",
        "spend of the months three earlier ÷ wins", "money per customer",
        ("spend_a_quarter_earlier", "wins"), acquisition.cac,
    ),
    Definition(
        "payback", 1, "Payback", "CAC ÷ (ARPA × gross margin)", "months",
        ("cac", "arpa", "gross_margin"), acquisition.payback_months,
    ),
    Definition(
        "ltv", 1, "Lifetime value", "ARPA × gross margin ÷ monthly logo churn",
        "money per customer", ("arpa", "gross_margin", "logo_churn"), acquisition.simple_ltv,
    ),
    Definition(
        "ltv_to_cac", 1, "LTV to CAC", "LTV ÷ CAC", "multiple",
        ("ltv", "cac"), acquisition.ltv_to_cac,
    ),
    Definition(
        "cost_per_request", 1, "Cost per request", "cost ÷ requests", "money per request",
        ("cost", "requests"), unit_cost.cost_per_request,
    ),
    Definition(
        "cost_per_active_user", 1, "Cost per active user", "cost ÷ active users",
        "money per user", ("cost", "active_users"), unit_cost.cost_per_active_user,
    ),
    Definition(
        "cost_per_completed_task", 1, "Cost per completed task",
        "cost of all attempts ÷ completed tasks", "money per task",
        ("cost", "completed_tasks"), unit_cost.cost_per_completed_task,
    ),
    Definition(
        "activated_share", 1, "Activation", "activated users ÷ eligible users", "share",
        ("eligible_users", "activated_users"), adoption.activated_share,
    ),
    Definition(
        "stickiness", 1, "Stickiness, weekly", "WAU ÷ MAU", "share",
        ("weekly_users", "monthly_users"), adoption.weekly_stickiness,
    ),
    Definition(
        "stickiness", 2, "Stickiness, daily", "mean DAU ÷ MAU", "share",
        ("mean_daily_users", "monthly_users"), adoption.daily_stickiness,
    ),
)  # fmt: skip # a definition in three lines

# Versions used by months that close from now on.
CURRENT: Mapping[str, int] = {each.name: 1 for each in DEFINITIONS} | {"cac": 2}
