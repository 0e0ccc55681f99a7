"""Verdicts of each measure by policy tier, from the sums of a run's cases. Pure.

The intervals of a run hold jointly at 95%: each of k measures that decide gets the k-th root
(statistics/rates.py), and a repeated look in the same week spends less than the one before
(statistics/multiplicity.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from governance.operations.evaluations.files.records import FileRefused, ReportedMeasure, RunOutcome
from governance.operations.evaluations.files.summary import LATENCY, MeasureSummary, RunSummary
from governance.operations.evaluations.statistics.multiplicity import confidence_of_look
from governance.operations.evaluations.statistics.rates import CONFIDENCE, joint_confidence
from governance.operations.evaluations.statistics.verdict import (
    Judgement,
    Threshold,
    Verdict,
    judge_mean,
    judge_percentile,
    judge_rate,
)

MILLISECONDS = {"s": 1000.0, "ms": 1.0}


@dataclass(frozen=True, slots=True)
class MeasureRule:
    """The requirements of a suite version for one measure; `limits` by policy tier, in its unit."""

    key: str
    kind: str
    unit: str
    at_least: bool
    limits: Mapping[str, float]
    sources: Sequence[str] = ()
    percent: int | None = None
    is_inverted: bool = False
    is_signal: bool = False
    min_samples: int = 0

    @property
    def names(self) -> Sequence[str]:
        """The names of the measure in files."""
        return (self.key, *self.sources)


@dataclass(frozen=True, slots=True)
class JudgedMeasure:
    """A measure's figure, with its judgement by policy tier; none if nothing counts."""

    rule: MeasureRule
    confidence: float
    n: int = 0
    successes: int | None = None
    deviation: float | None = None
    by_tier: Mapping[str, Judgement] = field(default_factory=dict)

    @property
    def shown(self) -> Judgement:
        """One of the judgements. Figure and interval are the same in every tier."""
        return next(iter(self.by_tier.values()), Judgement(Verdict.UNDECIDED, 0))


def judge_run(
    summary: RunSummary, rules: Sequence[MeasureRule], *, look: int = 1
) -> list[JudgedMeasure]:
    """Return every measure of the suite version, in order.

    A measure is undecided if the run doesn't have it, if it evaluated nothing, or if the run
    failed. Raises FileRefused if the rule needs a share of cases and the file has other scores.
    """
    deciding = sum(not rule.is_signal for rule in rules)
    confidence = confidence_of_look(look, joint_confidence(max(deciding, 1), CONFIDENCE))
    if summary.facts.outcome is not RunOutcome.COMPLETED:
        return [_nothing(rule, confidence) for rule in rules]
    return [_with_enough(_judge(summary, rule, confidence)) for rule in rules]


def _with_enough(judged: JudgedMeasure) -> JudgedMeasure:
    """Turn passes into undecided if samples are below the minimum. Failures stay."""
    missing = judged.rule.min_samples - judged.n
    if missing <= 0:
        return judged
    return replace(
        judged,
        by_tier={tier: _undecided(each, missing) for tier, each in judged.by_tier.items()},
    )


def _undecided(judgement: Judgement, missing: int) -> Judgement:
    if judgement.verdict is Verdict.FAIL:
        return judgement
    more = max(judgement.more_samples or missing, missing)
    return replace(judgement, verdict=Verdict.UNDECIDED, more_samples=more)


def _judge(summary: RunSummary, rule: MeasureRule, confidence: float) -> JudgedMeasure:
    if rule.kind == "percentile":
        return _percentile(summary, rule, confidence)
    scores = next((summary.measures[name] for name in rule.names if name in summary.measures), None)
    if scores is not None:
        return _scores(scores, rule, confidence)
    reported = next((each for each in summary.reported if each.name in rule.names), None)
    return _reported(reported, rule, confidence) if reported else _nothing(rule, confidence)


def _scores(scores: MeasureSummary, rule: MeasureRule, confidence: float) -> JudgedMeasure:
    if rule.kind == "mean":
        return _mean(scores.mean, scores.deviation, scores.n, rule, confidence)
    if not scores.is_binary:
        raise FileRefused(
            rule.key, "The suite counts cases that pass, and the file has scores between 0 and 1."
        )
    return _rate(scores.successes, scores.n, rule, confidence)


def _reported(given: ReportedMeasure, rule: MeasureRule, confidence: float) -> JudgedMeasure:
    """Judge a figure that the tool computed. It counts only with its number of cases."""
    if rule.kind == "rate" and given.n is not None and given.successes is not None:
        return _rate(given.successes, given.n, rule, confidence)
    if rule.kind == "mean" and given.n is not None and given.deviation is not None:
        return _mean(given.value, given.deviation, given.n, rule, confidence)
    return _nothing(rule, confidence)


def _rate(successes: int, n: int, rule: MeasureRule, confidence: float) -> JudgedMeasure:
    counted = n - successes if rule.is_inverted else successes
    judged = {
        tier: judge_rate(counted, n, Threshold(limit, rule.at_least), confidence)
        for tier, limit in rule.limits.items()
    }
    return JudgedMeasure(rule, confidence, n, counted, None, judged)


def _mean(
    mean: float, deviation: float, n: int, rule: MeasureRule, confidence: float
) -> JudgedMeasure:
    value = 1 - mean if rule.is_inverted else mean
    judged = {
        tier: judge_mean(value, deviation, n, Threshold(limit, rule.at_least), confidence)
        for tier, limit in rule.limits.items()
    }
    return JudgedMeasure(rule, confidence, n, None, deviation, judged)


def _percentile(summary: RunSummary, rule: MeasureRule, confidence: float) -> JudgedMeasure:
    if LATENCY not in rule.names or not summary.latencies:
        return _nothing(rule, confidence)
    scale = MILLISECONDS.get(rule.unit, 1.0)
    values = sorted(each / scale for each in summary.latencies)
    judged = {
        tier: judge_percentile(
            values, rule.percent or 50, Threshold(limit, rule.at_least), confidence
        )
        for tier, limit in rule.limits.items()
    }
    return JudgedMeasure(rule, confidence, len(values), None, None, judged)


def _nothing(rule: MeasureRule, confidence: float) -> JudgedMeasure:
    return JudgedMeasure(
        rule, confidence, by_tier={tier: Judgement(Verdict.UNDECIDED, 0) for tier in rule.limits}
    )
