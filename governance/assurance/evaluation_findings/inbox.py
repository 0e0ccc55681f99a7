"""Inbox items for open evaluation findings: for the system's owner, admins and officers."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, case, func, or_

from governance.assurance.evaluation_findings import permissions
from governance.assurance.evaluation_findings.finding_actions import CLOSED
from governance.assurance.evaluation_findings.models import EvaluationFinding
from governance.foundation.people.own_entries import own_items
from governance.kernel.work.inbox import ME, ROLE, InboxDone, InboxRow, InboxSource, item_select
from governance.operations.systems.models import AISystem

MANAGERS = ("admin", "compliance_officer")


def _about() -> Any:
    return func.concat("EVF-", EvaluationFinding.number, ": ", EvaluationFinding.name)


def _open() -> Select[Any]:
    f, s = EvaluationFinding, AISystem
    query = item_select(
        f,
        about=_about(),
        detail=s.name,
        place=case((f.passed_run_id.is_not(None), "passed"), else_="missed"),
        since=f.created_at,
    ).join(s, s.id == f.system_id)
    return query.where(
        f.closed_at.is_(None),
        s.retired_at.is_(None),
        or_(s.owner_id == ME, ROLE.in_(MANAGERS)),
    )


def _closed() -> Select[Any]:
    return own_items(EvaluationFinding, CLOSED, about=_about())


def _address(row: InboxRow) -> Mapping[str, Any]:
    return {"evaluation_finding_id": row.parent or row.id}


DONE = InboxDone(
    name="evaluation-finding",
    icon="flask",
    select=_closed,
    endpoint="evaluation_findings.finding",
    values=_address,
)
FINDING = InboxSource(
    name="evaluation-finding",
    group="incidents",
    needs=permissions.VIEW,
    select=_open,
    icon="flask",
    verb="Open",
    title=lambda row: (
        f"{row.about} of {row.detail} passes again: close the finding"
        if row.place == "passed"
        else f"{row.about} of {row.detail} misses its limit"
    ),
    detail=lambda row: (
        "A newer run passed" if row.place == "passed" else "Controls fail until it is closed"
    ),
    why="you own this AI system, or you manage the compliance of this tenant",
    endpoint="evaluation_findings.finding",
    values=_address,
    done=(DONE,),
)
SOURCES = (FINDING,)
