"""The renewal sheet of a tenant: what it earned and cost, and the price it has to pay at least.

    sheet(facts, tenant, history, target)     from the month's facts and the tenant's months

Pure. Amounts are of the month, in the reporting currency.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from governance.economics.formulas.acquisition import month_recovered
from governance.economics.formulas.estimates import Estimate, NotEstimable
from governance.economics.formulas.margin import floor_price
from governance.economics.formulas.money import rounded
from governance.economics.reviews.review_facts import ReviewFacts, TenantMonth
from governance.kernel.months import Month


@dataclass(frozen=True, slots=True)
class EarnedMonth:
    """A tenant's margin in a closed month."""

    month: Month
    margin: Decimal


@dataclass(frozen=True, slots=True)
class RenewalSheet:
    """What a renewal of this tenant is decided on.

    `sla_credits` is None where no statement of the month is connected. `recovered` is the month in
    which its margins since `since` reached the CAC of its segment.
    """

    tenant: TenantMonth
    contribution: Decimal
    contribution_share: Decimal | None
    tier_cost: Decimal
    tier_cost_per_request: Decimal | None
    sla_credits: Decimal | None
    cac: Decimal | None
    since: Month | None
    earned: Decimal
    recovered: Month | NotEstimable
    target: Decimal
    floor: Estimate
    rise: Decimal | None  # how much the lowest price is above today's revenue, a share of it


def sheet(
    facts: ReviewFacts,
    tenant: TenantMonth,
    history: Sequence[EarnedMonth],
    target: Decimal,
    sla_credits: Decimal | None = None,
) -> RenewalSheet:
    """Return the sheet; `history` are the tenant's closed months in order, `target` a share."""
    segment = next((each for each in facts.segments if each.name == tenant.segment), None)
    cac = segment.cac if segment else None
    floor = floor_price(tenant.costs.total + (sla_credits or 0), target)
    price = floor if isinstance(floor, NotEstimable) else rounded(floor, facts.currency)
    contribution = tenant.margin - (sla_credits or 0)
    guardrails = tenant.costs.guardrails
    return RenewalSheet(
        tenant=tenant,
        contribution=contribution,
        contribution_share=contribution / tenant.revenue if tenant.revenue else None,
        tier_cost=guardrails,
        tier_cost_per_request=guardrails / tenant.requests if tenant.requests else None,
        sla_credits=sla_credits,
        cac=cac,
        since=history[0].month if history else None,
        earned=sum((each.margin for each in history), Decimal(0)),
        recovered=month_recovered(
            NotEstimable("its segment has no CAC") if cac is None else cac,
            [(each.month, each.margin) for each in history],
        ),
        target=target,
        floor=price,
        rise=None
        if isinstance(price, NotEstimable) or tenant.revenue <= 0
        else price / tenant.revenue - 1,
    )
