"""Find evaluation runs that a proposer may name as proof of a system's safeguards.

    qualifying_runs()      the newest qualifying runs of all AI systems
    shown_by(run_id)       that run with its suite, or None if it doesn't qualify (any longer)

A run qualifies by zero tolerance: it was completed by a version that is in use, each
measure that decides is a share of cases that passes today's policy tier, and not one case failed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Row

from governance.operations.evaluations import queries as evaluations
from governance.operations.evaluations.judges import queries as judge_queries
from governance.operations.evaluations.models import (
    EvaluationRun,
    EvaluationSuite,
    MeasureResult,
    SuiteMeasure,
)
from governance.operations.systems.models import AISystem

MAX_RUNS = 100  # Newest runs that are searched for qualifying ones


@dataclass(frozen=True, slots=True)
class SafeguardsRun:
    """A run that qualifies. `cases` is the total of its measures."""

    run: EvaluationRun
    suite: EvaluationSuite
    system: AISystem
    cases: int

    @property
    def words(self) -> str:
        return (
            f"Run {self.run.number:,} of {self.suite.name} on {self.system.name}, release"
            f" {self.run.release}: no failure in {self.cases:,} cases"
        )


def qualifying_runs() -> list[SafeguardsRun]:
    """Return the newest runs that qualify, newest first."""
    return _qualifying(evaluations.comparable_runs(size=MAX_RUNS))


def shown_by(run_id: UUID | None) -> SafeguardsRun | None:
    """Return the run if it qualifies."""
    if run_id is None:
        return None
    return next(iter(_qualifying(evaluations.comparable_runs(run_id=run_id))), None)


def _qualifying(
    rows: Iterable[Row[EvaluationRun, EvaluationSuite, AISystem]],
) -> list[SafeguardsRun]:
    rows = list(rows)
    if not rows:
        return []
    tier, results = evaluations.policy_tier(), evaluations.results_of([row[0].id for row in rows])
    stale = judge_queries.stale([(run, suite.id) for run, suite, _system in rows])
    found = []
    for run, suite, system in rows:
        deciding = [
            (result, measure)
            for result, measure in results
            if result.run_id == run.id and not measure.is_signal
        ]
        is_sound = not any((run.id, measure.key) in stale for _result, measure in deciding)
        if is_sound and is_without_failure(deciding, tier):
            cases = sum(result.n for result, _measure in deciding)
            found.append(SafeguardsRun(run, suite, system, cases))
    return found


def is_without_failure(deciding: Sequence[tuple[MeasureResult, SuiteMeasure]], tier: str) -> bool:
    """Return True if each measure passes without a failed case. False without a measure."""
    return bool(deciding) and all(
        measure.kind == "rate"
        and result.n > 0
        and result.successes == (result.n if measure.at_least else 0)
        and result.verdicts.get(tier, {}).get("verdict") == "pass"
        for result, measure in deciding
    )
