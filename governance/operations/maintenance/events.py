"""What maintenance tells the features above it."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from governance.kernel.intervals import Span
from governance.kernel.work.events import Event


@dataclass(frozen=True, slots=True)
class ExclusionChanged(Event):
    """Approved exclusions of `span` have changed: one was approved, changed or withdrawn.

    `span` is from the first start to the last end, before and after the change. `system_id` None:
    of every system; `indicator_id` None: of every indicator of the system. A changed scope is told
    twice, once for each.
    """

    exclusion_id: UUID
    span: Span
    system_id: UUID | None
    indicator_id: UUID | None
    what: Literal["announced", "changed", "withdrawn"]
