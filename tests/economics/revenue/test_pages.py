"""The operator's pages of revenue, an account and the segments."""

import csv
import io
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from bs4 import BeautifulSoup

from governance.economics.rates import actions as rates
from governance.economics.revenue.models import Account
from governance.foundation.audit.models import AuditEntry
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.months import Month
from tests import make
from tests.conftest import visitor
from tests.economics.revenue.revenue_helpers import (
    NOW,
    REVENUE,
    account,
    customer_id,
    import_lines,
    stored,
)


@pytest.fixture(autouse=True)
def _now():
    with clock.frozen(NOW):
        yield


@pytest.fixture
def finance(app, database):
    return visitor(app, "operator_finance", "console")


@pytest.fixture
def paying(finance):
    """Let Acme grow, and Globex churn in October."""
    account("acme")
    account("globex", "Mid-market", seats=40, lost_on=date(2026, 10, 15))
    import_lines(
        finance,
        "subscriptions",
        "acme,SUB-1,2026-01-01,,1000,EUR",
        "acme,SUB-1,2026-10-01,,1500,EUR",
        "globex,SUB-2,2026-01-01,2026-10-15,400,EUR",
    )
    import_lines(
        finance,
        "invoices",
        "I-1,acme,2026-11-02,2026-10,1730.50,EUR",
        "I-2,acme,2026-10-02,2026-09,999,EUR",
    )
    return finance


def rows_of(page) -> list[list[str]]:
    table = BeautifulSoup(page.text, "html.parser").select("tr[data-row]")
    return [cells_of(row) for row in table]


def cells_of(row) -> list[str]:
    return [" ".join(cell.get_text(" ").split()) for cell in row.select("td")]


def entries() -> list[tuple[str, dict[str, Any]]]:
    """Return action and changes of each entry, the latest last."""
    with make.acting("operator_finance", "console"):
        found = session().query(AuditEntry).filter(AuditEntry.action.like("account.%"))
        ordered = found.order_by(AuditEntry.at, AuditEntry.id)
        return [(each.action, each.changes) for each in ordered]


def test_without_revenue_the_page_lists_customers_and_says_what_to_import(finance):
    page = finance.get(REVENUE)
    assert "No revenue is recorded yet" in page.text
    assert [row[0] for row in rows_of(page)] == ["Globex", "Acme Insurance"]


def test_a_month_shows_mrr_beside_invoices_and_how_it_moved(paying):
    paying.get(REVENUE)
    page = paying.get(REVENUE)
    assert "figures in EUR" in page.text and "October 2026" in page.text
    assert "MRR is €1,500, up 7.1%; 1 account churned" in page.text
    assert rows_of(page) == [
        [
            "Acme Insurance",
            "Enterprise",
            "€1,500.00 up €500.00",
            "€1,730.50",
            "250",
            "1 Mar 2025",
            "– none",
        ],
        [
            "Globex",
            "Mid-market",
            "– none churned €400.00",
            "– none",
            "40",
            "1 Mar 2025",
            "15 Oct 2026",
        ],
    ]
    september = paying.get(f"{REVENUE}?month=2026-09")
    assert [row[2] for row in rows_of(september)] == ["€1,000.00", "€400.00"]


def test_the_bridge_as_a_table_adds_up_in_every_month(paying):
    soup = BeautifulSoup(paying.get(REVENUE).text, "html.parser")
    rows = soup.select("figure table tbody tr")
    assert cells_of(rows[0]) == [
        "October 2026",
        "€1,400.00",
        "– none",
        "€500.00",
        "– none",
        "– none",
        "\N{MINUS SIGN}€400.00",
        "€1,500.00",
    ]
    assert len(rows) == 12


def test_accounts_are_filtered_sorted_and_exported(paying):
    assert [row[0] for row in rows_of(paying.get(f"{REVENUE}?state=lost"))] == ["Globex"]
    found = rows_of(paying.get(f"{REVENUE}?segment=Enterprise"))
    assert [row[0] for row in found] == ["Acme Insurance"]
    assert [row[0] for row in rows_of(paying.get(f"{REVENUE}?q=glob"))] == ["Globex"]
    reply = paying.get(f"{REVENUE}accounts.csv?month=2026-10&sort=customer")
    table = list(csv.DictReader(io.StringIO(reply.data.decode("utf-8-sig"))))
    assert [(row["Slug"], row["MRR"], row["Invoiced"], row["Lost on"]) for row in table] == [
        ("acme", "1500.00", "1730.50", ""),
        ("globex", "0.00", "0.00", "2026-10-15"),
    ]
    assert "accounts-2026-10.csv" in reply.headers["Content-Disposition"]
    assert paying.get(f"{REVENUE}accounts.xlsx").data[:2] == b"PK"


def test_other_currencies_are_converted_at_the_rate_of_the_month_or_named(finance):
    import_lines(finance, "subscriptions", "acme,SUB-1,2026-09-01,,1000,USD")
    page = finance.get(REVENUE)
    assert "There is no rate for USD in September 2026. Add it under Rates." in page.text
    with make.acting("operator_finance", "console"):
        for number, rate in ((9, "0.9"), (10, "0.8"), (11, "0.8")):
            rates.enter_rate(Month(2026, number), "USD", Decimal(rate), source="a test")
    assert rows_of(finance.get(f"{REVENUE}?month=2026-09"))[0][2] == "€900.00 new €900.00"
    assert rows_of(finance.get(REVENUE))[0][2] == "€800.00"


def test_an_account_page_shows_its_subscriptions_invoices_and_support(paying):
    import_lines(paying, "support", "acme,2026-10,12.5,9,80,EUR")
    page = paying.get(f"{REVENUE}accounts/{customer_id('acme')}").text
    assert "Acme Insurance pays €1,500.00 a month" in page
    assert "SUB-1" in page and "I-2" in page and "9 tickets" in page and "€1,000.00" in page
    lost = paying.get(f"{REVENUE}accounts/{customer_id('globex')}").text
    assert "Globex was lost on 15 October 2026" in lost and "SUB-1" not in lost
    paying.get(f"{REVENUE}accounts/{customer_id('console')}", then=404)


def test_finance_edits_an_account_once_and_it_is_recorded(paying):
    address = f"{REVENUE}accounts/{customer_id('acme')}/edit"
    form = {"segment": "Mid-market", "seats": "300", "won_on": "2025-03-01", "lost_on": ""}
    before = BeautifulSoup(paying.get(address).text, "html.parser")
    mark = before.select_one("input[name=mark]")["value"]
    paying.post(address, **form, mark=mark, then=303)
    (changed,) = [row for row in stored(Account) if row.seats == 300]
    assert changed.segment == "Mid-market"
    action, changes = entries()[-1]
    assert (action, changes["seats"]) == ("account.changed", [250, 300])
    page = paying.post(address, **form | {"seats": "9"}, mark=mark, then=409)
    assert "Someone else changed this account" in page.text
    count = len(entries())
    paying.post(address, **form, mark=changed.mark, then=303)
    assert len(entries()) == count  # Nothing changed.


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"seats": "-1"}, "Enter seats from 0"),
        ({"seats": "1.5"}, "Not a valid integer"),
        ({"lost_on": "2025-02-28"}, "later than the day of the win"),
        ({"won_on": "soon"}, "isn’t a date"),
        ({"segment": "Whales"}, "Not a valid choice"),
    ],
)
def test_an_account_that_cannot_be_is_refused_beside_its_field(paying, changed, said):
    address = f"{REVENUE}accounts/{customer_id('acme')}/edit"
    form = {"segment": "Enterprise", "seats": "5", "won_on": "2025-03-01", "lost_on": ""}
    page = paying.post(address, **form | changed, mark="", then=422)
    assert said in page.text.replace("&#39;", "’").replace("'", "’")
    assert len(entries()) == 2


def test_the_list_of_segments_is_the_operators_and_a_used_one_stays(paying):
    address = f"{REVENUE}segments"
    page = paying.post(address, segments="Enterprise\nStart-ups", then=422)
    assert "Mid-market” is the segment of an account" in page.text
    paying.post(address, segments=" Start-ups \nEnterprise\n\nMid-market", then=303)
    shown = BeautifulSoup(paying.get(address).text, "html.parser").select_one("textarea").text
    assert shown.split() == ["Start-ups", "Enterprise", "Mid-market"]
    assert entries()[-1][0] == "account.segments.changed"
    for wrong in ("", "One\none", "x" * 61 + "\nEnterprise\nMid-market"):
        paying.post(address, segments=wrong, then=422)


def test_only_the_operators_admins_and_finance_see_revenue(app, paying, as_admin):
    for path in ("", "segments", "accounts.csv", f"accounts/{customer_id('acme')}"):
        visitor(app, "operator_admin", "console").get(f"{REVENUE}{path}")
        as_admin.get(f"{REVENUE}{path}", then=404)
        visitor(app, "admin", "globex").get(f"{REVENUE}{path}", then=404)


def test_a_person_of_a_customer_reads_no_row_of_revenue(paying):
    for slug in ("acme", "globex"):
        with make.acting("admin", slug):
            assert session().query(Account).count() == 0
    assert len(stored(Account)) == 2
