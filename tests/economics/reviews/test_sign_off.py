"""Sign-off of a review by finance and product: each signs exactly what it saw."""

import pytest
from bs4 import BeautifulSoup

from governance.economics.reviews import queries
from governance.economics.reviews.closing import actions as close_actions
from governance.kernel import clock
from tests.conftest import visitor
from tests.economics.reviews import close_helpers as month
from tests.economics.reviews import review_rows
from tests.economics.reviews.close_helpers import NOW, OCTOBER, as_finance
from tests.foundation.approvals.approval_helpers import decide_approval

PAGE = "/operator/economics/reviews/2026-10/"
BUDGET = 12  # Statements of a page.


@pytest.fixture
def october(app, database):
    """Close October and request both sign-offs."""
    month.use(app)
    month.price()
    month.bill("15.15")
    month.collect()
    month.close()


@pytest.fixture
def finance(app, october):
    with clock.frozen(NOW):
        yield visitor(app, "operator_finance", "console")


@pytest.fixture
def product(app, october):
    with clock.frozen(NOW):
        yield visitor(app, "operator_admin", "console")


def sign_off_link(visiting) -> str | None:
    """Return the target of the page's button, or None without one."""
    soup = BeautifulSoup(visiting.get(PAGE).text, "html.parser")
    found = [each for each in soup.select("a.btn-primary") if "Sign off as" in each.text]
    return found[0]["href"] if found else None


def signatures(visiting) -> list[str]:
    """Return the page's text about each side."""
    soup = BeautifulSoup(visiting.get(PAGE).text, "html.parser")
    section = soup.select_one("section[aria-labelledby=signed]")
    return [" ".join(each.get_text(" ").split()) for each in section.select("li")]


def restate(correction="-0.10"):
    """Add another revision of October."""
    with clock.frozen(NOW), as_finance():
        close_actions.reopen(queries.review_of(OCTOBER), "The bill was corrected.")
    month.bill(correction)
    month.close()


def test_each_side_signs_from_the_page_and_the_page_says_who_did(finance, product):
    link = sign_off_link(finance)
    assert "/sign-off/finance" in link
    assert signatures(finance) == ["Finance Sign off as finance", "Product awaits a signature"]
    decide_approval(finance, finance.get(link, then=303).location, verb="approve")
    assert sign_off_link(finance) is None
    decide_approval(product, product.get(sign_off_link(product), then=303).location, verb="approve")
    assert {each.side for each in month.view().sign_offs} == {"finance", "product"}
    finance_said, product_said = signatures(product)
    assert finance_said.startswith("Finance") and "25 Nov 2026" in finance_said
    assert product_said.startswith("Product") and "25 Nov 2026" in product_said


def test_a_side_is_refused_to_the_other_and_to_customers(app, finance, product):
    link = sign_off_link(finance)
    refused = product.get(link, then=403)
    assert "sign off reviews for finance" in refused.text
    visitor(app, "admin", "acme").get(link, then=404)
    finance.get(link.replace("2026-10", "2026-09"), then=404)


def test_a_page_that_is_older_than_the_figures_says_so_and_signs_nothing(finance):
    link = sign_off_link(finance)
    restate()
    page = finance.get(link, then=303)
    assert page.location.endswith("/economics/reviews/2026-10/")
    assert "October 2026 has other figures since you opened this page: revision 2." in (
        finance.get(PAGE).text
    )
    assert sign_off_link(finance) != link
    assert not month.view().sign_offs


def test_a_reopened_month_is_not_signed_until_it_is_closed_again(finance):
    link = sign_off_link(finance)
    request = finance.get(link, then=303).location
    seen = BeautifulSoup(finance.get(request).text, "html.parser").select_one("[name=seen]")
    with as_finance():
        close_actions.reopen(queries.review_of(OCTOBER), "The bill was corrected.")
    assert sign_off_link(finance) is None
    finance.get(link, then=303)
    assert "October 2026 was reopened." in finance.get(PAGE).text
    refused = decide_approval(finance, request, verb="approve", seen=seen["value"], then=409)
    assert "already voided" in refused.text
    assert not month.view().sign_offs


def test_a_refused_signature_shows_its_reason_and_ends_the_request(finance):
    link = sign_off_link(finance)
    request = finance.get(link, then=303).location
    decide_approval(finance, request, verb="reject", reason="The bill of Helio is missing.")
    assert "refused: The bill of Helio is missing." in signatures(finance)[0]
    finance.get(link, then=303)
    assert "Finance has already decided on revision 1." in finance.get(PAGE).text


def test_an_earlier_revision_is_not_signed(finance):
    restate()
    soup = BeautifulSoup(finance.get(f"{PAGE}?revision=1").text, "html.parser")
    assert "Sign off as finance" not in soup.text


@pytest.mark.parametrize("tab", ["", "actions"])
def test_the_button_takes_one_statement(app, database, statements, tab):
    review_rows.closed_months()
    visiting = visitor(app, "operator_finance", "console")
    with statements() as seen:
        visiting.get(PAGE + tab)
    assert len(seen) <= BUDGET
