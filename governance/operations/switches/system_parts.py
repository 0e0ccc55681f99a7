"""Parts of switches on an AI system's pages: a figure, a tab, the effect of retirement."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from governance.kernel.formatting import plural
from governance.operations.switches import permissions
from governance.operations.switches.models import Drill, Stop
from governance.operations.systems.facts import listed
from governance.operations.systems.models import SystemFeature
from governance.operations.systems.parts import (
    Consequence,
    Figure,
    SystemFigure,
    SystemRecords,
    SystemTab,
)


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


def _stopped(system_id: UUID) -> Select[*tuple[Any, ...]]:
    """Select the number of stops of the system as a unit, its stopped features, and their total."""
    active = select(Stop.id).where(Stop.system_id == system_id, Stop.restarted_at.is_(None))
    whole = select(func.count()).select_from(active.where(Stop.feature_id.is_(None)).subquery())
    keys = (
        select(func.string_agg(SystemFeature.key.distinct(), ", "))
        .join(Stop, Stop.feature_id == SystemFeature.id)
        .where(SystemFeature.system_id == system_id, Stop.restarted_at.is_(None))
    )
    features = select(func.count()).where(
        SystemFeature.system_id == system_id, SystemFeature.retired_at.is_(None)
    )
    return select(whole.scalar_subquery(), keys.scalar_subquery(), features.scalar_subquery())


def _switch(whole: str, keys: str, features: str) -> Figure:
    if int(whole):
        return Figure("Stopped", "the whole system", "stop", "it is stopped as a whole")
    stopped = keys.split(", ") if keys else []
    if stopped:
        verb = "is" if len(stopped) == 1 else "are"
        words = f"{len(stopped)} of {plural(int(features), 'feature')} stopped"
        return Figure(words, keys, "stop", f"{listed(stopped)} {verb} stopped")
    return Figure("Running", plural(int(features), "feature"), "ok")


SWITCH = SystemFigure(
    label="Switch", order=20, permission=permissions.VIEW, select=_stopped, words=_switch
)


RECORDS = SystemRecords(
    permission=permissions.VIEW,
    select=lambda system_id: (
        select(Stop.id).where(Stop.system_id == system_id).order_by(Stop.created_at.desc())
    ),
)
