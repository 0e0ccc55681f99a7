"""Rows of the reconciliation, which open to days, and days to their bills and usage."""

from urllib.parse import quote, urlencode

import msgspec
import pytest
from bs4 import BeautifulSoup

from governance.kernel import clock
from tests import make
from tests.conftest import visitor
from tests.economics.costs.focus_helpers import import_rows, row
from tests.economics.reviews import close_helpers as month
from tests.economics.reviews import review_rows
from tests.economics.reviews.close_helpers import NOW
from tests.economics.reviews.facts_helpers import rich_facts
from tests.economics.reviews.page_readers import heading, table

MONTH = "/operator/economics/reviews/2026-10/"
DAYS = f"{MONTH}reconciliation/days"
BUDGET = 12  # Statements of a page.
BUDGET_OF_A_DAY = 17  # Statements with its bills, their names, and usage.


def opened(provider, model=None, day=None):
    """Return the address of a row, or of one of its days."""
    asked = {"provider": provider, "model": model, "day": day}
    return f"{DAYS}?{urlencode({k: v for k, v in asked.items() if v is not None})}"


@pytest.fixture
def finance(app, database):
    review_rows.closed_months()
    return visitor(app, "operator_finance", "console", at="/operator")


@pytest.fixture
def october(app, database):
    """Let Acme use 1.50 euros a day from 10 to 19 October; 17 October was billed at 1.70."""
    month.use(app)
    month.price()
    with clock.frozen(NOW):
        operator = visitor(app, "operator_finance", "console")
        import_rows(operator, [charge(day) for day in range(10, 20)], "anthropic-october.csv")
        month.collect()
        month.close()
        yield operator


def charge(day, cost="", tokens="1000000"):
    cost = cost or ("1.70" if day == 17 else "1.50")
    return row(
        ServiceProviderName="anthropic",
        InvoiceId="A-77",
        ChargePeriodStart=f"2026-10-{day:02}T00:00:00Z",
        ChargePeriodEnd=f"2026-10-{day + 1:02}T00:00:00Z",
        BilledCost=cost,
        EffectiveCost=cost,
        PricingQuantity=tokens,
        PricingUnit="Token",
        x_Model="claude-sonnet-4-5",
    )


def test_a_model_opens_to_its_days_which_add_up_to_it(finance, statements):
    page = finance.get(f"{MONTH}reconciliation")
    soup = BeautifulSoup(page.text, "html.parser")
    link = soup.find("a", string="helio-4-large")["href"]
    with statements() as seen:
        opened_page = finance.get(link)
    assert len(seen) <= BUDGET
    assert heading(opened_page) == "helio-4-large: invoices exceed computed cost by €780"
    days = table(opened_page, "Days of helio-4-large")
    assert days[-1][:4] == ["Total", "31,240.00", "32,020.00", "780.00"]
    assert days[0][0] == "1 October" and days[0][3] == "21.00"


def test_a_provider_opens_to_the_days_of_all_its_models(finance):
    days = table(finance.get(opened("Helio Cloud")), "Days of Helio Cloud")
    assert days[-1][:4] == ["Total", "48,910.00", "49,870.00", "960.00"]


def test_a_row_that_the_review_does_not_have_is_not_found(app, finance):
    finance.get(opened("Helio Cloud", "helio-9"), then=404)
    finance.get(opened("Nobody"), then=404)
    finance.get(DAYS, then=404)
    finance.get(opened("Helio Cloud", "helio-4-large", "2026-11-01"), then=404)
    finance.get(opened("Helio Cloud").replace("2026-10", "2027-10"), then=404)
    visitor(app, "admin", "acme", at="/operator").get(opened("Helio Cloud"), then=404)


def test_a_review_without_days_says_so(finance):
    facts = rich_facts()
    earlier = msgspec.structs.replace(facts.reconciliation, model_days=[])
    review_rows.second_revision(
        review_rows.newest_id(), msgspec.structs.replace(facts, reconciliation=earlier)
    )
    assert "keep their sums only" in finance.get(opened("Helio Cloud")).text


def test_a_cause_says_what_to_do_and_becomes_an_action(finance):
    page = finance.get(f"{MONTH}reconciliation")
    soup = BeautifulSoup(page.text, "html.parser")
    action = "Claim €268 from Helio Cloud"
    [item] = [each for each in soup.select("li") if action in each.text]
    link = item.select_one("a")["href"]
    assert quote("Claim €268") in link.replace("+", "%20")
    form = BeautifulSoup(finance.get(link.partition("#")[0]).text, "html.parser").select_one(
        "#plan"
    )
    sent = {
        "title": form.select_one("[name=title]")["value"],
        "owner_id": form.select_one("[name=owner_id] [selected]")["value"],
        "due_on": form.select_one("[name=due_on]")["value"],
    }
    assert sent["title"] == action
    assert sent["owner_id"] == str(make.person_id("operator_finance", "console"))
    finance.post(f"{MONTH}actions", **sent)
    soup = BeautifulSoup(finance.get(f"{MONTH}reconciliation").text, "html.parser")
    [item] = [each for each in soup.select("li") if action in each.text]
    assert item.select_one("a") is None


def test_a_day_opens_to_the_file_of_its_bill_and_to_usage(october, statements):
    address = opened("anthropic", "claude-sonnet-4-5", "2026-10-17")
    with statements() as seen:
        page = october.get(address)
    assert len(seen) <= BUDGET_OF_A_DAY
    days = table(page, "Days of claude-sonnet-4-5")
    [seventeenth] = [each for each in days if each[0] == "17 October"]
    assert seventeenth[1:4] == ["1.50", "1.70", "0.20"]
    [line] = table(page, "Lines of bills")
    assert line == [
        "Input claude-sonnet-4-5",
        "1,000,000 tokens",
        "€1.70 €1.70 a million",
        "anthropic-october.csv 1 line, invoice A-77",
    ]
    soup = BeautifulSoup(page.text, "html.parser")
    october.get(soup.find("a", string="anthropic-october.csv")["href"])
    [used] = table(page, "Usage of the model")
    assert used == ["Acme Insurance claims-triage", "1", "1,000,000", "$3.00"]
    assert "input 1,000,000" in " ".join(page.text.split())


def test_an_invoice_of_the_whole_month_is_one_row(app, database):
    month.use(app)
    month.price()
    with clock.frozen(NOW):
        operator = visitor(app, "operator_finance", "console")
        import_rows(operator, [charge(1, cost="15.15", tokens="10000000")])
        month.collect()
        month.close()
        page = operator.get(f"{MONTH}reconciliation")
        assert "The whole month" in page.text and "claude-sonnet-4-5" in page.text
        days = table(operator.get(opened("anthropic", "claude-sonnet-4-5")), "Days of")
        assert days[0][:4] == ["The whole month", "15.00", "15.15", "0.15"]
        page = operator.get(opened("anthropic", "claude-sonnet-4-5", "month"))
        assert len(table(page, "Lines of bills")) == 1
        assert "Bills of the whole month" in page.text


def test_what_nothing_explains_is_said_to_be_unexplained(app, database):
    month.use(app)
    month.price()
    month.bill("15.15")
    month.collect()
    month.close()
    with clock.frozen(NOW):
        page = visitor(app, "operator_finance", "console").get(f"{MONTH}reconciliation")
    assert "None of the residual is explained" in page.text
