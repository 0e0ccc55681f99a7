"""The cost of a stricter policy tier, and the cost of a prevented harm.

Source: design/economics.md §4; ui/screens/08. Each figure is shown beside its benefit or its error:
guardrail cost beside refusals and margin, the cost of a confirmed block beside false blocks.
"""

from dataclasses import dataclass
from decimal import Decimal

from governance.economics.formulas.estimates import Estimate, NotEstimable, known, ratio
from governance.economics.formulas.margin import Result, gross_margin

NO_REQUESTS = "no requests"


@dataclass(frozen=True, slots=True)
class TierMonth:
    """Totals of all tenants on a policy tier in a month."""

    tier: str
    tenants: int
    requests: int
    refused: int
    guardrail_cost: Decimal
    guardrail_milliseconds: Decimal  # total of all requests
    result: Result


@dataclass(frozen=True, slots=True)
class TierPrice:
    """The price of a tier per request, and the gross margin of its tenants."""

    tier: str
    tenants: int
    guardrail_cost: Estimate  # money per request
    refused: Estimate  # share of requests
    added_milliseconds: Estimate  # per request
    gross_margin: Estimate  # share of revenue


@dataclass(frozen=True, slots=True)
class PreventedHarm:
    """The cost of a confirmed block, beside blocks that a reviewer found to be false."""

    cost: Estimate
    confirmed_blocks: int
    false_blocks: int
    false_share: Estimate  # of all reviewed blocks


def price_of_tier(month: TierMonth) -> TierPrice:
    """Return a tier's guardrail cost, refusals and added latency per request, and its margin."""
    return TierPrice(
        month.tier,
        month.tenants,
        ratio(month.guardrail_cost, month.requests, otherwise=NO_REQUESTS),
        ratio(month.refused, month.requests, otherwise=NO_REQUESTS),
        ratio(month.guardrail_milliseconds, month.requests, otherwise=NO_REQUESTS),
        gross_margin(month.result),
    )


def margin_given_up(tier: TierPrice, looser: TierPrice) -> Estimate:
    """Return the looser tier's gross margin − this tier's gross margin, as a share of revenue.

    Example: "Strict costs 3.1 points of margin more than standard." The tiers have different
    tenants, so it isn't the effect of moving one tenant to another tier.
    """
    margins = known(tier.gross_margin, looser.gross_margin)
    if isinstance(margins, NotEstimable):
        return margins
    return margins[1] - margins[0]


def cost_of_prevented_harm(
    guardrail_spend: Decimal, confirmed_blocks: int, false_blocks: int
) -> PreventedHarm:
    """Return guardrail spend ÷ confirmed blocks, in money per block, beside the false blocks."""
    return PreventedHarm(
        ratio(guardrail_spend, confirmed_blocks, otherwise="no confirmed blocks"),
        confirmed_blocks,
        false_blocks,
        ratio(false_blocks, confirmed_blocks + false_blocks, otherwise="no reviewed blocks"),
    )
