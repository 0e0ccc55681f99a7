"""The demo's budgets: set for scopes that have costs, and checked."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select

from governance.demo import economics_budgets_story
from governance.economics.budgets import queries
from governance.economics.budgets.models import CostBudgetAlert
from governance.kernel import clock
from governance.kernel.data.db import session
from tests import make
from tests.demo.frozen_days import begun_at
from tests.economics.prices import price_helpers
from tests.economics.usage.usage_helpers import Product, at, event, register

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)  # before 20:00, when the story checks the budgets


def test_the_demo_sets_three_budgets_and_alerts_what_they_reached(app, database, monkeypatch):
    begun_at(monkeypatch, NOON + timedelta(hours=9))
    with clock.frozen(NOON):
        for slug in ("acme", "globex"):
            register("claims-triage", slug)
            register("support-assistant", slug)
        price_helpers.add(currency="EUR", per_million={"input": Decimal(1000)})
        product, when = Product(app), at(NOON - timedelta(minutes=1))
        cost = {"provider": "anthropic", "tokens": {"input": 30_000}, "at": when}
        product.send([event(1, **cost), event(2, system="support-assistant", **cost)])
        price_helpers.collect()
        economics_budgets_story.tell(make.actor("operator_finance", "console"))
        with make.acting("operator_finance", "console"):
            assert [each.name for each in queries.budgets()] == [
                "Acme, claims-triage",
                "Acme, support-assistant",
                "Globex, everything",
            ]
            alerts = session().scalars(
                select(CostBudgetAlert).where(CostBudgetAlert.basis == "actual")
            )
            assert [(each.percent, each.spent) for each in alerts] == [
                (50, 30),
                (80, 30),
                (100, 30),
            ]
            assert [each.amount for each in queries.budgets()] == [30, 70, 10]
