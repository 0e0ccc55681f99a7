"""Charts and advice about a residual: pure, for any month."""

from itertools import pairwise

import msgspec
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st

from governance.economics.reviews import figures, review_charts
from governance.economics.reviews.facts.review_facts import Cause, Costs, DayResidual, ReconciledDay
from governance.economics.reviews.reconciliation import conclusions as reconciled
from governance.economics.reviews.reconciliation import reconciled_days, residual_advice
from tests.economics.reviews.facts_helpers import rich_facts
from tests.economics.reviews.tenant_facts import D, tenant

RICH = rich_facts()
NO_COSTS = Costs(models=D(0), guardrails=D(0), infrastructure=D(0), support=D(0))
replace = msgspec.structs.replace
cents = st.integers(-50_000, 50_000).map(lambda each: D(each) / 100)


def label_spans(svg: str) -> list[tuple[float, float]]:
    """Return where the amounts next to bars begin and end, from left to right."""
    found = []
    for text in BeautifulSoup(svg, "html.parser").select("text[font-weight='600']"):
        wide, at = len(text.text) * review_charts.LETTER_WIDTH, float(text["x"])
        start = at - {"start": 0, "middle": wide / 2, "end": wide}[text["text-anchor"]]
        found.append((start, start + wide))
    return sorted(found)


@given(st.lists(cents, min_size=1, max_size=31))
def test_labels_of_days_never_lie_on_each_other(amounts):
    days = [
        DayResidual(day=f"2026-10-{day:02}", amount=each) for day, each in enumerate(amounts, 1)
    ]
    checked = replace(RICH.reconciliation, days=days, invoiced=D(900))
    spans = label_spans(review_charts.days(checked, "EUR", "Residual"))
    assert all(
        left[1] <= right[0] + 0.2 for left, right in pairwise(spans)
    )  # Rounded to a tenth of a pixel.


def test_the_days_of_each_row_add_up_to_it():
    checked = RICH.reconciliation
    for provider, model in [(each.provider, each.model) for each in checked.models]:
        row = reconciled_days.find(RICH, provider, model)
        assert sum(each.residual for each in row.days) == row.residual
        assert sum(row.causes.values()) == row.residual
        whole = reconciled_days.find(RICH, provider, None)
        assert sum(each.computed for each in whole.days) == whole.computed


def day(cause: str, amount: str, model: str = "large") -> ReconciledDay:
    return ReconciledDay(
        provider="Helio",
        model=model,
        day="2026-10-17",
        computed=D(0),
        invoiced=D(amount),
        causes=[Cause(name=cause, amount=D(amount))],
    )


def test_each_cause_names_its_largest_model_and_what_to_do():
    found = residual_advice.advice(
        [
            day("cache accounting", "268"),
            day("cache accounting", "12", "small"),
            day("price differences", "4.72"),
            day("unexplained", "-130"),
            day("rounding", "3"),
            day("retries and time-outs", "0.99"),
        ],
        "EUR",
    )
    assert [each.action for each in found] == [
        "Claim €280 from Helio",
        "Ask Helio for the bill of €130 of large",
        "Correct the price of large, or claim €4.72 from Helio",
    ]


def test_small_totals_have_cents_and_large_ones_do_not():
    assert figures.scaled_money(D("4.72"), "EUR", D("254.46")) == "€4.72"
    assert figures.scaled_money(D("780.40"), "EUR", D(73_600)) == "€780"
    assert figures.percent(D("-0.0001"), D(1)) == "0%"


def test_tenants_that_lose_by_one_rule_are_named_together():
    def only(name, rule):
        margins = {"tokens": D(5), "equal": D(5)} | {rule: D(-1)}
        return tenant(name, D(20), NO_COSTS, margin_by_driver=margins)

    facts = replace(RICH, tenants=[only("Alder", "equal"), only("Birch", "equal")])
    assert reconciled.sensitivity(facts) == "Alder and Birch lose money only in equal shares"
    facts = replace(RICH, tenants=[only("Alder", "tokens")])
    assert reconciled.sensitivity(facts) == "Alder loses money only by tokens"
