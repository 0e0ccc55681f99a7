"""What measurements tell the features above them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from governance.kernel.work.events import Event


@dataclass(frozen=True, slots=True)
class MinutesStored(Event):
    """Minutes of these indicators were added or corrected, once for each batch.

    `first` and `last` are the earliest and the latest of them; `is_backfill`: older than 48 hours,
    with a reason that the audit log keeps.
    """

    indicator_ids: tuple[UUID, ...]
    first: datetime
    last: datetime
    is_backfill: bool
