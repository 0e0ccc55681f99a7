"""Inbox items for halted or paused rollouts, for their planners, owners and managers."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, func, or_, select

from governance.kernel.work.inbox import ME, ROLE, InboxRow, InboxSource, item_select
from governance.operations.gates.stage import Stage
from governance.operations.rollouts import permissions
from governance.operations.rollouts.life_cycle import STATES
from governance.operations.rollouts.models import Rollout, RolloutStep

MANAGERS = ("admin", "compliance_officer")
STOPPED = ("halted", "paused")


def _stopped() -> Select[Any]:
    r, s = Rollout, RolloutStep
    stopped_at = (
        select(func.max(s.created_at))
        .where(s.tenant_id == r.tenant_id, s.rollout_id == r.id)
        .scalar_subquery()
    )
    query: Select[Any] = item_select(
        r,
        about=func.concat("RO-", r.number, ", release ", r.release),
        detail=r.ladder[r.position]["share"].as_string(),
        place=r.state,
        since=func.coalesce(stopped_at, r.created_at),
    )
    return query.where(
        r.state.in_(STOPPED), or_(r.owner_id == ME, r.planned_by == ME, ROLE.in_(MANAGERS))
    )


def _title(row: InboxRow) -> str:
    where = Stage(int(row.detail), 0, 0).where
    return f"{row.about}, is {STATES[row.place].lower()} {where}"


def _address(row: InboxRow) -> Mapping[str, Any]:
    return {"rollout_id": row.id}


STOPPED_ROLLOUT = InboxSource(
    name="rollout",
    group="incidents",
    needs=permissions.ADVANCE,
    select=_stopped,
    icon="git-branch",
    verb="Open",
    title=_title,
    detail=lambda row: (
        "Nobody gets the release. Resume it once no guardrail fails, or roll it back"
        if row.place == "halted"
        else "Nothing advances. Resume it, or roll it back"
    ),
    why="you planned or own this rollout, or you manage the compliance of this tenant",
    endpoint="rollouts.rollout",
    values=_address,
)
SOURCES = (STOPPED_ROLLOUT,)
