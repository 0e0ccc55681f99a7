"""What retiring an AI system means for its waivers."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from governance.kernel.formatting import plural
from governance.operations.policies.models import Waiver
from governance.operations.systems.parts import Consequence


def _waivers(system_id: UUID) -> Select[*tuple[Any, ...]]:
    return select(func.count()).where(
        Waiver.system_id == system_id, Waiver.state.in_(("asked", "live"))
    )


WAIVERS = Consequence(
    name="waivers",
    order=15,
    count=_waivers,
    text=lambda n: f"{plural(n, 'waiver')} of its policy: withdraw or end what no longer matters",
)
