"""Recent activity about governance, from the audit log."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby, islice
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select

from governance.assurance.assessments.framework_board import FrameworkBoard
from governance.foundation.audit.models import AuditEntry
from governance.foundation.audit.registry import Shape, registry, shape_of
from governance.foundation.people import aliases
from governance.kernel.data.db import session
from governance.operations.policies.setting_labels import setting_of


@dataclass(frozen=True, slots=True)
class Activity:
    """One person's actions of one kind on one day. `names` are the names of their objects."""

    at: datetime
    who: str
    action: str
    says: str
    count: int
    names: tuple[str, ...] = field(default=())
    shape: Shape = "dot"


SHOWN_PREFIXES = (
    "assessment.",
    "control.",
    "evidence.",
    "framework.",
    "policy.",
    "report.",
    "switch.",
    "system.",
    "waiver.",
)
HIDDEN_ACTIONS = {
    "evidence.version.downloaded",
    "report.downloaded",
    "report.requested",
    "policy.drafted",
}
IS_SHOWN = and_(
    or_(*(AuditEntry.action.startswith(prefix) for prefix in SHOWN_PREFIXES)),
    AuditEntry.action.notin_(HIDDEN_ACTIONS),
)
MAX_ENTRIES = 160


def recent_activity(board: FrameworkBoard, limit: int) -> list[Activity]:
    """Return the latest groups of entries up to the board's moment: of a person, a day and an action."""
    rows = session().execute(_entries(board.as_of)).all()
    refs = _refs(board)
    called = aliases.names_by_pseudonym({row.actor for row in rows})
    groups = groupby(rows, key=lambda row: (row.at.date(), row.actor, row.action))
    return [_activity(list(group), refs, called) for _, group in islice(groups, limit)]


def _entries(until: datetime) -> Any:
    e = AuditEntry
    return (
        select(e.at, e.actor, e.actor_kind, e.action, e.target_id, e.facts)
        .where(e.at <= until, IS_SHOWN)
        .order_by(e.at.desc(), e.id.desc())
        .limit(MAX_ENTRIES)
    )


def _activity(rows: Sequence[Any], refs: dict[UUID, str], called: dict[str, str]) -> Activity:
    first = rows[0]
    who = "Meridian" if first.actor_kind == "job" else called.get(first.actor)
    who = who or f"person {first.actor[:8]}"
    says = registry[first.action].says if first.action in registry else first.action
    names = dict.fromkeys(name for row in rows if (name := _object_name(row, refs)))
    shapes = [shape_of(row.action, row.facts) for row in rows]
    shape = "bad" if "bad" in shapes else shapes[0]
    return Activity(
        first.at, who, first.action, says, len({row.target_id for row in rows}), tuple(names), shape
    )


def _object_name(row: Any, refs: dict[UUID, str]) -> str:
    """Return the name that people use for the object of an entry."""
    facts = row.facts
    if row.action.startswith("policy.") and facts.get("number"):
        return f"version {facts['number']}"
    if row.action.startswith("waiver.") and facts.get("dimension"):
        return setting_of(facts["dimension"], facts.get("system", ""))
    named = (
        facts[name] for name in ("ref", "requirement", "title", "key", "name") if facts.get(name)
    )
    return refs.get(row.target_id) or next(named, "")


def _refs(board: FrameworkBoard) -> dict[UUID, str]:
    """Return the refs of controls, evidence and versions that the board has already read."""
    pieces = board.ledger.pieces.values()
    return (
        {row.id: row.ref for row in board.ledger.controls}
        | {piece.id: piece.ref for piece in pieces}
        | {version.version_id: piece.ref for piece in pieces for version in piece.versions}
    )
