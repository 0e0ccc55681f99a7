"""Of the switches: restarts and drills that another person requested."""

from typing import Any

from sqlalchemy import Select, func, literal

from governance.foundation.people.queries import name_of
from governance.foundation.people.second_person import may_approve
from governance.kernel.inbox import ME, InboxSource, item_select, requested
from governance.operations.switches import permissions
from governance.operations.switches.models import Drill, Stop
from governance.operations.systems.models import AISystem, SystemFeature


def _restarts() -> Select[Any]:
    s = Stop
    about = func.coalesce(SystemFeature.key + " of " + AISystem.key, AISystem.key, "everything")
    query = item_select(s, about=about, who=name_of(s.restart_asked_by), detail=s.restart_reason, since=s.restart_asked_at)
    query = query.outerjoin(AISystem, AISystem.id == s.system_id).outerjoin(SystemFeature, SystemFeature.id == s.feature_id)
    waits = s.restart_asked_at.is_not(None) & s.restarted_at.is_(None)
    return query.where(waits, may_approve(s.restart_asked_by, s.restart_asked_at, me=ME))


def _drills() -> Select[Any]:
    d = Drill
    query = item_select(d, about=AISystem.key, who=name_of(d.planned_by), detail=literal(""), since=d.created_at, due=d.due_at)
    query = query.join(AISystem, AISystem.id == d.system_id)
    return query.where(d.state == "asked", may_approve(d.planned_by, d.created_at, me=ME))


RESTART = InboxSource(
    name="restart", group="approvals", needs=permissions.RESTART, select=_restarts, icon="player-play", verb="Review",
    title=lambda row: f"Review the restart of {row.about}", detail=requested,
    why="you can restart what was stopped, and another person requested it",
    endpoint="switches.restart", values=lambda row: {"stop_id": row.id},
)  # fmt: skip
DRILL = InboxSource(
    name="drill", group="approvals", needs=permissions.DRILL, select=_drills, icon="bolt", verb="Review",
    title=lambda row: f"Review the drill of {row.about}", detail=requested,
    why="a drill needs a second person, and you can approve it",
    endpoint="switches.drill", values=lambda row: {"drill_id": row.id},
)  # fmt: skip
SOURCES = (RESTART, DRILL)
