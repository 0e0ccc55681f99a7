"""A review's figures follow from its inputs, and add up to the cent."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given, settings

from governance.economics.reviews.facts import review_facts
from governance.economics.reviews.facts.assembly import assemble
from tests.economics.reviews.month_helpers import EMPTY, months, two_customers
from tests.hypothesis_profiles import examples

CENT = Decimal("0.01")


def test_a_month_of_two_customers_computed_by_hand():
    facts = assemble(two_customers())
    globex, acme = facts.tenants
    # 1000 − 200 − 60 − 30 − 120.
    assert (acme.name, acme.margin) == ("Tenant 1", Decimal("590.00"))
    assert (globex.name, globex.margin) == ("Tenant 2", Decimal("-390.01"))
    assert facts.waterfall.revenue == 1100
    assert facts.waterfall.costs.total == Decimal("900.01")
    assert facts.waterfall.gross_margin == Decimal("190.00")  # 1100 − 900.01 − 9.99 residual.
    assert facts.waterfall.contribution == Decimal("150.00")  # 40 spent in October.
    assert facts.ratios.nrr == Decimal(900) / Decimal(950)
    assert facts.ratios.arpa == 500
    assert facts.ratios.cost_per_task == Decimal("600.01") / 600


def test_the_reason_of_a_loss_is_the_cost_furthest_above_what_revenue_carries():
    globex, acme = assemble(two_customers()).tenants
    assert globex.reason is not None and globex.reason.text == (
        "41,000 tokens in an average request"
    )
    assert acme.reason is None
    assert globex.conclusion == "Loses under every rule"


def test_a_segment_without_churn_has_a_cac_and_a_payback_but_no_lifetime_value():
    [enterprise] = [
        each for each in assemble(two_customers()).segments if each.name == "Enterprise"
    ]
    assert enterprise.cac == 1500  # The 3,000 of July for the two wins of September.
    assert enterprise.ltv is None and enterprise.why == "no churn, 2 accounts"
    assert enterprise.payback_months == Decimal(1500) / (900 * Decimal("0.59"))


def test_tiers_are_listed_from_the_loosest_and_show_their_price():
    standard, strict = assemble(two_customers()).tiers
    assert (standard.name, strict.name) == ("Standard", "Strict")
    assert strict.per_request == Decimal("0.15") and strict.refused_share == Decimal("0.04")
    assert standard.per_prevented_harm is None


def test_an_empty_month_says_why_it_has_no_ratios():
    facts = assemble(EMPTY)
    assert facts.ratios.gross_margin is None
    assert facts.ratios.why["gross_margin"] == "no revenue"
    assert facts.waterfall.contribution == 0


@settings(max_examples=examples(50), deadline=None)
@given(months())
def test_tenants_add_up_to_the_waterfall_to_the_cent(inputs):
    facts = assemble(inputs)
    tenants, fall = facts.tenants, facts.waterfall
    margins = sum((each.margin for each in tenants), Decimal(0))
    assert sum((each.revenue for each in tenants), Decimal(0)) == fall.revenue
    assert margins - fall.residual - fall.residue == fall.gross_margin
    for kind in ("models", "guardrails", "infrastructure", "support"):
        parts = [getattr(each.costs, kind) for each in tenants]
        assert sum(parts, Decimal(0)) == getattr(fall.costs, kind)
    assert all(each.allocated + each.residue == each.total for each in facts.pools)
    assert all(each.margin == each.margin.quantize(CENT) for each in tenants)
    assert sum(each.tenants for each in facts.tiers) == len(tenants)


@settings(max_examples=examples(20), deadline=None)
@given(months())
def test_figures_survive_the_way_through_a_row(inputs):
    facts = assemble(inputs)
    assert review_facts.decode(review_facts.encode(facts)) == facts


@settings(max_examples=examples(20), deadline=None)
@given(months())
def test_twice_the_money_is_twice_the_margin_and_the_same_share(inputs):
    whole = replace(
        inputs,
        usage={
            key: replace(each, models=each.models.quantize(CENT))
            for key, each in inputs.usage.items()
        },
        invoiced={key: each.quantize(CENT) for key, each in inputs.invoiced.items()},
        support={
            key: replace(each, cost=each.cost.quantize(CENT))
            for key, each in inputs.support.items()
        },
        pools={},
        reconciliation=EMPTY.reconciliation,
    )
    double = replace(
        whole,
        usage={key: replace(each, models=each.models * 2) for key, each in whole.usage.items()},
        invoiced={key: each * 2 for key, each in whole.invoiced.items()},
        support={key: replace(each, cost=each.cost * 2) for key, each in whole.support.items()},
    )
    one, two = assemble(whole), assemble(double)
    assert two.waterfall.gross_margin == 2 * one.waterfall.gross_margin
    assert two.ratios.gross_margin == one.ratios.gross_margin
