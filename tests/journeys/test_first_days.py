"""Pages on days when a period has just started, with data and without.

No figure is divided by zero days, and no page claims a figure that is unknown.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from governance.economics.budgets import jobs as budgets
from governance.economics.rates import actions as rates
from governance.economics.tenant_costs import actions as tenant_costs
from governance.economics.tenant_costs import jobs as list_prices
from governance.economics.usage import jobs as usage
from governance.foundation.tenants import actions as tenants
from governance.foundation.tenants.models import Tenant
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.months import Month
from governance.operations.measurements import actions as measuring
from tests import make
from tests.browser import words
from tests.conftest import visitor
from tests.economics.prices import price_helpers
from tests.economics.usage.usage_helpers import Product, at, event, register
from tests.operations.objectives.objective_helpers import before, define, minutes_of, objective

DAYS = {
    "the first of a month": datetime(2026, 12, 1, 0, 10, tzinfo=UTC),
    "New Year, a quarter begins": datetime(2027, 1, 1, 0, 10, tzinfo=UTC),
    "a Monday that is the first": datetime(2027, 2, 1, 9, 0, tzinfo=UTC),
    "a Monday": datetime(2026, 12, 7, 0, 10, tzinfo=UTC),
    "a leap day": datetime(2024, 2, 29, 22, 50, tzinfo=UTC),
    "the first of a month in Berlin alone": datetime(2027, 1, 31, 23, 50, tzinfo=UTC),
}
EACH_DAY = pytest.mark.parametrize("now", DAYS.values(), ids=DAYS.keys())
OPERATOR = "/operator/economics/"
FINANCE_PAGES = (
    OPERATOR,
    f"{OPERATOR}months",
    f"{OPERATOR}budgets/",
    f"{OPERATOR}rates",
    f"{OPERATOR}revenue/",
    f"{OPERATOR}costs",
    f"{OPERATOR}prices/",
    "/t/console/inbox/",
)
TENANT_PAGES = (
    "",
    "economics/",
    "economics/cost",
    "economics/cost.csv",
    "reliability/",
    "evaluations/",
    "evaluations/coverage",
    "reliability/alerts/",
    "reliability/indicators/",
    "reliability/statements/",
    "inbox/",
)
CLAIMS = ("€0.00", "all within their amount", "No rate is missing", "Within budget")


def budget(finance, **changed):
    with make.acting("operator_finance", "console"):
        scope = f"{price_helpers.customer('acme')}//"
    form = {
        "name": "Claims",
        "scope": scope,
        "window": "month",
        "amount": "100",
        "actual_thresholds": "50",
        "forecast_thresholds": "100",
        "proposed_limit": "",
        "proposed_models": "",
    }
    finance.post(f"{OPERATOR}budgets/new", **form | changed, then=303)


@EACH_DAY
def test_pages_open_without_data(now, app, isolated):
    with clock.frozen(now):
        finance = visitor(app, "operator_finance", "console")
        for path in FINANCE_PAGES:
            assert "0%" not in words(finance.get(path))
        budget(finance)
        assert "1 budget, all within their amount" in words(finance.get(f"{OPERATOR}budgets/"))
        officer = visitor(app, "compliance_officer", "acme")
        for path in TENANT_PAGES:
            officer.get(path)


@EACH_DAY
def test_no_page_claims_a_figure_about_what_is_unknown(now, app, isolated):
    """Use one model that is priced in dollars, and one without a price."""
    with clock.frozen(now):
        usage.create_partitions()
        with make.acting("operator_finance", "console"):
            tenant_costs.share(is_shared=True)
            last_month = rates.present_month().plus(-1)
        register()
        price_helpers.add(
            currency="USD",
            per_million={"input": Decimal(1000)},
            effective_from=now.date() - timedelta(days=400),
        )
        with make.acting("operator_finance", "console"):
            rates.enter_rate(last_month, "USD", Decimal("0.5"), source="ECB")
        finance = visitor(app, "operator_finance", "console")
        budget(finance)
        budget(finance, name="Rolling", window="rolling")
        tokens = {"input": 4000}
        unpriced = event(2, model="helio-large-3", tokens=tokens, at=at(now))
        Product(app).send(
            [event(1, provider="anthropic", tokens=tokens, at=at(now)), unpriced],
        )
        price_helpers.collect()
        list_prices.copy_prices()
        budgets.check_budgets()
        phrase = f"(rate of {last_month.long_name})"
        for path in FINANCE_PAGES:
            page = words(finance.get(path))
            assert not [each for each in CLAIMS if each in page], path
        page = words(finance.get(f"{OPERATOR}budgets/"))
        assert "2 budgets: 2 with usage that has no price, 2 provisional" in page
        assert phrase in page and "At least €2.00" in page
        assert "of helio-large-3 (no provider named) have no price." in page
        assert "1 rate is missing" in words(finance.get(f"{OPERATOR}rates"))
        assert "Enter the exchange rate" in words(finance.get("/t/console/inbox/"))
        officer = visitor(app, "compliance_officer", "acme")
        for path in TENANT_PAGES:
            assert "€0.00" not in officer.get(path).text, path
        page = words(officer.get("economics/cost"))
        assert "At least €2.00 in" in page and phrase in page
        assert "1 request without a price" in page
        assert phrase in officer.get("economics/cost.csv").text


@EACH_DAY
def test_who_used_a_feature_in_the_last_seven_days_is_counted_up_to_today(now, app, isolated):
    """Count users up to today on the first day of a month, although its last week is still ahead."""
    with clock.frozen(now):
        usage.create_partitions()
        register()
        users = [event(n, feature="letters", user=f"u-{n}", at=at(now)) for n in (1, 2)]
        Product(app).send(users)
        page = words(visitor(app, "compliance_officer", "acme").get("economics/cost"))
        assert "letters 2 2 2 100.0%" in page
        assert "Weekly: in the last seven days" in page
    with clock.frozen(now + timedelta(days=62)):
        month = Month.of(now.astimezone(ZoneInfo("Europe/Berlin")).date())
        shown = visitor(app, "compliance_officer", "acme").get(f"economics/cost?month={month}")
        assert f"Weekly: in the last seven days of {month.long_name};" in words(shown)


@EACH_DAY
def test_an_objective_of_one_hour_claims_nothing_about_the_days_before(now, app, isolated):
    with clock.frozen(now):
        with make.acting("admin"):
            indicator = define(kind="downtime", min_requests=3)
            measuring.store(minutes_of(indicator, before(now, hours=1)))
            objective_id = objective(indicator).id
        officer = visitor(app, "compliance_officer", "acme")
        assert "Window not full yet" in words(officer.get("reliability/"))
        days = [now.astimezone(ZoneInfo("Europe/Berlin")) - timedelta(days=n) for n in (0, 9)]
        page = words(officer.get(f"reliability/objectives/{objective_id}"))
        assert f"{days[0]:%-d %b} 0" in page
        assert f"{days[1]:%-d %b} nothing counted" in page


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York"])
def test_a_month_of_the_operator_begins_at_its_own_midnight(zone, app, isolated):
    """Try half an hour before and after midnight, at the turn of the year."""
    midnight = datetime(2027, 1, 1, tzinfo=ZoneInfo(zone))
    with clock.frozen(midnight - timedelta(days=40)):
        make_operator_live_in(zone)
    for now, month in (
        (midnight - timedelta(minutes=30), Month(2026, 12)),
        (midnight + timedelta(minutes=30), Month(2027, 1)),
    ):
        with clock.frozen(now.astimezone(UTC)):
            finance = visitor(app, "operator_finance", "console")
            assert f"No costs in {month.long_name}" in words(finance.get(f"{OPERATOR}costs"))
            officer = visitor(app, "compliance_officer", "acme")
            assert f"No usage in {month.long_name}" in words(officer.get("economics/"))


def make_operator_live_in(zone: str) -> None:
    with make.acting("operator_admin", "console"):
        own = session().get(Tenant, current.actor().tenant_id)
        tenants.change_settings(own, time_zone=zone)
