"""The operator's pages of a review: content, readers, and number of statements."""

from datetime import date

import msgspec
import pytest

from governance.economics.reviews.facts.review_facts import ReviewFacts
from governance.economics.reviews.models import Review
from governance.kernel.data.db import session
from tests import make
from tests.conftest import visitor
from tests.economics.reviews import facts_helpers as helpers
from tests.economics.reviews import review_rows, tenant_facts
from tests.economics.reviews.facts_helpers import empty_facts, rich_facts
from tests.economics.reviews.facts_laws import broken_laws
from tests.economics.reviews.page_readers import heading, table
from tests.economics.reviews.tenant_facts import D

INDEX = "/operator/economics/"
MONTH = "/operator/economics/reviews/2026-10/"
BUDGET = 12  # Statements of a page.


@pytest.fixture
def finance(app, database):
    return visitor(app, "operator_finance", "console", at="/operator")


def many_tenants(count: int) -> ReviewFacts:
    """Return a consistent month of `count` tenants."""
    facts = rich_facts()
    extra = [
        tenant_facts.tenant(f"Tenant {place:03}", D(1_000), facts.tenants[-1].costs)
        for place in range(count - len(facts.tenants))
    ]
    tenants = [*facts.tenants, *extra]
    waterfall = helpers.waterfall_of(tenants, D(1_120), D("387.63"), D(58_400))
    return msgspec.structs.replace(facts, tenants=tenants, waterfall=waterfall)


def test_without_a_review_the_page_says_what_it_needs(finance):
    assert "No month is closed yet" in finance.get(INDEX).text
    finance.get(MONTH, then=404)


def test_the_newest_month_is_the_first_page(finance):
    review_rows.closed_months()
    page = finance.get(INDEX)
    assert heading(page) == (
        "Gross margin is 57.2%, up 0.4 points. Three of 34 tenants lose money, and Small business"
        " barely pays back."
    )
    assert "October 2026 · closed 5 November 2026, revision 1 · figures in EUR" in page.text
    assert "€412.4k" in page.text and "+3.0% on September" in page.text
    assert f'href="{MONTH[:-8]}2025-11/"' in page.text
    assert heading(finance.get(f"{MONTH[:-8]}2025-11/")).startswith("Gross margin is 57.2%. Three")


def test_the_tables_of_the_review_tab_hold_the_facts(finance):
    review_rows.closed_months()
    page = finance.get(MONTH)
    assert table(page, "Tenants that lose money")[0] == [
        "Globex strict, mid-market",
        "4,900",
        "−3,120",
        "41,000 tokens in a median prompt high: p95 is 96,000",
    ]
    segments = table(page, "CAC, LTV and payback")
    assert segments[0][:4] == ["Enterprise", "10", "41,800", "182,000"]
    assert "not estimable: no churn, 7 accounts" in segments[3][4]
    assert table(page, "Price of a tier")[3][:2] == ["Regulated", "2"]
    assert "Revenue" in page.text and "236,000.00" in page.text and "177,600.00" in page.text


def test_reconciliation_adds_up_to_the_reviews_gross_margin(finance, statements):
    review_rows.closed_months()
    with statements() as seen:
        page = finance.get(f"{MONTH}reconciliation")
    assert len(seen) <= BUDGET
    assert heading(page) == "Invoices exceed computed cost by 1.52%, within the 2% limit"
    rows = table(page, "Reconciliation by provider")
    assert rows[0] == ["Helio Cloud", "48,910", "49,870", "960", "1.93%", "Within"]
    assert rows[1] == ["helio-4-large", "31,240", "32,020", "780", "2.44%", "Over 2%"]
    assert rows[-1][:5] == ["Total", "72,480", "73,600", "1,120", "1.52%"]
    tenants = table(page, "Gross margin by tenant")
    assert tenants[0][:3] == ["Globex", "−3,120", "−4,060"]
    assert tenants[-1] == ["All 34 tenants", *["237,508"] * 6, "", "the same under every rule"]
    assert "237,507.63 − residual 1,120.00 −" in page.text
    assert "gross margin 236,000.00, as in the" in page.text


def test_an_accepted_residual_prints_its_reason(finance):
    review = review_rows.closed_months()
    facts = rich_facts()
    over = msgspec.structs.replace(facts.reconciliation, share=D("0.031"))
    review_rows.second_revision(
        review,
        msgspec.structs.replace(facts, reconciliation=over),
        accepted_residual="A credit note for the double cache writes is due.",
    )
    page = finance.get(f"{MONTH}reconciliation")
    assert "above the 2% limit; two people accepted it" in heading(page)
    assert "A credit note for the double cache writes is due." in page.text


def test_a_second_revision_says_what_changed_and_the_first_stays_readable(finance):
    review = review_rows.closed_months()
    review_rows.second_revision(
        review,
        rich_facts(),
        reason="Model cost of October fell by €1,500.00, because a bill was corrected.",
        changes=[["Model cost", "€73,980.00", "€72,480.00"]],
    )
    page = finance.get(MONTH)
    assert "Revision 2: Model cost of October fell by €1,500.00" in page.text
    assert "€73,980.00" in page.text
    first = finance.get(f"{MONTH}?revision=1")
    assert "A later revision replaces these figures." in first.text
    assert "A later revision" not in page.text
    finance.get(f"{MONTH}?revision=3", then=404)


def test_a_month_without_anything_estimates_nothing(finance):
    review_rows.closed_months(empty_facts())
    assert heading(finance.get(MONTH)).startswith("Gross margin isn't estimable.")
    page = finance.get(f"{MONTH}reconciliation")
    assert heading(page) == "October has no model cost to reconcile"


def test_a_month_that_is_closing_has_no_figures_yet(finance):
    with make.acting("operator_admin", "console"):
        session().add(
            Review(
                month="2026-11",
                revision=0,
                reopened=None,
                problem=None,
                work_item_id=None,
                requested_by=None,
                accepted_residual=None,
                late=None,
            )
        )
        session().flush()
    page = finance.get(f"{MONTH[:-8]}2026-11/")
    assert heading(page) == "November 2026 is being closed"
    with make.acting("operator_admin", "console"):
        session().query(Review).one().problem = "There is no rate for USD in November 2026."
        session().flush()
    page = finance.get(f"{MONTH[:-8]}2026-11/")
    assert heading(page) == "November 2026 couldn't be closed"
    assert "There is no rate for USD" in page.text


def test_inputs_that_changed_after_the_close_are_named(finance):
    review_rows.closed_months()
    with make.acting("operator_admin", "console"):
        review = session().query(Review).filter_by(month="2026-10").one()
        review.late = ["Bills", "Usage"]
        session().flush()
    assert "Inputs changed after the close: Bills, Usage." in finance.get(MONTH).text


def test_a_planned_action_stands_in_the_review_with_its_owner(finance):
    review = review_rows.closed_months()
    review_rows.planned_action(review, "Cap context at 16,000 tokens", date(2026, 12, 1))
    assert "Cap context at 16,000 tokens" in finance.get(MONTH).text


def test_two_hundred_tenants_and_twelve_months_take_few_statements(finance, statements):
    facts = many_tenants(200)
    assert broken_laws(facts) == []
    review_rows.closed_months(facts)
    with statements() as seen:
        page = finance.get(MONTH)
    assert len(seen) <= BUDGET
    assert "of 200 tenants" in heading(page)


@pytest.mark.parametrize("address", [INDEX, MONTH, f"{MONTH}reconciliation"])
def test_a_customers_people_have_no_such_page(app, database, address):
    review_rows.closed_months()
    for role in ("admin", "compliance_officer", "auditor"):
        visitor(app, role, "acme", at="/operator").get(address, then=404)


def test_a_customers_session_finds_no_row_of_a_review(app, database):
    review_rows.closed_months()
    with make.acting("admin", "acme"):
        assert session().query(Review).count() == 0
