"""The requirement list and the gap list: what filters leave, in which order, as rows of a file.

View                        a list's address with its filters: chips, links, hidden fields
Drawing                     rows and cells drawn once for all readers of a board
matches, ordered, part      filter, sort, one page
below, moves                those short of their target, and what closing each would move
HEAD, cells                 the same rows as a file
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import url_for
from markupsafe import Markup

from governance.assurance.assessments.coverage import LEVELS, Gap
from governance.assurance.assessments.queries import Board, Row
from governance.assurance.evidence.freshness import CURRENT, freshness
from governance.kernel import current
from governance.kernel.errors import Invalid
from governance.kernel.tenant_cache import Shelf

FILTERS = ("q", "level", "under", "owner", "state", "sort")
STATES = {
    "proven": "proven", "unproven": "not proven", "below": "below target", "met": "target met", "overdue": "evidence overdue", "red": "a reason is red", "open": "not concluded",
    "unsigned": "waits for sign-off", "returned": "returned to the assessor", "signed": "signed off",
}  # fmt: skip
LABELS = {"q": "Search", "level": "Level", "under": "Under", "owner": "Owner", "state": "State"}
HEAD = (
    "Ref", "Title", "Outcome", "Proven", "Level", "Level in words", "Target", "Would move, points", "Reasons", "Controls", "Owner", "Due", "Concluded level",
    "Conclusion", "Assessor", "Concluded at", "Revision", "Signed off by", "Signed off at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class View:
    """Where a list is and what its address asks for; `kept` are the parts that are no filters (as_of, sel)."""

    endpoint: str
    key: str
    asked: Mapping[str, str]
    kept: Mapping[str, str]

    def address(self, endpoint: str = "", **changes: Any) -> str:
        """The list, or another one with the same filters, with these changes; the first page unless told otherwise."""
        merged: dict[str, Any] = {**self.kept, **self.asked, "after": None, **changes}
        if endpoint and not endpoint.endswith("heat_map"):
            merged.pop("sel", None)
        return url_for(endpoint or self.endpoint, key=self.key, **{name: value for name, value in merged.items() if value})

    def export(self, form: str, **fixed: str) -> str:
        return self.address("assessments.export", form=form, **fixed)

    @property
    def chips(self) -> list[dict[str, str]]:
        return [
            {"label": LABELS[n], "value": self._said(n), "href": self.address("", **{n: None})} for n in LABELS if n in self.asked
        ]

    def _said(self, name: str) -> str:
        value = self.asked[name]
        if name == "level" and value in {"0", "1", "2", "3", "4"}:
            return f"{value} {LEVELS[int(value)]}"
        return STATES.get(value, value) if name == "state" else value

    def hidden(self, *without: str) -> dict[str, str]:
        """What a form of this list sends along."""
        return {name: value for name, value in {**self.kept, **self.asked}.items() if name not in {*without, "after", "sel"}}


DRAWN = Shelf(8192)  # rows and cells of all tenants together, about a kilobyte each


@dataclass(frozen=True, slots=True)
class Drawing:
    """Draws a row by a macro of rows.html, or takes what the same macro made of the same board for an earlier reader."""

    shown: Board
    as_of: str | None

    def __call__(self, macro: Any, row: Row, marked: bool, *more: Any) -> Markup:  # noqa: FBT001 - as templates call it
        """`marked`: ticked or selected. What `more` holds follows from the board."""

        def draw() -> Markup:
            drawn: Markup = macro(row, self.shown.framework.key, self.as_of, marked, *more)
            return drawn

        if self.shown.token is None:
            return draw()
        return DRAWN.get((self.shown.token, macro.name, row.ref, marked, current.actor().tenant_slug), draw)


def below(shown: Board) -> list[Row]:
    """Short of their target, the one that moves most first."""
    rows = {row.ref: row for row in shown.rows}
    return [rows[gap.standing.ref] for gap in shown.gaps]


def moves(shown: Board) -> dict[str, Gap]:
    return {gap.standing.ref: gap for gap in shown.gaps}


def matches(row: Row, asked: Mapping[str, str]) -> bool:
    text = f"{row.ref} {row.requirement.path} {row.requirement.title} {row.requirement.outcome} {row.owner or ''}".casefold()
    under, owner = asked.get("under", ""), asked.get("owner", "")
    return (
        all(word in text for word in asked.get("q", "").casefold().split())
        and asked.get("level", str(row.derived.level)) == str(row.derived.level)
        and (
            not under
            or under in {row.function, row.ref}
            or row.ref.startswith((f"{under}.", f"{under} "))
            or row.requirement.parent_ref == under
        )
        and (not owner or owner == (row.owner or "nobody"))
        and _in_state(row, asked.get("state", ""))
    )


def _in_state(row: Row, state: str) -> bool:
    judged = row.judgement
    return {
        "": True, "proven": row.derived.is_proven, "unproven": not row.derived.is_proven, "below": row.standing.short > 0, "met": row.standing.short == 0, "overdue": row.is_overdue, "red": row.derived.is_red,
        "open": judged is None, "signed": judged is not None and judged.signer is not None,
        "returned": judged is not None and judged.signer is None and bool(judged.returned_because),
        "unsigned": judged is not None and judged.signer is None and not judged.returned_because,
    }.get(state, False)  # fmt: skip


def ordered(rows: Sequence[Row], sort: str, moved: Mapping[str, Gap]) -> list[Row]:
    """In the publisher's order, or by level, target, owner, moves; a dash in front turns it round."""
    column = sort.removeprefix("-")
    by: dict[str, Any] = {
        "": lambda _: 0, "ref": lambda row: row.requirement.position, "level": lambda row: row.derived.level, "target": lambda row: row.target,
        "owner": lambda row: (row.owner or "\uffff").casefold(), "moves": lambda row: moved[row.ref].moves if row.ref in moved else 0.0,
    }  # fmt: skip
    if column not in by:
        raise Invalid("The list cannot be sorted by that.")
    return sorted(rows, key=by[column], reverse=sort.startswith("-"))


def part(rows: Sequence[Row], after: str | None, size: int) -> tuple[Sequence[Row], str | None]:
    """One page behind the row named `after`; a name that is gone begins again at the start."""
    start = next((n + 1 for n, row in enumerate(rows) if row.ref == after), 0) if after else 0
    shown = rows[start : start + size]
    return shown, shown[-1].ref if start + size < len(rows) else None


def functions(shown: Board) -> list[tuple[str, str]]:
    """Choices of the filter "Under": functions and their categories."""
    return [
        (node.ref, f"{node.ref} {node.title}" if node.title.casefold() != node.ref.casefold() else node.title)
        for node in shown.tree
        if not node.assessable
    ]


def owners(shown: Board) -> list[tuple[str, str]]:
    """Choices of the filter "Owner"."""
    found = sorted({row.owner for row in shown.rows if row.owner})
    return [("nobody", "Nobody"), *((name, name) for name in found)]


def evidence(row: Row, shown: Board) -> tuple[int, int]:
    """(current, all) evidence items of a requirement, each counted once; evidence that falls due is current."""
    states: dict[UUID, bool] = {}
    for control, _, _ in row.derived.controls:
        for proof in control.proofs:
            fresh = freshness(proof.versions, cadence=proof.cadence, due_on=proof.due_on, today=shown.as_of.date())
            states[proof.evidence_id] = fresh.state in CURRENT
    return sum(states.values()), len(states)


def cells(shown: Board, rows: Sequence[Row]) -> list[list[Any]]:
    moved = moves(shown)
    return [_cells(row, moved.get(row.ref)) for row in rows]


def _cells(row: Row, gap: Gap | None) -> list[Any]:
    judged = row.judgement
    reasons = " ".join(f"{r.fact} {r.consequence}".strip() for r in row.derived.reasons)
    controls = ", ".join(f"{control.ref} ({how_far}, {status.word})" for control, how_far, status in row.derived.controls)
    concluded = [judged.level, judged.rationale, judged.assessor, judged.at, judged.revision] if judged else [None] * 5
    signed = [judged.signer, judged.signed_at] if judged else [None, None]
    return [
        row.ref, row.requirement.title, row.requirement.outcome, "yes" if row.derived.is_proven else "no", row.derived.level, row.derived.word, row.target,
        round(gap.moves, 2) if gap else 0, reasons, controls, row.owner, row.due_on, *concluded, *signed,
    ]  # fmt: skip
