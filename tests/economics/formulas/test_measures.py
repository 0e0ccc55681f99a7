"""Each measure with a worked example, and its reason when it can't be computed."""

from decimal import Decimal as D

from hypothesis import given
from hypothesis import strategies as st

from governance.economics.formulas import (
    acquisition,
    adoption,
    margin,
    percentiles,
    retention,
    tier_price,
    unit_cost,
)
from governance.economics.formulas.acquisition import AcquisitionMonth
from governance.economics.formulas.estimates import Interval, NotEstimable
from governance.economics.formulas.margin import Result
from governance.economics.formulas.retention import Movements
from governance.economics.formulas.tier_price import TierMonth
from governance.kernel.months import Month

OCTOBER = Result(D(412400), D(73600), D(22700), D(41200), D(38900), D(58400))
MONEY = st.decimals(0, 10_000_000, places=2)
RESULTS = st.builds(Result, MONEY, MONEY, MONEY, MONEY, MONEY, MONEY)
MOVEMENTS = st.builds(Movements, MONEY, MONEY, MONEY, MONEY, MONEY, MONEY)
FACTORS = st.decimals("0.01", 1000, places=2)


def not_estimable(reason: str) -> NotEstimable:
    return NotEstimable(reason)


def is_close(a, b) -> bool:
    """Compare despite rounding: Decimal's 28 digits depend on the order of operations."""
    if isinstance(a, NotEstimable) or isinstance(b, NotEstimable):
        return a == b
    return abs(a - b) <= D("1e-18") * max(abs(a), abs(b), D(1))


def scaled(result: Result, by: D) -> Result:
    names = ("revenue", "inference", "guardrails", "infrastructure", "support", "acquisition")
    return Result(*(getattr(result, name) * by for name in names))


def test_the_waterfall_goes_from_revenue_to_contribution():
    steps = margin.waterfall(OCTOBER)
    assert [(each.name, each.amount, each.total) for each in steps] == [
        ("Revenue", 412400, 412400),
        ("Models", -73600, 338800),
        ("Guardrails", -22700, 316100),
        ("Infrastructure", -41200, 274900),
        ("Support", -38900, 236000),
        ("Gross margin", 236000, 236000),
        ("Acquisition", -58400, 177600),
        ("Contribution", 177600, 177600),
    ]
    shares = ["1.000", "0.178", "0.055", "0.100", "0.094", "0.572", "0.142", "0.431"]
    assert [str(each.share.quantize(D("0.001"))) for each in steps] == shares
    assert [each.name for each in steps if each.is_total] == [
        "Revenue",
        "Gross margin",
        "Contribution",
    ]


def test_the_residual_widens_gross_margin_to_both_sides():
    found = margin.gross_margin_interval(OCTOBER, D(-1120))
    rounded = [
        str((each * 100).quantize(D("0.01"))) for each in (found.low, found.point, found.high)
    ]
    assert rounded == ["56.95", "57.23", "57.50"]
    assert margin.gross_margin_interval(OCTOBER, D(1120)) == found


def test_a_margin_needs_revenue_and_may_be_a_loss():
    nothing = Result(D(0), D(10))
    assert margin.gross_margin(nothing) == not_estimable("no revenue")
    assert margin.gross_margin_interval(nothing, D(1)) == not_estimable("no revenue")
    assert margin.waterfall(nothing)[-1].share == not_estimable("no revenue")
    assert margin.gross_margin(Result(D(100), D(150))) == D("-0.5")
    assert margin.contribution(nothing) == -10


def test_the_floor_price_reaches_the_target_margin():
    price = margin.floor_price(D(600), D("0.4"))
    assert price == 1000 and margin.gross_margin(Result(price, D(600))) == D("0.4")
    assert isinstance(margin.floor_price(D(600), D(1)), NotEstimable)


@given(st.lists(RESULTS, max_size=8))
def test_the_sum_of_tenants_equals_the_total(results):
    together = margin.total(results)
    assert margin.gross_profit(together) == sum(map(margin.gross_profit, results))
    assert margin.contribution(together) == sum(map(margin.contribution, results))
    for step, parts in zip(
        margin.waterfall(together), zip(*map(margin.waterfall, results), strict=True), strict=False
    ):
        assert step.amount == sum(part.amount for part in parts)


@given(RESULTS, FACTORS)
def test_money_times_a_factor_scales_amounts_and_leaves_shares(result, factor):
    larger = scaled(result, factor)
    assert margin.gross_profit(larger) == margin.gross_profit(result) * factor
    assert is_close(margin.gross_margin(larger), margin.gross_margin(result))
    assert is_close(margin.contribution_margin(larger), margin.contribution_margin(result))


def test_retention_of_a_month():
    moves = Movements(D(1000), D(61), D(48), D(12), D(17), D(5))
    assert moves.end == 1085
    assert retention.gross_retention(moves) == D("0.971")
    assert retention.net_retention(moves) == D("1.019")
    assert retention.net_retention_with_reactivation(moves) == D("1.024")
    assert retention.quick_ratio(moves).quantize(D("0.1")) == D("3.8")
    assert retention.arpa(D(2184000), 156) == 14000
    assert retention.logo_churn(153, 2).quantize(D("0.001")) == D("0.013")


def test_retention_without_a_start_or_a_loss_is_not_estimable():
    nothing = Movements(D(0), new=D(10))
    for measure in (retention.gross_retention, retention.net_retention):
        assert measure(nothing) == not_estimable("no MRR at the start")
    assert retention.quick_ratio(nothing) == not_estimable("no MRR lost")
    assert retention.arpa(D(0), 0) == not_estimable("no paying accounts")
    assert retention.logo_churn(0, 0) == not_estimable("no accounts at the start")
    assert isinstance(retention.logo_churn(0, 1), NotEstimable)


@given(MOVEMENTS, FACTORS)
def test_retention_does_not_depend_on_the_currency(moves, factor):
    names = ("start", "new", "expansion", "contraction", "churn", "reactivation")
    larger = Movements(*(getattr(moves, name) * factor for name in names))
    for measure in (retention.gross_retention, retention.net_retention, retention.quick_ratio):
        assert is_close(measure(larger), measure(moves))


def test_reactivation_never_changes_net_retention():
    quiet, back = Movements(D(100)), Movements(D(100), reactivation=D(50))
    assert retention.net_retention(quiet) == retention.net_retention(back) == 1
    assert retention.net_retention_with_reactivation(back) == D("1.5")


def test_the_worked_examples_of_acquisition():
    cost = acquisition.cac(D(50000), 25)
    assert cost == 2000
    value = acquisition.simple_ltv(D(500), D("0.8"), D("0.05"))
    assert value == 8000
    assert acquisition.payback_months(cost, D(500), D("0.8")) == 5
    assert acquisition.ltv_to_cac(value, cost) == 4


def test_acquisition_says_what_is_missing():
    assert acquisition.cac(D(50000), 0) == not_estimable("no wins")
    assert acquisition.cac(D(0), 0) == not_estimable("no wins")
    assert acquisition.cac(D(0), 3) == not_estimable("wins without spend")
    no_wins = acquisition.cac(D(1), 0)
    assert acquisition.payback_months(no_wins, D(500), D("0.8")) == no_wins
    assert acquisition.payback_months(D(1), D(500), D("-0.1")) == not_estimable(
        "gross margin isn't positive"
    )
    assert acquisition.simple_ltv(D(500), D("0.8"), D(0)) == not_estimable("no churn")
    assert acquisition.ltv_to_cac(D(1), no_wins) == no_wins


def test_spend_is_set_against_the_wins_a_lag_later():
    months = [Month(2026, 4), Month(2026, 5), Month(2026, 6)]
    lines = [
        AcquisitionMonth(Month(2026, 1), "Enterprise", D(900), 0),
        AcquisitionMonth(Month(2026, 3), "Enterprise", D(100), 7),
        AcquisitionMonth(Month(2026, 4), "Enterprise", D(5000), 2),
        AcquisitionMonth(Month(2026, 6), "Enterprise", D(0), 3),
        AcquisitionMonth(Month(2026, 2), "Small business", D(40), 1),
        AcquisitionMonth(Month(2026, 5), "Public sector", D(0), 1),
    ]
    assert acquisition.cac_by_segment(lines, months) == {
        "Enterprise": D(1000),
        "Public sector": not_estimable("wins without spend"),
    }
    assert acquisition.cac_by_segment(lines, months, lag_months=3) == {
        "Enterprise": D(200),
        "Public sector": not_estimable("wins without spend"),
        "Small business": not_estimable("no wins"),
    }


def test_acquisition_is_recovered_in_the_month_that_reaches_it():
    earned = [(Month(2026, 1), D(60)), (Month(2026, 2), D(-20)), (Month(2026, 3), D(60))]
    assert acquisition.month_recovered(D(100), earned) == Month(2026, 3)
    assert acquisition.month_recovered(D(60), earned) == Month(2026, 1)
    assert acquisition.month_recovered(D(101), earned) == not_estimable("not recovered yet")


@given(MONEY, st.integers(1, 1000), MONEY, FACTORS)
def test_acquisition_scales_with_money_and_payback_does_not(spend, wins, arpa, factor):
    half = D("0.5")
    cost, larger = acquisition.cac(spend, wins), acquisition.cac(spend * factor, wins)
    assert larger == cost or is_close(larger, cost * factor)
    assert is_close(
        acquisition.payback_months(larger, arpa * factor, half),
        acquisition.payback_months(cost, arpa, half),
    )
    value = acquisition.simple_ltv(arpa, half, D("0.05"))
    assert is_close(acquisition.simple_ltv(arpa * factor, half, D("0.05")), value * factor)


def test_all_attempts_are_paid_by_the_tasks_that_were_completed():
    attempts = [D("0.02")] * 100
    assert unit_cost.cost_per_completed_task(sum(attempts), 50) == D("0.04")
    assert unit_cost.cost_per_request(sum(attempts), 100) == D("0.02")
    assert unit_cost.cost_per_active_user(D(30), 12) == D("2.5")
    for measure, reason in (
        (unit_cost.cost_per_completed_task, "no completed tasks"),
        (unit_cost.cost_per_request, "no requests"),
        (unit_cost.cost_per_active_user, "no active users"),
    ):
        assert measure(D(5), 0) == not_estimable(reason)


def test_percentiles_are_costs_that_occurred():
    found = percentiles.cost_percentiles([(D(3), 4), (D(1), 95), (D(9), 1), (D(7), 0)])
    assert (found.p50, found.p95, found.p99) == (1, 1, 3)
    assert percentiles.cost_percentiles([(D(1), 0)]) == not_estimable("no requests")
    assert percentiles.cost_percentiles([(D(2), 1)]).p99 == 2


@given(st.lists(st.tuples(MONEY, st.integers(1, 9)), min_size=1, max_size=20))
def test_percentiles_of_counts_are_those_of_the_requests_themselves(costs):
    found = percentiles.cost_percentiles(costs)
    each = sorted(cost for cost, count in costs for _ in range(count))
    for percent, value in ((50, found.p50), (95, found.p95), (99, found.p99)):
        assert value == each[-(-len(each) * percent // 100) - 1]


def test_adoption_of_a_feature():
    assert adoption.activated_share(1840, 1702).quantize(D("0.01")) == D("0.92")
    assert adoption.weekly_stickiness(1311, 1560).quantize(D("0.01")) == D("0.84")
    assert adoption.daily_stickiness(D(390), 1560) == D("0.25")
    assert adoption.retained_share(200, 176) == D("0.88")
    assert adoption.activated_share(0, 0) == not_estimable("no eligible users")
    assert isinstance(adoption.activated_share(5, 6), NotEstimable)
    assert adoption.weekly_stickiness(0, 0) == not_estimable("no active users")


def test_a_user_belongs_to_the_cohort_of_the_first_month():
    active = {
        Month(2026, 1): {"a", "b", "c", "d"},
        Month(2026, 3): {"a", "e"},
        Month(2026, 4): {"a", "b", "e", "f"},
    }
    january, march, april = adoption.cohorts(active)
    assert (january.first, january.size) == (Month(2026, 1), 4)
    assert january.retained == (1, 0, D("0.25"), D("0.5"))
    assert (march.first, march.size, march.retained) == (Month(2026, 3), 1, (1, 1))
    assert (april.size, april.retained) == (1, (1,))
    assert adoption.cohorts({}) == ()


def tier(name: str, revenue: int, requests: int = 1000) -> TierMonth:
    return TierMonth(
        name, 3, requests, 16, D("4.1"), D(12000), Result(D(revenue), D(300), D("4.1"))
    )


def test_the_price_of_a_tier_is_beside_its_margin():
    strict, standard = (
        tier_price.price_of_tier(tier(name, revenue))
        for name, revenue in (("strict", 608), ("standard", 1216))
    )
    assert (strict.guardrail_cost, strict.refused) == (D("0.0041"), D("0.016"))
    assert strict.added_milliseconds == 12
    assert tier_price.margin_given_up(strict, standard).quantize(D("0.001")) == D("0.250")
    unused = tier_price.price_of_tier(tier("regulated", 0, requests=0))
    assert unused.refused == not_estimable("no requests")
    assert tier_price.margin_given_up(unused, standard) == not_estimable("no revenue")


def test_a_prevented_harm_is_beside_the_false_blocks():
    found = tier_price.cost_of_prevented_harm(D(22700), 40, 10)
    assert (found.cost, found.false_share) == (D("567.5"), D("0.2"))
    none = tier_price.cost_of_prevented_harm(D(22700), 0, 0)
    assert none.cost == not_estimable("no confirmed blocks")
    assert none.false_share == not_estimable("no reviewed blocks")


def test_a_reason_reads_as_a_sentence():
    assert str(NotEstimable("no churn")) == "not estimable: no churn"
    assert Interval(D(2), D(1), D(3)).times(D(10)) == Interval(D(20), D(10), D(30))
