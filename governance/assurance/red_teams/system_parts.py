"""Parts that red teams add to AI systems: a tab, a figure and a consequence of retirement."""

from typing import Any
from uuid import UUID

from sqlalchemy import Integer, Select, case, cast, extract, func, literal, select

from governance.assurance.red_teams import permissions
from governance.assurance.red_teams.life_cycle import UNDECIDED
from governance.assurance.red_teams.models import RedTeam, RedTeamFinding
from governance.kernel import clock
from governance.kernel.formatting import plural
from governance.operations.systems.parts import (
    Consequence,
    Figure,
    SystemFigure,
    SystemRecords,
    SystemTab,
)

SECONDS_OF_A_DAY = 24 * 60 * 60


def _content(system_id: UUID) -> Select[*tuple[Any, ...]]:
    """Select the number of open findings. Returns no row if the system never had a red team."""
    count = _open(system_id).scalar_subquery()
    words = case((count > 0, func.concat(count, " open")), else_="")
    return select(words).where(select(RedTeam.id).where(RedTeam.system_id == system_id).exists())


def _open(system_id: UUID) -> Select[*tuple[Any, ...]]:
    f = RedTeamFinding
    return select(func.count()).where(f.system_id == system_id, f.state.in_(UNDECIDED))


def _summary(system_id: UUID) -> Select[*tuple[Any, ...]]:
    """Select the open findings with their severity, and the age in days of the last red team.

    Returns no row if the system never had a red team.
    """
    t, f = RedTeam, RedTeamFinding
    refs = func.string_agg(func.concat("RTF-", f.number), ", ")
    worst = select(func.concat(refs, ", up to ", func.max(f.score))).where(
        f.system_id == system_id, f.state.in_(UNDECIDED)
    )
    ended = func.max(func.least(t.finished_at, t.closes_at)).filter(t.finished_at.is_not(None))
    days = func.floor(extract("epoch", literal(clock.now()) - ended) / SECONDS_OF_A_DAY)
    return (
        select(_open(system_id).scalar_subquery(), worst.scalar_subquery(), cast(days, Integer))
        .where(t.system_id == system_id)
        .having(func.count() > 0)
    )


def _figure(count: str, worst: str, days: str) -> Figure:
    ended = f"{plural(max(int(days), 0), 'day')} ago" if days else "none finished"
    if count == "0":
        return Figure(ended, "no finding is open")
    return Figure(f"{count} open", f"{worst}; last red team: {ended}", "bad")


TAB = SystemTab(
    label="Red team",
    endpoint="red_teams.of_system",
    argument="system_key",
    permission=permissions.VIEW,
    order=47,
    content=_content,
    counts_everything=True,
)
FIGURE = SystemFigure(
    label="Red team",
    order=55,
    permission=permissions.VIEW,
    select=_summary,
    words=_figure,
    counts_everything=True,
)
OPEN = Consequence(
    name="findings of red teams",
    order=72,
    count=_open,
    text=lambda n: f"{plural(n, 'open finding')} of red teams will be left as they are",
)
TEAMS = SystemRecords(
    permission=permissions.VIEW,
    select=lambda system_id: (
        select(RedTeam.id).where(RedTeam.system_id == system_id).order_by(RedTeam.number.desc())
    ),
    counts_everything=True,
)
FINDINGS = SystemRecords(
    permission=permissions.VIEW,
    select=lambda system_id: (
        select(RedTeamFinding.id)
        .where(RedTeamFinding.system_id == system_id)
        .order_by(RedTeamFinding.number.desc())
    ),
    counts_everything=True,
)
