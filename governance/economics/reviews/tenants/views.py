"""The Tenants tab of a review, its exports, and the renewal sheet of each tenant."""

from decimal import Decimal, DecimalException
from uuid import UUID

from flask import request

from governance.economics.revenue import queries as revenue
from governance.economics.reviews import conclusions, permissions, queries, review_frame
from governance.economics.reviews.tenants import renewal, tenant_list
from governance.economics.reviews.tenants.tenant_list import HEAD, TENANTS
from governance.kernel.errors import Invalid, NotFound
from governance.kernel.files.downloads import FILE
from governance.kernel.files.spreadsheet_writer import csv_bytes, xlsx_bytes
from governance.kernel.months import Month
from governance.kernel.pages.list_export import chosen
from governance.kernel.pages.list_pages import one_page
from governance.kernel.pages.rendering import page, table_file
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("operator_review_tenants", __name__, scope="operator")
MONTH = "/economics/reviews/<month>/tenants"
TARGET = Decimal("0.6")  # default target margin of a renewal
HUNDRED = Decimal(100)


@feature.get(f"{MONTH}/", needs=permissions.VIEW)
def tenants(month: str) -> ResponseReturnValue:
    """List the month's tenants, the lowest margin first."""
    frame = review_frame.load(review_frame.parse_month(month))
    asked = TENANTS.read(place={"month": month})
    found = tenant_list.matching(frame.view.facts.tenants, asked)
    shown = one_page(found, asked, lambda row: row.slug)
    return page(
        "economics/reviews/tenants.html",
        **review_frame.context(frame, "operator_review_tenants.tenants"),
        title=conclusions.losses(frame.view.facts),
        asked=asked,
        rows=shown.rows,
        next=shown.next,
        matches=len(found),
    )


@feature.get(
    "/economics/reviews/<month>/tenants.<any(csv, xlsx):form>", needs=permissions.VIEW, answers=FILE
)
def export(month: str, form: str) -> ResponseReturnValue:
    """Export every tenant that the filters match."""
    frame = review_frame.load(review_frame.parse_month(month))
    facts = frame.view.facts
    asked = TENANTS.read(place={"month": month})
    table = [
        tenant_list.cells(each, facts.currency)
        for each in tenant_list.matching(facts.tenants, asked)
    ]
    head, rows = chosen(asked, HEAD, table)
    content = csv_bytes(head, rows) if form == "csv" else xlsx_bytes("Tenants", head, rows)
    return table_file(content, f"tenants-{facts.month}.{form}")


@feature.get(f"{MONTH}/<slug>", needs=permissions.VIEW)
def renewal_sheet(month: str, slug: str) -> ResponseReturnValue:
    """Show the renewal sheet of a tenant, at a target margin."""
    frame = review_frame.load(review_frame.parse_month(month))
    tenant = next((each for each in frame.view.facts.tenants if each.slug == slug), None)
    if tenant is None:
        raise NotFound("This review has no such tenant.")
    account = revenue.account(UUID(tenant.id))
    earned = renewal.history(
        queries.months_of_tenant(frame.view.month, slug),
        queries.earlier_months(),
        tenant.id,
        Month.of(account.won_on) if account else None,
    )
    found = renewal.sheet(frame.view.facts, tenant, earned, asked_target())
    return page(
        "economics/reviews/renewal.html",
        **review_frame.context(frame, "operator_review_tenants.tenants"),
        sheet=found,
        target=f"{(found.target * HUNDRED).normalize():f}",
        tenant_month=tenant,
        title=f"Renewal of {tenant.name}",
    )


def asked_target() -> Decimal:
    """Return the target margin of the query string as a share; 60% by default. Raises Invalid."""
    text = request.args.get("target", "").strip().rstrip("%")
    if not text:
        return TARGET
    try:
        percent = Decimal(text)
    except DecimalException:
        percent = Decimal(-1)
    if not percent.is_finite() or not 0 <= percent < HUNDRED:
        raise Invalid("target: enter a margin from 0 to 99 percent.", field="target")
    return percent / HUNDRED
