"""Rollout gates on evaluations: the release's measures, and the shadow comparison.

earlier_verdicts(system_id, releases)   the measures that fail by today's limits, for each release
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Any
from uuid import UUID

from governance.kernel.errors import DomainError
from governance.operations.evaluations import figures, queries
from governance.operations.evaluations.comparisons import comparing
from governance.operations.evaluations.models import (
    EvaluationRun,
    EvaluationSuite,
    MeasureResult,
    SuiteMeasure,
)
from governance.operations.evaluations.releases import promotion
from governance.operations.evaluations.releases.promotion import PromotionReason
from governance.operations.evaluations.statistics.paired import Direction
from governance.operations.gates.gates import Gate, GateReading, GateSubject, GateVerdict
from governance.operations.gates.sample_ratio import ratio_reading, sample_ratio

MISSING = {"no suite", "no run"}  # Reasons of a release that was never evaluated

# ---- the measures of the release


def _measures(subject: GateSubject) -> Iterator[GateReading]:
    verdict = promotion.promotion_verdict(subject.system_id, subject.release)
    whole = [each for each in verdict.reasons if each.kind != "measure"]
    yield from (_whole(each) for each in whole)
    by_measure = {(each.suite, each.measure): each for each in verdict.reasons if each.measure}
    off = {each.suite for each in whole}
    found = promotion.evaluated(subject.system_id, subject.release)
    suites = {run.id: suite for suite, _number, run, _version in found.suites if run is not None}
    for result, measure in found.results:
        if not measure.is_signal and suites[result.run_id].name not in off:
            reason = by_measure.get((suites[result.run_id].name, measure.key))
            yield _measure(result, measure, verdict.tier, reason)


def _whole(reason: PromotionReason) -> GateReading:
    """Return a reading about the run of a suite as a unit."""
    return GateReading(
        name=f"Evaluation: {reason.suite}" if reason.suite else "Evaluations",
        verdict="missing" if reason.kind in MISSING else "undecided",
        needs="a completed run of the last 14 days",
        figure="none" if reason.kind in MISSING else reason.kind,
        detail=reason.says,
        link=_run_page(reason.run_id),
    )


def _measure(
    result: MeasureResult, measure: SuiteMeasure, tier: str, reason: PromotionReason | None
) -> GateReading:
    judged: Mapping[str, Any] = result.verdicts.get(tier, {})
    found: GateVerdict = "pass"
    if reason is not None:
        found = "fail" if reason.verdict == "fail" else "undecided"
    detail = figures.interval(result.low, result.high, measure.unit)
    detail = f"{detail}, limit of {tier} today" if detail else f"limit of {tier} today"
    if found == "undecided":
        detail = f"{detail}, needs more" if detail else "needs more"
    return GateReading(
        name=measure.name,
        verdict=found if result.n else "missing",
        needs=figures.limit(measure, judged.get("limit")),
        figure=figures.amount(result.point, measure.unit) if result.n else "no result",
        detail=detail,
        n=f"{result.n:,}",
        link=_run_page(result.run_id),
    )


def _run_page(run_id: UUID | None) -> tuple[str, Mapping[str, Any]] | None:
    return ("evaluations.run", {"run_id": run_id}) if run_id else None


# ---- shadow: both releases answer the same cases, one of them is served


def _pairs(subject: GateSubject) -> Iterator[GateReading]:
    """Yield the comparison of each suite that both releases ran; only in the shadow stage."""
    if subject.stage is None or not subject.stage.is_shadow:
        return
    wanted = subject.stage.samples
    by_release = _by_suite(subject)
    shared = by_release[subject.release].keys() & by_release[subject.previous].keys()
    for suite_id in sorted(shared, key=str):
        new, suite = by_release[subject.release][suite_id]
        old, _suite = by_release[subject.previous][suite_id]
        yield from _compared(old, new, suite, wanted)
    if not shared:
        yield GateReading(
            name="Paired comparison",
            verdict="missing",
            needs=f"not worse, {wanted:,} pairs",
            figure="no pairs",
            detail=f"Evaluate {subject.previous} and {subject.release} on the same cases.",
            n="0 pairs",
        )


def _by_suite(
    subject: GateSubject,
) -> Mapping[str, dict[UUID, tuple[EvaluationRun, EvaluationSuite]]]:
    found: dict[str, dict[UUID, tuple[EvaluationRun, EvaluationSuite]]] = {
        subject.release: {},
        subject.previous: {},
    }
    for run, _version, suite in queries.newest_judged(
        subject.system_id, [subject.release, subject.previous]
    ):
        found[run.release][suite.id] = (run, suite)
    return found


def _compared(
    old: EvaluationRun, new: EvaluationRun, suite: EvaluationSuite, wanted: int
) -> Iterator[GateReading]:
    link = ("evaluations.comparison", {"old_id": old.id, "new_id": new.id})
    needs = f"not worse, {wanted:,} pairs"
    try:
        found = comparing.compare(old.id, new.id)
    except DomainError as refused:
        yield GateReading(f"{suite.name}, paired", "missing", needs, "none", refused.message)
        return
    pairs, worse = found.cases.shared, found.count(Direction.WORSE)
    verdict: GateVerdict = "undecided" if pairs < wanted else "pass"
    yield GateReading(
        name=f"{suite.name}, paired",
        verdict="fail" if worse else verdict,
        needs=needs,
        figure=f"{worse} of {len(found.tested)} worse",
        detail=f"{found.count(Direction.BETTER)} better, corrected for each other",
        n=f"{pairs:,} pairs",
        link=link,
    )
    cases = found.cases
    yield ratio_reading(
        f"Sample ratio, {suite.name}",
        sample_ratio(cases.shared + cases.only_new, cases.shared + cases.only_old, 0.5),
        "as many cases of both",
        link,
    )


# ---- earlier releases by today's limits


def earlier_verdicts(system_id: UUID, releases: Collection[str]) -> dict[str, list[str]]:
    """Return each release's measures that fail by today's limits. Runs three statements.

    Releases without a run are left out.
    """
    tier = queries.policy_tier()
    runs = queries.newest_judged(system_id, releases) if releases else []
    release_of = {run.id: run.release for run, _version, _suite in runs}
    found: dict[str, list[str]] = {release: [] for release in release_of.values()}
    for result, measure in queries.results_of(release_of) if release_of else ():
        judged = result.verdicts.get(tier, {})
        if not measure.is_signal and judged.get("verdict") == "fail":
            found[release_of[result.run_id]].append(measure.name)
    return found


MEASURES = Gate(key="evaluations", kind="guardrail", topic="quality", read=_measures)
PAIRS = Gate(key="paired", kind="guardrail", topic="quality", read=_pairs)
