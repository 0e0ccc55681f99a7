"""The mean of tenants' shares with noise, and when none is released."""

from decimal import Decimal as D

import pytest

from governance.economics.benchmarks.private_mean import (
    EPSILON,
    QUARTER_BUDGET,
    private_mean,
    refusal,
)


def test_the_noise_follows_from_the_tenants_and_epsilon():
    """Laplace noise of scale 1 ÷ (n × ε) is below scale × ln 20 in 95% of cases."""
    for tenants, epsilon, accuracy in (
        (10, "0.5", "0.599"),
        (100, "0.5", "0.060"),
        (10, "2", "0.150"),
    ):
        found = private_mean([D("0.3")] * tenants, D(epsilon))
        assert found.accuracy.quantize(D("0.001")) == D(accuracy)
        assert found.epsilon == D(epsilon)


def test_the_mean_is_near_the_true_one_and_never_the_same_twice():
    shares = [D("0.2"), D("0.4")] * 1000
    found = [private_mean(shares).mean for _ in range(5)]
    assert len(set(found)) > 1
    assert all(abs(each - D("0.3")) < D("0.05") for each in found)


def test_a_share_outside_the_range_counts_as_its_edge():
    found = private_mean([D(1000)] * 1000 + [D(-1000)] * 1000)
    assert abs(found.mean - D("0.5")) < D("0.05")


def test_few_tenants_and_a_spent_budget_are_refused():
    assert refusal(5, D(0)) is None
    assert refusal(4, D(0)) == "fewer than five tenants"
    assert refusal(5, QUARTER_BUDGET - EPSILON) is None
    assert "budget" in refusal(5, QUARTER_BUDGET - EPSILON + D("0.001"))
    with pytest.raises(ValueError, match="5 tenants"):
        private_mean([D("0.3")] * 4)
