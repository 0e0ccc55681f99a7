"""Prices and priced usage, entered as people and machines do."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from governance.economics.prices import actions, jobs
from governance.economics.prices.actions import PriceTerms
from governance.economics.prices.models import USAGE_COSTS
from governance.foundation.tenants.queries import tenant_id
from governance.kernel.data.db import session
from tests import make

SONNET = {"input": Decimal(3), "output": Decimal(15), "cache_read": Decimal("0.3")}

CLAUDE = {  # An entry of LiteLLM's table.
    "litellm_provider": "anthropic",
    "mode": "chat",
    "input_cost_per_token": 3e-06,
    "output_cost_per_token": 1.5e-05,
    "cache_read_input_token_cost": 3e-07,
    "cache_creation_input_token_cost": 3.75e-06,
    "input_cost_per_token_above_200k_tokens": 6e-06,
    "input_cost_per_token_batches": 1.5e-06,
    "deprecation_date": "2027-02-24",
    "successor_model": "claude-next",
    "source": "https://prices.example",
}


def terms(**changed: Any) -> PriceTerms:
    values = {
        "provider": "anthropic",
        "model": "claude-sonnet-4-5",
        "per_million": SONNET,
        "currency": "USD",
        "effective_from": date(2026, 1, 1),
        "source": "Price page",
    } | changed
    return PriceTerms(**values)


def add(**changed: Any) -> Any:
    """Add a price and return its id."""
    with make.acting("operator_finance", "console"):
        return actions.add_price(terms(**changed)).id


def collect() -> None:
    jobs.collect_usage_costs()


def rows(slug: str = "console") -> list[Any]:
    """Return the cost of usage as the operator has it."""
    role = "operator_finance" if slug == "console" else "admin"
    with make.acting(role, slug):
        query = select(USAGE_COSTS).order_by(*USAGE_COSTS.primary_key.columns)
        return list(session().execute(query))


def customer(slug: str) -> Any:
    return tenant_id(slug)


def on(day: int, month: int = 11) -> datetime:
    from datetime import UTC

    return datetime(2026, month, day, 12, tzinfo=UTC)
