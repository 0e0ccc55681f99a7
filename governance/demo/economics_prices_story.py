"""The price book of the demo's models, the dollar's rates, and the cost of eighteen months.

Finance entered the prices three days ago and shows the list to tenants. One price was
negotiated for Acme. Acme's page never shows it.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from governance.demo import economics_rates_story
from governance.demo.cast import MONTHS, acting_on, days_ago
from governance.demo.economics_rates_story import ENTERED
from governance.economics.prices import actions, jobs
from governance.economics.prices.actions import PriceTerms
from governance.economics.tenant_costs import actions as tenant_costs
from governance.economics.usage import jobs as usage_jobs
from governance.foundation.tenants import queries as directory
from governance.kernel.current import Actor
from governance.kernel.data.db import transaction

DOLLAR = tuple(map(Decimal, ("0.9207", "0.9184", "0.9251", "0.9312", "0.9268", "0.9195")))


@dataclass(frozen=True, slots=True)
class Announced:
    """Prices of a model in USD per million tokens, effective from a number of days ago.

    Without a price for cached tokens, a provider bills them as input.
    """

    days: int
    provider: str
    model: str
    input: str
    output: str
    cache_read: str | None = None
    cache_write: str | None = None
    customer: str | None = None
    ends_in: int | None = None  # days from today
    successor: str | None = None


FIRST = MONTHS * 31 + 10
ANNOUNCED = (
    Announced(FIRST, "helio", "helio-large-3", "4.00", "20.00", "0.40", "5.00"),
    Announced(FIRST, "helio", "helio-small-3", "0.50", "2.50", "0.05", "0.625"),
    Announced(FIRST, "northwind", "nw-chat-2", "1.20", "4.80"),
    Announced(45, "helio", "helio-large-3", "3.00", "15.00", "0.30", "3.75"),
    Announced(45, "helio", "helio-small-3", "0.40", "2.00", "0.04", "0.50",
        ends_in=120, successor="helio-small-4"),
    Announced(30, "northwind", "nw-chat-2", "1.00", "4.00", "0.25"),
    Announced(40, "helio", "helio-large-3", "2.70", "13.50", "0.27", "3.375", customer="acme"),
)  # fmt: skip # one row of the story a line


def tell(finance: Actor) -> None:
    """Enter rates and prices as the operator's finance, then price all usage."""
    economics_rates_story.enter(finance, "USD", DOLLAR, "ECB reference rates, monthly average")
    with acting_on(finance, days_ago(ENTERED), hour=9), transaction():
        for each in ANNOUNCED:
            actions.add_price(_terms(each))
    jobs.collect_usage_costs()
    usage_jobs.count_tasks()
    with acting_on(finance, days_ago(ENTERED), hour=10), transaction():
        tenant_costs.share(is_shared=True)


def _terms(each: Announced) -> PriceTerms:
    given = {
        "input": each.input,
        "output": each.output,
        "cache_read": each.cache_read,
        "cache_write": each.cache_write,
    }
    announced = days_ago(each.days)
    return PriceTerms(
        provider=each.provider,
        model=each.model,
        per_million={name: Decimal(text) for name, text in given.items() if text is not None},
        currency="USD",
        effective_from=announced + timedelta(days=1),
        customer_id=directory.tenant_id(each.customer) if each.customer else None,
        source="Contract, annex 2" if each.customer else f"Price page of {each.provider}",
        source_date=announced,
        deprecation_date=None if each.ends_in is None else days_ago(-each.ends_in),
        successor_model=each.successor,
    )
