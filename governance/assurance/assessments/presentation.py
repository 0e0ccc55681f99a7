"""What the pages of a framework draw: groups of the map, sentences, reasons with their places, the
chart of the period.

groups, noun, conclusion, peek      the heat map and its h1
verdict, reasons, ladder, trail     one requirement
proofs, period_chart                its evidence, and what that covers of the period
FrozenRow, frozen_rows              a closed assessment, from what was frozen
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal

from flask import url_for
from markupsafe import Markup

from governance.assurance.assessments.coverage import LEVELS, Share
from governance.assurance.assessments.models import Assessment
from governance.assurance.assessments.queries import AssessedRequirement, Board, Transition
from governance.assurance.controls.reason_links import standing_place
from governance.assurance.controls.status import ControlFacts, Reason, SupportingEvidence, too_long
from governance.assurance.evidence.coverage_chart import CoveragePiece, CoverageRow, coverage_bars
from governance.assurance.evidence.freshness import Freshness, Version, counting, freshness
from governance.assurance.frameworks.queries import RequirementView

NUMBERS = ("No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
MINUS = "\N{MINUS SIGN}"
NARROW_CELL = 5  # letters that a cell of the map has room for
CHARTED = 14
CHART_NAME = 21  # letters
LINE = 14


def count_word(count: int) -> str:
    return NUMBERS[count] if count < len(NUMBERS) else str(count)


def points(value: float) -> str:
    """1.0 → "1.0"; never a zero for something that moves."""
    return f"{max(value, 0.1):.1f}" if value > 0 else f"{value:.1f}".replace("-", MINUS)


# ---- the heat map


@dataclass(frozen=True, slots=True)
class Category:
    """A head over cells; `short` is its own part of the ref."""

    title: str
    short: str
    share: Share
    rows: Sequence[AssessedRequirement]

    @property
    def width(self) -> str:
        return f"c-cat-{len(self.rows)}" if len(self.rows) in {2, 3} else "c-cat-wide"


@dataclass(frozen=True, slots=True)
class Group:
    """A row of the map: a function, with its change in 30 days in percentage points; None without a
    history.
    """

    ref: str
    title: str
    share: Share
    change: float | None
    categories: Sequence[Category]


def groups(shown: Board, then: Mapping[str, Share] | None) -> list[Group]:
    """Functions by categories; a shallower tree is one category a group, a flat list one group.

    `then` are the shares of 30 days ago by function and for "all"; None if there was no evidence
    yet.
    """

    def change(ref: str, share: Share) -> float | None:
        return None if then is None else share.percent - then[ref].percent

    if not shown.functions:
        lines = _lines(shown.share, shown.rows)
        return [Group("", shown.framework.title, shown.share, change("all", shown.share), lines)]
    nodes = [node for node in shown.functions if shown.of(node.ref)]
    return [_group(shown, node, change(node.ref, shown.share_of(node.ref))) for node in nodes]


def _group(shown: Board, node: RequirementView, change: float | None) -> Group:
    heads = [each for each in shown.tree if each.parent_ref == node.ref and not each.assessable]
    inner = [
        Category(
            each.title,
            each.ref.removeprefix(f"{node.ref} "),
            shown.share_of(each.ref),
            shown.of(each.ref),
        )
        for each in heads
    ]
    return Group(
        node.ref,
        node.title,
        shown.share_of(node.ref),
        change,
        inner or _lines(shown.share_of(node.ref), shown.of(node.ref)),
    )


def _lines(share: Share, rows: Sequence[AssessedRequirement]) -> list[Category]:
    """Cells without heads, as many in a line as the sheet has room for."""
    return [
        Category("", "", share, rows[start : start + LINE]) for start in range(0, len(rows), LINE)
    ]


def cell_name(ref: str) -> tuple[str, str]:
    """(prefix, what the cell has room for):

    MEASURE 2.7 → "MEASURE ", "2.7"; the cell's full name is both.
    """
    head, space, tail = ref.rpartition(" ")
    if len(tail) > NARROW_CELL:
        first, dash, last = tail.rpartition("-")
        return (
            (f"{head}{space}{first}{dash}", last)
            if dash
            else (f"{head}{space}", tail[:NARROW_CELL])
        )
    return f"{head}{space}", tail


def noun(shown: Board) -> str:
    """What NIST calls them in the AI RMF; elsewhere a requirement."""
    return "subcategory" if shown.framework.key.startswith("nist-ai-rmf") else "requirement"


def nouns(shown: Board) -> str:
    return "subcategories" if noun(shown) == "subcategory" else "requirements"


def conclusion(shown: Board) -> str:
    """The h1: how many are proven, coverage, and where closing gaps is worth most."""
    share, found = shown.share, shown.gaps
    says = f"{proven(shown)}, {share.percent:.0f}% coverage"
    if not share.count:
        return "This framework has nothing to assess"
    if not found:
        return f"{says}. Every target is met."
    titles = {node.ref: node.title for node in shown.functions}
    worth = {f: sum(gap.moves for gap in found if gap.standing.function == f) for f in titles}
    best = max(worth, key=lambda f: worth[f], default="")
    if not best or not worth[best]:
        return (
            f"{says}. {_gaps(len(found))} worth {points(sum(gap.moves for gap in found))} points."
        )
    inside = [gap for gap in found if gap.standing.function == best]
    return (
        f"{says}. {_gaps(len(inside), f' in {titles[best]}')} worth {points(worth[best])} points."
    )


def proven(shown: Board) -> str:
    """As "45 of 72 subcategories proven"."""
    return (
        f"{shown.share.proven} of {shown.share.count}"
        f" {nouns(shown) if shown.share.count != 1 else noun(shown)} proven"
    )


def _gaps(count: int, where: str = "") -> str:
    return (
        f"{count_word(count)} gap{'s' if count != 1 else ''}{where} {'are' if count != 1 else 'is'}"
    )


@dataclass(frozen=True, slots=True)
class Peek:
    """The strip below the map: one requirement, and those beside it."""

    row: AssessedRequirement
    before: str | None
    after: str | None


def peek(shown: Board, wanted: str) -> Peek | None:
    """The requirement that the address selects; otherwise the gap that moves most."""
    refs = [row.ref for row in shown.rows]
    first = shown.gaps[0].standing.ref if shown.gaps else (refs[0] if refs else "")
    ref = next(
        (
            row.ref
            for row in shown.rows
            if wanted and row.requirement.path == wanted.replace(" ", "-")
        ),
        first,
    )
    row = shown.row(ref)
    if row is None:
        return None
    here = refs.index(ref)
    paths = [each.requirement.path for each in shown.rows]
    return Peek(
        row, paths[here - 1] if here else None, paths[here + 1] if here + 1 < len(paths) else None
    )


def peek_text(row: AssessedRequirement) -> str:
    """1 Partial, target 4: what keeps it there."""
    facts = "; ".join(reason.fact.rstrip(".") for reason in row.derived.reasons[:3])
    return f"{row.derived.level} {row.derived.word}, target {row.target}" + (
        f": {facts}" if facts else ""
    )


# ---- one requirement


def trail(shown: Board, ref: str) -> list[str]:
    """The titles above it, the function first."""
    nodes = {node.ref: node for node in shown.tree}
    found: list[str] = []
    above = nodes[ref].parent_ref
    while above:
        found.append(nodes[above].title)
        above = nodes[above].parent_ref
    return found[::-1]


def verdict(row: AssessedRequirement) -> str:
    """Partial, for three reasons. Target is 4 Effective."""
    reasons = [r for r in row.derived.reasons if r.severity != "open" or row.standing.short]
    why = (
        f", for {count_word(len(reasons)).lower()} reason{'s' if len(reasons) != 1 else ''}"
        if reasons and row.standing.short
        else ""
    )
    target = (
        f"Target is {row.target} {LEVELS[row.target]}"
        if row.standing.short
        else f"Its target, {row.target}, is met"
    )
    return f"{row.derived.word}{why}. {target}"


def reasons(row: AssessedRequirement) -> list[dict[str, Any]]:
    """Each with the address of the object that causes it."""
    return [_reason(reason) for reason in row.derived.reasons]


def _reason(reason: Reason) -> dict[str, Any]:
    href = None
    if reason.kind == "evidence" and reason.target_id:
        href = url_for("evidence.piece", evidence_id=reason.target_id)
    elif reason.kind in {"control", "test"} and reason.target_id:
        href = url_for(
            "controls.control",
            control_id=reason.target_id,
            _anchor="tests" if reason.kind == "test" else None,
        )
    else:
        href = standing_place(reason)
    kind = {"open": "none"}.get(reason.severity, reason.severity)
    return {
        "kind": kind,
        "lead": reason.fact,
        "text": reason.consequence,
        "href": href,
        "link": reason.ref,
    }


def attach(row: AssessedRequirement) -> str | None:
    """Where evidence is attached: a version of the piece that is late, else a new piece for the
    control that is short.
    """
    late = next((r for r in row.derived.reasons if r.kind == "evidence" and r.target_id), None)
    if late is not None:
        return url_for("evidence.bringing", evidence_id=late.target_id)
    worst = ("failing", "missing", "due", "evidenced", "effective")
    controls = sorted(row.derived.controls, key=lambda answer: worst.index(answer[2].name))
    return url_for("evidence.beginning", control=controls[0][0].control_id) if controls else None


def ladder(row: AssessedRequirement, moved: Sequence[Transition]) -> dict[int, str]:
    """What lifts to each level above; at the level itself since when it stands there."""
    steps = {number: text for number, text in enumerate(row.derived.ladder) if text}
    last = moved[-1] if moved and moved[-1].after == row.derived.level else None
    return steps | {row.derived.level: f"Now, since {last.at.day} {last.at:%b}" if last else "Now"}


# ---- evidence over the period


@dataclass(frozen=True, slots=True)
class Proven:
    """A piece of evidence behind a requirement."""

    control: ControlFacts
    proof: SupportingEvidence
    fresh: Freshness
    counts: Version | None


def proofs(row: AssessedRequirement, shown: Board) -> list[Proven]:
    """Each piece once, under the first control that it supports."""
    found: dict[Any, Proven] = {}
    for control, _, _ in row.derived.controls:
        for proof in control.proofs:
            fresh = freshness(
                proof.versions, cadence=proof.cadence, due_on=proof.due_on, today=shown.as_of.date()
            )
            found.setdefault(
                proof.evidence_id, Proven(control, proof, fresh, counting(proof.versions))
            )
    return list(found.values())


def period_chart(row: AssessedRequirement, shown: Board) -> tuple[Markup, str] | None:
    """(chart, its conclusion): what each piece of evidence covers of the period."""
    found = proofs(row, shown)
    if not found:
        return None
    today = shown.as_of.date()
    first, last = shown.period
    begun = {each.id: each.known.date() for each in shown.ledger.pieces.values()}
    drawn = [
        _bar(each, first, min(last, today), begun[each.proof.evidence_id])
        for each in found[:CHARTED]
    ]
    uncovered = [
        each
        for each, bar in zip(found, drawn, strict=False)
        if any(piece.kind == "missing" for piece in bar.pieces)
    ]
    return coverage_bars(
        drawn, (first, max(last, first + timedelta(days=27))), today, _covers(found, uncovered)
    ), _covers(found, uncovered)


def _covers(found: Sequence[Proven], uncovered: Sequence[Proven]) -> str:
    if not uncovered:
        return (
            "The evidence leaves no part of the period uncovered"
            if len(found) > 1
            else "Its one piece of evidence covers the period"
        )
    if len(uncovered) == 1:
        return (
            f"Only {uncovered[0].proof.title} leaves part of the period uncovered"
            if len(found) > 1
            else f"{uncovered[0].proof.title} leaves part of the period uncovered"
        )
    return f"{len(uncovered)} of {len(found)} pieces of evidence leave part of the period uncovered"


def _bar(each: Proven, first: date, until: date, begun: date) -> CoverageRow:
    """Accepted versions; then what is missing (too long uncovered), waits for review, or is not yet
    due.

    Nothing was expected before the evidence item was begun, so nothing is missing before that day.
    """
    pieces: list[CoveragePiece] = []
    reached = first
    for version in sorted(
        (v for v in each.proof.versions if v.review == "accepted"),
        key=lambda v: (v.period_from, v.period_to),
    ):
        start, end = max(version.period_from, reached), min(version.period_to, until)
        if end < start:
            continue
        expected, before = max(reached, begun), start - timedelta(days=1)
        if expected <= before and too_long(each.proof, (expected, before)):
            pieces.append(CoveragePiece(expected, before, "missing"))
        pieces.append(CoveragePiece(start, end, "held"))
        reached = end + timedelta(days=1)
    reached = max(reached, begun)
    if reached <= until:
        pieces.append(CoveragePiece(reached, until, _tail(each, reached, until)))
    tone: Literal["", "bad"] = "bad" if each.fresh.state in {"overdue", "rejected"} else ""
    return CoverageRow(
        _shortened(each.proof.title), each.control.ref, pieces, each.fresh.says, tone
    )


def _shortened(title: str) -> str:
    """What stands before the control's ref in the chart; the table beside it has the whole
    title.
    """
    return (
        title
        if len(title) <= CHART_NAME
        else f"{title[: CHART_NAME - 1].rstrip(' ,')}\N{HORIZONTAL ELLIPSIS}"
    )


def _tail(each: Proven, reached: date, until: date) -> Any:
    if each.fresh.state in {"overdue", "rejected", "missing"} or too_long(
        each.proof, (reached, until)
    ):
        return "missing"
    if each.fresh.state == "in review" or any(v.review == "pending" for v in each.proof.versions):
        return "due"
    return "stale" if each.fresh.state == "due" else "open"


# ---- a closed assessment


@dataclass(frozen=True, slots=True)
class FrozenRow:
    """A requirement as it stood when its assessment was closed."""

    ref: str
    title: str
    level: int
    target: int
    concluded: int | None
    assessor: str | None
    signer: str | None

    @property
    def path(self) -> str:
        return self.ref.replace(" ", "-")


def frozen_rows(held: Assessment) -> list[FrozenRow]:
    frozen = held.frozen or {}
    return [
        FrozenRow(
            each["ref"],
            each["title"],
            each["level"],
            each["target"],
            (each["conclusion"] or {}).get("level"),
            (each["conclusion"] or {}).get("assessor"),
            (each["sign_off"] or {}).get("by"),
        )
        for function in frozen.get("functions", ())
        for category in function["categories"]
        for each in category["requirements"]
    ]


def as_frozen(row: AssessedRequirement) -> FrozenRow:
    judged = row.judgement
    return FrozenRow(
        row.ref,
        row.requirement.title,
        row.derived.level,
        row.target,
        judged.level if judged else None,
        judged.assessor if judged else None,
        judged.signer if judged else None,
    )
