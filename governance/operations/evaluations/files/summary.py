"""Sums of a run's cases by measure, in one pass and with little memory."""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from math import ceil, sqrt

from governance.operations.evaluations.files.records import (
    CaseOutcome,
    CaseRecord,
    EvaluationRecord,
    FileRefused,
    ReportedMeasure,
    RunFacts,
    RunOutcome,
)

MAX_MEASURES = 200
MAX_CASES = 2_000_000
PERCENTILES = (50, 95)
LATENCY, COST = "latency_ms", "cost_per_request"


@dataclass(slots=True)
class MeasureSummary:
    """The scores of one measure: Welford's mean and spread, and True if each was 0 or 1."""

    n: int = 0
    successes: int = 0
    mean: float = 0.0
    squares: float = 0.0
    is_binary: bool = True

    def add(self, value: float) -> None:
        self.n += 1
        self.successes += value == 1.0
        self.is_binary = self.is_binary and value in {0.0, 1.0}
        step = value - self.mean
        self.mean += step / self.n
        self.squares += step * (value - self.mean)

    @property
    def deviation(self) -> float:
        """The standard deviation of the samples; 0 for a single one."""
        return sqrt(self.squares / (self.n - 1)) if self.n > 1 else 0.0


@dataclass(slots=True)
class RunSummary:
    """The sums of a run that was read to its end."""

    facts: RunFacts
    measures: dict[str, MeasureSummary] = field(default_factory=dict)
    reported: list[ReportedMeasure] = field(default_factory=list)
    cases: int = 0
    failed: int = 0
    unscored: int = 0
    latencies: array[float] = field(default_factory=lambda: array("d"))

    @property
    def scored(self) -> int:
        return self.cases - self.failed - self.unscored

    def latency_percentile(self, percent: int) -> float | None:
        """Return the nearest rank: the smallest latency that `percent` of cases don't exceed."""
        if not self.latencies:
            return None
        return sorted(self.latencies)[max(ceil(len(self.latencies) * percent / 100), 1) - 1]

    def slower_than(self, limit_ms: float) -> int:
        """Count the cases that took longer."""
        return sum(each > limit_ms for each in self.latencies)


def summarise(records: Iterable[EvaluationRecord]) -> Iterator[CaseRecord | RunSummary]:
    """Yield each case as it is read, and the summary of all cases last. Raises FileRefused."""
    stream = iter(records)
    facts = next(stream)
    if not isinstance(facts, RunFacts):
        raise TypeError("a reader yields RunFacts first")
    summary = RunSummary(facts)
    for record in stream:
        if isinstance(record, CaseRecord):
            _add(summary, record)
            yield record
        elif isinstance(record, ReportedMeasure):
            summary.reported.append(record)
    _check_evaluated(summary)
    yield summary


def _add(summary: RunSummary, case: CaseRecord) -> None:
    summary.cases += 1
    if summary.cases > MAX_CASES:
        raise FileRefused(f"case {summary.cases}", f"A run has {MAX_CASES:,} cases at most.")
    summary.failed += case.outcome is CaseOutcome.FAILED
    summary.unscored += case.outcome is CaseOutcome.UNSCORED
    if case.outcome is CaseOutcome.FAILED:
        return
    for name, value in case.scores.items():
        _measure(summary, name).add(value)
    if case.latency_ms is not None and case.latency_ms >= 0:
        summary.latencies.append(case.latency_ms)
    if case.cost is not None and case.cost >= 0:
        _measure(summary, COST).add(case.cost)


def _measure(summary: RunSummary, name: str) -> MeasureSummary:
    found = summary.measures.get(name)
    if found is None:
        if len(summary.measures) >= MAX_MEASURES:
            raise FileRefused(name, f"A run has {MAX_MEASURES} measures at most.")
        found = summary.measures[name] = MeasureSummary()
    return found


def _check_evaluated(summary: RunSummary) -> None:
    """Raise FileRefused for a completed run without a judged case, which must never pass."""
    is_completed = summary.facts.outcome is RunOutcome.COMPLETED
    if is_completed and not summary.cases and not summary.reported:
        raise FileRefused("", "The run evaluated nothing.")
