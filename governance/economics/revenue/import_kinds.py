"""The five files that finance imports, as import kinds."""

from collections.abc import Callable, Sequence

from governance.economics.imports.kinds import Checked, Column, ImportKind, Row, totals
from governance.economics.revenue import file_tables, import_actions, permissions, queries
from governance.economics.revenue.file_rows import FileComparison
from governance.economics.revenue.file_tables import (
    ACCOUNTS,
    ACQUISITION,
    INVOICES,
    SUBSCRIPTIONS,
    SUPPORT,
)
from governance.economics.revenue.models import (
    Account,
    AcquisitionMonth,
    CustomerSubscription,
    Invoice,
    SupportMonth,
)
from governance.economics.revenue.stored_rows import compare, stored
from governance.kernel.data.db import Model
from governance.kernel.formatting import plural

type Notes = list[tuple[str, str]]
PAGE = "operator_revenue.index"
CUSTOMER = Column("customer", "tenant", aliases=("tenant", "account"))
SEGMENT = Column("segment", max_length=60, example="Mid-market")
CURRENCY = Column("currency", "currency")


def check_accounts(rows: Sequence[Row]) -> Checked:
    """Check segments against the operator's list, and rows against the stored ones."""
    found = compare(Account, ACCOUNTS, rows)
    _reject_segments(found)
    return found.checked(totals(found.accepted, month="won_on"))


def check_subscriptions(rows: Sequence[Row]) -> Checked:
    """Check that every version of a reference belongs to one customer."""
    found = compare(CustomerSubscription, SUBSCRIPTIONS, rows)
    _reject_names_of_several(CustomerSubscription, found, "reference")
    sums = totals(found.accepted, month="starts_on", amount="amount")
    return found.checked(sums, _notes_of_subscriptions(found))


def _notes_of_subscriptions(found: FileComparison) -> Notes:
    brief = sum(
        1
        for each in found.written
        if each["ends_on"] is not None
        and each["starts_on"].replace(day=1) == each["ends_on"].replace(day=1)
    )
    if not brief:
        return []
    return [("Within one month", f"{plural(brief, 'version')} that no month's MRR includes")]


def check_invoices(rows: Sequence[Row]) -> Checked:
    """Check that every row of a number belongs to one customer."""
    found = compare(Invoice, INVOICES, rows)
    _reject_names_of_several(Invoice, found, "number")
    credited = sum(1 for each in found.written if each["amount"] < 0)
    notes = [("Credit notes", plural(credited, "invoice"))] if credited else []
    return found.checked(totals(found.accepted, amount="amount"), notes)


def check_acquisition(rows: Sequence[Row]) -> Checked:
    """Check segments, and note spend without wins and wins without spend: both are kept."""
    found = compare(AcquisitionMonth, ACQUISITION, rows)
    _reject_segments(found)
    written = found.written
    idle = sum(1 for each in written if each["spend"] and not each["wins"])
    free = sum(1 for each in written if each["wins"] and not each["spend"])
    notes: Notes = [("Spend without wins", plural(idle, "row"))] if idle else []
    notes += [("Wins without spend", plural(free, "row"))] if free else []
    return found.checked(totals(found.accepted, amount="spend"), notes)


def check_support(rows: Sequence[Row]) -> Checked:
    """Check the rows against the stored ones."""
    found = compare(SupportMonth, SUPPORT, rows)
    return found.checked(totals(found.accepted))


def _reject_segments(found: FileComparison) -> None:
    """Reject rows whose segment isn't in the operator's list."""
    known = queries.segments()
    unknown = [
        found.table.key_of(found.table.values(row.values))
        for row in found.accepted
        if row.values["segment"] not in known
    ]
    reason = f"The segment isn't in your list: {', '.join(known)}."
    found.reject(unknown, "segment", reason)


def _reject_names_of_several(model: type[Model], found: FileComparison, name: str) -> None:
    """Reject rows whose reference or number another customer has too."""
    table = found.table
    shared = file_tables.names_of_several(table, name, stored(model, table), found.written)
    keys = [table.key_of(each) for each in found.written if each[name] in shared]
    found.reject(keys, name, f"Another customer has this {name} as well. Use one of its own.")


def _kind(
    name: str,
    label: str,
    description: str,
    columns: tuple[Column, ...],
    check: Callable[[Sequence[Row]], Checked],
    apply: import_actions.Apply,
) -> ImportKind:
    return ImportKind(
        name=name,
        label=label,
        description=description,
        permission=permissions.IMPORT,
        columns=columns,
        check=check,
        apply=apply,
        applied_page=PAGE,
    )


KINDS = (
    _kind(
        "accounts",
        "Accounts",
        "One row for each customer: its segment, its seats, and when it was won and lost.",
        (
            CUSTOMER,
            SEGMENT,
            Column("seats", "whole number", example="250"),
            Column("won_on", "date"),
            Column("lost_on", "date", required=False),
        ),
        check_accounts,
        import_actions.writer(Account, ACCOUNTS),
    ),
    _kind(
        "subscriptions",
        "Subscriptions",
        "One row for each version of a subscription: what the customer pays each month from a day"
        " on. A later version of the same reference replaces an earlier one from its first day.",
        (
            CUSTOMER,
            Column("reference", max_length=80, example="SUB-1042"),
            Column("starts_on", "date"),
            Column("ends_on", "date", required=False),
            Column("amount", "amount", aliases=("mrr",)),
            CURRENCY,
        ),
        check_subscriptions,
        import_actions.writer(CustomerSubscription, SUBSCRIPTIONS),
    ),
    _kind(
        "invoices",
        "Invoices",
        "One row for each invoice and month of service, with its net amount. A credit note is a"
        " row with a negative amount.",
        (
            Column("number", max_length=80, example="INV-2026-0417"),
            CUSTOMER,
            Column("issued_on", "date"),
            Column("month", "month", aliases=("service_month",)),
            Column("amount", "amount", aliases=("net",), negative=True),
            CURRENCY,
        ),
        check_invoices,
        import_actions.writer(Invoice, INVOICES),
    ),
    _kind(
        "acquisition",
        "Acquisition",
        "One row for each month, channel and segment: what was spent, and the accounts won.",
        (
            Column("month", "month"),
            Column("channel", max_length=60, example="Events"),
            SEGMENT,
            Column("spend", "amount"),
            CURRENCY,
            Column("wins", "whole number", example="3"),
        ),
        check_acquisition,
        import_actions.writer(AcquisitionMonth, ACQUISITION),
    ),
    _kind(
        "support",
        "Support",
        "One row for each customer and month: hours, tickets, and the cost of an hour.",
        (
            CUSTOMER,
            Column("month", "month"),
            Column("hours", "amount"),
            Column("tickets", "whole number"),
            Column("cost_per_hour", "amount"),
            CURRENCY,
        ),
        check_support,
        import_actions.writer(SupportMonth, SUPPORT),
    ),
)
