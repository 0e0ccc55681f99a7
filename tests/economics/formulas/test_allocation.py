"""Allocation of shared cost to the cent, its residue, and tenants under each rule."""

from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.economics.formulas.allocation import (
    Driver,
    Pool,
    Rule,
    TenantMonth,
    allocate,
    allocate_pool,
    allocate_pools,
    fixed_percents_problem,
    weights,
)
from governance.economics.formulas.sensitivity import (
    TenantSensitivity,
    headline,
    margins_by_driver,
)

TOTALS = st.decimals(-1_000_000, 1_000_000, places=2)
WEIGHTS = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=3),
    st.one_of(st.integers(0, 10**12), st.decimals(-100, 10**9, places=2)),
    max_size=30,
)
MILL = D("0.001")


def test_the_acceptance_vectors():
    found = allocate(D(28), {"a": 36, "b": 18}, MILL)
    assert found.by_key == {"a": D("18.667"), "b": D("9.333")} and found.residue == 0
    idle = allocate(D("14.688"), {"a": 36, "b": 18}, MILL)
    assert idle.by_key == {"a": D("9.792"), "b": D("4.896")} and idle.residue == 0


@given(TOTALS, WEIGHTS)
def test_allocated_and_residue_are_the_total_to_the_cent(total, weight):
    found = allocate(total, weight)
    assert found.allocated + found.residue == total
    assert found.by_key.keys() == weight.keys()
    for key, share in found.by_key.items():
        assert share == share.quantize(D("0.01"))
        assert share * total >= 0, "a share has the sign of the total"
        assert weight[key] > 0 or share == 0
    if any(each > 0 for each in weight.values()):
        assert abs(found.residue) <= D("0.005") * len(weight)
    else:
        assert found.residue == total


@given(TOTALS, WEIGHTS, st.integers(1, 1000))
def test_weights_in_another_unit_give_the_same_shares(total, weight, factor):
    larger = {key: each * factor for key, each in weight.items()}
    assert allocate(total, larger) == allocate(total, weight)


@given(TOTALS, WEIGHTS)
def test_a_credit_is_shared_as_the_cost_it_returns(total, weight):
    cost, credit = allocate(total, weight), allocate(-total, weight)
    assert credit.by_key == {key: -share for key, share in cost.by_key.items()}
    assert credit.residue == -cost.residue


def test_the_residue_is_spread_over_nobody():
    found = allocate(D("0.04"), {"a": 1, "b": 1, "c": 1})
    assert list(found.by_key.values()) == [D("0.01")] * 3 and found.residue == D("0.01")
    over = allocate(D("0.02"), {"a": 1, "b": 1, "c": 1})
    assert over.allocated == D("0.03") and over.residue == D("-0.01")
    assert allocate(D(10), {}).residue == 10
    assert allocate(D(10), {"a": 0, "b": D(-5)}).residue == 10


TENANTS = {
    "acme": TenantMonth(600, 30, 8, D(1000)),
    "globex": TenantMonth(300, 60, 2, D(-50)),
    "tallis": TenantMonth(),
}


def test_a_driver_counts_what_it_names():
    assert weights(Driver.TOKENS, TENANTS) == {"acme": 600, "globex": 300, "tallis": 0}
    assert weights(Driver.EQUAL, TENANTS) == {"acme": 1, "globex": 1, "tallis": 1}
    shares = {
        driver: list(allocate_pool(D(90), Rule(driver), TENANTS).by_key.values())
        for driver in Driver
        if driver is not Driver.FIXED
    }
    assert shares == {
        Driver.TOKENS: [60, 30, 0],
        Driver.REQUESTS: [30, 60, 0],
        Driver.ACTIVE_USERS: [72, 18, 0],
        Driver.REVENUE: [90, 0, 0],
        Driver.EQUAL: [30, 30, 30],
    }
    with pytest.raises(ValueError, match="Fixed shares"):
        weights(Driver.FIXED, TENANTS)


def test_fixed_shares_leave_what_nobody_has():
    rule = Rule(Driver.FIXED, {"acme": D(50), "globex": D("12.5"), "gone": D(20)})
    found = allocate_pool(D(1000), rule, TENANTS)
    assert found.by_key == {"acme": 500, "globex": 125, "tallis": 0}
    assert found.residue == 375
    with pytest.raises(ValueError, match="more than 100"):
        allocate_pool(D(1), Rule(Driver.FIXED, {"acme": D(60), "globex": D(41)}), TENANTS)


def test_fixed_shares_are_at_most_the_whole():
    assert fixed_percents_problem([D(60), D(40)]) is None
    assert fixed_percents_problem([]) is None
    assert "101%" in fixed_percents_problem([D(60), D(41)])
    assert "below 0%" in fixed_percents_problem([D(60), D(-1)])


def test_each_pool_follows_its_own_rule():
    pools = {Pool.INFRASTRUCTURE: D(90), Pool.SUPPORT: D(10), Pool.OTHER: D(7)}
    rules = {Pool.INFRASTRUCTURE: Rule(Driver.TOKENS), Pool.SUPPORT: Rule(Driver.EQUAL)}
    found = allocate_pools(pools, rules, TENANTS)
    assert found.share_of("acme") == D("63.33") and found.share_of("nobody") == 0
    assert found.pools[Pool.OTHER].residue == 7, "without a rule nothing is shared"
    assert (found.total, found.residue) == (107, D("7.01"))
    assert found.allocated + found.residue == found.total


@given(st.dictionaries(st.sampled_from(Pool), TOTALS), st.sampled_from(Driver))
def test_pools_add_up(pools, driver):
    rules = {pool: Rule(driver, {"acme": D(30)}) for pool in pools}
    found = allocate_pools(pools, rules, TENANTS)
    tenants = sum(found.share_of(key) for key in TENANTS)
    assert tenants == found.allocated and found.allocated + found.residue == sum(pools.values())


BEFORE = {"acme": D(100), "globex": D(-5), "tallis": D(20), "borderline": D(25)}
MEASURED = TENANTS | {"borderline": TenantMonth(100, 10, 10, D(100))}


def sensitivity():
    return margins_by_driver(
        BEFORE,
        {Pool.INFRASTRUCTURE: D(80), Pool.SUPPORT: D(20)},
        {pool: Rule(Driver.ACTIVE_USERS) for pool in (Pool.INFRASTRUCTURE, Pool.SUPPORT)},
        MEASURED,
    )


def test_each_rule_gives_all_tenants_the_same_together():
    found = sensitivity()
    assert len(found.residue) == 5
    for driver, residue in found.residue.items():
        assert found.total(driver) + 0 == sum(BEFORE.values()) - 100 + residue
    assert [each.tenant for each in found.tenants] == ["borderline", "globex", "tallis", "acme"]
    assert found.ranking(Driver.REVENUE)[0] == "globex"
    for each in found.tenants:
        assert each.in_force == each.by_driver[Driver.ACTIVE_USERS]


def test_conclusions_and_the_headline_name_who_changes_sign():
    found = {each.tenant: each for each in sensitivity().tenants}
    assert found["globex"].conclusion == "Loses under every rule"
    assert found["borderline"].conclusion == "Loses only by active users"
    assert found["tallis"].conclusion == "Loses only in equal shares"
    assert found["acme"].conclusion == "Profitable under every rule"
    names = {key: key.title() for key in found}
    two = [found["globex"], found["borderline"]]
    assert headline(two, names) == (
        "Globex loses money under every rule; Borderline only by active users"
    )
    assert headline(list(found.values()), names) == (
        "Globex loses money under every rule; Borderline and Tallis under some rules"
    )
    assert headline(two[1:], names) == "Borderline loses money only by active users"
    assert headline([found["acme"]], names) == "No tenant loses money under any rule"


def test_many_losing_tenants_are_counted():
    def tenant(key: str, *margins: int) -> TenantSensitivity[str]:
        by_driver = dict(zip(list(Driver)[:5], map(D, margins), strict=True))
        return TenantSensitivity(key, by_driver, by_driver[Driver.TOKENS])

    every = [tenant(key, -1, -1, -1, -1, -1) for key in "abc"]
    assert headline(every, {key: key for key in "abc"}) == (
        "Three tenants lose money under every rule"
    )
    four = tenant("d", -1, -1, -1, 0, -1)
    assert four.conclusion == "Loses under four of five" and four.changes_sign
    assert headline([four], {"d": "Tallis Retail"}) == "Tallis Retail loses money under some rules"
    assert not tenant("e", 0, 0, 0, 0, 0).losing, "a margin of zero is no loss"


def test_fixed_shares_stay_under_every_rule():
    rules = {Pool.SUPPORT: Rule(Driver.FIXED, {"acme": D(10)})}
    found = margins_by_driver(BEFORE, {Pool.SUPPORT: D(100)}, rules, MEASURED)
    by_tenant = {each.tenant: each for each in found.tenants}
    assert set(by_tenant["acme"].by_driver.values()) == {D(90)}
    assert set(found.residue.values()) == {D(90)} == {found.residue_in_force}


@given(
    st.dictionaries(st.sampled_from(Pool), st.decimals(0, 10**6, places=2), min_size=1),
    st.dictionaries(st.text("abc", min_size=1, max_size=2), st.decimals(-100, 10**6, places=2)),
)
def test_margins_and_residue_add_up_under_every_rule(pools, before):
    tenants = {key: TenantMonth(len(key), 3, 1, D(5)) for key in before}
    found = margins_by_driver(before, pools, {}, tenants)
    for driver, residue in found.residue.items():
        assert found.total(driver) - residue == sum(before.values()) - sum(pools.values())
    assert found.residue_in_force == sum(pools.values())
