"""Scenarios (what-if): a closed month under assumptions, not actual figures. Pure.

    apply(facts, assumptions) -> Scenario

    price_percent     change of every tenant's revenue
    moved_percent     share of model cost moved to a model that costs saving_percent less
    cached_percent    share of model cost read from the cache, at a tenth of the price
    tier              tier of every tenant: guardrails at that tier's cost per request

Invariant: assumptions without a change reproduce the month. Residual, residue and acquisition are
constant.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

from governance.economics.formulas.estimates import NotEstimable
from governance.economics.formulas.money import rounded
from governance.economics.formulas.unit_cost import cost_per_completed_task
from governance.economics.reviews.facts.review_facts import Costs, ReviewFacts, Struct, Waterfall

CACHE_PRICE = Decimal("0.1")  # relative to an input token
HUNDRED = Decimal(100)
ZERO = Decimal(0)


class Assumptions(Struct, frozen=True):
    """The assumptions of a scenario, in percent; 0 is no change."""

    price_percent: Decimal = ZERO
    moved_percent: Decimal = ZERO
    saving_percent: Decimal = ZERO
    cached_percent: Decimal = ZERO
    tier: str = ""


@dataclass(frozen=True, slots=True)
class ScenarioTenant:
    """A tenant's actual margin, and its margin under the assumptions."""

    name: str
    actual: Decimal
    margin: Decimal


@dataclass(frozen=True, slots=True)
class Scenario:
    """A month under assumptions, with each tenant's margin."""

    assumptions: Assumptions
    waterfall: Waterfall
    gross_margin: Decimal | None  # as a share of revenue
    contribution: Decimal | None
    per_task: Decimal | None  # model cost of all attempts ÷ completed tasks
    tenants: tuple[ScenarioTenant, ...]

    @property
    def losing(self) -> int:
        """The number of tenants that lose money under the assumptions."""
        return sum(each.margin < 0 for each in self.tenants)


def read(plain: Any) -> Assumptions:
    """Decode saved assumptions. Raises msgspec.ValidationError."""
    return msgspec.convert(plain, Assumptions)


def apply(facts: ReviewFacts, assumptions: Assumptions) -> Scenario:
    """Compute the month under the assumptions, with each tenant's amounts to the cent."""

    def cents(amount: Decimal) -> Decimal:
        return rounded(amount, facts.currency)

    price, models = _price_factor(assumptions), _model_factor(assumptions)
    per_request = _per_request(facts, assumptions.tier)
    revenue, costs, tenants = ZERO, [ZERO] * 4, []
    for each in facts.tenants:
        earned = cents(each.revenue * price)
        guardrails = each.costs.guardrails
        if per_request is not None and each.tier != assumptions.tier:
            guardrails = cents(each.requests * per_request)
        mine = Costs(
            models=cents(each.costs.models * models),
            guardrails=guardrails,
            infrastructure=each.costs.infrastructure,
            support=each.costs.support,
        )
        revenue += earned
        for place, name in enumerate(Costs.__struct_fields__):
            costs[place] += getattr(mine, name)
        tenants.append(ScenarioTenant(each.name, each.margin, earned - mine.total))
    waterfall = _waterfall(
        facts, revenue, Costs(**dict(zip(Costs.__struct_fields__, costs, strict=True)))
    )
    return Scenario(
        assumptions,
        waterfall,
        waterfall.gross_margin / revenue if revenue else None,
        waterfall.contribution / revenue if revenue else None,
        _per_task(facts, waterfall.costs.models),
        tuple(tenants),
    )


def sentence(assumptions: Assumptions) -> str:
    """Return "prices +5%; 40% of model cost on a model that costs 60% less"."""
    said = []
    if assumptions.price_percent:
        said.append(f"prices {_signed(assumptions.price_percent)}")
    if assumptions.moved_percent and assumptions.saving_percent:
        said.append(
            f"{_text(assumptions.moved_percent)}% of model cost on a model that costs"
            f" {_text(assumptions.saving_percent)}% less"
        )
    if assumptions.cached_percent:
        said.append(f"{_text(assumptions.cached_percent)}% of model cost read from the cache")
    if assumptions.tier:
        said.append(f"every tenant on the tier {assumptions.tier}")
    return "; ".join(said) or "nothing changes"


def _price_factor(assumptions: Assumptions) -> Decimal:
    return 1 + assumptions.price_percent / HUNDRED


def _model_factor(assumptions: Assumptions) -> Decimal:
    moved = assumptions.moved_percent / HUNDRED * assumptions.saving_percent / HUNDRED
    cached = assumptions.cached_percent / HUNDRED * (1 - CACHE_PRICE)
    return (1 - moved) * (1 - cached)


def _per_task(facts: ReviewFacts, models: Decimal) -> Decimal | None:
    """Return model cost per completed task. The number of tasks doesn't change."""
    completed = sum(each.completed_tasks for each in facts.tenants)
    found = cost_per_completed_task(models, completed)
    return None if isinstance(found, NotEstimable) else found


def _per_request(facts: ReviewFacts, tier: str) -> Decimal | None:
    return next((each.per_request for each in facts.tiers if each.name == tier), None)


def _waterfall(facts: ReviewFacts, revenue: Decimal, costs: Costs) -> Waterfall:
    before = facts.waterfall
    margin = revenue - costs.total - before.residual - before.residue
    return Waterfall(
        revenue=revenue,
        costs=costs,
        residual=before.residual,
        residue=before.residue,
        gross_margin=margin,
        acquisition=before.acquisition,
        contribution=margin - before.acquisition,
    )


def _text(percent: Decimal) -> str:
    return f"{percent.normalize():f}"


def _signed(percent: Decimal) -> str:
    return f"{'+' if percent > 0 else '−'}{_text(abs(percent))}%"
