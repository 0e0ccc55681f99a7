"""A requirement's history: its levels rising and falling, and what the log says of it, its controls
and their evidence.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from markupsafe import Markup

from governance.assurance.assessments.coverage import LEVELS
from governance.assurance.assessments.models import Conclusion
from governance.assurance.assessments.queries import AssessedRequirement, Board, Transition
from governance.foundation.people.queries import Moment, timeline
from governance.kernel.formatting import long_day

MOVES_SHOWN, DEEDS_SHOWN = 8, 10


def of(
    row: AssessedRequirement,
    shown: Board,
    moved: Sequence[Transition],
    written: Sequence[Conclusion],
) -> list[dict[str, Any]]:
    """Newest first, for the macro `c.timeline`: every rise and fall, and the last deeds; nothing
    later than the board.
    """
    objects = _objects(row, shown)
    ids = [*([row.item.row.id] if row.item else []), *(each.id for each in written), *objects]
    deeds = (
        [line for line in told(ids, objects=objects, limit=40) if line["at"] <= shown.as_of]
        if ids
        else []
    )
    lines = [*map(_rose_or_fell, moved[-MOVES_SHOWN:]), *deeds[:DEEDS_SHOWN]]
    return sorted(lines, key=lambda line: line["at"], reverse=True)


def _objects(row: AssessedRequirement, shown: Board) -> dict[UUID, str]:
    """The refs of the controls and evidence behind a requirement; a version goes by its
    evidence's.
    """
    found: dict[UUID, str] = {}
    for control, _, _ in row.derived.controls:
        found[control.control_id] = control.ref
        for proof in control.proofs:
            found[proof.evidence_id] = proof.ref
            found |= {
                held.version_id: proof.ref for held in shown.ledger.pieces[proof.evidence_id].held
            }
    return found


def _rose_or_fell(each: Transition) -> dict[str, Any]:
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


def told(
    ids: Collection[UUID], *, objects: Mapping[UUID, str] | None = None, limit: int = 20
) -> list[dict[str, Any]]:
    """The log's lines on these objects, newest first; two statements.

    `objects` names those that a line should name.
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
    parts += ["undo of a change"] if "undoes" in facts else []
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
        said
        for name, (old, new) in sorted(moment.changes.items())
        if (said := _changed(name, old, new))
    ]


def _sample(facts: Mapping[str, Any]) -> str:
    sample, failed = int(facts["sample"]), int(facts.get("failed") or 0)
    return f"{failed} of {sample} failed" if failed else f"{sample} of {sample} passed"


def _changed(name: str, old: object, new: object) -> str:
    """What changed, in words; ids of people say nothing to a reader and stay out."""
    if name == "owner":
        return "another owner" if new else "no owner"
    if name == "due_on":
        return f"due {long_day(date.fromisoformat(str(new)))}" if new else "no due day"
    # one line
    return f"{name} {old} \u2192 {new}" if len(f"{old}{new}") < 60 else f"{name} reworded"  # noqa: PLR2004
