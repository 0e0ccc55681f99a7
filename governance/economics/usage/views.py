"""Pages of usage: what a tenant's AI systems used in a month."""

from flask import url_for

from governance.economics.usage import permissions, queries, retention, usage_list
from governance.economics.usage.usage_list import HEAD, USAGE
from governance.kernel import current
from governance.kernel.files.downloads import FILE
from governance.kernel.files.spreadsheet_writer import csv_bytes, xlsx_bytes
from governance.kernel.months import Month
from governance.kernel.pages.list_export import chosen
from governance.kernel.pages.list_pages import one_page
from governance.kernel.pages.rendering import page, table_file
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("usage", __name__, counts_everything=True)


@feature.get("/economics/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    """Show requests and tokens of a month by day, AI system and model."""
    asked, month = USAGE.read(), usage_list.asked_month()
    days = usage_list.days_of(month)
    rows = queries.usage_by_model(days)
    found = usage_list.matching(rows, asked)
    shown = one_page(found, asked, lambda row: row.name)
    by_day = queries.usage_by_day(days) if rows else []
    return page(
        "economics/usage/index.html",
        asked=asked,
        rows=shown.rows,
        next=shown.next,
        matches=len(found),
        total=len(rows),
        month=usage_list.month_name(month),
        title=usage_list.headline(rows, month),
        chart=usage_list.chart(days, by_day) if by_day else None,
        by_day=by_day,
        counted_in=usage_list.scale(by_day)[1],
        requests=sum(row.requests for row in rows),
        differing=retention.differing_rows(month),
        earlier=_address(month.plus(-1)),
        later=_address(month.plus(1)),
    )


def _address(month: Month) -> tuple[str, str] | None:
    """Return the name and address of an adjacent month; None if no usage is in that direction."""
    known = queries.months_with_usage()
    if known is None:
        return None
    first, last = (Month(day.year, day.month) for day in known)
    if not first <= month <= last:
        return None
    return usage_list.month_name(month), url_for("usage.index", month=str(month))


@feature.get("/economics/usage.<any(csv, xlsx):form>", needs=permissions.VIEW, answers=FILE)
def export(form: str) -> ResponseReturnValue:
    """Export all rows of the month that match the filters."""
    asked, month = USAGE.read(), usage_list.asked_month()
    found = usage_list.matching(queries.usage_by_model(usage_list.days_of(month)), asked)
    table = [usage_list.cells(row) for row in found]
    head, rows = chosen(asked, HEAD, table)
    content = csv_bytes(head, rows) if form == "csv" else xlsx_bytes("Usage", head, rows)
    return table_file(content, f"usage-{current.actor().tenant_slug}-{month}.{form}")
