"""The tables of the five files that finance imports: their keys and row checks. Pure."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from governance.economics.formulas.currencies import DECIMALS
from governance.economics.formulas.money import round_to
from governance.economics.revenue.file_rows import (
    FileTable,
    Key,
    Months,
    Values,
    Wrong,
    months_of_month,
    months_of_subscription,
)

MAX_SEATS = 10_000_000
MAX_COUNT = 1_000_000  # wins or tickets of a month
MAX_HOURS = Decimal(100_000)


def check_decimals(values: Values, field: str) -> Wrong | None:
    """Return the error of an amount with more decimals than its currency has, or None."""
    decimals = DECIMALS[values["currency"]]
    if values[field] == round_to(values[field], decimals):
        return None
    return field, f"An amount in {values['currency']} has {decimals} decimals at most."


def _most(values: Values, field: str, most: Decimal | int) -> Wrong | None:
    return (field, f"The number is more than {most:,}.") if values[field] > most else None


def _account_wrong(values: Values) -> Wrong | None:
    lost_on = values["lost_on"]
    if lost_on is not None and lost_on <= values["won_on"]:
        return "lost_on", "The day of the loss isn't after the day of the win."
    return _most(values, "seats", MAX_SEATS)


def _subscription_wrong(values: Values) -> Wrong | None:
    ends_on = values["ends_on"]
    if ends_on is not None and ends_on <= values["starts_on"]:
        return "ends_on", "The subscription ends before it starts. ends_on is the first day after."
    return check_decimals(values, "amount")


def _acquisition_wrong(values: Values) -> Wrong | None:
    return check_decimals(values, "spend") or _most(values, "wins", MAX_COUNT)


def _support_wrong(values: Values) -> Wrong | None:
    return (
        check_decimals(values, "cost_per_hour")
        or _most(values, "hours", MAX_HOURS)
        or _most(values, "tickets", MAX_COUNT)
    )


def _of_no_month(_before: Values | None, _after: Values) -> Months | None:
    """Return None: an account belongs to no month, and each review keeps what it found."""
    return None


def _with_customer(values: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in values.items() if name not in {"customer", "month"}}
    found = {**kept, "customer_id": values["customer"].id}
    return found | ({"month": str(values["month"])} if "month" in values else {})


ACCOUNTS = FileTable(
    noun="account",
    key=("customer_id",),
    content=("segment", "seats", "won_on", "lost_on"),
    values=_with_customer,
    wrong=_account_wrong,
    months=_of_no_month,
)
SUBSCRIPTIONS = FileTable(
    noun="version",
    key=("reference", "starts_on"),
    content=("customer_id", "ends_on", "amount", "currency"),
    values=_with_customer,
    wrong=_subscription_wrong,
    months=months_of_subscription,
)
INVOICES = FileTable(
    noun="invoice",
    key=("number", "month"),
    content=("customer_id", "issued_on", "amount", "currency"),
    values=_with_customer,
    wrong=lambda values: check_decimals(values, "amount"),
    months=months_of_month,
)
ACQUISITION = FileTable(
    noun="row",
    key=("month", "channel", "segment"),
    content=("spend", "currency", "wins"),
    values=lambda values: {**values, "month": str(values["month"])},
    wrong=_acquisition_wrong,
    months=months_of_month,
)
SUPPORT = FileTable(
    noun="row",
    key=("month", "customer_id"),
    content=("hours", "tickets", "cost_per_hour", "currency"),
    values=_with_customer,
    wrong=_support_wrong,
    months=months_of_month,
)


def names_of_several(
    table: FileTable, name: str, stored: Mapping[Key, Values], written: Sequence[Values]
) -> set[str]:
    """Return the references or invoice numbers that rows of more than one customer would have."""
    after = dict(stored) | {table.key_of(each): each for each in written}
    customers: dict[str, set[UUID]] = {each[name]: set() for each in written}
    for each in after.values():
        if each[name] in customers:
            customers[each[name]].add(each["customer_id"])
    return {each for each, ids in customers.items() if len(ids) > 1}
