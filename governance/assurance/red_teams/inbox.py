"""Inbox items of owners and officers: open red-team findings, and red teams to finish."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, func, or_

from governance.assurance.red_teams import permissions
from governance.assurance.red_teams.actions import FINISHED
from governance.assurance.red_teams.finding_actions import CLOSED, CONFIRMED, REJECTED
from governance.assurance.red_teams.life_cycle import UNDECIDED
from governance.assurance.red_teams.models import RedTeam, RedTeamFinding
from governance.foundation.people.own_entries import own_items
from governance.kernel.work.inbox import (
    ME,
    NOW,
    ROLE,
    InboxDone,
    InboxRow,
    InboxSource,
    item_select,
)
from governance.operations.systems.models import AISystem

MANAGERS = ("admin", "compliance_officer")
NEXT = {
    "open": "confirm or reject it",
    "confirmed": "fix it",
    "fixed": "check the fix and close it",
}


def _about() -> Any:
    return func.concat("RTF-", RedTeamFinding.number, ": ", RedTeamFinding.title)


def _open() -> Select[Any]:
    f, s = RedTeamFinding, AISystem
    query = item_select(f, about=_about(), detail=s.name, place=f.state, since=f.created_at).join(
        s, s.id == f.system_id
    )
    return query.where(
        f.state.in_(UNDECIDED),
        s.retired_at.is_(None),
        or_(s.owner_id == ME, ROLE.in_(MANAGERS)),
    )


def _unfinished() -> Select[Any]:
    t, s = RedTeam, AISystem
    query = item_select(
        t, about=func.concat("RT-", t.number, ": ", t.title), detail=s.name, since=t.closes_at
    ).join(s, s.id == t.system_id)
    return query.where(
        t.closes_at <= NOW,
        t.finished_at.is_(None),
        t.cancelled_at.is_(None),
        ROLE.in_(MANAGERS),
    )


def _decided() -> Select[Any]:
    return own_items(RedTeamFinding, CONFIRMED, REJECTED, CLOSED, about=_about())


def _finished() -> Select[Any]:
    about = func.concat("RT-", RedTeam.number, ": ", RedTeam.title)
    return own_items(RedTeam, FINISHED, about=about)


def _finding_address(row: InboxRow) -> Mapping[str, Any]:
    return {"red_team_finding_id": row.parent or row.id}


def _team_address(row: InboxRow) -> Mapping[str, Any]:
    return {"red_team_id": row.parent or row.id}


FINDING = InboxSource(
    name="red-team-finding",
    group="incidents",
    needs=permissions.VIEW,
    select=_open,
    icon="flask",
    verb="Open",
    title=lambda row: f"{row.about}: {NEXT[row.place]}",
    detail=lambda row: f"A red team broke {row.detail}",
    why="you own this AI system, or you manage the compliance of this tenant",
    endpoint="red_teams.finding",
    values=_finding_address,
    done=(
        InboxDone(
            name="red-team-finding",
            icon="flask",
            select=_decided,
            endpoint="red_teams.finding",
            values=_finding_address,
        ),
    ),
)
UNFINISHED = InboxSource(
    name="red-team-over",
    group="reviews",
    needs=permissions.PLAN,
    select=_unfinished,
    icon="flask",
    verb="Finish",
    title=lambda row: f"{row.about} is over: finish it",
    detail=lambda row: f"The age of the red team of {row.detail} counts from a finished one",
    why="you manage the compliance of this tenant",
    endpoint="red_teams.red_team",
    values=_team_address,
    done=(
        InboxDone(
            name="red-team-over",
            icon="flask",
            select=_finished,
            endpoint="red_teams.red_team",
            values=_team_address,
        ),
    ),
)
SOURCES = (FINDING, UNFINISHED)
