"""The newest review on the operator's overview, and months and tabs in the palette."""

import pytest

from governance.economics.reviews.models import Review
from governance.foundation.people.models import Membership
from governance.kernel import clock
from governance.kernel.data.db import session
from tests import make
from tests.assurance.frameworks.framework_files import main_text
from tests.conftest import visitor
from tests.economics.reviews import close_helpers as month
from tests.economics.reviews import review_rows
from tests.economics.reviews.close_helpers import NOW

FIRST_PAGE = "/operator/"
BUDGET = 14  # Statements of the page, with three tenants.
REVIEW = "/operator/economics/reviews/2026-10/"


@pytest.fixture
def finance(app, database):
    return visitor(app, "operator_finance", "console")


def make_support() -> None:
    """Change the person of finance to support."""
    with make.acting("operator_admin", "console"):
        finance = make.person_id("operator_finance", "console")
        session().query(Membership).filter_by(person_id=finance).one().role = "operator_support"
        session().flush()


def found(visiting, text, slug="console"):
    """Return label and address of what the palette finds."""
    hits = visiting.get(f"/t/{slug}/jump", query_string={"q": text}).json
    return [(each["label"], each["href"]) for each in hits]


def test_the_first_page_shows_margin_and_who_loses_money(finance, statements):
    review_rows.closed_months()
    with statements() as seen:
        text = main_text(finance.get(FIRST_PAGE))
    assert len(seen) <= BUDGET
    assert "Gross margin is 57.2%, up 0.4 points. Three of 34 tenants lose money" in text
    assert "Globex 41,000 tokens in a median prompt −€3,120" in text
    assert "3 tenants" in text


def test_before_the_first_review_the_page_shows_the_tenants_alone(finance):
    assert "Unit economics" not in main_text(finance.get(FIRST_PAGE))


def test_money_is_not_shown_to_support(finance):
    review_rows.closed_months()
    make_support()
    text = main_text(finance.get(FIRST_PAGE))
    assert "3 tenants" in text and "margin" not in text


def test_signatures_that_are_missing_wait_on_the_first_page(app, database):
    month.use(app)
    month.price()
    month.bill("15.15")
    month.collect()
    month.close()
    with clock.frozen(NOW):
        text = main_text(visitor(app, "operator_finance", "console").get(FIRST_PAGE))
        assert "Finance hasn't signed October 2026 You sign for this side" in text
        assert "Product hasn't signed October 2026 Revision 1" in text


def test_a_residual_above_the_limit_waits_on_the_first_page(finance):
    review_rows.closed_months()
    with make.acting("operator_finance", "console"):
        review = session().query(Review).filter_by(month="2026-09").one()
        review.problem = "The residual is 5.00% of invoiced model cost, above the limit of 2.00%."
        session().flush()
    text = main_text(finance.get(FIRST_PAGE))
    assert "September 2026 can't close yet The residual is 5.00%" in text


def test_the_palette_finds_a_month_before_its_tabs(finance):
    review_rows.closed_months()
    hits = found(finance, "october 2026 review")
    assert hits[0] == ("October 2026 review", REVIEW)
    assert ("October 2026 review: reconciliation and allocation", f"{REVIEW}reconciliation") in hits
    assert found(finance, "2026-10 actions") == [
        ("October 2026 review: actions", f"{REVIEW}actions")
    ]
    assert found(finance, "unit economics")[0][0] == "View unit economics"
    assert found(finance, "october 2031") == []


def test_the_palette_shows_nobody_what_they_may_not_open(app, finance):
    review_rows.closed_months()
    assert found(finance, "measure 2.7") == []  # Requirements belong to a tenant.
    assert found(visitor(app, "admin", "acme"), "october 2026 review", "acme") == []
    make_support()
    assert found(finance, "october") == []


def test_the_operators_pages_have_the_palette(finance):
    assert 'data-palette="/t/console/jump"' in finance.get(FIRST_PAGE).text
