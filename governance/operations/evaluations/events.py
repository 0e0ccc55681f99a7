"""What evaluations tell other features."""

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
    """A version of a suite was withdrawn: what its runs found says nothing any more."""

    suite_id: UUID
    version_id: UUID


@dataclass(frozen=True, slots=True)
class JudgeChanged(Event):
    """A measure has another judge, or people's labels say something new of the one it has.

    Which figures decide nothing any more, judge_queries.stale says.
    """

    suite_id: UUID
    measure: str
