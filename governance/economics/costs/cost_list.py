"""The page of a month's costs: its list, its headline and its export."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from governance.economics.costs.focus_lines import POOLS
from governance.economics.costs.models import CATEGORIES, CostLine
from governance.economics.costs.queries import Amounts, LineGroup
from governance.economics.formulas.money import short_money
from governance.kernel.months import Month
from governance.kernel.pages.list_pages import (
    Column,
    Export,
    Filter,
    ListPage,
    ListRequest,
    arrange,
    keep,
)

POOL_NAMES = {
    "models": "Models",
    "infrastructure": "Infrastructure",
    "idle": "Idle capacity",
    "guardrails": "Guardrails",
    "support": "Support",
    "other": "Other",
}
POOL_CHOICES = [(pool, POOL_NAMES[pool]) for pool in POOLS]
ZERO = Decimal(0)
HEAD = (
    "Month",
    "Day",
    "Provider",
    "Service",
    "Model",
    "Pool",
    "Category",
    "Correction",
    "Invoice",
    "Currency",
    "Billed",
    "Effective",
    "List",
    "Contracted",
    "Meter",
    "Quantity",
    "Unit",
    "Source rows",
    "Note",
)
COSTS = ListPage(
    name="costs",
    title="Costs",
    noun="line",
    endpoint="operator_costs.index",
    search="Search providers, services, models",
    sort="-effective",
    carried=("month",),
    columns=(
        Column(
            "provider",
            "Provider, service",
            sort=True,
            file=(
                "Month",
                "Day",
                "Provider",
                "Service",
            ),
        ),
        Column("model", "Model", sort=True),
        Column("pool", "Pool", sort=True),
        Column(
            "category",
            "Category",
            sort=True,
            optional=True,
            file=(
                "Category",
                "Correction",
            ),
        ),
        Column("invoice", "Invoice", sort=True, optional=True),
        Column(
            "billed",
            "Billed",
            sort=True,
            numeric=True,
            file=(
                "Currency",
                "Billed",
            ),
        ),
        Column("effective", "Effective", sort=True, numeric=True),
    ),
    filters=(
        Filter("pool", "Pool", POOL_CHOICES),
        Filter("category", "Category", [(each, each) for each in CATEGORIES]),
        Filter("correction", "Corrections", (("yes", "only corrections"),)),
    ),
    exports=tuple(
        Export(form, "operator_costs.export", {"form": form}) for form in ("csv", "xlsx")
    ),
)
KEYS: Mapping[str, Callable[[LineGroup], Any]] = {
    "provider": lambda row: (row.provider.casefold(), row.service.casefold()),
    "model": lambda row: row.model.casefold(),
    "pool": lambda row: row.pool,
    "category": lambda row: row.category,
    "invoice": lambda row: row.invoice_id,
    "billed": lambda row: row.billed,
    "effective": lambda row: row.effective,
}
type Shown = LineGroup | CostLine
TESTS: Mapping[str, Callable[[Shown, str], bool]] = {
    "pool": lambda row, value: row.pool == value,
    "category": lambda row, value: row.category == value,
    "correction": lambda row, value: row.is_correction == (value == "yes"),
}


def _text(row: Shown) -> str:
    return f"{row.provider} {row.service} {row.model or ''} {row.invoice_id} {row.note}"


def matching(rows: Sequence[LineGroup], asked: ListRequest) -> list[LineGroup]:
    """Return the rows that match the filters, in the requested order."""
    return arrange(keep(rows, asked, TESTS, _text), asked, KEYS)


def name(row: LineGroup) -> str:
    """Return the paging key of a row, unique within a month."""
    parts = (row.id, row.provider, row.service, row.model, row.category, row.is_correction)
    return "|".join(map(str, (*parts, row.pool, row.currency, row.invoice_id)))


def matching_lines(rows: Sequence[CostLine], asked: ListRequest) -> list[CostLine]:
    """Return the lines of an export that match the filters."""
    return keep(rows, asked, TESTS, _text)


def headline(
    totals: Sequence[Amounts], by_pool: Mapping[str, Decimal] | None, currency: str, month: Month
) -> str:
    """Return the month's total as a headline; without rates, the number of billed currencies."""
    if not totals:
        return f"No costs in {month.long_name}"
    if by_pool is None:
        return (
            f"{month.long_name} was billed in {len({each.currency for each in totals})} currencies"
        )
    total = sum(by_pool.values(), ZERO)
    largest = max(by_pool, key=lambda pool: by_pool[pool])
    if total <= 0:
        return f"{month.long_name} cost {short_money(total, currency)}"
    share = round(100 * by_pool[largest] / total)
    return (
        f"{month.long_name} cost {short_money(total, currency)},"
        f" {share}% of it {POOL_NAMES[largest].lower()}"
    )


def cells(row: CostLine) -> tuple[Any, ...]:
    """Return the cells of a row in an export."""
    return (
        row.usage_month,
        row.day,
        row.provider,
        row.service,
        row.model or "",
        POOL_NAMES[row.pool],
        row.category,
        "yes" if row.is_correction else "",
        row.invoice_id,
        row.currency,
        row.billed,
        row.effective,
        row.list_cost,
        row.contracted,
        row.meter or "",
        row.quantity,
        row.unit or "",
        row.source_lines,
        row.note,
    )
