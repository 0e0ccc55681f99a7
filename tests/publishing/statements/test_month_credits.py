"""Credits of a month's statements in a review: frozen at its close, in its currency."""

import pytest
from sqlalchemy import select

from governance.kernel import clock
from governance.kernel.data.db import session
from governance.operations.agreements.models import Agreement
from governance.publishing.statements.models import Statement, StatementRevision
from tests import make
from tests.conftest import visitor
from tests.economics.reviews import close_helpers as month
from tests.economics.reviews.close_helpers import NOW
from tests.publishing.statements import statement_helpers as statements

SHEET = "/operator/economics/reviews/2026-10/tenants/acme"


@pytest.fixture
def october(app, database):
    """Let Acme use 30 dollars of models in October, billed with 1% more."""
    month.use(app)
    month.price()
    month.bill("15.15")
    month.collect()


def statement(number, credit, currency, revision=1):
    """Add a closed statement of Acme's October, written as its rows."""
    with make.acting("admin", "acme"):
        agreement = statements.agree(number)
        made = Statement(
            agreement_id=agreement.id,
            month="2026-10",
            starts_at=statements.at(1),
            ends_at=statements.at(31, 23),
            requested_by=None,
            work_item_id=None,
            marked_at=None,
        )
        session().add(made)
        session().flush()
        revise(made, credit, currency, revision)


def revise(made, credit, currency, number):
    row = StatementRevision(
        statement_id=made.id,
        number=number,
        closed_at=statements.DUE,
        closed_by=None,
        cause="close",
        input_digest="ab" * 32,
        data_digest="cd" * 32,
        facts={},
        result={},
        changes=None,
        credit=credit,
        currency=currency,
        checkpoint=None,
        file_name="statement.zip",
        file_key="statements/x",
        file_sha256="ef" * 32,
        file_size=1,
        pages=1,
    )
    session().add(row)
    made.revision = number
    session().flush()


def owed(slug="acme"):
    [found] = [each for each in month.view().facts.tenants if each.slug == slug]
    return found.sla_credits


def sheet(app):
    with clock.frozen(NOW):
        text = visitor(app, "operator_finance", "console").get(SHEET).text
    return " ".join(text.split())


def test_credits_of_all_statements_are_added_in_the_reviews_currency(october, app):
    statement(1, 500, "EUR")
    statement(2, 300, "USD")  # A dollar is half a euro.
    month.close()
    assert str(owed()) == "6.50"
    assert "€6.50" in sheet(app)


def test_without_a_statement_the_sheet_says_so(october, app):
    month.close()
    assert owed() is None
    assert "no statements" in sheet(app)


def test_credits_are_frozen_at_the_close(october, app):
    statement(1, 500, "EUR")
    month.close()
    with make.acting("admin", "acme"):
        revise(session().scalars(select(Statement)).one(), 900, "EUR", 2)
    assert str(owed()) == "5.00"
    assert "€5.00" in sheet(app)


def test_a_statement_in_a_currency_without_a_rate_stops_the_close(october):
    statement(1, 500, "CHF")
    row = month.close()
    assert row.problem == "There is no rate for CHF in October 2026. Add it under Rates."


def test_no_other_tenants_statement_counts(october, app):
    statement(1, 500, "EUR")
    month.use(app, slug="globex", system="router", requests=2)
    month.bill("3")
    month.collect()
    month.close()
    assert owed("globex") is None
    with make.acting("admin", "globex"):
        assert session().scalars(select(Agreement)).all() == []
