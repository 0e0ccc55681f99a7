"""A complete month of the operator, entered as people and machines do."""

from datetime import UTC, date, datetime
from decimal import Decimal

from governance.economics.costs import actions as costs
from governance.economics.rates import actions as rates
from governance.economics.reviews import queries
from governance.economics.reviews.closing import actions as close_actions
from governance.foundation.people.jobs import actor_of
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.months import Month
from governance.kernel.work import jobs
from tests import make
from tests.economics.allocation.allocation_helpers import approve_rules
from tests.economics.prices import price_helpers
from tests.economics.usage.usage_helpers import Product, event, register

OCTOBER = Month(2026, 10)
IN_OCTOBER = datetime(2026, 10, 20, 12, 0, tzinfo=UTC)
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
FINANCE, PRODUCT = "operator_finance", "operator_admin"


def as_finance():
    return make.acting(FINANCE, "console")


def use(app, slug="acme", system="claims-triage", requests=10, **changed):
    """Send requests of October, each with 1,000,000 input tokens, which cost 3 dollars."""
    register(system, slug=slug)
    tokens = {"input": 1_000_000, "output": 0}
    with clock.frozen(IN_OCTOBER):
        product = Product(app, slug=slug, name=f"{slug} product")
        product.send(
            [
                event(
                    n,
                    at=f"2026-10-{10 + n % 10:02}T10:00:{n % 60:02}Z",
                    system=system,
                    provider="anthropic",
                    feature="triage",
                    user=f"u-{n % 4}",
                    tokens=tokens,
                    **changed,
                )
                for n in range(requests)
            ]
        )


def price():
    """Price a million tokens at 3 dollars, and a dollar at half a euro."""
    with clock.frozen(NOW):
        price_helpers.add()
        with as_finance():
            rates.enter_rate(OCTOBER, "USD", Decimal("0.5"), source="ECB")


def bill(amount, pool="models", provider="anthropic"):
    """Add a cost of October manually, in euros."""
    with clock.frozen(NOW), as_finance():
        costs.enter_line(
            OCTOBER,
            provider=provider,
            pool=pool,
            amount=Decimal(amount),
            currency="EUR",
            note="For a test.",
        )


def collect():
    with clock.frozen(NOW):
        price_helpers.collect()


def close(month=OCTOBER):
    """Request the close and run it. Return the review."""
    with clock.frozen(NOW):
        with as_finance():
            close_actions.request_close(month)
        jobs.drain(actor_of)
    return row_of(month)


def row_of(month=OCTOBER):
    with as_finance():
        found = queries.review_of(month)
        session().expunge_all()
        return found


def view(month=OCTOBER, number=None):
    with as_finance():
        found = queries.review(month, number)
        session().expunge_all()
        return found


def rules(since=OCTOBER):
    with clock.frozen(IN_OCTOBER):
        return approve_rules(since=since)


def day(text):
    return date.fromisoformat(text)
