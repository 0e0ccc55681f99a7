"""Closed months that a file would change: the preview names them, and their figures stay."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from governance.economics.imports.kinds import Customer, Row
from governance.economics.revenue.file_rows import REOPEN, compare
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
    ("values", "late"),
    [
        (version("2026-01-01", amount=1100), [9, 10]),
        (version("2026-01-01", "2026-09-15"), [9, 10]),  # It ends in a closed month.
        (version("2026-01-01", "2026-12-01"), []),
        (version("2026-01-01"), []),  # It is stored already.
        (version("2026-10-31", reference="SUB-3"), [10]),
        (version("2026-11-01", reference="SUB-3"), []),
        (version("2026-01-01", "2026-08-10", reference="SUB-3"), []),  # It ends before them.
    ],
)
def test_a_subscription_names_the_closed_months_whose_mrr_it_changes(values, late):
    found = compare(SUBSCRIPTIONS, [Row(2, values)], STORED, CLOSED)
    assert found.late == {Month(2026, number) for number in late}
    assert len(found.accepted) == 1 and not found.rejected


def test_the_preview_says_what_becomes_of_a_change_in_a_closed_month():
    found = compare(SUBSCRIPTIONS, [Row(7, version("2026-01-01", amount=1))], STORED, CLOSED)
    label, said = found.checked([]).notes[-1]
    assert label == "Closed months"
    assert said == f"September 2026, October 2026. {REOPEN}"


@pytest.mark.parametrize(("month", "is_late"), [(10, True), (11, False), (8, False)])
def test_rows_of_a_month_are_late_in_a_closed_one(month, is_late):
    of_month = {"month": Month(2026, month), "currency": "EUR"}
    spend = {"channel": "Events", "segment": "Enterprise", "spend": Decimal(5), "wins": 1}
    hours = {"hours": Decimal(1), "tickets": 1, "cost_per_hour": Decimal(80), "customer": ACME}
    for table, values in (
        (INVOICES, invoice(Month(2026, month))),
        (ACQUISITION, of_month | spend),
        (SUPPORT, of_month | hours),
    ):
        assert bool(compare(table, [Row(2, values)], {}, CLOSED).late) is is_late


def test_an_account_is_of_no_month():
    values = {"segment": "Enterprise", "seats": 5, "won_on": date(2026, 10, 5), "lost_on": None}
    assert not compare(ACCOUNTS, [Row(2, values | {"customer": ACME})], {}, CLOSED).late
