"""Events that maintenance publishes for the features above it."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from governance.kernel.intervals import Span
from governance.kernel.work.events import Event


@dataclass(frozen=True, slots=True)
class ExclusionChanged(Event):
    """Approved exclusions in `span` changed: one was approved, changed or withdrawn.

    `span` is from the first start to the last end, before and after the change. `system_id` None
    means every system; `indicator_id` None means every indicator of the system. A changed scope
    publishes two events, one for each scope.
    """

    exclusion_id: UUID
    span: Span
    system_id: UUID | None
    indicator_id: UUID | None
    what: Literal["announced", "changed", "withdrawn"]
