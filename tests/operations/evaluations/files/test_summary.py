"""The sums of a run's cases."""

from statistics import fmean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from governance.operations.evaluations.files.records import (
    CaseOutcome,
    CaseRecord,
    FileRefused,
    RunFacts,
)
from governance.operations.evaluations.files.summary import COST, MeasureSummary, summarise

FACTS = RunFacts("Inspect")
VALUES = st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=2, max_size=60)


@given(VALUES)
def test_mean_and_spread_are_those_of_the_standard_library(values):
    summary = MeasureSummary()
    for value in values:
        summary.add(value)
    assert summary.mean == pytest.approx(fmean(values), abs=1e-6, rel=1e-9)
    assert summary.deviation == pytest.approx(stdev(values), abs=1e-4, rel=1e-6)


def test_failed_cases_count_but_score_nothing():
    cases = [
        CaseRecord("a", scores={"grounded": 1.0}, latency_ms=100, cost=0.02),
        CaseRecord("b", scores={"grounded": 0.0}, latency_ms=300, cost=0.04),
        CaseRecord("c", outcome=CaseOutcome.FAILED, latency_ms=9_000, cost=1.0),
        CaseRecord("d", outcome=CaseOutcome.UNSCORED, latency_ms=200),
    ]
    *same, summary = summarise([FACTS, *cases])
    assert same == cases
    assert (summary.cases, summary.scored, summary.failed, summary.unscored) == (4, 2, 1, 1)
    grounded = summary.measures["grounded"]
    assert (grounded.n, grounded.successes, grounded.is_binary) == (2, 1, True)
    assert summary.measures[COST].mean == pytest.approx(0.03)
    assert summary.latency_percentile(50) == 200
    assert summary.latency_percentile(95) == 300
    assert summary.slower_than(150) == 2


def test_a_score_between_is_no_rate():
    *_cases, summary = summarise([FACTS, CaseRecord("a", scores={"tone": 0.5})])
    assert not summary.measures["tone"].is_binary
    assert summary.latency_percentile(95) is None


def test_a_run_that_evaluated_nothing_is_refused():
    with pytest.raises(FileRefused, match="evaluated nothing"):
        list(summarise([FACTS]))


def test_a_run_with_a_measure_for_each_case_is_refused():
    cases = [CaseRecord(str(n), scores={f"m-{n}": 1.0}) for n in range(201)]
    with pytest.raises(FileRefused, match="200 measures at most"):
        list(summarise([FACTS, *cases]))
