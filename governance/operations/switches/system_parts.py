"""What switches add to an AI system's pages: their tab, and what retirement means for them."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from governance.kernel.formatting import plural
from governance.operations.switches import permissions
from governance.operations.switches.models import Drill, Stop
from governance.operations.systems.parts import Consequence, SystemTab


def _active(system_id: UUID) -> Select[*tuple[Any, ...]]:
    return select(func.count()).where(Stop.system_id == system_id, Stop.restarted_at.is_(None))


def _drills(system_id: UUID) -> Select[*tuple[Any, ...]]:
    return select(func.count()).where(Drill.system_id == system_id, Drill.state == "planned")


SWITCHES_TAB = SystemTab(
    label="Features and switches",
    endpoint="switches.system",
    argument="system_key",
    permission=permissions.VIEW,
    order=10,
)
STOPS = Consequence(
    name="stops",
    order=20,
    count=_active,
    text=lambda n: f"{plural(n, 'active stop')}: someone still has to restart what is stopped",
)
DRILLS = Consequence(
    name="drills",
    order=30,
    count=_drills,
    text=lambda n: f"{plural(n, 'planned drill')} of its switches: it won't run",
)
