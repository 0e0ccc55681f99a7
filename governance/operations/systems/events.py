"""Events that the register publishes for the features above it."""

from dataclasses import dataclass
from uuid import UUID

from governance.kernel.work.events import Event


@dataclass(frozen=True, slots=True)
class SystemChanged(Event):
    """A system has a new version.

    `substantial` has the reasons why earlier assessments no longer describe it: "purpose",
    "model_family", "data_sets", "autonomy", "intended_users", "eu_role"; empty for other changes.
    """

    system_id: UUID
    version: int
    substantial: tuple[str, ...]
