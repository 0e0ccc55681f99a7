"""Compare two runs of one suite on their shared cases, and draw statistical conclusions.

compare(old_id, new_id)      raises NotComparable with the reason

Measures that decide are corrected for each other (Holm). A percentile has no paired test, and a
signal decides nothing: both are shown without a test. Nothing is stored, since runs never change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from governance.kernel import clock
from governance.kernel.errors import DomainError
from governance.operations.evaluations import queries
from governance.operations.evaluations.comparisons import counts as comparison_counts
from governance.operations.evaluations.comparisons.counts import (
    COST,
    CaseOverlap,
    PairedScore,
    ScoreCounts,
)
from governance.operations.evaluations.models import (
    EvaluationRun,
    EvaluationSuite,
    SuiteMeasure,
    SuiteVersion,
)
from governance.operations.evaluations.runs.judging import MILLISECONDS
from governance.operations.evaluations.runs.retention import CASES_KEPT
from governance.operations.evaluations.statistics.multiplicity import holm
from governance.operations.evaluations.statistics.paired import (
    SIGNIFICANCE,
    Direction,
    PairedComparison,
    compare_nets,
    compare_pairs,
    direction_of,
    further_cases,
    mean_difference,
)
from governance.operations.systems.models import AISystem

MEANING = ("kind", "percent", "unit", "at_least", "is_inverted")
NOT_SHARED = "No case has it in both runs"


class NotComparable(DomainError):
    """The reason why two runs can't be compared."""

    status = 422
    title = "These runs can't be compared"


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """One side of a comparison."""

    run: EvaluationRun
    suite: EvaluationSuite
    version: SuiteVersion
    system: AISystem


@dataclass(frozen=True, slots=True)
class ComparedMeasure:
    """One measure of both runs, in its unit, on the cases that have it in both."""

    measure: SuiteMeasure
    pairs: int
    old: float | None
    new: float | None
    low: float | None = None  # 95% interval of the difference, new minus old
    high: float | None = None
    paired: PairedComparison | None = None  # None without a paired test
    corrected: float | None = None  # p after Holm's correction
    more: int | None = None  # Number of further cases needed to decide
    note: str = ""  # Reason why it can't be decided
    score: PairedScore | None = None  # Place of its scores; None for a percentile

    @property
    def key(self) -> str:
        return self.measure.key

    @property
    def is_tested(self) -> bool:
        return self.paired is not None and not self.measure.is_signal

    @property
    def change(self) -> float | None:
        return None if self.old is None or self.new is None else self.new - self.old

    @property
    def verdict(self) -> Direction:
        """Better or worse only if the corrected p-value supports it."""
        if self.paired is None or self.corrected is None or self.note:
            return Direction.UNDECIDED
        return direction_of(self.paired.better - self.paired.worse, self.corrected)

    @property
    def is_improvement(self) -> bool | None:
        """True if the figure moved to the better side, tested or not; None if it is unchanged."""
        if not self.change:
            return None
        return (self.change > 0) == self.measure.at_least

    @property
    def quadrants(self) -> Mapping[str, int] | None:
        """Numbers of pairs that pass in both runs, in one, or in none; only for shares of cases."""
        if self.measure.kind != "rate" or self.paired is None or self.old is None:
            return None
        good = self.old if self.measure.at_least else 1 - self.old
        passed = round(good * self.pairs)
        worse, better = self.paired.worse, self.paired.better
        return {
            "both": passed - worse,
            "only_old": worse,
            "only_new": better,
            "none": self.pairs - passed - better,
        }


@dataclass(frozen=True, slots=True)
class RunComparison:
    """The later run compared with the earlier one."""

    old: ComparedRun
    new: ComparedRun
    cases: CaseOverlap
    measures: Sequence[ComparedMeasure]
    left_out: Sequence[tuple[str, str]]  # Name of a measure, and reason why it isn't compared

    @property
    def tested(self) -> list[ComparedMeasure]:
        return [each for each in self.measures if each.is_tested]

    def count(self, verdict: Direction) -> int:
        return sum(each.verdict is verdict for each in self.tested)

    @property
    def verdict(self) -> Direction:
        """Worse if any measure is worse; better if one is better and none is worse."""
        if self.count(Direction.WORSE):
            return Direction.WORSE
        return Direction.BETTER if self.count(Direction.BETTER) else Direction.UNDECIDED

    @property
    def is_clustered(self) -> bool:
        return self.cases.is_clustered


def compare(old_id: UUID, new_id: UUID) -> RunComparison:
    """Compare two runs. Raises NotFound, and NotComparable with the reason."""
    old, new = _side(old_id), _side(new_id)
    if old_id == new_id:
        raise NotComparable("This is the same run twice. Choose two runs of one suite.")
    _check_comparable(old, new)
    comparison_counts.join_by_hash()
    cases = comparison_counts.overlap(old.run.id, new.run.id)
    if not cases.shared:
        raise NotComparable(_why_no_case(old.run, new.run, cases))
    matched, left_out = match_measures(
        queries.measures(old.version.id), queries.measures(new.version.id)
    )
    counts = comparison_counts.measure_counts(
        old.run.id,
        new.run.id,
        [score for _measure, score in matched if score],
        is_clustered=cases.is_clustered,
    )
    percents = {each.percent for each, score in matched if not score and each.percent}
    slow = comparison_counts.latencies(old.run.id, new.run.id, sorted(percents))
    note = _judges_differ(old.run, new.run)
    measures = [
        _scored(measure, score, counts[score.key], note, is_clustered=cases.is_clustered)
        if score
        else _percentile(measure, slow[measure.percent or 0], cases.shared)
        for measure, score in matched
    ]
    ordered = sorted(_corrected(measures), key=lambda each: not each.is_tested)
    return RunComparison(old, new, cases, ordered, left_out)


def _why_no_case(old: EvaluationRun, new: EvaluationRun, cases: CaseOverlap) -> str:
    """Explain why two runs share no case: the cases of old runs are deleted by a nightly job."""
    forgotten = [
        f"run {run.number:,}"
        for run, kept in ((old, cases.only_old), (new, cases.only_new))
        if not kept and run.cases and run.created_at < clock.now() - CASES_KEPT
    ]
    if forgotten:
        return (
            f"The cases of {' and '.join(forgotten)} were deleted {CASES_KEPT.days} days after the"
            " import, so nothing can be compared case by case. The figures and verdicts are kept."
        )
    return (
        f"Run {old.number:,} and run {new.number:,} have no case in common: cases are matched by"
        " their id. Evaluate both releases on the same cases."
    )


def _side(run_id: UUID) -> ComparedRun:
    run = queries.run(run_id)
    return ComparedRun(run, *queries.about(run))


def _check_comparable(old: ComparedRun, new: ComparedRun) -> None:
    for side in (old, new):
        number = f"Run {side.run.number:,}"
        if side.run.state == "reading":
            raise NotComparable(f"{number} is still being read. Compare it when it is judged.")
        if side.run.state == "refused":
            raise NotComparable(f"{number} was refused, so it has no cases.")
        if side.run.outcome != "completed":
            raise NotComparable(f"{number} {side.run.outcome}, so its cases don't count.")
    if old.suite.id != new.suite.id:
        raise NotComparable(
            f"Run {old.run.number:,} is of the suite {old.suite.name}, run {new.run.number:,} of"
            f" {new.suite.name}. Choose two runs of one suite."
        )
    for side in (old, new):
        if side.version.withdrawn_at is not None:
            raise NotComparable(
                f"Run {side.run.number:,} is of version {side.version.number}, which was withdrawn:"
                f" {side.version.withdrawal_reason}"
            )


def match_measures(
    old: Sequence[SuiteMeasure], new: Sequence[SuiteMeasure]
) -> tuple[list[tuple[SuiteMeasure, PairedScore | None]], list[tuple[str, str]]]:
    """Match measures by slug. Return the matching ones, and the others with a reason.

    A match has the same definition in both versions. Its scores are at the measure's place in its
    version. A percentile has no score.
    """
    places = {each.key: (n, each) for n, each in enumerate(old, 1)}
    matched: list[tuple[SuiteMeasure, PairedScore | None]] = []
    left_out = [
        (each.name, "only in the earlier version")
        for each in old
        if each.key not in {measure.key for measure in new}
    ]
    for place, measure in enumerate(new, 1):
        earlier_place, earlier = places.get(measure.key, (0, None))
        if earlier is None:
            left_out.append((measure.name, "only in the later version"))
        elif any(getattr(earlier, name) != getattr(measure, name) for name in MEANING):
            left_out.append((measure.name, "it means something else in the two versions"))
        else:
            matched.append((measure, score_of(measure, earlier_place, place)))
    return matched, left_out


def score_of(measure: SuiteMeasure, old: int, new: int) -> PairedScore | None:
    """Return the place of a measure's scores; None for a percentile."""
    if measure.kind == "percentile":
        return None
    return PairedScore(
        measure.key,
        old,
        new,
        is_cost=COST in (measure.key, *measure.sources),
        up_is_better=measure.at_least != measure.is_inverted,
    )


def _judges_differ(old: EvaluationRun, new: EvaluationRun) -> str:
    if set(old.judges) == set(new.judges):
        return ""
    names = [", ".join(sorted(run.judges)) or "no judge" for run in (old, new)]
    return f"Judged by {names[0]} before and {names[1]} now, so the change may be the judge's"


def _scored(
    measure: SuiteMeasure, score: PairedScore, counts: ScoreCounts, note: str, *, is_clustered: bool
) -> ComparedMeasure:
    if not counts.pairs:
        return ComparedMeasure(measure, 0, None, None, note=NOT_SHARED)
    sign, base = (-1, 1.0) if measure.is_inverted else (1, 0.0)
    _mean, low, high = mean_difference(counts.pairs, sign * counts.change, counts.change_squares)
    paired = (
        compare_nets(
            counts.pairs,
            counts.better,
            counts.worse,
            counts.nets,
            clusters=counts.clusters,
            squares=counts.net_squares,
            sources=counts.sources,
        )
        if is_clustered
        else compare_pairs(counts.pairs, counts.better, counts.worse)
    )
    return ComparedMeasure(
        measure,
        counts.pairs,
        base + sign * counts.old_sum / counts.pairs,
        base + sign * counts.new_sum / counts.pairs,
        low,
        high,
        paired,
        note="" if score.is_cost else note,
        score=score,
    )


def _percentile(
    measure: SuiteMeasure, found: tuple[float | None, float | None], pairs: int
) -> ComparedMeasure:
    scale = MILLISECONDS.get(measure.unit, 1.0)
    old, new = (None if each is None else each / scale for each in found)
    note = "" if old is not None else NOT_SHARED
    return ComparedMeasure(measure, pairs if old is not None else 0, old, new, note=note)


def _corrected(measures: Sequence[ComparedMeasure]) -> list[ComparedMeasure]:
    """Correct the deciding measures for each other, and estimate what would decide them."""
    tested = [each for each in measures if each.is_tested]
    corrected = holm([each.paired.p_value for each in tested if each.paired])
    by_key = dict(zip((each.key for each in tested), corrected, strict=True))
    return [_with(each, by_key.get(each.key), len(tested)) for each in measures]


def _with(each: ComparedMeasure, corrected: float | None, tested: int) -> ComparedMeasure:
    if corrected is None or each.paired is None:
        return each
    is_open = corrected > SIGNIFICANCE and not each.note
    more = further_cases(each.paired, SIGNIFICANCE / tested) if is_open else None
    return replace(each, corrected=corrected, more=more)
