"""Which rows of a file would change the figures of a closed month."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from governance.economics.imports.kinds import Customer, Row
from governance.economics.revenue.file_rows import compare
from governance.economics.revenue.file_tables import (
    ACCOUNTS,
    ACQUISITION,
    INVOICES,
    SUBSCRIPTIONS,
    SUPPORT,
)
from governance.kernel.months import Month

ACME = Customer(UUID(int=1), "acme", "Acme Insurance")
CLOSED = {Month(2026, 9), Month(2026, 10)}


def day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def version(
    starts_on: str, ends_on: str | None = None, amount: int = 1000, reference: str = "SUB-1"
) -> dict[str, object]:
    return {
        "customer": ACME,
        "reference": reference,
        "starts_on": day(starts_on),
        "ends_on": day(ends_on),
        "amount": Decimal(amount),
        "currency": "EUR",
    }


def invoice(month: Month) -> dict[str, object]:
    return {
        "customer": ACME,
        "number": "I-1",
        "issued_on": date(2026, 11, 2),
        "month": month,
        "amount": Decimal(5),
        "currency": "EUR",
    }


STORED = {
    SUBSCRIPTIONS.key_of(SUBSCRIPTIONS.values(version("2026-01-01"))): SUBSCRIPTIONS.values(
        version("2026-01-01")
    )
}


@pytest.mark.parametrize(
    ("values", "is_rejected"),
    [
        (version("2026-01-01", amount=1100), True),
        (version("2026-01-01", "2026-09-15"), True),  # it ends in a closed month
        (version("2026-01-01", "2026-12-01"), False),
        (version("2026-01-01"), False),  # what is stored already
        (version("2026-10-31", reference="SUB-3"), True),
        (version("2026-11-01", reference="SUB-3"), False),
        (version("2026-01-01", "2026-08-10", reference="SUB-3"), False),  # before it
    ],
)
def test_a_subscription_may_not_change_the_mrr_of_a_closed_month(values, is_rejected):
    found = compare(SUBSCRIPTIONS, [Row(2, values)], STORED, CLOSED)
    assert [(each.line, each.field) for each in found.rejected] == [(2, "")] * is_rejected
    assert len(found.accepted) == 1 - is_rejected


def test_the_reason_names_the_first_closed_month_that_would_change():
    (wrong,) = compare(
        SUBSCRIPTIONS, [Row(7, version("2026-01-01", amount=1))], STORED, CLOSED
    ).rejected
    assert wrong.reason == "September 2026 is closed. Reopen it to change its figures."


@pytest.mark.parametrize(("month", "is_rejected"), [(10, True), (11, False), (8, False)])
def test_rows_of_a_month_stay_out_of_a_closed_one(month, is_rejected):
    of_month = {"month": Month(2026, month), "currency": "EUR"}
    spend = {"channel": "Events", "segment": "Enterprise", "spend": Decimal(5), "wins": 1}
    hours = {"hours": Decimal(1), "tickets": 1, "cost_per_hour": Decimal(80), "customer": ACME}
    for table, values in (
        (INVOICES, invoice(Month(2026, month))),
        (ACQUISITION, of_month | spend),
        (SUPPORT, of_month | hours),
    ):
        found = compare(table, [Row(2, values)], {}, CLOSED)
        assert len(found.rejected) == is_rejected


def test_an_account_is_of_no_month():
    values = {"segment": "Enterprise", "seats": 5, "won_on": date(2026, 10, 5), "lost_on": None}
    assert not compare(ACCOUNTS, [Row(2, values | {"customer": ACME})], {}, CLOSED).rejected
