"""A tenant's own cost at list prices, visible once the operator shows it."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from governance.economics.formulas.money import rounded, rounded_together
from governance.economics.rates import actions as rates
from governance.economics.tenant_costs import actions, jobs, queries
from governance.economics.tenant_costs.models import LIST_PRICES
from governance.economics.usage import jobs as usage_jobs
from governance.foundation.audit.models import AuditEntry
from governance.foundation.people.jobs import actor_of
from governance.foundation.tenants.queries import tenant_id
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import Forbidden
from governance.kernel.months import Month
from governance.kernel.work import jobs as kernel_jobs
from tests import make
from tests.conftest import visitor
from tests.economics.prices import price_helpers
from tests.economics.usage.usage_helpers import NOW, Product, at, event, register

NOVEMBER = Month(2026, 11)
MILLION = {"input": 1_000_000}


@pytest.fixture(autouse=True)
def _now():
    with clock.frozen(NOW):
        yield


@pytest.fixture
def product(app, isolated):
    """Let Acme send usage. A million input tokens cost 3 dollars; a dollar is half a euro."""
    register()
    price_helpers.add()
    with make.acting("operator_finance", "console"):
        rates.enter_rate(NOVEMBER, "USD", Decimal("0.5"), source="ECB")
    return Product(app)


def used(number, day=24, **changed):
    values = {"provider": "anthropic", "tokens": MILLION, "at": f"2026-11-{day:02}T10:00:00Z"}
    return event(number, **values | changed)


def share(*, is_shared=True):
    with make.acting("operator_finance", "console"):
        actions.share(is_shared=is_shared)
    kernel_jobs.drain(actor_of)


def collect():
    price_helpers.collect()
    usage_jobs.count_tasks()
    jobs.copy_present_prices()


def costs(slug="acme"):
    with make.acting("admin", slug):
        return queries.month_costs(NOVEMBER)


def test_a_tenant_sees_no_price_until_the_operator_shows_them_and_again_when_it_hides_them(
    product, as_admin, as_operator
):
    product.send([used(1)])
    collect()
    hidden = as_admin.get("economics/cost").text
    assert "hasn’t shown its list prices" in hidden and "1.50" not in hidden
    assert "Tenants see no prices" in as_operator.get("/operator/economics/prices/tenants").text
    as_operator.post("/operator/economics/prices/tenants/share")
    kernel_jobs.drain(actor_of)
    assert "€1.50 in November 2026" in as_admin.get("economics/cost").text
    as_operator.post("/operator/economics/prices/tenants/hide")
    kernel_jobs.drain(actor_of)
    assert "hasn’t shown its list prices" in as_admin.get("economics/cost").text
    with make.acting("operator_admin", "console"):
        query = select(AuditEntry.action).where(AuditEntry.action.startswith("list_prices."))
        assert sorted(session().scalars(query)) == ["list_prices.hidden", "list_prices.shared"]


def test_who_sees_a_tenants_cost_and_who_shows_prices(
    app, product, as_auditor, as_viewer, as_admin
):
    as_viewer.get("economics/cost")
    as_auditor.get("economics/cost", then=403)
    as_auditor.get("economics/cost.csv", then=403)
    finance = visitor(app, "operator_finance", "console")
    finance.get("/operator/economics/prices/tenants")
    as_admin.get("/operator/economics/prices/tenants", then=404)
    as_admin.post("/operator/economics/prices/tenants/share", then=404)
    with make.acting("admin"), pytest.raises(Forbidden):
        actions.share(is_shared=True)


def test_the_same_cost_is_shown_by_day_feature_and_model_and_each_adds_up(product, as_admin):
    product.send(
        [
            used(1, 3, feature="letters", task="t-1", user="u-1", outcome="failed"),
            used(2, 3, feature="letters", task="t-1", user="u-1"),
            used(3, 9, feature="search", user="u-2", tokens={"input": 333_333}),
            used(4, 9, feature="search", user="u-1", tokens={"output": 7}),
        ]
    )
    share()
    collect()
    found = costs()
    for rows in (found.days, found.features, found.models):
        assert sum(each.cost for each in rows) == found.total.cost
        assert sum(each.requests for each in rows) == found.total.requests == 4
    assert found.currency == "EUR" and rounded(found.total.cost, "EUR") == Decimal("3.50")
    page = as_admin.get("economics/cost").text
    # Divided by three tasks.
    assert "€3.50 in November 2026, €1.17 for each completed task" in page
    assert "2 completed tasks named no task" in page
    assert "€0.88" in page and "€1.75" in page  # Per request, and per active user.
    head, *lines = as_admin.get("economics/cost.csv").text.splitlines()
    assert head.lstrip("\ufeff").startswith("By,Day,AI system,Feature")
    for group in ("day", "feature", "model"):
        amounts = [Decimal(line.split(",")[8]) for line in lines if line.startswith(group)]
        assert sum(amounts) == Decimal("3.50"), group


def test_a_model_without_a_price_is_named_and_costs_nothing_instead(product, as_admin):
    product.send([used(1), used(2, model="local-7b", provider=None)])
    share()
    collect()
    page = as_admin.get("economics/cost").text
    assert "1 request without a price." in page and "no price for local-7b on" in page
    assert "no price<" in page
    assert "At least €1.50 in November 2026" in page
    assert "completed task" not in page.partition("</h1>")[0].rpartition("<h1")[2]


def test_usage_of_unpriced_models_alone_has_an_unknown_cost(product, as_admin):
    product.send([used(1, model="local-7b", provider=None)])
    share()
    collect()
    page = as_admin.get("economics/cost").text
    assert "Cost of November 2026 is unknown" in page and "No cost" not in page
    assert "No cost in October 2026" in as_admin.get("economics/cost?month=2026-10").text


def test_prices_at_a_provisional_rate_say_so_until_the_rate_is_entered(app, product):
    share()
    with clock.frozen(NOW.replace(month=12, day=1, hour=0, minute=10)):
        product.send([used(1, at=at(clock.now()), task="task-1")])
        collect()
        usage_jobs.count_tasks()
        admin = visitor(app, "admin")
        words = "USD for December 2026 (rate of November 2026)"
        page = admin.get("economics/cost").text
        assert f"Figures are provisional:</b> {words}." in page and "€1.50" in page
        assert words in admin.get("economics/cost.csv").text
        system = "economics/cost/systems/claims-triage"
        assert words in admin.get(system).text
        assert "provisional: rate of November 2026" in admin.get("systems/claims-triage").text
        with make.acting("operator_finance", "console"):
            rates.enter_rate(Month(2026, 12), "USD", Decimal("0.6"), source="ECB")
        collect()
        for path in ("economics/cost", system, "systems/claims-triage"):
            page = admin.get(path).text
            assert "rovisional" not in page and "€1.80" in page


def test_a_tenant_sees_the_list_and_never_what_was_negotiated(product):
    price_helpers.add(
        customer_id=tenant_id("acme"), per_million={"input": Decimal(1)}, source="Contract"
    )
    product.send([used(1)])
    share()
    collect()
    assert costs().total.cost == Decimal("1.5")
    with make.acting("admin"):
        assert session().scalars(select(LIST_PRICES.c.input_price)).all() == [Decimal("1.5")]


def test_each_day_has_the_list_price_of_that_day(product):
    price_helpers.add(effective_from=date(2026, 11, 20), per_million={"input": Decimal(5)})
    product.send([used(1, 19), used(2, 20)])
    share()
    collect()
    assert [each.cost for each in costs().days] == [Decimal("1.5"), Decimal("2.5")]


def test_each_tenant_sees_its_own_cost_and_the_prices_of_its_own_models(app, product):
    register(slug="globex")
    price_helpers.add(model="claude-opus-4", per_million={"input": Decimal(10)})
    Product(app, slug="globex").send([used(1, model="claude-opus-4")])
    product.send([used(1)])
    share()
    collect()
    assert (costs().total.cost, costs("globex").total.cost) == (Decimal("1.5"), Decimal(5))
    for slug, model in (("acme", "claude-sonnet-4-5"), ("globex", "claude-opus-4")):
        with make.acting("admin", slug):
            assert session().scalars(select(LIST_PRICES.c.model)).all() == [model]


def test_a_later_price_of_the_list_reaches_what_tenants_see(product):
    product.send([used(1)])
    share()
    collect()
    price_helpers.add(effective_from=date(2026, 11, 1), per_million={"input": Decimal(4)})
    jobs.copy_prices()
    assert costs().total.cost == Decimal(2)


def test_adoption_is_shown_without_prices_too(product, as_admin):
    product.send([used(1, feature="letters", user="u-1"), used(2, feature="letters", user="u-2")])
    page = as_admin.get("economics/cost").text
    assert "Weekly ÷ monthly" in page and "letters" in page


def test_a_months_cost_has_a_neighbour_only_where_there_is_usage(product, as_admin):
    product.send([used(1, at=at(NOW - timedelta(days=30))), used(2)])
    page = as_admin.get("economics/cost").text
    assert "month=2026-10" in page and "month=2026-12" not in page
    as_admin.get("economics/cost?month=soon", then=422)


@given(st.lists(st.decimals(0, 10**6, places=8), max_size=30))
def test_rounded_parts_add_up_to_the_rounded_whole(amounts):
    parts = rounded_together(amounts, "EUR")
    assert sum(parts, Decimal(0)) == rounded(sum(amounts, Decimal(0)), "EUR")
    assert all(abs(a - b) < Decimal("0.01") for a, b in zip(parts, amounts, strict=True))
