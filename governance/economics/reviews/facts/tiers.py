"""The price of each policy tier in a month. Pure."""

from collections.abc import Sequence
from decimal import Decimal

from governance.economics.formulas import margin, tier_price, unit_cost
from governance.economics.formulas.estimates import Estimate, NotEstimable, ratio
from governance.economics.formulas.margin import Result
from governance.economics.reviews.facts.review_facts import TenantMonth, TierMonth
from governance.economics.reviews.inputs.month_inputs import ZERO, GuardrailReviews, MonthInputs


def tiers_of(inputs: MonthInputs, tenants: Sequence[TenantMonth]) -> list[TierMonth]:
    """Return each tier that has a tenant, the loosest first."""
    order = [*inputs.tier_order]
    names = {each.tier for each in tenants}
    return [
        _tier(
            name,
            [each for each in tenants if each.tier == name],
            inputs.guardrail_reviews.get(name, GuardrailReviews()),
        )
        for name in sorted(
            names, key=lambda name: (order.index(name) if name in order else len(order), name)
        )
    ]


def _tier(name: str, tenants: Sequence[TenantMonth], found: GuardrailReviews) -> TierMonth:
    requests = sum(each.requests for each in tenants)
    spend = sum((each.costs.guardrails for each in tenants), ZERO)
    refused = sum(each.refused for each in tenants)
    gross = margin.gross_margin(margin.total(_result(each) for each in tenants))
    harm = tier_price.cost_of_prevented_harm(spend, found.confirmed, found.false)
    return TierMonth(
        name=name,
        tenants=len(tenants),
        requests=requests,
        guardrails=spend,
        per_request=_known(unit_cost.cost_per_request(spend, requests)),
        refused_share=_known(ratio(refused, requests, otherwise="no requests")),
        milliseconds=found.milliseconds,
        gross_margin=_known(gross),
        confirmed_blocks=found.confirmed,
        false_blocks=found.false,
        per_prevented_harm=_known(harm.cost),
    )


def _result(tenant: TenantMonth) -> Result:
    costs = tenant.costs
    return Result(
        tenant.revenue, costs.models, costs.guardrails, costs.infrastructure, costs.support
    )


def _known(estimate: Estimate) -> Decimal | None:
    return None if isinstance(estimate, NotEstimable) else estimate
