"""Months before the first review, which count for CAC recovered where they can be computed."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from governance.economics.costs import actions as costs
from governance.economics.rates import actions as rates
from governance.kernel import clock
from governance.kernel.months import Month
from tests.conftest import visitor
from tests.economics.revenue import revenue_helpers as revenue
from tests.economics.reviews import close_helpers as month
from tests.economics.reviews.close_helpers import NOW, as_finance
from tests.economics.usage.usage_helpers import Product, event

SHEET = "/operator/economics/reviews/2026-10/tenants/acme"
SEPTEMBER = Month(2026, 9)


@pytest.fixture
def finance(app, database):
    """Let Acme pay 50 euros in October and use 15. Nothing is closed yet."""
    month.use(app)
    month.price()
    month.bill("15.15")
    month.collect()
    with clock.frozen(NOW):
        found = visitor(app, "operator_finance", "console")
        revenue.import_lines(found, "invoices", "I-10,acme,2026-10-02,2026-10,50,EUR")
        yield found


def september(app, finance, *, rate=True):
    """Let Acme pay 100 euros in September and use 3."""
    with clock.frozen(datetime(2026, 9, 20, 12, 0, tzinfo=UTC)):
        Product(app, name="september").send(
            [
                event(
                    100 + n,
                    at=f"2026-09-1{n}T10:00:00Z",
                    provider="anthropic",
                    tokens={"input": 1_000_000, "output": 0},
                )
                for n in range(2)
            ]
        )
    revenue.import_lines(finance, "invoices", "I-9,acme,2026-09-02,2026-09,100,EUR")
    with as_finance():
        if rate:
            rates.enter_rate(SEPTEMBER, "USD", Decimal("0.5"), source="ECB")
        costs.enter_line(
            SEPTEMBER,
            provider="anthropic",
            pool="models",
            amount=Decimal(3),
            currency="EUR",
            note="For a test.",
        )
    month.collect()


def sheet(finance) -> str:
    return " ".join(finance.get(SHEET).text.split())


def test_a_month_before_the_first_review_counts(finance, app):
    september(app, finance)
    revenue.account("acme", won_on=date(2025, 3, 1))
    month.close()
    text = sheet(finance)
    assert "Margin since September 2026" in text and "€132.00" in text  # 100 − 3 + 50 − 15.
    assert "Counts from September 2026: August 2026 has no invoices." in text


def test_a_tenant_won_in_a_counted_month_is_counted_from_its_first_day(finance, app):
    september(app, finance)
    revenue.account("acme", won_on=date(2026, 9, 5))
    month.close()
    assert "Every month since the tenant was won counts." in sheet(finance)


def test_a_month_without_a_rate_ends_the_count_and_is_named(finance, app):
    september(app, finance, rate=False)
    revenue.account("acme", won_on=date(2025, 3, 1))
    month.close()
    text = sheet(finance)
    assert "Counts from October 2026: September 2026 has no rate for USD." in text
    assert "€35.00" in text


def test_a_provisional_rate_ends_the_count_and_does_not_stop_the_close(finance, app):
    september(app, finance, rate=False)
    with clock.frozen(month.NOW), month.as_finance():
        rates.enter_rate(Month(2026, 8), "USD", Decimal("0.4"), source="ECB")
    revenue.account("acme", won_on=date(2025, 3, 1))
    assert month.close().problem is None
    text = sheet(finance)
    assert "Counts from October 2026: September 2026 has no rate for USD." in text


def test_later_months_are_closed_without_counting_again(finance, app):
    september(app, finance)
    month.close(SEPTEMBER)
    month.close()
    assert month.view(SEPTEMBER).facts.earlier.why == "August 2026 has no invoices"
    assert month.view().facts.earlier is None
    assert "Margin since September 2026" in sheet(finance)
