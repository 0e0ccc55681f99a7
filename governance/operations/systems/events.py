"""What the register tells the features above it."""

from dataclasses import dataclass
from uuid import UUID

from governance.kernel.work.events import Event


@dataclass(frozen=True, slots=True)
class SystemChanged(Event):
    """A system has another version from now on.

    `substantial` are the reasons for which what was assessed before no longer describes it:
    "purpose", "model_family", "data_sets", "autonomy", "intended_users", "eu_role"; empty for other
    changes.
    """

    system_id: UUID
    version: int
    substantial: tuple[str, ...]
