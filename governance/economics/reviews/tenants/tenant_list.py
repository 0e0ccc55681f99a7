"""The list of a month's tenants: search, filters, sorting and exports."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from governance.economics.formulas.money import rounded
from governance.economics.reviews import queries, review_frame
from governance.economics.reviews.facts.review_facts import TenantMonth
from governance.kernel.pages.list_pages import (
    Column,
    Export,
    Filter,
    ListPage,
    ListRequest,
    arrange,
    keep,
)

TIERS = ("baseline", "standard", "strict", "regulated")
STATES = (("loses", "Loses money"), ("earns", "Earns money"))
HEAD = (
    "Tenant",
    "Segment",
    "Tier",
    "Revenue",
    "Models",
    "Guardrails",
    "Infrastructure",
    "Support",
    "Margin",
    "Requests",
    "Tokens",
    "Completed tasks",
    "Active users",
    "Conclusion",
    "Reason",
)

TENANTS = ListPage(
    name="review_tenants",
    title="Tenants of a review",
    noun="tenant",
    endpoint="operator_review_tenants.tenants",
    search="Search tenants",
    sort="margin",
    place=("month",),
    find_place=lambda month: queries.review(review_frame.parse_month(month)),
    carried=("revision",),
    columns=(
        Column("name", "Tenant", sort=True),
        Column("segment", "Segment", sort=True, optional=True),
        Column("tier", "Tier", sort=True, optional=True),
        Column("revenue", "Revenue", sort=True, numeric=True),
        Column(
            "cost",
            "Cost",
            sort=True,
            numeric=True,
            file=(
                "Models",
                "Guardrails",
                "Infrastructure",
                "Support",
            ),
        ),
        Column("margin", "Margin", sort=True, numeric=True),
        Column("share", "Share", sort=True, optional=True, numeric=True),
        Column("requests", "Requests", sort=True, optional=True, numeric=True),
    ),
    filters=(
        Filter("tier", "Tier", lambda: [(each, each.capitalize()) for each in TIERS]),
        Filter("state", "Margin", lambda: [*STATES]),
    ),
    exports=tuple(
        Export(form, "operator_review_tenants.export", {"form": form}) for form in ("csv", "xlsx")
    ),
)
KEYS: Mapping[str, Callable[[TenantMonth], Any]] = {
    "name": lambda row: row.name.casefold(),
    "segment": lambda row: (row.segment, row.name),
    "tier": lambda row: (row.tier, row.name),
    "revenue": lambda row: row.revenue,
    "cost": lambda row: row.costs.total,
    "margin": lambda row: row.margin,
    "share": lambda row: row.margin / row.revenue if row.revenue else -1,
    "requests": lambda row: row.requests,
}


def matching(rows: Sequence[TenantMonth], asked: ListRequest) -> list[TenantMonth]:
    """Return the tenants that the filters match, in the requested order."""
    tests: Mapping[str, Callable[[TenantMonth, str], bool]] = {
        "tier": lambda row, value: row.tier == value,
        "state": lambda row, value: (row.margin < 0) == (value == "loses"),
    }
    found = keep(rows, asked, tests, lambda row: f"{row.name} {row.slug} {row.segment}")
    return arrange(found, asked, KEYS)


def cells(row: TenantMonth, currency: str) -> tuple[Any, ...]:
    """Return the cells of an export row, with amounts to the cent."""
    costs = row.costs
    return (
        row.name,
        row.segment,
        row.tier,
        *(
            float(rounded(each, currency))  # a float, so that spreadsheets read a number
            for each in (
                row.revenue,
                costs.models,
                costs.guardrails,
                costs.infrastructure,
                costs.support,
                row.margin,
            )
        ),
        row.requests,
        row.tokens,
        row.completed_tasks,
        row.active_users,
        row.conclusion,
        row.reason.text if row.reason else None,
    )
