"""The operator's page of exchange rates."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select

from governance.economics.rates import actions, queries
from governance.economics.rates.conversion import MissingRate
from governance.foundation.audit.models import AuditEntry
from governance.foundation.tenants import actions as tenants
from governance.foundation.tenants.models import Tenant
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.errors import Invalid
from governance.kernel.months import Month
from tests.browser import words
from tests.conftest import visitor

PAGE = "/operator/economics/rates"
OCTOBER = Month(2026, 10)
NOVEMBER = Month(2026, 11)
INBOX = "/t/console/inbox/"


@pytest.fixture(autouse=True)
def _now():
    with clock.frozen(datetime(2026, 10, 25, 12, tzinfo=UTC)):
        yield


def first_of_november(minute: int = 10):
    """Freeze the clock at `minute` minutes after midnight, in UTC."""
    return clock.frozen(datetime(2026, 11, 1, 0, minute, tzinfo=UTC))


def enter(visitor, *, rate="0.92", currency="USD", month="2026-10", source="ECB", **options):
    return visitor.post(PAGE, month=month, currency=currency, rate=rate, source=source, **options)


def entries(acting, name):
    with acting("operator_admin", "console"):
        found = session().scalars(select(AuditEntry).where(AuditEntry.action == name)).all()
        return [(each.changes, each.facts) for each in found]


def test_a_rate_is_entered_and_shown(as_operator, acting):
    assert "No exchange rates yet" in words(as_operator.get(PAGE))
    with acting("operator_finance", "console"):
        present = actions.present_month()
    page = enter(as_operator, rate="0.9207", month=str(present), follow=True)
    assert f"The rate of USD in {present.long_name} was saved." in page.text
    assert f"{present.long_name} 0.9207" in words(page) and "No rate is missing" in words(page)
    assert entries(acting, "rate.entered")[0][1] == {
        "month": str(present),
        "currency": "USD",
        "reporting_currency": "EUR",
        "rate": "0.9207",
        "source": "ECB",
    }


def test_a_replaced_rate_keeps_the_earlier_one_in_the_audit_log(as_operator, acting):
    enter(as_operator, rate="0.92")
    shown = as_operator.get(f"{PAGE}?month=2026-10&currency=USD").text
    assert 'value="0.92"' in shown and 'value="ECB"' in shown
    enter(as_operator, rate="0.93", source="ECB, corrected")
    assert entries(acting, "rate.replaced")[0][0] == {
        "rate": ["0.92", "0.93"],
        "source": ["ECB", "ECB, corrected"],
    }
    with acting("operator_finance", "console"):
        assert queries.convert(Decimal(100), "USD", OCTOBER) == Decimal(93)


def test_the_same_rate_again_leaves_no_entry(as_operator, acting):
    for _ in range(2):
        enter(as_operator)
    assert entries(acting, "rate.replaced") == []


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"rate": "abc"}, "“abc” isn’t a rate."),
        ({"rate": "0"}, "Enter a rate above 0"),
        ({"rate": "-0.92"}, "Enter a rate above 0"),
        ({"rate": "1e999999"}, "Enter a rate above 0"),
        ({"rate": "0.12345678901"}, "10 decimals at most"),
        ({"currency": "EUR"}, "EUR is the reporting currency"),
        ({"month": "2099-01"}, "January 2099 is still to come."),
        ({"month": "2026-11"}, "November 2026 is still to come."),
        ({"currency": "XAU"}, "Not a valid choice"),
        ({"month": "2026-13"}, "isn’t a month"),
        ({"source": " "}, "Name the source"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(as_operator, sent, sentence):
    page = words(enter(as_operator, then=422, **sent)).replace("'", "’")
    assert sentence in page
    assert "No exchange rates yet" in page


def test_a_missing_rate_is_counted_and_the_last_known_one_stands_in(as_operator, acting):
    for month in ("2026-07", "2026-09"):
        enter(as_operator, month=month, rate="0.9")
    page = words(as_operator.get(PAGE))
    assert "2 rates are missing: 1 currency in 4 months" in page  # August, and the current month.
    assert "October 2026 missing USD, October 2026: enter" in page
    assert "provisional: 0.9, rate of September 2026" in page
    with acting("operator_finance", "console"):
        with queries.provisional_rates() as used:
            assert queries.convert(Decimal(100), "USD", OCTOBER) == 90
            assert queries.convert(Decimal(100), "USD", Month(2026, 9)) == 90
        assert [each.phrase for each in used] == ["USD for October 2026 (rate of September 2026)"]
        with pytest.raises(MissingRate, match="no rate for USD in June 2026"):
            queries.convert(Decimal(1), "USD", Month(2026, 6))


def test_a_rate_entered_twice_is_refused_or_corrects_and_says_which(as_operator):
    assert "was saved." in enter(as_operator, follow=True).text
    again = enter(as_operator, rate="0.920", follow=True).text
    assert "in October 2026 is 0.92 already. Nothing was changed." in again
    corrected = enter(as_operator, rate="0.93", follow=True).text
    assert "The rate of USD in October 2026 was corrected from 0.92 to 0.93." in corrected
    assert "The source of the rate" in enter(as_operator, rate="0.93", source="B", follow=True).text


def test_from_the_first_day_of_a_month_one_inbox_item_asks_for_all_its_rates(app, database, acting):
    finance = visitor(app, "operator_finance", "console")
    for currency in ("USD", "GBP"):
        enter(finance, currency=currency)
    assert "exchange rate" not in words(finance.get(INBOX))
    with first_of_november():
        finance, admin = visitor(app, "operator_finance", "console"), visitor(app, "admin", "acme")
        asked = words(finance.get(INBOX))
        assert "Enter the exchange rates of November 2026: GBP, USD" in asked
        assert "1 item needs you" in asked
        assert "2 rates are missing: 2 currencies in 2 months" in words(finance.get(PAGE))
        assert "exchange rate" not in words(admin.get("inbox/"))
        enter(finance, month="2026-11")
        assert "Enter the exchange rate of November 2026: GBP" in words(finance.get(INBOX))
        enter(finance, month="2026-11", currency="GBP")
        assert "exchange rate" not in words(finance.get(INBOX))
        assert "No rate is missing" in words(finance.get(PAGE))


def test_a_month_begins_in_the_operators_time_zone(app, database, acting):
    with acting("operator_admin", "console"):
        own = session().get(Tenant, current.actor().tenant_id)
        tenants.change_settings(own, time_zone="America/New_York")
    enter(visitor(app, "operator_finance", "console"))
    with first_of_november():
        finance = visitor(app, "operator_finance", "console")
        assert "exchange rate" not in words(finance.get(INBOX))
        assert "No rate is missing" in words(finance.get(PAGE))
    with clock.frozen(datetime(2026, 11, 1, 5, tzinfo=UTC)):
        finance = visitor(app, "operator_finance", "console")
        assert "Enter the exchange rate of November 2026: USD" in words(finance.get(INBOX))


def test_another_reporting_currency_has_its_own_rates(as_operator, acting):
    enter(as_operator)
    page = as_operator.post(f"{PAGE}/reporting-currency", reporting_currency="USD", follow=True)
    assert "Totals are in USD now." in page.text and "No exchange rates yet" in words(page)
    assert entries(acting, "reporting_currency.changed")[0][0] == {"currency": ["EUR", "USD"]}
    with acting("operator_finance", "console"), pytest.raises(MissingRate, match="EUR"):
        queries.convert(Decimal(1), "EUR", OCTOBER)
    as_operator.post(f"{PAGE}/reporting-currency", reporting_currency="EUR")
    assert "0.92" in words(as_operator.get(PAGE))
    as_operator.post(f"{PAGE}/reporting-currency", reporting_currency="XAU", then=422)


def test_people_of_a_tenant_have_no_rates(as_operator, as_admin, acting):
    enter(as_operator)
    as_admin.get(PAGE, then=404)
    as_admin.post(PAGE, then=404, month="2026-10", currency="USD", rate="1", source="x")
    with acting("admin"):
        assert queries.entered_rates() == []


def test_an_action_refuses_what_no_form_sends(acting):
    with acting("operator_finance", "console"):
        for currency in ("usd", "XAU", "", "EUR"):
            with pytest.raises(Invalid):
                actions.enter_rate(OCTOBER, currency, Decimal("0.9"), source="ECB")
