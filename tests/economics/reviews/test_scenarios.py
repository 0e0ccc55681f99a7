"""Arithmetic of what-if and renewal over closed facts (pure tests)."""

from decimal import Decimal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from governance.economics.formulas.estimates import NotEstimable
from governance.economics.reviews import scenarios, time_travel
from governance.economics.reviews.facts.review_facts import EarlierMonth, EarlierMonths
from governance.economics.reviews.scenarios import Assumptions
from governance.economics.reviews.tenants import renewal
from governance.economics.reviews.tenants.renewal import EarnedMonth, EarnedMonths
from governance.kernel.months import Month
from tests.economics.reviews.facts_helpers import headlines_of, rich_facts
from tests.economics.reviews.tenant_facts import D

RICH = rich_facts()
percents = st.decimals(0, 100, places=2)


def test_assumptions_without_a_change_change_nothing():
    found = scenarios.apply(RICH, Assumptions())
    assert found.waterfall == RICH.waterfall
    assert [each.margin for each in found.tenants] == [each.margin for each in RICH.tenants]
    assert found.gross_margin == RICH.ratios.gross_margin and found.losing == 3
    assert scenarios.sentence(Assumptions()) == "nothing changes"


def test_each_assumption_changes_only_what_it_names():
    dearer = scenarios.apply(RICH, Assumptions(price_percent=D(10))).waterfall
    assert dearer.revenue == D("453639.96") and dearer.costs == RICH.waterfall.costs
    cached = scenarios.apply(RICH, Assumptions(cached_percent=D(50))).waterfall
    assert abs(cached.costs.models - D("72480") * D("0.55")) < D("0.20")
    assert cached.costs.guardrails == RICH.waterfall.costs.guardrails
    moved = scenarios.apply(RICH, Assumptions(moved_percent=D(40), saving_percent=D(60))).waterfall
    assert abs(moved.costs.models - D("72480") * D("0.76")) < D("0.20")
    completed = sum(each.completed_tasks for each in RICH.tenants)
    assert scenarios.apply(RICH, Assumptions()).per_task == RICH.ratios.cost_per_task
    per_task = scenarios.apply(RICH, Assumptions(cached_percent=D(50))).per_task
    assert per_task == cached.costs.models / completed
    strict = scenarios.apply(RICH, Assumptions(tier="baseline")).waterfall
    assert strict.costs.models == RICH.waterfall.costs.models
    assert strict.costs.guardrails != RICH.waterfall.costs.guardrails
    assert "every tenant on the tier baseline" in scenarios.sentence(Assumptions(tier="baseline"))


@given(percents, percents, percents, st.sampled_from(["", "baseline", "strict", "none such"]))
def test_the_tenants_of_a_scenario_add_up_to_its_waterfall(price, moved, cached, tier):
    found = scenarios.apply(
        RICH,
        Assumptions(
            price_percent=price - 50,
            moved_percent=moved,
            saving_percent=cached,
            cached_percent=cached,
            tier=tier,
        ),
    )
    w = found.waterfall
    assert sum(each.margin for each in found.tenants) == w.revenue - w.costs.total
    assert w.gross_margin == w.revenue - w.costs.total - w.residual - w.residue
    assert w.contribution == w.gross_margin - w.acquisition
    assert w.costs.models <= RICH.waterfall.costs.models + D("0.20")


def months(*margins: int) -> EarnedMonths:
    first = Month(2026, 10).plus(1 - len(margins))
    return EarnedMonths([EarnedMonth(first.plus(n), D(each)) for n, each in enumerate(margins)])


def test_a_renewal_sheet_names_the_floor_price_and_when_cac_was_recovered():
    globex = next(each for each in RICH.tenants if each.name == "Globex")
    found = renewal.sheet(RICH, globex, months(10_000, 4_000, 300), D("0.6"))
    assert found.floor == D("20050.00")  # 8,020 ÷ 0.4.
    assert found.rise == D("20050.00") / 4_900 - 1
    assert found.contribution == D(-3_120) and found.sla_credits is None
    assert found.cac == 14_200 and found.recovered == Month(2026, 10) and found.earned == 14_300
    assert found.tier_cost == 820


def test_a_renewal_sheet_says_what_cannot_be_computed():
    globex = next(each for each in RICH.tenants if each.name == "Globex")
    found = renewal.sheet(RICH, globex, months(10), D(1))
    assert isinstance(found.floor, NotEstimable) and found.rise is None
    assert found.recovered == NotEstimable("not recovered yet")
    owed = msgspec.structs.replace(globex, sla_credits=D(100))
    with_credits = renewal.sheet(RICH, owed, months(), D("0.5"))
    assert with_credits.contribution == D(-3_220) and with_credits.floor == D("16240.00")


def test_months_before_the_first_closed_one_count_as_far_as_they_are_known():
    closed = [(Month(2026, 9), D(5)), (Month(2026, 10), D(7))]
    before = EarlierMonth(month="2026-08", margins={"acme": D(3)})
    earlier = EarlierMonths(months=[before], why="July 2026 has no invoices")
    found = renewal.history(closed, earlier, "acme", Month(2026, 8))
    assert [each.margin for each in found.months] == [3, 5, 7] and found.why == ""
    found = renewal.history(closed, earlier, "acme", Month(2026, 1))
    assert found.why == "July 2026 has no invoices"
    assert renewal.history(closed, earlier, "globex", Month(2026, 9)).why == ""
    assert renewal.history([], None, "acme", None).months == []


@given(st.decimals(0, "0.99", places=2))
def test_at_the_floor_price_the_margin_is_the_target(target):
    for each in RICH.tenants[:3]:
        floor = renewal.sheet(RICH, each, months(), target).floor
        assert isinstance(floor, Decimal)
        assert abs((floor - each.costs.total) - floor * target) <= D("0.01")


def test_another_definition_stands_beside_what_was_published():
    choices = dict(time_travel.choices())
    assert set(choices) == {"gross_margin:2", "net_revenue_retention:2", "quick_ratio:2"}
    chosen = time_travel.find("quick_ratio:2")
    assert chosen is not None and time_travel.find("quick_ratio:9") is None
    found = time_travel.compared(chosen, headlines_of(RICH))
    newest = found.months[-1]
    assert newest.published.figure == D(23_000) / 9_000
    assert newest.recomputed == D(24_000) / 9_000
    margin = time_travel.find("gross_margin:2")
    assert margin is not None
    october = time_travel.compared(margin, headlines_of(RICH)).months[-1]
    assert october.recomputed == (D(236_000) + 38_900) / D(412_400)
