"""The history of a requirement: level changes, and the log entries on it, its controls and
evidence.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from markupsafe import Markup

from governance.assurance.assessments.conclusion_queries import WrittenConclusion
from governance.assurance.assessments.coverage import LEVELS
from governance.assurance.assessments.framework_board import AssessedRequirement, FrameworkBoard
from governance.assurance.assessments.level_history import LevelTransition
from governance.foundation.logbook.log_health import recall
from governance.foundation.people.aliases import reading
from governance.foundation.people.queries import Moment, timeline
from governance.kernel import current
from governance.kernel.data.tenant_cache import BoundedCache
from governance.kernel.formatting import long_day

MAX_MOVES, MAX_LOG_LINES = 8, 10
MAX_CACHED_LINES = 32  # Requirements per tenant; their lines take up to 40 kB


def requirement_history(
    row: AssessedRequirement,
    board: FrameworkBoard,
    moved: Sequence[LevelTransition],
    written: Sequence[WrittenConclusion],
) -> list[dict[str, Any]]:
    """Return lines for the macro `c.timeline`, newest first: the last level changes and log
    entries.

    Nothing is later than the board.
    """
    objects = _objects(row, board)
    ids = [*([row.item.row.id] if row.item else []), *(each.id for each in written), *objects]
    entries = (
        [line for line in _known_lines(ids, objects) if line["at"] <= board.as_of] if ids else []
    )
    lines = [*map(_rose_or_fell, moved[-MAX_MOVES:]), *entries[:MAX_LOG_LINES]]
    return sorted(lines, key=lambda line: line["at"], reverse=True)


def _known_lines(ids: Sequence[UUID], objects: Mapping[UUID, str]) -> Sequence[dict[str, Any]]:
    """Return the newest lines, cached until the next commit.

    Readers who see the same names share them.
    """
    kept = recall("lines of requirements", lambda: BoundedCache(MAX_CACHED_LINES))
    who = current.actor().role, reading()
    lines: Sequence[dict[str, Any]] = kept.get(
        (who, frozenset(ids), frozenset(objects.items())),
        lambda: log_lines(ids, objects=objects, limit=40),
    )
    return lines


def _objects(row: AssessedRequirement, board: FrameworkBoard) -> dict[UUID, str]:
    """Return the refs of a requirement's controls and evidence, by id.

    An evidence version has the ref of its evidence item.
    """
    found: dict[UUID, str] = {}
    for control, _, _ in row.derived.controls:
        found[control.control_id] = control.ref
        for proof in control.proofs:
            found[proof.evidence_id] = proof.ref
            found |= {
                arrival.version_id: proof.ref
                for arrival in board.ledger.pieces[proof.evidence_id].versions
            }
    return found


def _rose_or_fell(each: LevelTransition) -> dict[str, Any]:
    up = each.after > each.before
    text = Markup("Level {} from <b>{} {}</b> to <b>{} {}</b>").format(
        "rose" if up else "fell", each.before, LEVELS[each.before], each.after, LEVELS[each.after]
    )
    return {
        "kind": "up" if up else "down",
        "text": text,
        "meta": "" if up else each.reason,
        "at": each.at,
    }


def log_lines(
    ids: Collection[UUID], *, objects: Mapping[UUID, str] | None = None, limit: int = 20
) -> list[dict[str, Any]]:
    """Return the audit log's lines on these objects, newest first, in two statements.

    `objects` gives the names of objects that a line should mention.
    """
    return [
        _line(moment, (objects or {}).get(moment.target_id, ""))
        for moment in timeline(ids, limit=limit)
    ]


def _line(moment: Moment, ref: str) -> dict[str, Any]:
    text = Markup("<b>{}</b> {}").format(moment.who, moment.says) + (
        Markup(" <b>{}</b>").format(ref) if ref else ""
    )
    meta = "; ".join(part for part in (", ".join(_facts(moment)), moment.reason) if part)
    return {"kind": moment.shape, "text": text, "meta": meta, "at": moment.at}


def _facts(moment: Moment) -> list[str]:
    facts = moment.facts
    parts = [f"revision {facts['revision']}"] if "revision" in facts else []
    parts += [f"level {facts['level']} {LEVELS[facts['level']]}"] if "level" in facts else []
    parts += [f"version {facts['number']}"] if "number" in facts else []
    parts += [_sample(facts)] if "sample" in facts else []
    parts += [str(facts["finding_ref"])] if facts.get("finding_ref") else []
    parts += [f"{facts['requirement']}, {facts['coverage']}"] if "coverage" in facts else []
    parts += ["change undone"] if "undoes" in facts else []
    parts += (
        [
            (
                f"digest {str(facts['digest'])[:8]}, {facts['signed']} signed off,"
                f" {facts['unsigned']} not"
            )
        ]
        if "unsigned" in facts
        else []
    )
    return parts + [
        words
        for name, (old, new) in sorted(moment.changes.items())
        if (words := _changed(name, old, new))
    ]


def _sample(facts: Mapping[str, Any]) -> str:
    sample, failed = int(facts["sample"]), int(facts.get("failed") or 0)
    return f"{failed} of {sample} failed" if failed else f"{sample} of {sample} passed"


def _changed(name: str, old: object, new: object) -> str:
    """Return a change as text, without ids of people."""
    if name == "owner":
        return "owner changed" if new else "owner removed"
    if name == "due_on":
        return f"due {long_day(date.fromisoformat(str(new)))}" if new else "due date removed"
    # Longer values don't fit in one line.
    return f"{name} {old} \u2192 {new}" if len(f"{old}{new}") < 60 else f"{name} reworded"  # noqa: PLR2004
