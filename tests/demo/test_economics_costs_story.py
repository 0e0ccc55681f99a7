"""The demo's bills, which differ from its usage only as the story intends."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal

from governance.demo import economics_costs_story as story
from governance.demo import economics_prices_story
from governance.economics.costs import queries, reconciliation_queries
from governance.kernel.months import Month
from tests import make
from tests.economics.usage.usage_helpers import Product, at, event, register

TOKENS = {"input": 400_000, "cache_read": 200_000, "cache_write": 90_000, "output": 70_000}


def events(month: Month):
    """Yield a call of each model on each day of a month."""
    models = (("helio", "helio-large-3"), ("helio", "helio-small-3"), ("northwind", "nw-chat-2"))
    number = 0
    for day in range(month.last_day.day):
        noon = datetime.combine(month.first_day + timedelta(days=day), time(12), UTC)
        for provider, model in models:
            number += 1
            named = {"id": f"{month}-{number}", "at": at(noon), "tokens": TOKENS}
            yield event(provider=provider, model=model, **named)


def test_bills_of_eighteen_months_differ_from_usage_as_the_story_says(app, database):
    now = Month.of(story.days_ago(story.IMPORTED))
    last, corrected = now.plus(-1), now.plus(-story.CORRECTED_MONTH)
    register()
    Product(app).send([*events(last), *events(now.plus(-2))])
    finance = make.actor("operator_finance", "console")
    economics_prices_story.tell(finance)
    story.tell(finance)
    with make.acting("operator_finance", "console"):
        months = [now.plus(-ago) for ago in range(18, 0, -1)]
        assert all(queries.pools(month)["guardrails"] > 500 for month in months)
        assert all(queries.pools(month)["idle"] > 150 for month in months)
        assert queries.pools(last)["support"] == 312
        prepaid = [total for month in months for total in queries.month_totals(month)]
        assert sum(total.billed - total.effective for total in prepaid) > story.PREPAID / 3
        found = reconciliation_queries.month_residual(last)
        causes = {name for name, amount in found.causes.items() if abs(amount) > Decimal("0.0001")}
        assert causes == {"cache", "unmetered", "price"}
        writes = [
            each.costs["cache_write"]
            for each in reconciliation_queries.metered_by_day(last)
            if each.model == "helio-large-3" and each.day.day in (17, 18)
        ]
        assert abs(found.causes["cache"] - sum(writes)) < Decimal("0.0001")
        assert all(model.is_matched for each in found.providers for model in each.models)
        (change,) = [
            each
            for each in queries.months_changed_since(datetime(2020, 1, 1, tzinfo=UTC))
            if each.corrections
        ]
        assert (change.month, change.difference, change.corrections) == (corrected, 1_500, 1_500)
