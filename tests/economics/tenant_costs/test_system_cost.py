"""The cost on an AI system's page, for those who may see the cost of usage."""

from decimal import Decimal

import pytest

from governance.economics.rates import actions as rates
from governance.economics.tenant_costs import queries, system_costs
from governance.economics.usage import jobs as usage_jobs
from governance.kernel import clock
from governance.kernel.months import Month
from tests import make
from tests.economics.prices import price_helpers
from tests.economics.tenant_costs.system_cost_helpers import share, used
from tests.economics.usage.usage_helpers import NOW, Product, register

PAGE = "systems/claims-triage"
COST = "economics/cost/systems/claims-triage"
OCTOBER, NOVEMBER = Month(2026, 10), Month(2026, 11)


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
        for month in (OCTOBER, NOVEMBER):
            rates.enter_rate(month, "USD", Decimal("0.5"), source="ECB")
    return Product(app)


def months():
    with make.acting("admin"):
        return queries.system_costs(register(), OCTOBER, NOVEMBER)


def test_its_cost_is_shown_by_month_feature_and_model_and_each_adds_up(product, as_viewer):
    register("billing")
    product.send(
        [
            used(1, "2026-10-31", feature="letters", task="t-0"),
            used(2, feature="letters", task="t-1", outcome="failed"),
            used(3, feature="letters", task="t-1"),
            used(4, feature="search", tokens={"input": 333_333}),
            used(5, system="billing", feature="invoices"),
        ]
    )
    share()
    found = {each.month: each for each in months()}
    assert list(found) == [OCTOBER, NOVEMBER]
    for month, requests, tasks in ((OCTOBER, 1, 1), (NOVEMBER, 3, 2)):
        for rows in (found[month].features, found[month].models):
            assert sum(each.cost for each in rows) == found[month].total.cost
            assert sum(each.requests for each in rows) == requests
        assert found[month].all_tasks == tasks
    page = as_viewer.get(COST).text
    assert "claims-triage: €3.50 in November 2026" in page
    assert "€1.75" in page and "letters" in page and "search" in page and "invoices" not in page
    assert "A completed task costs €1.75, up 17% since October 2026" in page
    earlier = as_viewer.get(f"{COST}?month=2026-10").text
    assert "claims-triage: €1.50 in October 2026" in earlier and "month=2026-11" in earlier


def test_the_systems_own_page_has_the_figure_the_chart_and_the_tab(product, as_viewer):
    product.send([used(1, "2026-10-31", task="t-0"), used(2), used(3, outcome="failed")])
    share()
    page = as_viewer.get(PAGE).text
    assert "Cost per completed task" in page and "+100% since October 2026" in page
    assert "A completed task costs €3.00, up 100% since October 2026" in page
    assert f"/{COST}" in page


def test_nothing_of_it_is_shown_before_the_operator_shows_prices_or_to_an_auditor_of_a_part(
    product, as_viewer, as_auditor
):
    product.send([used(1)])
    usage_jobs.count_tasks()
    hidden = as_viewer.get(PAGE).text
    assert "Cost per completed task" not in hidden and COST not in hidden
    assert "hasn’t shown its list prices" in as_viewer.get(COST).text
    share()
    assert "Cost per completed task" in as_viewer.get(PAGE).text
    as_auditor.get(COST, then=403)


def test_a_system_that_was_never_used_has_no_tab_and_its_page_says_so(product, as_viewer):
    register("billing")
    product.send([used(1)])
    share()
    assert "economics/cost/systems" not in as_viewer.get("systems/billing").text
    assert "No cost in November 2026" in as_viewer.get("economics/cost/systems/billing").text


def test_requests_without_a_price_are_counted_and_said(product, as_viewer):
    product.send([used(1), used(2, model="local-7b", provider=None)])
    share()
    page = as_viewer.get(COST).text
    assert "1 request without a price." in page and "no price" in page
    assert "at least €1.50 in November 2026" in page  # The headline continues after the name.


def test_a_neighbour_and_a_wrong_month_find_nothing(product, as_neighbour, as_viewer):
    as_neighbour.get(COST, then=404)
    as_viewer.get("economics/cost/systems/unknown", then=404)
    as_viewer.get(f"{COST}?month=x", then=422)


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        ("1.00", "1.11", "up 11% since August 2026"),
        ("1.00", "0.75", "down 25% since August 2026"),
        ("1.00", "1.001", "as in August 2026"),
    ],
)
def test_the_title_says_how_the_cost_of_a_task_moved(first, last, words):
    costs = system_costs.task_costs(
        (Month(2026, month), "EUR", Decimal(cost), 1, None)
        for month, cost in ((7, "9"), (8, first), (11, last))
    )
    assert system_costs.title(costs).endswith(words)


def test_months_in_another_currency_are_not_compared():
    costs = system_costs.task_costs(
        [(OCTOBER, "USD", Decimal(1), 1, None), (NOVEMBER, "EUR", Decimal(2), 1, None)]
    )
    assert system_costs.title(costs) == "A completed task costs €2.00"


def test_the_title_names_the_month_of_a_provisional_rate():
    costs = system_costs.task_costs([(NOVEMBER, "EUR", Decimal(2), 1, OCTOBER)])
    assert system_costs.title(costs) == (
        "A completed task costs €2.00 at the provisional rate of October 2026"
    )
