"""The renewal sheet of a tenant: its revenue and cost, and the lowest acceptable price.

    history(closed, earlier, tenant_id, won)  its months with a known margin, in order
    sheet(facts, tenant, earned, target)      from the month's facts and the tenant's months

Pure. Amounts are of the month, in the reporting currency.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from governance.economics.formulas.acquisition import month_recovered
from governance.economics.formulas.estimates import Estimate, NotEstimable
from governance.economics.formulas.margin import floor_price
from governance.economics.formulas.money import rounded
from governance.economics.reviews.facts.review_facts import EarlierMonths, ReviewFacts, TenantMonth
from governance.kernel.months import Month


@dataclass(frozen=True, slots=True)
class EarnedMonth:
    """A tenant's margin in a month. Months before the first closed one were never published."""

    month: Month
    margin: Decimal


@dataclass(frozen=True, slots=True)
class EarnedMonths:
    """A tenant's months with a known margin, in order.

    `why` is the reason why earlier months don't count, or "" if the tenant had none.
    """

    months: Sequence[EarnedMonth]
    why: str = ""


def history(
    closed: Sequence[tuple[Month, Decimal]],
    earlier: EarlierMonths | None,
    tenant_id: str,
    won: Month | None,
) -> EarnedMonths:
    """Return the months of a tenant won in `won`, which is None if nobody entered it."""
    before = [
        EarnedMonth(Month.parse(each.month), each.margins[tenant_id])
        for each in (earlier.months if earlier else ())
        if tenant_id in each.margins
    ]
    found = [*before, *(EarnedMonth(*each) for each in closed)]
    is_whole = bool(found) and won is not None and won >= found[0].month
    why = earlier.why if earlier else "earlier months aren't closed"
    return EarnedMonths(found, "" if is_whole else why)


@dataclass(frozen=True, slots=True)
class RenewalSheet:
    """The figures for deciding on a tenant's renewal.

    `sla_credits` is None if the tenant has no SLA statement of the month. `recovered` is the month
    in which its margins since `since` reached the CAC of its segment. If `since_why` is set,
    earlier months don't count, so the CAC may have been recovered before.
    """

    tenant: TenantMonth
    contribution: Decimal
    contribution_share: Decimal | None
    tier_cost: Decimal
    tier_cost_per_request: Decimal | None
    sla_credits: Decimal | None
    cac: Decimal | None
    since: Month | None
    since_why: str
    earned: Decimal
    recovered: Month | NotEstimable
    target: Decimal
    floor: Estimate
    rise: Decimal | None  # lowest price ÷ today's revenue − 1


def sheet(
    facts: ReviewFacts,
    tenant: TenantMonth,
    earned: EarnedMonths,
    target: Decimal,
) -> RenewalSheet:
    """Compute the sheet. `target` is a gross margin, as a share."""
    sla_credits, months = tenant.sla_credits, earned.months
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
        since=months[0].month if months else None,
        since_why=earned.why,
        earned=sum((each.margin for each in months), Decimal(0)),
        recovered=month_recovered(
            NotEstimable("its segment has no CAC") if cac is None else cac,
            [(each.month, each.margin) for each in months],
        ),
        target=target,
        floor=price,
        rise=None
        if isinstance(price, NotEstimable) or tenant.revenue <= 0
        else price / tenant.revenue - 1,
    )
