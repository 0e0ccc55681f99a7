"""Files of finance: changed rows, unchanged rows, and rejected rows."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import update

from governance.economics.revenue import queries
from governance.economics.revenue.models import Account, AcquisitionMonth, SupportMonth
from governance.economics.reviews.models import Review
from governance.foundation.tenants.models import Tenant
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.months import Month
from tests import make
from tests.conftest import visitor
from tests.economics.revenue.revenue_helpers import (
    NOW,
    amounts,
    customer_id,
    import_lines,
    invoiced,
    notes,
    rejected,
    send,
    stored,
)

JANUARY = "acme,SUB-1,2026-01-01,,1000.00,EUR"
JUNE = "acme,SUB-1,2026-06-01,,1200.00,EUR"


@pytest.fixture(autouse=True)
def _now():
    with clock.frozen(NOW):
        yield


@pytest.fixture
def finance(app, database):
    return visitor(app, "operator_finance", "console")


def test_the_same_rows_change_nothing_and_other_content_replaces_what_is_stored(finance):
    assert notes(finance, "subscriptions", JANUARY, JUNE) == {"New": "2 versions"}
    import_lines(finance, "subscriptions", JANUARY, JUNE, "globex,SUB-2,2026-01-01,,50,USD")
    again = notes(finance, "subscriptions", JANUARY, JUNE.replace("1200", "1300"))
    assert again == {"Changed": "1 version", "Unchanged": "1 version"}
    import_lines(finance, "subscriptions", JANUARY, JUNE.replace("1200", "1400"))
    assert amounts() == [("SUB-1", 1000), ("SUB-1", 1400), ("SUB-2", 50)]


def test_the_same_row_twice_in_a_file_counts_once(finance):
    import_lines(finance, "subscriptions", JANUARY, JANUARY)
    assert amounts() == [("SUB-1", 1000)]


def test_a_row_that_contradicts_an_earlier_one_of_the_file_is_rejected(finance):
    found = rejected(finance, "subscriptions", JANUARY, JUNE, JANUARY.replace("1000", "900"))
    assert found == [(4, "", "Line 2 says something else of it.")]


@pytest.mark.parametrize(
    ("kind", "line", "field", "reason"),
    [
        ("subscriptions", "nobody,S,2026-01-01,,1,EUR", "customer", "No customer has the slug"),
        ("subscriptions", "acme,S,2026-01-01,,1,XYZ", "currency", "isn't a currency"),
        ("subscriptions", "acme,S,2026-05-01,2026-05-01,1,EUR", "ends_on", "ends before it starts"),
        ("subscriptions", "acme,S,2026-05-01,2026-04-01,1,EUR", "ends_on", "ends before it starts"),
        ("subscriptions", "acme,S,2026-05-01,,-1,EUR", "amount", "negative"),
        ("subscriptions", "acme,S,2026-05-01,,1.005,EUR", "amount", "2 decimals at most"),
        ("subscriptions", "acme,S,2026-05-01,,1.5,JPY", "amount", "0 decimals at most"),
        ("accounts", "acme,Enterprise,-1,2026-01-01,", "seats", "negative"),
        ("accounts", "acme,Enterprise,99999999,2026-01-01,", "seats", "more than 10,000,000"),
        ("accounts", "acme,Whales,1,2026-01-01,", "segment", "isn't in your list: Enterprise"),
        ("accounts", "acme,Enterprise,1,2026-02-01,2026-01-31", "lost_on", "isn't after the day"),
        ("invoices", "I-1,acme,2026-05-02,2026-13,1,EUR", "month", "isn't a month"),
        ("acquisition", "2026-05,Events,Enterprise,10,EUR,1.5", "wins", "isn't a whole number"),
        ("acquisition", "2026-05,Events,Whales,10,EUR,1", "segment", "isn't in your list"),
        ("support", "acme,2026-05,-1,2,80,EUR", "hours", "negative"),
    ],
)
def test_what_cannot_be_is_rejected_by_name(finance, kind, line, field, reason):
    ((number, where, why),) = rejected(finance, kind, line)
    assert (number, where) == (2, field) and reason in why


def test_a_reference_or_a_number_belongs_to_one_customer(finance):
    import_lines(finance, "subscriptions", JANUARY)
    ((line, field, _why),) = rejected(finance, "subscriptions", JUNE.replace("acme", "globex"))
    assert (line, field) == (2, "reference")
    import_lines(finance, "invoices", "I-1,acme,2026-05-02,2026-05,100,EUR")
    ((line, field, _why),) = rejected(finance, "invoices", "I-1,globex,2026-05-02,2026-06,1,EUR")
    assert (line, field) == (2, "number")


def test_a_customer_that_was_entered_wrongly_is_corrected_in_all_its_versions(finance):
    import_lines(finance, "subscriptions", JANUARY, JUNE)
    import_lines(
        finance, "subscriptions", *(each.replace("acme", "globex") for each in (JANUARY, JUNE))
    )
    with make.acting("operator_finance", "console"):
        assert queries.mrr_by_customer(Month(2026, 6)) == {customer_id("globex"): 1200}


def test_a_credit_note_lowers_what_was_invoiced_for_its_month(finance):
    lines = (
        "I-1,acme,2026-05-02,2026-05,1000.00,EUR",
        "I-1,acme,2026-05-02,2026-06,1000.00,EUR",
        "C-1,acme,2026-07-10,2026-05,-250.50,EUR",
    )
    assert notes(finance, "invoices", *lines)["Credit notes"] == "1 invoice"
    import_lines(finance, "invoices", *lines, "I-9,globex,2026-05-02,2026-05,1,EUR")
    with make.acting("operator_finance", "console"):
        found = queries.invoiced_by_customer(Month(2026, 5))
    assert found == {customer_id("acme"): Decimal("749.50"), customer_id("globex"): 1}


def test_spend_without_wins_and_wins_without_spend_are_both_kept(finance):
    lines = (
        "2026-05,Events,Enterprise,5000,EUR,0",
        "2026-05,Referral,Enterprise,0,EUR,2",
        "2026-05,Search,Small business,900,EUR,3",
    )
    said = notes(finance, "acquisition", *lines)
    assert said["Spend without wins"] == "1 row" and said["Wins without spend"] == "1 row"
    import_lines(finance, "acquisition", *lines, "2026-04,Search,Enterprise,1,EUR,1")
    assert len(stored(AcquisitionMonth)) == 4
    with make.acting("operator_finance", "console"):
        found = queries.acquisition([Month(2026, 5)])
    assert [(each.channel, each.spend, each.wins) for each in found] == [
        ("Events", 5000, 0),
        ("Referral", 0, 2),
        ("Search", 900, 3),
    ]


def test_support_costs_its_hours(finance):
    import_lines(finance, "support", "acme,2026-05,12.5,9,80,EUR", "globex,2026-05,1,1,10,EUR")
    assert len(stored(SupportMonth)) == 2
    with make.acting("operator_finance", "console"):
        found = queries.support_by_customer(Month(2026, 5))[customer_id("acme")]
    assert (found.hours, found.tickets, found.cost) == (Decimal("12.5"), 9, 1000)


def test_churn_in_the_month_of_winning_is_a_lifetime_of_one_month_and_no_mrr(finance):
    import_lines(finance, "accounts", "acme,Enterprise,5,2026-03-02,2026-03-20")
    brief = "acme,SUB-9,2026-03-02,2026-03-20,500,EUR"
    said = notes(finance, "subscriptions", brief)
    assert said["Within one month"] == "1 version that no month's MRR includes"
    import_lines(finance, "subscriptions", brief, "globex,SUB-8,2026-01-01,,1,EUR")
    with make.acting("operator_finance", "console"):
        assert queries.lifetimes(date(2026, 10, 31)) == {"Enterprise": [(1, True)]}
        found = queries.mrr_bridge(Month(2026, 3))
    assert (found.new, found.churn, found.end) == (0, 0, 1)


def test_a_tenant_that_was_deleted_stays_in_history(finance):
    import_lines(finance, "accounts", "globex,Enterprise,5,2025-01-01,")
    import_lines(finance, "subscriptions", "globex,SUB-2,2026-01-01,,700,EUR")
    with make.acting("operator_admin", "console"):
        session().execute(update(Tenant).where(Tenant.slug == "globex").values(status="deleted"))
    import_lines(finance, "invoices", "I-7,globex,2026-05-02,2026-05,700,EUR")
    assert len(stored(Account)) == 1 and invoiced() == {"I-7": 700}
    with make.acting("operator_finance", "console"):
        assert queries.mrr_bridge(Month(2026, 5)).end == 700
    page = finance.get("/operator/economics/revenue/?month=2026-05").text
    assert "Globex" in page and "tenant deleted" in page


def test_a_late_credit_note_is_kept_and_its_closed_month_is_named(finance):
    with make.acting("operator_admin", "console"):
        closed = {"work_item_id": None, "requested_by": None, "problem": None, "late": None}
        session().add(
            Review(month="2026-10", revision=1, reopened=None, accepted_residual=None, **closed)
        )
    late, other = "C-9,acme,2026-11-20,2026-10,-5,EUR", "I-9,acme,2026-11-20,2026-11,5,EUR"
    assert notes(finance, "invoices", late)["Closed months"].startswith("October 2026.")
    assert "Closed months" not in notes(finance, "invoices", other)
    import_lines(finance, "invoices", late, other)
    assert invoiced() == {"C-9": -5, "I-9": 5}


def test_a_file_of_one_tenant_says_nothing_to_people_of_that_tenant(finance, as_admin):
    address = send(finance, "subscriptions", JANUARY)
    assert finance.get(address).status_code == 200
    as_admin.get("/operator/economics/revenue/", then=404)
    as_admin.get(address, then=404)
