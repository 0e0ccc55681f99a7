"""Account lifetimes: Freireich's remissions, and the limits of an estimate."""

import subprocess
import sys
from decimal import Decimal as D

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from governance.economics.formulas.estimates import NotEstimable
from governance.economics.formulas.survival import (
    Tenure,
    lifetime,
    survival_curve,
    survival_ltv,
)
from tests.hypothesis_profiles import examples

# Freireich and others, Blood 21 (1963): weeks in remission under 6-mercaptopurine
RELAPSED = [6, 6, 6, 7, 10, 13, 16, 22, 23]
IN_REMISSION = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
FREIREICH = [Tenure(t, True) for t in RELAPSED] + [Tenure(t, False) for t in IN_REMISSION]
TENURES = st.lists(st.builds(Tenure, st.integers(1, 90), st.booleans()), min_size=1, max_size=40)


def test_the_curve_of_freireich():
    curve = survival_curve(FREIREICH)
    assert [(each.months, f"{each.share:.4f}", f"{each.standard_error:.4f}") for each in curve] == [
        (6, "0.8571", "0.0764"),
        (7, "0.8067", "0.0869"),
        (10, "0.7529", "0.0963"),
        (13, "0.6902", "0.1068"),
        (16, "0.6275", "0.1141"),
        (22, "0.5378", "0.1282"),
        (23, "0.4482", "0.1346"),
    ]
    assert [(each.at_risk, each.left) for each in curve] == [
        (21, 3),
        (17, 1),
        (15, 1),
        (12, 1),
        (11, 1),
        (7, 1),
        (6, 1),
    ]
    assert survival_curve([]) == ()


def test_the_restricted_mean_of_freireich():
    """Reproduce Klein and Moeschberger: 23.29 weeks, standard error 2.83, up to week 35."""
    found = lifetime(FREIREICH)
    assert (found.horizon, found.accounts, found.left) == (35, 21, 9)
    assert f"{found.months.point:.2f}" == "23.29"
    error = (found.months.point - found.months.low) / D("1.6449")
    assert f"{error:.2f}" == "2.83"


def test_the_interval_reaches_the_value_of_a_customer():
    stay = lifetime(FREIREICH)
    value = survival_ltv(D(500), D("0.8"), stay)
    assert (value.point, value.low) == (stay.months.point * 400, stay.months.low * 400)
    assert survival_ltv(NotEstimable("no paying accounts"), D(1), stay) == NotEstimable(
        "no paying accounts"
    )
    assert survival_ltv(D(500), D("-0.1"), stay) == NotEstimable("gross margin isn't positive")
    few = lifetime(FREIREICH[:1])
    assert survival_ltv(D(500), D("0.8"), few) == few


@pytest.mark.parametrize(
    ("tenures", "reason"),
    [
        ([], "no churn, 0 accounts"),
        ([Tenure(4, False)], "no churn, 1 account"),
        ([Tenure(n, False) for n in range(1, 7)], "no churn, 6 accounts"),
        ([Tenure(n, n <= 7) for n in range(1, 50)], "fewer than eight accounts lost"),
    ],
)
def test_few_losses_are_no_estimate(tenures, reason):
    assert lifetime(tenures) == NotEstimable(reason)


def test_eight_losses_are_enough():
    assert lifetime([Tenure(n, n <= 8) for n in range(1, 50)]).left == 8


def test_the_horizon_ends_at_the_cap_or_where_nothing_is_known():
    gone = lifetime([Tenure(n, True) for n in range(1, 11)])
    assert (gone.horizon, gone.months.point) == (60, D("5.5"))
    long = [Tenure(n, True) for n in range(1, 11)] + [Tenure(100, False)] * 10
    assert lifetime(long).horizon == 60
    assert lifetime(long, cap_months=12).horizon == 12
    assert lifetime([Tenure(n, n <= 8) for n in range(1, 31)]).horizon == 30


@settings(max_examples=examples(20), deadline=None)
@given(TENURES)
def test_the_curve_falls_and_the_interval_holds_the_estimate(tenures):
    shares = [D(1), *(each.share for each in survival_curve(tenures))]
    assert all(a > b or b == 0 for a, b in zip(shares, shares[1:], strict=False))
    found = lifetime(tenures)
    if isinstance(found, NotEstimable):
        assert sum(each.left for each in tenures) < 8
    else:
        assert 0 <= found.months.low <= found.months.point <= found.months.high <= found.horizon
        assert found.horizon <= 60


def test_pages_do_not_load_scipy_for_the_other_formulas():
    script = "import governance.economics.formulas.survival, sys; print('scipy' in sys.modules)"
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "False"
