"""The other tabs of a review: tenants, renewal, adoption, what-if, actions, inputs."""

import csv
import io
from datetime import timedelta

import pytest

from governance.economics.reviews.models import Review, ReviewAction, ReviewScenario
from governance.kernel import clock
from governance.kernel.data.db import session
from tests import make
from tests.conftest import visitor
from tests.economics.reviews import review_rows
from tests.economics.reviews.page_readers import heading, table

MONTH = "/operator/economics/reviews/2026-10/"
BUDGET = 12  # Statements of a page.
TABS = ("tenants/", "tenants/globex", "adoption", "scenarios", "actions", "inputs")


@pytest.fixture
def finance(app, database):
    review_rows.closed_months()
    return visitor(app, "operator_finance", "console", at="/operator")


@pytest.mark.parametrize("tab", TABS)
def test_a_tab_keeps_its_budget_and_is_the_operators_alone(app, finance, statements, tab):
    with statements() as seen:
        finance.get(MONTH + tab)
    assert len(seen) <= BUDGET
    visitor(app, "admin", "acme", at="/operator").get(MONTH + tab, then=404)


def test_the_list_of_tenants_is_searched_filtered_sorted_and_exported(finance):
    page = finance.get(f"{MONTH}tenants/")
    rows = table(page, "Tenants of October 2026")
    assert [row[0] for row in rows[:3]] == ["Globex", "Northgate Mutual", "Tallis Retail"]
    assert heading(page) == "Three tenants lost €5,210 in October"
    found = table(finance.get(f"{MONTH}tenants/?state=loses&tier=strict"), "Tenants of")
    assert [row[0] for row in found] == ["Globex"]
    assert "No tenants match" in finance.get(f"{MONTH}tenants/?q=nobody").text
    highest = table(finance.get(f"{MONTH}tenants/?sort=-revenue"), "Tenants of")
    assert highest[0][0] == "Brightwater Bank"
    reply = finance.get(f"{MONTH}tenants.csv?state=loses")
    lines = list(csv.DictReader(io.StringIO(reply.data.decode("utf-8-sig"))))
    assert [(each["Tenant"], each["Margin"]) for each in lines][0] == ("Globex", "-3120.0")
    assert len(lines) == 3
    assert finance.get(f"{MONTH}tenants.xlsx").data[:2] == b"PK"


def test_a_renewal_sheet_takes_a_target_margin(finance):
    page = finance.get(f"{MONTH}tenants/globex")
    assert heading(page) == "Renewal of Globex" and "€20,050.00" in page.text
    assert "€8,020.00" in finance.get(f"{MONTH}tenants/globex?target=0").text
    finance.get(f"{MONTH}tenants/globex?target=100", then=422)
    finance.get(f"{MONTH}tenants/globex?target=much", then=422)
    finance.get(f"{MONTH}tenants/nobody", then=404)


def test_adoption_shows_features_and_cohorts(finance):
    page = finance.get(f"{MONTH}adoption")
    assert heading(page) == "14,910 of 42,100 people used chat in October"
    assert table(page, "Adoption by feature")[1][:4] == ["chat", "42,100", "19,870", "47%"]
    assert table(page, "Retention by cohort")[0][:3] == ["July 2026", "410", "100.0%"]


def test_a_scenario_can_not_be_mistaken_for_actual_figures(finance):
    page = finance.post(f"{MONTH}scenarios", name="Prices up", price_percent="10", follow=True)
    assert page.text.count("Scenario, not actual") >= 4
    assert "<title>Scenario, not actual" in page.text
    rows = table(page, "Scenario Prices up")
    assert rows[0] == ["Revenue", "412,400.00", "453,639.96", "41,239.96"]
    finance.post(f"{MONTH}scenarios", name="", then=422)
    finance.post(f"{MONTH}scenarios", name="x", cached_percent="101", then=422)
    with make.acting("operator_finance", "console"):
        saved = session().query(ReviewScenario).one().id
    finance.post(f"{MONTH}scenarios/{saved}/delete")
    finance.post(f"{MONTH}scenarios/{saved}/delete", then=404)
    assert "Prices up" not in finance.get(f"{MONTH}scenarios").text


def test_actions_are_planned_finished_and_comments_added(finance):
    owner = make.person_id("operator_finance", "console")
    due = clock.today() + timedelta(days=20)
    finance.post(f"{MONTH}actions", title="Cap context", owner_id=str(owner), due_on=str(due))
    finance.post(
        f"{MONTH}actions", title="Late", owner_id=str(owner), due_on="2020-01-01", then=422
    )
    finance.post(f"{MONTH}comments", body="Globex pays for its prompts from January.")
    finance.post(f"{MONTH}comments", body=" ", then=422)
    page = finance.get(f"{MONTH}actions")
    assert heading(page) == "1 of 1 actions open"
    assert "Globex pays for its prompts" in page.text and "on revision 1" in page.text
    with make.acting("operator_finance", "console"):
        planned = session().query(ReviewAction).one().id
    finance.post(f"{MONTH}actions/{planned}/finish")
    assert heading(finance.get(f"{MONTH}actions")) == "0 of 1 actions open"
    finance.post(f"{MONTH}actions/{make.person_id('admin')}/finish", then=404)


def test_a_month_is_reopened_for_a_reason(finance):
    finance.post(f"{MONTH}reopen", reason="", then=422)
    finance.post(f"{MONTH}reopen", reason="A bill was corrected in November.")
    with make.acting("operator_finance", "console"):
        review = session().query(Review).filter_by(month="2026-10").one()
        assert review.reopened == "A bill was corrected in November."
    page = finance.get(MONTH)
    assert "close the month again for revision 2" in page.text
    assert "A bill was corrected in November." in page.text


def test_inputs_show_their_digests_and_another_definition(finance):
    page = finance.get(f"{MONTH}inputs")
    assert table(page, "Inputs of the month")[0][:3] == ["Usage", "API", "412,000"]
    assert "Recomputed, not published" not in page.text
    page = finance.get(f"{MONTH}inputs?definition=quick_ratio:2")
    assert table(page, "Months under another")[0] == ["October 2026", "2.6", "2.7"]
    assert len(table(page, "Months under another")) == 12
    assert "Recomputed" not in finance.get(f"{MONTH}inputs?definition=nothing:1").text
