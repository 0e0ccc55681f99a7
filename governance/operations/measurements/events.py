"""Events that measurements publish for the features above them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from governance.kernel.work.events import Event


@dataclass(frozen=True, slots=True)
class MinutesStored(Event):
    """Minutes of these indicators were added or corrected; one event per batch.

    `first` and `last` are the earliest and the latest of them. `is_backfill` means older than 48
    hours, with a reason in the audit log.
    """

    indicator_ids: tuple[UUID, ...]
    first: datetime
    last: datetime
    is_backfill: bool
