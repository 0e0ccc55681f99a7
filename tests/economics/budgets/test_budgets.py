"""Budgets: checked every hour, with one alert for each threshold and period."""

from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import select, update

from governance.economics.budgets import jobs, queries
from governance.economics.budgets.models import CostBudget, CostBudgetAlert, CostBudgetNotice
from governance.foundation.audit.models import AuditEntry
from governance.foundation.webhooks import actions as webhooks
from governance.foundation.webhooks.models import WebhookDelivery
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.work.jobs import WorkItem
from governance.operations.policies import draft_actions
from governance.operations.policies import queries as policies
from tests import make
from tests.browser import words
from tests.conftest import visitor
from tests.economics.prices import price_helpers
from tests.economics.usage.usage_helpers import NOW, SYSTEM, Product, at, event, register

BASE = "/operator/economics/budgets/"
RATES = "/operator/economics/rates"
INBOX = "/t/console/inbox/"
NOTICES = "/t/acme/economics/budget-notices/"
DECEMBER = datetime(2026, 12, 2, 12, tzinfo=NOW.tzinfo)
FORM = {
    "name": "Claims",
    "window": "month",
    "amount": "100",
    "actual_thresholds": "50, 80, 100",
    "forecast_thresholds": "",
    "proposed_limit": "",
    "proposed_models": "",
}


@pytest.fixture(autouse=True)
def _now():
    with clock.frozen(NOW):
        yield


@pytest.fixture
def finance(app, database):
    return visitor(app, "operator_finance", "console")


@pytest.fixture
def product(app, database):
    """Return Acme's product, whose models cost a cent for 10 tokens."""
    register()
    register("ad-copywriter")
    price_helpers.add(currency="EUR", per_million={"input": Decimal(1000)})
    return Product(app)


def spend(product: Product, euros: int, number: int = 1, **changed: Any) -> None:
    """Send one request of that cost, and collect its cost."""
    tokens = {"input": euros * 1000}
    values = {"provider": "anthropic", "tokens": tokens, "at": at(clock.now())} | changed
    product.send([event(number, **values)])
    price_helpers.collect()


def scope(system: str = "", feature: str = "", slug: str = "acme") -> str:
    """Return the form's value for that choice."""
    with make.acting("operator_finance", "console"):
        wanted = (price_helpers.customer(slug), system, feature)
        found = [
            each.key
            for each in queries.scopes()
            if (each.customer_id, each.system, each.feature) == wanted
        ]
    assert len(found) == 1, found
    return found[0]


def budget(finance, **changed: Any) -> UUID:
    """Set a budget through its form."""
    form = FORM | {"scope": scope()} | changed
    return UUID(finance.post(f"{BASE}new", **form, then=303).location.rpartition("/")[2])


def stored(model: Any, slug: str = "console") -> list[Any]:
    with make.acting("operator_finance" if slug == "console" else "admin", slug):
        found = list(session().scalars(select(model).order_by(model.created_at, model.id)))
        session().expunge_all()
        return found


def reached() -> list[tuple[str, str, int]]:
    return [(each.period, each.basis, each.percent) for each in stored(CostBudgetAlert)]


def mails(slug: str = "console") -> Counter[str]:
    """Return how many messages each address got."""
    with make.acting("operator_finance" if slug == "console" else "admin", slug):
        rows = session().scalars(select(WorkItem).where(WorkItem.kind == "mail"))
        return Counter(row.params["to"] for row in rows)


def actions_of(model: str, slug: str = "console") -> list[str]:
    with make.acting("operator_finance" if slug == "console" else "admin", slug):
        query = select(AuditEntry.action).where(AuditEntry.target_type == model)
        return list(session().scalars(query.order_by(AuditEntry.at, AuditEntry.id)))


def test_without_budgets_the_page_says_what_they_do(finance):
    page = finance.get(BASE).text
    assert "No budgets yet" in page and "Set an amount for a customer" in page
    assert "never blocks a request" in page


def test_a_budget_shows_its_spend_and_a_forecast_from_seven_full_days(finance, product):
    for number, day in enumerate((18, 20, 24), 1):
        spend(product, 7, number, at=at(NOW.replace(day=day)))
    spend(product, 4, 9)
    budget_id = budget(finance)
    (row,) = BeautifulSoup(finance.get(BASE).text, "html.parser").select("tr[data-row]")
    words = " ".join(row.get_text(" ").split())
    assert "Claims Acme Insurance · all AI systems" in words
    assert "€100.00" in words and "€25.00" in words and "25%" in words
    assert "€40.00" in words  # 25 spent, and 21 in 7 days for 5 more days.
    page = finance.get(f"{BASE}{budget_id}").text
    assert "Claims has spent 25% of €100.00" in page and "€3.00 a day" in page


def test_a_budget_of_a_system_or_a_feature_counts_only_its_own(finance, product):
    spend(product, 10, 1, feature="summaries")
    spend(product, 20, 2)
    spend(product, 40, 3, system="ad-copywriter")
    keys = (scope(), scope(SYSTEM), scope(SYSTEM, "summaries"))
    ids = [budget(finance, name=f"Budget {n}", scope=key) for n, key in enumerate(keys)]
    with make.acting("operator_finance", "console"):
        found = queries.outlooks(queries.budgets(), date(2026, 11, 25))
    assert [found[each].spent for each in ids] == [70, 30, 10]


def test_each_threshold_alerts_once_for_each_period(finance, product):
    budget_id = budget(finance)
    spend(product, 85)
    for _hour in range(3):
        jobs.check_budgets()
    assert reached() == [("2026-11", "actual", 50), ("2026-11", "actual", 80)]
    assert mails() == {"operator@console.example": 2, "finance@console.example": 2}
    spend(product, 20, 2)
    jobs.check_budgets()
    assert reached()[2:] == [("2026-11", "actual", 100)]
    with clock.frozen(DECEMBER):
        jobs.check_budgets()
        assert len(reached()) == 3
        spend(product, 60, 3)
        jobs.check_budgets()
    assert reached()[3:] == [("2026-12", "actual", 50)]
    assert actions_of("CostBudget").count("cost_budget.threshold.reached") == 4
    page = finance.get(f"{BASE}{budget_id}").text
    assert "Claims has spent 80% of €100.00 in November 2026." in page


def test_a_forecast_alerts_before_the_amount_is_spent(finance, product):
    budget(finance, actual_thresholds="", forecast_thresholds="100")
    spend(product, 77, at=at(NOW.replace(day=20)))
    jobs.check_budgets()
    assert reached() == [("2026-11", "forecast", 100)]  # 77 and 11 a day for 5 days.


def test_alerts_are_in_the_operators_inbox_until_they_are_acknowledged(finance, product):
    budget_id = budget(finance)
    spend(product, 60)
    jobs.check_budgets()
    inbox = finance.get("/t/console/inbox/").text
    assert "Review the budget: Claims" in inbox and "50% of the budget is spent" in inbox
    finance.post(f"{BASE}{budget_id}/acknowledge", then=303)
    assert "Review the budget" not in finance.get("/t/console/inbox/").text
    finance.post(f"{BASE}{budget_id}/acknowledge", then=303)
    assert actions_of("CostBudget").count("cost_budget.alerts.acknowledged") == 1


def test_a_customer_is_told_once_and_only_where_the_operator_shares_it(finance, product, app):
    with make.acting("admin", "acme"):
        webhooks.add(name="Finance", url="http://127.0.0.1:9/hook", events=["cost_budget.reached"])
    budget(finance)
    spend(product, 60)
    jobs.check_budgets()
    assert stored(CostBudgetNotice, "acme") == [] and mails("acme") == {}
    budget(finance, name="Shared", tells_tenant="y", actual_thresholds="50")
    jobs.check_budgets()
    (notice,) = stored(CostBudgetNotice, "acme")
    assert (notice.name, notice.spent, notice.percent) == ("Shared", 60, 50)
    with make.acting("operator_admin", "console"):  # Simulates a kill before this was stored.
        session().execute(
            update(CostBudgetAlert).where(CostBudgetAlert.id == notice.id).values(told_at=None)
        )
    jobs.check_budgets()
    assert mails("acme") == {"admin@acme.example": 1}
    assert len(stored(CostBudgetNotice, "acme")) == len(stored(WebhookDelivery, "acme")) == 1
    assert actions_of("CostBudgetNotice", "acme") == ["cost_budget.customer.told"]
    assert all(each.told_at for each in stored(CostBudgetAlert))
    admin = visitor(app, "admin", "acme")
    inbox = admin.get("inbox/").text
    assert "Review the budget: Shared" in inbox and "50% of the budget is spent" in inbox
    page = admin.get(f"{NOTICES}{notice.id}").text
    assert "Shared has spent 50% of €100.00 in November 2026." in page
    admin.post(f"{NOTICES}{notice.id}", then=303)
    admin.post(f"{NOTICES}{notice.id}", then=303)
    assert "Review the budget" not in admin.get("inbox/").text
    assert actions_of("CostBudgetNotice", "acme")[1:] == ["cost_budget.notice.acknowledged"]


def test_another_tenant_sees_neither_budgets_nor_notices(finance, product, app):
    budget_id = budget(finance, tells_tenant="y")
    spend(product, 60)
    jobs.check_budgets()
    (notice,) = stored(CostBudgetNotice, "acme")
    neighbour, admin = visitor(app, "admin", "globex"), visitor(app, "admin", "acme")
    neighbour.get(f"economics/budget-notices/{notice.id}", then=404)
    visitor(app, "viewer", "acme").get(f"{NOTICES}{notice.id}", then=403)
    for person in (neighbour, admin):
        for path in ("", "new", str(budget_id)):
            assert person.get(f"{BASE}{path}", then=None).status_code in {302, 403, 404}
    for slug in ("acme", "globex"):
        assert stored(CostBudget, slug) == stored(CostBudgetAlert, slug) == []
    assert stored(CostBudgetNotice, "globex") == []


def test_a_spent_budget_drafts_a_policy_change_that_people_decide_on(finance, product):
    budget_id = budget(
        finance, scope=scope_of_system(product), proposed_limit="20", proposed_models="small-1"
    )
    spend(product, 120, 2)
    jobs.check_budgets()
    jobs.check_budgets()
    with make.acting("compliance_officer", "acme"):
        drafted, now = policies.draft(), policies.current_policy()
        assert drafted is not None and drafted.state == "draft"
        (settings,) = drafted.content["systems"].values()
        assert settings == {"requests_per_minute": 20, "model_access": ["small-1"]}
        assert drafted.reason == "The budget Claims is spent." and now.content.systems == {}
    assert "A policy change was drafted." in finance.get(f"{BASE}{budget_id}").text
    assert mails("acme") == {}  # The customer isn't notified of the budget.


def scope_of_system(product: Product) -> str:
    spend(product, 1)
    return scope(SYSTEM)


def test_a_draft_that_somebody_works_on_stays_as_it_is(finance, product):
    budget_id = budget(finance, proposed_limit="20")
    with make.acting("compliance_officer", "acme"):
        content = policies.current_policy().content
        draft_actions.draft(content, seen="", reason="Their own work.")
    spend(product, 120)
    jobs.check_budgets()
    with make.acting("compliance_officer", "acme"):
        assert policies.draft().reason == "Their own work."
    assert "so no change was proposed" in finance.get(f"{BASE}{budget_id}").text


def test_a_currency_that_never_had_a_rate_is_unknown_and_other_budgets_are_still_checked(
    finance, app, product
):
    register(slug="globex")
    price_helpers.add(model="dollars", currency="USD", per_million={"input": Decimal(1000)})
    spend(Product(app, slug="globex"), 90, model="dollars")
    spend(product, 60)
    unknown = budget(finance, name="A", scope=scope(slug="globex"))
    budget(finance, name="B")
    page = words(finance.get(BASE))
    assert "There is no rate for USD in November 2026. Add it under Rates." in page
    assert "2 budgets: 1 unknown" in page and "60% €" in page
    assert "Spend of A is unknown" in words(finance.get(f"{BASE}{unknown}"))
    jobs.check_budgets()
    assert reached() == [("2026-11", "actual", 50)]


def dollars(number: int = 1, euros: int = 90) -> dict[str, Any]:
    """Return an event that costs `euros` dollars."""
    return event(
        number,
        provider="anthropic",
        model="dollars",
        tokens={"input": euros * 1000},
        at=at(clock.now()),
    )


def test_on_the_first_day_of_a_month_budgets_alert_at_the_last_known_rate(finance, app, product):
    price_helpers.add(model="dollars", currency="USD", per_million={"input": Decimal(1000)})
    enter = {"currency": "USD", "source": "ECB"}
    finance.post(RATES, month="2026-11", rate="0.5", **enter, then=303)
    budget(finance, tells_tenant="y", actual_thresholds="40")
    budget(finance, name="Euros", scope=scope(slug="globex"))
    with clock.frozen(datetime(2026, 12, 1, 0, 10, tzinfo=NOW.tzinfo)):
        finance = visitor(app, "operator_finance", "console")
        product.send([dollars()])
        price_helpers.collect()
        page = words(finance.get(BASE))
        assert "2 budgets: 1 provisional" in page and "€45.00" in page
        assert "Figures are provisional: USD for December 2026 (rate of November 2026)." in page
        jobs.check_budgets()
        (alert,) = stored(CostBudgetAlert)
        assert (alert.period, alert.spent) == ("2026-12", 45)
        (notice,) = stored(CostBudgetNotice, "acme")
        for slug in ("console", "acme"):
            (subject, text) = letters(slug)[0]
            assert subject == "Budget at 40% (provisional): Claims"
            assert "USD for December 2026 (rate of November 2026)." in text
        admin = visitor(app, "admin", "acme")
        asked = "40% of the budget is spent, at a provisional rate"
        assert asked in words(admin.get("inbox/")) and asked in words(finance.get(INBOX))
        assert "USD for December 2026" in words(admin.get(f"{NOTICES}{notice.id}"))
        finance.post(RATES, month="2026-12", rate="0.6", **enter, then=303)
        page = words(finance.get(BASE))
        assert "2 budgets, all within their amount" in page and "€54.00" in page
        assert "rovisional" not in page
        jobs.check_budgets()
    assert [(each.id, each.spent) for each in stored(CostBudgetAlert)] == [(alert.id, 45)]


def test_usage_without_a_price_is_unknown_and_never_within_the_budget(finance, app, product):
    budget_id = budget(finance)
    product.send(
        [
            event(n, provider=..., model="helio-large-3", tokens={"input": 2_000}, at=at(NOW))
            for n in range(1, 4)
        ]
    )
    price_helpers.collect()
    page = words(finance.get(BASE))
    assert "1 budget: 1 unknown" in page and "€0.00" not in page and "Within" not in page
    named = "3 requests and 6,000 tokens of helio-large-3 (no provider named) have no price."
    assert named in page and "0%" not in page
    one = words(finance.get(f"{BASE}{budget_id}"))
    assert "Spend of Claims is unknown" in one and named in one
    spend(product, 60, 9)
    page = words(finance.get(BASE))
    assert "1 budget: 1 with usage that has no price" in page and "At least €60.00" in page
    jobs.check_budgets()
    (alert,) = stored(CostBudgetAlert)
    assert alert.unpriced == [
        {"provider": "", "model": "helio-large-3", "requests": 3, "tokens": 6000}
    ]
    ((_subject, text), *_) = letters("console")
    assert named in text and "Spent so far: at least €60.00." in text
    price_helpers.add(
        provider="", model="helio-large-3", currency="EUR", per_million={"input": Decimal(1000)}
    )
    price_helpers.collect()
    assert "€66.00" in words(finance.get(BASE))
    assert "1 budget, all within their amount" in words(finance.get(BASE))


def letters(slug: str) -> list[tuple[str, str]]:
    """Return subject and text of each message."""
    with make.acting("operator_finance" if slug == "console" else "admin", slug):
        rows = session().scalars(select(WorkItem).where(WorkItem.kind == "mail"))
        return [(row.params["subject"], row.params["body"]) for row in rows]


def test_a_budget_is_changed_once_and_removed(finance, product):
    budget_id = budget(finance)
    address = f"{BASE}{budget_id}/edit"
    mark = BeautifulSoup(finance.get(address).text, "html.parser").select_one("[name=mark]")[
        "value"
    ]
    changed = FORM | {"amount": "1,250.50"}
    finance.post(address, **changed, mark=mark, then=303)
    (row,) = stored(CostBudget)
    assert (row.amount, row.window) == (Decimal("1250.50"), "month")
    page = finance.post(address, **FORM, mark=mark, then=409).text
    assert "Someone else changed this budget" in page
    finance.post(f"{BASE}{budget_id}/remove", then=303)
    assert "No budgets yet" in finance.get(BASE).text
    finance.post(address, **FORM, mark=row.mark, then=404)
    spend(product, 500)
    jobs.check_budgets()
    assert reached() == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"amount": "0"}, "Enter an amount above zero."),
        ({"amount": "-5"}, "isn’t negative"),
        ({"amount": "much"}, "isn’t an amount"),
        ({"actual_thresholds": "50, x"}, "Enter percentages such as"),
        ({"actual_thresholds": "0"}, "percentages from 1 to"),
        ({"forecast_thresholds": "1001"}, "percentages from 1 to"),
        ({"proposed_limit": "1.5"}, "whole number of requests"),
        ({"proposed_models": "-bad-name-"}, "isn’t a valid model name"),
        ({"scope": "elsewhere"}, "Not a valid choice"),
        ({"name": " "}, "Enter a name."),
    ],
)
def test_a_budget_that_cannot_be_is_refused_beside_its_field(finance, product, changed, said):
    form = FORM | {"scope": scope()} | changed
    page = finance.post(f"{BASE}new", **form, then=422).text
    assert said in page.replace("&#39;", "’").replace("'", "’")
    assert stored(CostBudget) == []
