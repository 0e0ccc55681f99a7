"""The contents of a requirement's page: verdict, reasons, ladder and where to attach evidence."""

from collections.abc import Sequence
from typing import Any

from flask import request, url_for

from governance.assurance.assessments.coverage import LEVELS
from governance.assurance.assessments.framework_board import AssessedRequirement, FrameworkBoard
from governance.assurance.assessments.level_history import LevelTransition
from governance.assurance.controls.reason_links import page_of_reason
from governance.assurance.controls.status import StatusReason
from governance.kernel import formatting

NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
MINUS = "\N{MINUS SIGN}"


def count_word(count: int) -> str:
    return NUMBERS[count] if count < len(NUMBERS) else str(count)


def points(value: float) -> str:
    """Format a value: 1.0 → "1.0". A nonzero value is never shown as zero."""
    return f"{max(value, 0.1):.1f}" if value > 0 else f"{value:.1f}".replace("-", MINUS)


# ---- one requirement


def trail(board: FrameworkBoard, ref: str) -> list[str]:
    """Return the titles of the nodes above the requirement, the function first."""
    nodes = {node.ref: node for node in board.tree}
    found: list[str] = []
    above = nodes[ref].parent_ref
    while above:
        found.append(nodes[above].title)
        above = nodes[above].parent_ref
    return found[::-1]


def verdict(row: AssessedRequirement) -> str:
    """Return a verdict, such as "Partial, for three reasons. Target is 4 Effective"."""
    reasons = [
        r for r in row.derived.reasons if r.severity != "open" or row.requirement_level.short
    ]
    why = (
        f", for {count_word(len(reasons)).lower()} reason{'s' if len(reasons) != 1 else ''}"
        if reasons and row.requirement_level.short
        else ""
    )
    target = (
        f"Target is {row.target} {LEVELS[row.target]}"
        if row.requirement_level.short
        else f"Target {row.target} {LEVELS[row.target]} is met"
    )
    return f"{row.derived.word}{why}. {target}"


def reasons(row: AssessedRequirement) -> list[dict[str, Any]]:
    """Return the reasons, each with the URL of the object that causes it."""
    return [_reason(reason) for reason in row.derived.reasons]


def _reason(reason: StatusReason) -> dict[str, Any]:
    href = None
    if reason.kind == "evidence" and reason.target_id:
        href = url_for("evidence.item", evidence_id=reason.target_id)
    elif reason.kind in {"control", "test"} and reason.target_id:
        href = url_for(
            "controls.control",
            control_id=reason.target_id,
            _anchor="tests" if reason.kind == "test" else None,
        )
    else:
        href = page_of_reason(reason)
    kind = {"open": "none"}.get(reason.severity, reason.severity)
    return {
        "kind": kind,
        "lead": reason.fact,
        "text": reason.consequence,
        "href": href,
        "link": reason.ref,
    }


def attach(row: AssessedRequirement) -> str | None:
    """Return the URL of the form that attaches evidence, with a link back to this page.

    It uploads a version of the evidence item that is late, else a new item for the weakest control.
    """
    here = request.full_path.rstrip("?")
    late = next((r for r in row.derived.reasons if r.kind == "evidence" and r.target_id), None)
    if late is not None:
        return url_for("evidence.upload_form", evidence_id=late.target_id, back=here)
    worst = ("failing", "missing", "due", "evidenced", "effective")
    controls = sorted(row.derived.controls, key=lambda answer: worst.index(answer[2].name))
    if not controls:
        return None
    return url_for("evidence.create_form", control=controls[0][0].control_id, back=here)


def ladder(row: AssessedRequirement, moved: Sequence[LevelTransition]) -> dict[int, str]:
    """Return what raises it to each higher level, and since when it has its current level."""
    steps = {number: text for number, text in enumerate(row.derived.ladder) if text}
    last = moved[-1] if moved and moved[-1].after == row.derived.level else None
    return steps | {
        row.derived.level: f"Now, since {formatting.day_of_year(last.at)}" if last else "Now"
    }
