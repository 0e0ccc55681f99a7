"""The reliability cell of the overview.

It shows open alerts and incidents, stopped rollouts, and the newest statement. One statement reads
all of it, and whether there are evaluations to show.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import String, cast, func, literal, select, union_all

from governance.assurance.evaluation_findings import permissions as finding_permissions
from governance.assurance.evaluation_findings.models import EvaluationFinding
from governance.assurance.incidents import permissions as incident_permissions
from governance.assurance.incidents.models import Incident
from governance.kernel.data.db import session
from governance.kernel.formatting import plural
from governance.kernel.safety.access import allowed
from governance.operations.agreements.money import money
from governance.operations.alerts.models import Alert
from governance.operations.evaluations.models import EvaluationRun
from governance.operations.gates.stage import Stage
from governance.operations.objectives import permissions as objective_permissions
from governance.operations.objectives.models import Objective
from governance.operations.rollouts import permissions as rollout_permissions
from governance.operations.rollouts.life_cycle import STATES
from governance.operations.rollouts.models import Rollout, RolloutStep
from governance.operations.rollouts.system_parts import KINDS as ROLLOUT_KINDS
from governance.operations.systems.models import AISystem
from governance.publishing.statements import permissions as statement_permissions
from governance.publishing.statements.models import Statement, StatementRevision

MAX_LINES = 4
ORDER = ("alert", "incident", "rollout", "resolved", "statement")


@dataclass(frozen=True, slots=True)
class ReliabilityLine:
    """One alert, incident, rollout or statement. `state` is (kind, text), as c.state takes it."""

    kind: str
    id: UUID
    ref: str
    title: str
    state: tuple[str, str]
    at: datetime


@dataclass(frozen=True, slots=True)
class ReliabilityNow:
    """The lines, the most pressing first, and the heading over them."""

    lines: Sequence[ReliabilityLine]
    heading: str


def rows_now() -> Sequence[Any]:
    """Return the rows that the reader may see, by kind."""
    parts = [query for permission, query in PARTS if allowed(permission)]
    return session().execute(union_all(*parts)).all() if parts else ()


def reliability_now(rows: Sequence[Any]) -> ReliabilityNow | None:
    """Return the cell. None if a tenant measures nothing and had no incident."""
    rows = [row for row in rows if row.kind not in {"finding", "run"}]
    if not rows:
        return None
    found = [_line(row) for row in rows if row.kind != "objective"]
    lines = sorted(sorted(found, key=lambda line: line.at, reverse=True), key=_rank)
    return ReliabilityNow(lines[:MAX_LINES], _heading(found))


def _rank(line: ReliabilityLine) -> int:
    """Return the sort rank. Resolved lines come after lines that need an action."""
    is_over = line.kind == "incident" and line.state[0] == "ok"
    return ORDER.index("resolved" if is_over else line.kind)


def _heading(lines: Sequence[ReliabilityLine]) -> str:
    firing = sum(line.kind == "alert" and line.state[1] == "Firing" for line in lines)
    open_now = sum(line.kind == "incident" for line in lines)
    halted = sum(
        line.kind == "rollout" and line.state[0] == ROLLOUT_KINDS["halted"] for line in lines
    )
    if not firing and not open_now and not halted:
        return "No alert is firing and no incident is open"
    parts = []
    if firing:
        parts.append(f"{plural(firing, 'alert')} {'is' if firing == 1 else 'are'} firing")
    if open_now:
        parts.append(f"{plural(open_now, 'incident')} {'is' if open_now == 1 else 'are'} open")
    if halted:
        parts.append(f"{plural(halted, 'rollout')} {'is' if halted == 1 else 'are'} halted")
    return ", ".join(parts)


def _row(kind: str, **columns: Any) -> Any:
    """Select the columns that every part has."""
    return select(
        literal(kind, String()).label("kind"),
        columns["id"].label("id"),
        cast(columns["ref"], String()).label("ref"),
        cast(columns["title"], String()).label("title"),
        cast(columns["state"], String()).label("state"),
        columns["at"].label("at"),
    )


def _alerts() -> Any:
    a, o = Alert, Objective
    ref = func.concat("ALR-", a.number)
    query = _row("alert", id=a.id, ref=ref, title=o.name, state=a.state, at=a.fired_at)
    return query.join(o, o.id == a.objective_id).where(a.state != "resolved").limit(20)


def _incidents() -> Any:
    i = Incident
    query = _row("incident", id=i.id, ref=i.ref, title=i.title, state=i.state, at=i.declared_at)
    return query.where(i.closed_at.is_(None)).limit(20)


def _rollouts() -> Any:
    """Select rollouts that are halted or paused: a person resumes them, or rolls them back."""
    r, s = Rollout, RolloutStep
    newest = (
        select(func.max(s.created_at))
        .where(s.tenant_id == r.tenant_id, s.rollout_id == r.id)
        .scalar_subquery()
    )
    query = _row(
        "rollout",
        id=r.id,
        ref=func.concat("RO-", r.number),
        title=func.concat("Release ", r.release, " of ", AISystem.name),
        state=func.concat(r.state, " ", r.ladder[r.position]["share"].as_string()),
        at=func.coalesce(newest, r.created_at),
    ).join(AISystem, AISystem.id == r.system_id)
    return query.where(r.state.in_(("halted", "paused"))).limit(20)


def _statements() -> Any:
    s, r = Statement, StatementRevision
    state = func.concat(r.credit, " ", r.currency, " ", r.number)
    query = _row("statement", id=s.id, ref=s.month, title=s.month, state=state, at=r.closed_at)
    query = query.join(r, (r.statement_id == s.id) & (r.number == s.revision))
    return query.order_by(s.month.desc(), s.id).limit(1)


def _objectives() -> Any:
    """Select one row if something is measured."""
    o = Objective
    query = _row(
        "objective", id=o.id, ref=literal(""), title=o.name, state=literal(""), at=o.created_at
    )
    return query.where(o.retired_at.is_(None)).limit(1)


def _findings() -> Any:
    """Select one row if a finding of an evaluation is open."""
    f, nothing = EvaluationFinding, literal("")
    query = _row("finding", id=f.id, ref=nothing, title=f.name, state=nothing, at=f.created_at)
    return query.where(f.closed_at.is_(None)).limit(1)


def _runs() -> Any:
    """Select one row if an evaluation run was judged."""
    r, nothing = EvaluationRun, literal("")
    query = _row("run", id=r.id, ref=nothing, title=r.release, state=nothing, at=r.created_at)
    return query.where(r.state == "judged").limit(1)


PARTS = (
    (objective_permissions.VIEW, _alerts()),
    (incident_permissions.VIEW, _incidents()),
    (statement_permissions.VIEW, _statements()),
    (objective_permissions.VIEW, _objectives()),
    (rollout_permissions.VIEW, _rollouts()),
    (finding_permissions.VIEW, _findings()),
    (finding_permissions.VIEW, _runs()),
)
ALERT_STATES = {"firing": ("bad", "Firing"), "acknowledged": ("due", "Acknowledged")}


def _line(row: Any) -> ReliabilityLine:
    if row.kind == "alert":
        return ReliabilityLine("alert", row.id, row.ref, row.title, ALERT_STATES[row.state], row.at)
    if row.kind == "incident":
        state = ("ok" if row.state == "resolved" else "due", row.state.capitalize())
        return ReliabilityLine("incident", row.id, row.ref, row.title, state, row.at)
    if row.kind == "rollout":
        name, share = row.state.split()
        where = Stage(int(share), 0, 0).where
        said = (ROLLOUT_KINDS[name], f"{STATES[name]} {where}")
        return ReliabilityLine("rollout", row.id, row.ref, row.title, said, row.at)
    credit, currency, number = row.state.split()
    owed = f"{money(int(credit), currency)} credit" if int(credit) else "no credit"
    title = f"Statement {_month(row.title)}, revision {number}"
    return ReliabilityLine("statement", row.id, "", title, ("none", owed), row.at)


def _month(text: str) -> str:
    return f"{datetime.strptime(text, '%Y-%m'):%B %Y}"  # noqa: DTZ007 - a month has no zone
