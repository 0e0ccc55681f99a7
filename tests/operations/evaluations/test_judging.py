"""A run's verdicts by policy tier."""

import pytest

from governance.operations.evaluations.files.records import (
    CaseOutcome,
    CaseRecord,
    FileRefused,
    ReportedMeasure,
    RunFacts,
    RunOutcome,
)
from governance.operations.evaluations.files.summary import summarise
from governance.operations.evaluations.runs.judging import MeasureRule, judge_run
from governance.operations.evaluations.statistics.verdict import Verdict
from governance.operations.evaluations.suites.task_packs import PACKS, SUPPORT, TIERS

HALLUCINATION = MeasureRule(
    "hallucination",
    "rate",
    "share",
    at_least=False,
    limits={"baseline": 0.10, "standard": 0.03},
    sources=("grounded",),
    is_inverted=True,
)


def run_of(*records, outcome=RunOutcome.COMPLETED):
    *_cases, summary = summarise([RunFacts("Inspect", outcome=outcome), *records])
    return summary


def grounded(passed, failed, errors=0):
    scores = [1.0] * passed + [0.0] * failed
    cases = [CaseRecord(str(n), scores={"grounded": each}) for n, each in enumerate(scores)]
    return [*cases, *(CaseRecord(f"e{n}", outcome=CaseOutcome.FAILED) for n in range(errors))]


def verdicts(judged):
    return {tier: each.verdict for tier, each in judged.by_tier.items()}


def test_the_same_figure_passes_one_tier_and_fails_the_next():
    """Judge 55 hallucinations in 1,200 answers: 4.6%, at most 6%."""
    (judged,) = judge_run(run_of(*grounded(1145, 55)), [HALLUCINATION])
    assert verdicts(judged) == {"baseline": Verdict.PASS, "standard": Verdict.FAIL}
    assert (judged.successes, judged.n) == (55, 1200)
    assert f"{judged.shown.point:.3f}" == "0.046"


def test_failed_cases_are_outside_of_the_rate():
    (judged,) = judge_run(run_of(*grounded(100, 0, errors=50)), [HALLUCINATION])
    assert (judged.n, judged.successes) == (100, 0)


@pytest.mark.parametrize("outcome", [RunOutcome.FAILED, RunOutcome.CANCELLED])
def test_nothing_passes_by_a_failed_run(outcome):
    (judged,) = judge_run(run_of(*grounded(500, 0), outcome=outcome), [HALLUCINATION])
    assert set(verdicts(judged).values()) == {Verdict.UNDECIDED}
    assert judged.n == 0


def test_a_measure_that_the_run_does_not_have_is_undecided():
    rule = MeasureRule("tone", "rate", "share", at_least=True, limits={"standard": 0.9})
    (judged,) = judge_run(run_of(*grounded(500, 0)), [rule])
    assert verdicts(judged) == {"standard": Verdict.UNDECIDED}


def test_more_measures_widen_the_interval_of_each():
    run = run_of(*grounded(1145, 55))
    (alone,) = judge_run(run, [HALLUCINATION])
    others = [
        MeasureRule(f"m{n}", "rate", "share", at_least=True, limits={"standard": 0.9})
        for n in range(5)
    ]
    among = judge_run(run, [HALLUCINATION, *others])[0]
    assert among.shown.low < alone.shown.low
    assert f"{among.confidence:.5f}" == "0.99149"
    assert [f"{100 * each:.1f}" for each in (among.shown.low, among.shown.high)] == ["3.2", "6.4"]


def test_signals_do_not_widen_anything():
    signal = MeasureRule(
        "tone", "rate", "share", at_least=True, limits={"standard": 0.9}, is_signal=True
    )
    run = run_of(*grounded(1145, 55))
    assert judge_run(run, [HALLUCINATION, signal])[0] == judge_run(run, [HALLUCINATION])[0]


def test_a_second_look_needs_more_than_the_first():
    run = run_of(*grounded(1145, 55))
    first, second = (judge_run(run, [HALLUCINATION], look=look)[0] for look in (1, 2))
    assert (f"{first.confidence:.4f}", f"{second.confidence:.4f}") == ("0.9500", "0.9875")
    assert second.shown.high > first.shown.high


def test_a_share_of_cases_is_not_judged_by_scores_between():
    with pytest.raises(FileRefused, match="hallucination: The suite counts cases"):
        judge_run(run_of(CaseRecord("a", scores={"grounded": 0.4})), [HALLUCINATION])


def test_a_reported_figure_counts_when_it_says_of_how_many():
    whole = run_of(ReportedMeasure("grounded", 0.99, 1000, 990))
    bare = run_of(ReportedMeasure("grounded", 0.99))
    assert verdicts(judge_run(whole, [HALLUCINATION])[0])["baseline"] is Verdict.PASS
    assert verdicts(judge_run(bare, [HALLUCINATION])[0])["baseline"] is Verdict.UNDECIDED


def test_latency_is_judged_in_its_unit():
    rule = MeasureRule(
        "latency-p95",
        "percentile",
        "s",
        at_least=False,
        limits={"standard": 2.5},
        sources=("latency_ms",),
        percent=95,
    )
    cases = [CaseRecord(str(n), scores={"x": 1.0}, latency_ms=n * 2.0) for n in range(1, 1001)]
    (judged,) = judge_run(run_of(*cases), [rule])
    assert (judged.shown.point, judged.shown.verdict) == (1.9, Verdict.PASS)


@pytest.mark.parametrize("pack", PACKS.values(), ids=PACKS)
def test_a_pack_has_a_limit_for_each_tier_that_never_loosens(pack):
    for measure in pack.measures:
        limits = [measure.by_tier[tier] for tier in TIERS]
        assert limits == sorted(limits, reverse=not measure.at_least)
    assert len(set(pack.case_digests)) == len(pack.examples)


def test_every_pack_measures_success_and_what_the_design_asks_for():
    """Measure hallucination, harmful output, refusal quality, task success, latency and cost.

    Latency has p50 and p95.
    """
    for pack in PACKS.values():
        assert [each.key for each in pack.measures] == [each.key for each in SUPPORT.measures]
    assert len(SUPPORT.measures) == 7
