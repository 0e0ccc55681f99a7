"""Inbox sources of playbooks: runs in progress and drills that are due."""

from typing import Any

from sqlalchemy import Select, func, null, or_, select

from governance.assurance.playbooks import permissions
from governance.assurance.playbooks.models import (
    Playbook,
    PlaybookRun,
    PlaybookStepResult,
    PlaybookVersion,
)
from governance.kernel.work.inbox import ME, TODAY, InboxSource, end_of, item_select

DRILL_NOTICE_DAYS = 14


def _runs() -> Select[Any]:
    """Select unfinished runs that the reader started, with the number of open steps."""
    r, b, v, s = PlaybookRun, Playbook, PlaybookVersion, PlaybookStepResult
    recorded = (
        select(func.count()).select_from(s).where(s.run_id == r.id).correlate(r).scalar_subquery()
    )
    left = func.jsonb_array_length(v.steps) - recorded
    query = item_select(
        r,
        about=b.title,
        who=null(),
        detail=func.concat(left, " of ", func.jsonb_array_length(v.steps), " steps open"),
        since=r.created_at,
        due=null(),
    )
    return (
        query.join(b, b.id == r.playbook_id)
        .join(v, v.id == r.version_id)
        .where(r.ended_at.is_(None), r.started_by == ME)
    )


def _drills() -> Select[Any]:
    """Select drills due within two weeks that the reader owns or nobody owns."""
    b = Playbook
    query = item_select(
        b,
        about=b.title,
        who=null(),
        detail=func.concat(b.ref, ", version ", b.version),
        since=b.created_at,
        due=end_of(b.next_drill_on),
    )
    return query.where(
        b.retired_at.is_(None),
        b.next_drill_on <= TODAY + DRILL_NOTICE_DAYS,
        or_(b.owner_id == ME, b.owner_id.is_(None)),
    )


RUN = InboxSource(
    name="playbook-run",
    group="incidents",
    needs=permissions.RUN,
    select=_runs,
    icon="checklist",
    verb="Continue",
    title=lambda row: f"Finish the run of {row.about}",
    detail=lambda row: row.detail or "",
    why="you started this playbook run, and it isn't finished",
    endpoint="playbooks.run",
    values=lambda row: {"playbook_run_id": row.id},
)
DRILL = InboxSource(
    name="playbook-drill",
    group="incidents",
    needs=permissions.RUN,
    select=_drills,
    icon="refresh",
    verb="Open",
    title=lambda row: f"Drill: {row.about}",
    detail=lambda row: row.detail or "",
    why="this playbook has a drill due, and you own it or nobody does",
    endpoint="playbooks.playbook",
    values=lambda row: {"playbook_id": row.id},
)
SOURCES = (RUN, DRILL)
