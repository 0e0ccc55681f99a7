"""Formulas by name and version, and closed months under a changed formula."""

from decimal import Decimal as D

import pytest

from governance.economics.formulas import definitions
from governance.economics.formulas.definitions import (
    CURRENT,
    DEFINITIONS,
    MissingInput,
    PublishedMonth,
    UnknownFormula,
    compare,
    compute,
    definition,
    versions,
)
from governance.economics.formulas.estimates import NotEstimable
from governance.kernel.months import Month

COSTS = {
    "revenue": D(1000), "inference": D(200), "guardrails": D(50), "infrastructure": D(100),
    "support": D(150), "acquisition": D(100),
}  # fmt: skip # values by name
MRR = {
    "mrr_at_start": D(1000), "new": D(80), "expansion": D(60), "contraction": D(20),
    "churn": D(30), "reactivation": D(10),
}  # fmt: skip # values by name
OTHERS = {
    "mrr": D(900), "paying_accounts": 3, "accounts_at_start": 20, "lost_accounts": 1,
    "spend": D(50000), "spend_a_quarter_earlier": D(40000), "wins": 25,
    "cac": D(2000), "arpa": D(500), "gross_margin": D("0.8"), "logo_churn": D("0.05"),
    "ltv": D(8000), "cost": D(2), "requests": 100, "active_users": 4, "completed_tasks": 50,
    "eligible_users": 80, "activated_users": 60, "weekly_users": 30, "monthly_users": 40,
    "mean_daily_users": D(10),
}  # fmt: skip # values by name
EVERYTHING = COSTS | MRR | OTHERS
# A version never changes. To change a formula, add a version.
FIGURES = {
    "arpa v1": "300", "gross_margin v1": "0.5", "gross_margin v2": "0.65",
    "contribution_margin v1": "0.4", "logo_churn v1": "0.05",
    "gross_revenue_retention v1": "0.95", "net_revenue_retention v1": "1.01",
    "net_revenue_retention v2": "1.02", "quick_ratio v1": "2.8", "quick_ratio v2": "3",
    "cac v1": "2000", "cac v2": "1600", "payback v1": "5", "ltv v1": "8000", "ltv_to_cac v1": "4",
    "cost_per_request v1": "0.02", "cost_per_active_user v1": "0.5",
    "cost_per_completed_task v1": "0.04", "activated_share v1": "0.75", "stickiness v1": "0.75",
    "stickiness v2": "0.25",
}  # fmt: skip # values by name


def test_each_version_gives_its_figure_for_ever():
    found = {each.label: compute(each.name, each.version, EVERYTHING) for each in DEFINITIONS}
    assert found == {label: D(figure) for label, figure in FIGURES.items()}


def test_each_formula_has_one_current_version_and_no_gap():
    for name in CURRENT:
        numbers = [each.version for each in versions(name)]
        assert numbers == list(range(1, len(numbers) + 1)) and CURRENT[name] in numbers
        assert definition(name).version == CURRENT[name]
    assert len({each.label for each in DEFINITIONS}) == len(DEFINITIONS)
    assert all(each.formula and each.unit and each.title for each in DEFINITIONS)


@pytest.mark.parametrize("label", FIGURES)
def test_a_formula_needs_all_its_inputs_and_passes_reasons_on(label):
    name, version = label.split(" v")
    for each in definition(name, int(version)).inputs:
        missing = {key: value for key, value in EVERYTHING.items() if key != each}
        with pytest.raises(MissingInput, match=f"{label} needs {each}"):
            compute(name, int(version), missing)
        unknown = EVERYTHING | {each: NotEstimable("no wins")}
        assert compute(name, int(version), unknown) == NotEstimable("no wins")


def test_every_formula_bears_nothing_but_zeros():
    zeros = dict.fromkeys(EVERYTHING, D(0))
    for each in DEFINITIONS:
        found = compute(each.name, each.version, zeros)
        assert isinstance(found, NotEstimable) and found.reason, each.label


def test_an_unknown_formula_is_an_error():
    for name, version in (("arpa", 9), ("churn", 1), ("churn", None)):
        with pytest.raises(UnknownFormula):
            definition(name, version)


def published(number: int, **changed: D) -> PublishedMonth:
    inputs = MRR | changed
    name = "net_revenue_retention"
    return PublishedMonth(Month(2026, number), compute(name, 1, inputs), 1, inputs)


def test_time_travel_puts_another_version_beside_what_was_published():
    months = [published(1), published(2, reactivation=D(0)), published(3, mrr_at_start=D(0))]
    found = compare("net_revenue_retention", 2, months)
    assert found.definition.title == "Net revenue retention with reactivation"
    assert [each.published for each in found.months] == months
    assert [each.recomputed for each in found.months] == [
        D("1.02"),
        D("1.01"),
        NotEstimable("no MRR at the start"),
    ]
    assert [each.difference for each in found.months] == [
        D("0.01"),
        D(0),
        NotEstimable("no MRR at the start"),
    ]
    assert definitions.compare("net_revenue_retention", 1, months).months[0].difference == 0
