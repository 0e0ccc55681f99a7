"""Parts of rollouts on an AI system's pages: a figure, a tab, the effect of retirement."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, case, func, select

from governance.kernel.formatting import plural
from governance.operations.gates.stage import Stage
from governance.operations.rollouts import permissions
from governance.operations.rollouts.life_cycle import OPEN, STATES, UNDER_WAY
from governance.operations.rollouts.models import Rollout
from governance.operations.systems.parts import (
    Consequence,
    Figure,
    SystemFigure,
    SystemRecords,
    SystemTab,
)

KINDS = {
    "planned": "open",
    "running": "ok",
    "paused": "due",
    "halted": "stop",
    "finished": "ok",
    "rolled_back": "none",
    "cancelled": "none",
}


def _content(system_id: UUID) -> Select[*tuple[Any, ...]]:
    """Select how many are halted; no row if the system never had a rollout."""
    halted = func.count().filter(Rollout.state == "halted")
    words = case((halted > 0, func.concat(halted, " halted")), else_="")
    return select(words).where(Rollout.system_id == system_id).having(func.count() > 0)


def _open(system_id: UUID) -> Select[*tuple[Any, ...]]:
    return select(func.count()).where(Rollout.system_id == system_id, Rollout.state.in_(OPEN))


def _newest(system_id: UUID) -> Select[*tuple[Any, ...]]:
    share = Rollout.ladder[Rollout.position]["share"].as_integer()
    return (
        select(Rollout.state, Rollout.release, share)
        .where(Rollout.system_id == system_id, Rollout.state.in_(UNDER_WAY))
        .order_by(Rollout.number.desc())
        .limit(1)
    )


def _words(state: str, release: str, share: str) -> Figure:
    where = Stage(int(share), 0, 0).where
    clause = f"the rollout of {release} is halted" if state == "halted" else ""
    return Figure(f"{STATES[state]} {where}", release, KINDS[state], clause)


TAB = SystemTab(
    label="Rollouts",
    endpoint="rollouts.of_system",
    argument="system_key",
    permission=permissions.VIEW,
    order=48,
    content=_content,
)
FIGURE = SystemFigure(
    label="Rollout", order=60, permission=permissions.VIEW, select=_newest, words=_words
)
ROLLOUTS = Consequence(
    name="rollouts",
    order=45,
    count=_open,
    text=lambda n: f"{plural(n, 'open rollout')}: roll back or cancel what no longer goes on",
)
RECORDS = SystemRecords(
    permission=permissions.VIEW,
    select=lambda system_id: (
        select(Rollout.id).where(Rollout.system_id == system_id).order_by(Rollout.number.desc())
    ),
)
