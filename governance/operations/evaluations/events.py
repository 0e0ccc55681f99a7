"""What evaluations tell other features."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from governance.kernel.events import Event


@dataclass(frozen=True, slots=True)
class RunJudged(Event):
    """A run has its verdicts. A subscriber reads them from queries.results_of."""

    run_id: UUID
    system_id: UUID
    version_id: UUID
    week: date
