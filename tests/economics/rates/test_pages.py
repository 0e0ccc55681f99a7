"""The operator's page of exchange rates."""

from decimal import Decimal

import pytest
from sqlalchemy import select

from governance.economics.rates import actions, queries
from governance.economics.rates.conversion import MissingRate
from governance.foundation.audit.models import AuditEntry
from governance.kernel.db import session
from governance.kernel.errors import Invalid
from governance.kernel.months import Month
from tests.browser import words

PAGE = "/operator/economics/rates"
OCTOBER = Month(2026, 10)


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
        ({"rate": "1e999999"}, "Enter a rate above 0"),
        ({"rate": "0.12345678901"}, "10 decimals at most"),
        ({"currency": "EUR"}, "EUR is the reporting currency"),
        ({"month": "2099-01"}, "January 2099 is still to come."),
        ({"month": "2026-13"}, "isn’t a month"),
        ({"source": " "}, "Name the source"),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(as_operator, sent, sentence):
    page = words(enter(as_operator, then=422, **sent)).replace("'", "’")
    assert sentence in page
    assert "No exchange rates yet" in page


def test_a_missing_rate_is_named_on_the_page_and_by_the_conversion(as_operator, acting):
    with acting("operator_finance", "console"):
        present = actions.present_month()
    for back in (1, 3):
        enter(as_operator, month=str(present.plus(-back)))
    assert "1 rate is missing" in words(as_operator.get(PAGE))
    with acting("operator_finance", "console"), pytest.raises(MissingRate) as refused:
        queries.convert(Decimal(1), "USD", present.plus(-2))
    assert f"no rate for USD in {present.plus(-2).long_name}" in refused.value.message


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
