"""Events that evaluations publish for other features."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from governance.kernel.work.events import Event


@dataclass(frozen=True, slots=True)
class RunJudged(Event):
    """A run has its verdicts. A subscriber reads them from queries.results_of."""

    run_id: UUID
    system_id: UUID
    version_id: UUID
    week: date


@dataclass(frozen=True, slots=True)
class SuiteVersionWithdrawn(Event):
    """A version of a suite was withdrawn, so the results of its runs no longer count."""

    suite_id: UUID
    version_id: UUID


@dataclass(frozen=True, slots=True)
class JudgeChanged(Event):
    """A measure has another judge, or people's labels change the assessment of its judge.

    judge_queries.stale returns the figures that no longer decide.
    """

    suite_id: UUID
    measure: str
