"""The page on which finance closes months, retries, requests a residual and sets the day."""

import pytest

from governance.foundation.people.jobs import actor_of
from governance.kernel import clock
from governance.kernel.work import jobs
from tests.conftest import visitor
from tests.economics.reviews import close_helpers as month
from tests.economics.reviews.close_helpers import NOW
from tests.foundation.approvals.approval_helpers import approvals_in_inbox, decide_approval

MONTHS = "/operator/economics/months"


@pytest.fixture
def finance(app, database):
    with clock.frozen(NOW):
        yield visitor(app, "operator_finance", "console")


def spend(app, billed):
    month.use(app)
    month.price()
    month.bill(billed)
    month.collect()


def test_a_month_is_closed_by_a_click_and_listed_as_closed(finance, app):
    spend(app, "15.15")
    assert "Not closed" in finance.get(MONTHS).text
    finance.post(f"{MONTHS}/2026-10/close", then=303)
    jobs.drain(actor_of)
    text = finance.get(MONTHS).text
    assert "October 2026" in text and "Closed" in text and "Not closed" not in text


def test_a_stopped_close_says_why_and_another_person_is_asked(finance, app):
    spend(app, "20")
    finance.post(f"{MONTHS}/2026-10/close", then=303)
    jobs.drain(actor_of)
    assert "above the limit of 2.00%" in finance.get(MONTHS).text
    address = f"{MONTHS}/2026-10/residual"
    assert "Say why" in finance.post(address, then=422, reason=" ").text
    finance.post(address, reason="The batch job has no key yet.")


def test_finance_and_product_sign_off_from_their_inbox_and_nobody_else(finance, app):
    spend(app, "15.15")
    month.close()
    product = visitor(app, "operator_admin", "console")
    [for_finance], [for_product] = (
        approvals_in_inbox(each, "console") for each in (finance, product)
    )
    assert for_finance != for_product
    product.get(for_finance, then=404)
    decide_approval(finance, for_finance, verb="approve")
    decide_approval(product, for_product, verb="approve")
    assert {each.side for each in month.view().sign_offs} == {"finance", "product"}


def test_the_day_and_the_limit_are_saved_and_checked(finance):
    refused = finance.post(f"{MONTHS}/settings", then=422, close_day="31", limit_percent="2")
    assert "from 1 to 28" in refused.text
    finance.post(f"{MONTHS}/settings", close_day="3", limit_percent="1.5")
    assert "day 3 of the next one" in finance.get(MONTHS).text


def test_a_month_that_is_none_is_not_found(finance):
    finance.post(f"{MONTHS}/2026-13/close", then=404)


def test_people_of_a_customer_have_no_such_page(app, database):
    with clock.frozen(NOW):
        visitor(app, "admin", "acme").get(MONTHS, then=404)
