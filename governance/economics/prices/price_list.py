"""The list of prices: its declaration, its order, and its export."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from governance.economics.formulas.money import exact_money
from governance.economics.prices.cost_queries import UnpricedModel
from governance.economics.prices.models import Price
from governance.economics.usage.usage_events import BUCKETS
from governance.kernel.formatting import plural
from governance.kernel.pages.list_pages import (
    Column,
    Export,
    Filter,
    ListPage,
    ListRequest,
    arrange,
    keep,
)

GENERAL, NEGOTIATED = "general", "negotiated"
HEAD = (
    "Provider",
    "Model",
    "For",
    "Effective from",
    "Currency",
    *(f"{bucket.replace('_', ' ').capitalize()} per million" for bucket in BUCKETS),
    "Per request",
    "Source",
    "Date of the source",
    "Ends on",
    "Successor",
)
PRICES = ListPage(
    name="prices",
    title="Prices",
    noun="price",
    endpoint="operator_prices.index",
    search="Search models",
    sort="model",
    columns=(
        Column(
            "model",
            "Model",
            sort=True,
            file=(
                "Provider",
                "Model",
                "Currency",
            ),
        ),
        Column("for", "For", optional=True),
        Column("input", "Input", sort=True, numeric=True, file=("Input per million",)),
        Column(
            "cache_read",
            "Cache read",
            sort=True,
            optional=True,
            numeric=True,
            file=("Cache read per million",),
        ),
        Column(
            "cache_write",
            "Cache write",
            sort=True,
            optional=True,
            numeric=True,
            file=("Cache write per million",),
        ),
        Column("output", "Output", sort=True, numeric=True, file=("Output per million",)),
        Column("reasoning", "Reasoning", extra=True, numeric=True, file=("Reasoning per million",)),
        Column("since", "Effective from", sort=True),
        Column("ends", "Ends on", extra=True),
    ),
    filters=(
        Filter("provider", "Provider", kind="text", placeholder="openai"),
        Filter("for", "For", ((GENERAL, "All tenants"), (NEGOTIATED, "One tenant"))),
    ),
    exports=tuple(
        Export(form, "operator_prices.export", {"form": form}) for form in ("csv", "xlsx")
    ),
)
KEYS: Mapping[str, Callable[[Price], Any]] = {
    "model": lambda row: (row.provider.casefold(), row.model.casefold()),
    **{
        bucket: lambda row, name=f"{bucket}_price": getattr(row, name)  # type: ignore[misc]
        for bucket in BUCKETS
    },
    "since": lambda row: row.effective_from,
}


def matching(rows: Sequence[Price], asked: ListRequest) -> list[Price]:
    """Return the rows that match the filters, in the requested order."""
    tests: Mapping[str, Callable[[Price, str], bool]] = {
        "provider": lambda row, value: row.provider.casefold() == value.casefold(),
        "for": lambda row, value: (GENERAL if row.customer_id is None else NEGOTIATED) == value,
    }
    found = keep(rows, asked, tests, lambda row: f"{row.provider}/{row.model}")
    return arrange(found, asked, KEYS)


def headline(unpriced: Sequence[UnpricedModel], prices: int) -> str:
    """Return a headline on models without a price, or that every model in use has one."""
    if unpriced:
        requests = sum(each.requests for each in unpriced)
        verb = "has" if len(unpriced) == 1 else "have"
        costs = "costs" if requests == 1 else "cost"
        return (
            f"{plural(len(unpriced), 'model')} {verb} no price: {plural(requests, 'request')}"
            f" {costs} nothing here"
        )
    if not prices:
        return "No prices yet"
    return "Every model in use has a price"


def shown_price(row: Price, name: str) -> str:
    """Return the price of a million tokens of a bucket, or of a request, such as "$0.30"."""
    return exact_money(getattr(row, f"{name}_price"), row.currency)


def cells(
    row: Price, names: Mapping[UUID, str], written: Callable[[Decimal], str | float]
) -> tuple[Any, ...]:
    """Return the cells of a row in an export; `written` formats each price."""
    return (
        row.provider,
        row.model,
        names.get(row.customer_id, "") if row.customer_id else "",
        row.effective_from,
        row.currency,
        *(written(getattr(row, f"{name}_price")) for name in (*BUCKETS, "request")),
        row.source,
        row.source_date or "",
        row.deprecation_date or "",
        row.successor_model or "",
    )
