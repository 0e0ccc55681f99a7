"""Sentences of a review: each branch, and that none claims more than the facts show."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.economics.reviews import conclusions, figures
from governance.economics.reviews.facts.review_facts import (
    Cause,
    Costs,
    DayResidual,
    ReviewFacts,
    decode,
    encode,
)
from governance.economics.reviews.reconciliation import conclusions as reconciled
from tests.economics.reviews import facts_helpers as helpers
from tests.economics.reviews import tenant_facts
from tests.economics.reviews.facts_helpers import empty_facts, headlines_of, rich_facts
from tests.economics.reviews.facts_laws import broken_laws
from tests.economics.reviews.tenant_facts import D

RICH, EMPTY = rich_facts(), empty_facts()
replace = msgspec.structs.replace


def with_tenants(*margins: int) -> ReviewFacts:
    """Return a consistent month of tenants with these margins."""
    tenants = [
        tenant_facts.tenant(
            f"Tenant {place}",
            D(1_000),
            Costs(models=D(1_000 - margin), guardrails=D(0), infrastructure=D(0), support=D(0)),
        )
        for place, margin in enumerate(margins)
    ]
    waterfall = helpers.waterfall_of(tenants, D(0), D(0), D(0))
    return replace(
        EMPTY,
        tenants=tenants,
        waterfall=waterfall,
        ratios=helpers.ratios_of(waterfall, EMPTY.mrr, EMPTY.accounts),
    )


def test_the_helpers_months_keep_every_law():
    assert broken_laws(RICH) == broken_laws(EMPTY) == []
    broken = replace(RICH, waterfall=replace(RICH.waterfall, gross_margin=D(1)))
    assert len(broken_laws(broken)) == 2


def test_facts_survive_their_way_through_json():
    assert decode(msgspec.json.decode(msgspec.json.encode(encode(RICH)))) == RICH


def test_the_headline_says_margin_change_losers_and_the_weakest_segment():
    before = headlines_of(RICH)[-2]
    assert conclusions.headline(RICH, before) == (
        "Gross margin is 57.2%, up 0.4 points. Three of 34 tenants lose money, and Small business"
        " barely pays back."
    )
    higher = replace(before, ratios=replace(before.ratios, gross_margin=D("0.6")))
    assert "57.2%, down 2.8 points." in conclusions.headline(RICH, higher)
    same = replace(before, ratios=RICH.ratios)
    assert conclusions.headline(RICH, same).startswith("Gross margin is 57.2%. Three")
    assert conclusions.headline(RICH, None).startswith("Gross margin is 57.2%. Three")


def test_an_empty_month_estimates_nothing():
    assert conclusions.headline(EMPTY, None) == (
        "Gross margin isn't estimable. No tenant used the product or paid for it."
    )
    assert conclusions.money(EMPTY) == "The month has no revenue, so no cost has a share of it"
    assert conclusions.losses(EMPTY) == "No tenant lost money in October"
    assert conclusions.segments(EMPTY) == "Lifetime value isn't estimable for any segment yet"
    assert conclusions.tiers(EMPTY) == "What each tier costs and keeps"
    assert conclusions.tasks(headlines_of(EMPTY)) == "No AI system reported completed tasks"
    assert conclusions.tasks([]) == "No AI system reported completed tasks"
    assert conclusions.adoption(EMPTY) == "No feature reported people who may use it"


@pytest.mark.parametrize(
    ("margins", "said"),
    [
        ((5, 5), "No tenant loses money."),
        ((5, -5), "One of 2 tenants loses money."),
        ((-5, -5), "Every tenant loses money."),
        ((-5,), "The only tenant loses money."),
        ((-5, -5, 0), "Two of 3 tenants lose money."),
    ],
)
def test_the_headline_counts_the_tenants_that_lose_money(margins, said):
    assert conclusions.headline(with_tenants(*margins), None).endswith(said)


def test_titles_of_the_review_tab():
    assert conclusions.money(RICH) == (
        "Guardrails take 5.5% of revenue; models take 3.2 times as much"
    )
    assert conclusions.losses(RICH) == "Three tenants lost €5,210 in October"
    assert conclusions.segments(RICH) == (
        "Small business earns back 1.3 times its cost, and may not earn it back at all"
    )
    assert conclusions.tiers(RICH) == "Regulated keeps 24.1 points of margin less than standard"
    assert conclusions.tasks(headlines_of(RICH)) == (
        "claims-triage costs 4% more per completed task than in August"
    )


def test_completed_tasks_say_how_many_of_them_no_event_names():
    two = with_tenants(1, 2)
    unnamed = replace(two, tenants=[replace(each, unnamed_tasks=300) for each in two.tenants])
    assert conclusions.unnamed_tasks(unnamed) == (
        "600 of 120,000 completed tasks are requests that succeeded without naming a task"
    )
    assert conclusions.unnamed_tasks(two) == "120,000 completed tasks, each counted once"
    assert conclusions.unnamed_tasks(EMPTY) == "No task was completed"


def test_a_segment_below_one_and_one_above_three_are_told_apart():
    small = RICH.segments[2]
    poor = replace(RICH, segments=[replace(small, ltv=D(3_000))])
    assert "Small business doesn't earn back" in conclusions.headline(poor, None)
    assert conclusions.segments(poor) == "Small business earns back 0.8 times its cost"
    rich = replace(RICH, segments=[replace(small, ltv=D(12_000))])
    assert conclusions.segments(rich).startswith("Every segment that can be estimated earns")


def test_models_below_guardrails_are_a_share_and_no_multiple():
    costs = Costs(models=D(1), guardrails=D(10), infrastructure=D(0), support=D(0))
    facts = replace(RICH, waterfall=replace(RICH.waterfall, costs=costs, revenue=D(100)))
    assert conclusions.money(facts) == "Guardrails take 10.0% of revenue; models take 1.0%"


def test_titles_of_reconciliation_and_allocation():
    checked = RICH.reconciliation
    assert reconciled.headline(RICH, None) == (
        "Invoices exceed computed cost by 1.52%, within the 2% limit"
    )
    assert reconciled.models(checked) == "helio-4-large carries 70% of the residual"
    assert reconciled.causes(checked, "EUR") == "88% of it is explained; €130 isn't"
    assert reconciled.days(checked) == "Two days carry 43% of the residual"
    assert reconciled.shared(RICH) == ("€387.63 of shared cost stays unallocated, on its own line")
    assert reconciled.sensitivity(RICH) == (
        "Globex loses money under every rule; Northgate Mutual only by active users"
    )


def test_a_residual_above_the_limit_says_whether_people_accepted_it():
    over = replace(RICH, reconciliation=replace(RICH.reconciliation, share=D("0.031")))
    assert reconciled.headline(over, None).endswith("by 3.10%, above the 2% limit")
    assert reconciled.headline(over, "A credit note is due").endswith("two people accepted it")


def test_a_residual_the_other_way_round_and_none_at_all():
    checked = replace(RICH.reconciliation, residual=D(-1_120), share=D("-0.0152"))
    assert reconciled.headline(replace(RICH, reconciliation=checked), None).startswith(
        "Computed cost exceeds invoices by 1.52%, within"
    )
    assert reconciled.headline(EMPTY, None) == "October has no model cost to reconcile"
    without = replace(EMPTY.reconciliation, computed=D(5), residual=D(-5))
    assert reconciled.headline(replace(EMPTY, reconciliation=without), None) == (
        "October has computed cost and no invoices to compare it with"
    )
    equal = replace(EMPTY.reconciliation, share=D(0))
    assert reconciled.headline(replace(EMPTY, reconciliation=equal), None).startswith(
        "Invoices and computed cost are equal"
    )
    assert reconciled.models(equal) == "No model was used or invoiced"
    assert reconciled.causes(equal, "EUR") == "There is no residual to explain"
    assert reconciled.days(equal) == "No day has a residual"
    assert reconciled.shared(EMPTY) == "The month has no shared cost"
    assert reconciled.sensitivity(EMPTY) == "No tenant loses money under any rule"


margins = st.lists(st.integers(-500, 900), max_size=6)


@given(margins)
def test_a_sentence_names_only_tenants_that_lose_money(found):
    facts = with_tenants(*found)
    losing = {each.name for each in facts.tenants if each.margin < 0}
    said = conclusions.headline(facts, None) + conclusions.losses(facts)
    said += reconciled.sensitivity(facts)
    named = {each.name for each in facts.tenants if each.name in said}
    assert named <= losing
    assert {each.name for each in conclusions.losers(facts)} == losing
    assert ("No tenant lost money" in said) == (not losing)


@given(margins)
def test_the_loss_in_the_title_is_the_sum_of_its_table(found):
    facts = with_tenants(*found)
    lost = -sum((each.margin for each in conclusions.losers(facts)), Decimal(0))
    if lost:
        assert f"lost €{lost:,.0f} in October" in conclusions.losses(facts)


cents = st.integers(-10_000, 10_000).map(lambda each: D(each) / 100)


@given(st.lists(cents, min_size=1, max_size=6), cents)
def test_a_share_of_the_residual_is_between_none_and_all_of_it(amounts, rest):
    causes = [
        *(Cause(name="rounding", amount=each) for each in amounts),
        Cause(name="unexplained", amount=rest),
    ]
    total = sum(amounts, rest)
    checked = replace(
        RICH.reconciliation,
        causes=causes,
        residual=total,
        days=[DayResidual(day="2026-10-01", amount=each) for each in [*amounts, rest]],
    )
    share = reconciled.explained_share(checked)
    assert share is None or 0 <= share <= 1
    said = reconciled.causes(checked, "EUR") + reconciled.days(checked)
    for number in [each.strip("%") for each in said.split() if each.endswith("%")]:
        assert 0 <= int(number) <= 100


def test_figures_read_as_people_write_them():
    assert figures.percent(D("0.5723")) == "57.2%"
    assert figures.percent(None) == "not estimable"
    assert figures.fine_percent(D("-0.01522")) == "−1.52%"
    assert figures.points(D("0.572"), D("0.558")) == "+1.4 points"
    assert figures.points(D("0.57"), D("0.58")) == "−1.0 point"
    assert figures.points(D("0.57"), None) == figures.growth(D(5), D(0)) == ""
    assert figures.growth(D(103), D(100)) == "+3.0%"
    assert figures.months(D("11.24")) == "11.2 months"
    assert figures.spelled(3) == "three" and figures.spelled(34) == "34"
    assert figures.names(["A", "B"]) == "A and B"
    assert figures.names(["A", "B", "C", "D"]) == "A, B and two more"
    assert figures.month_name("2026-10") == "October 2026"
    assert figures.short_month("2026-10") == "Oct"
