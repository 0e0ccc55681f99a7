"""The requirement list and the gap list: declarations, filters, sorting and export rows.

REQUIREMENTS, GAPS              the declarations
Drawing                         rows and cells drawn once for all readers of a board
filter_requirements             filter and sort
below_target, gaps_by_ref       requirements short of their target, and what closing each gains
EXPORT_COLUMNS, export_cells    the same rows as a file
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from markupsafe import Markup

from governance.assurance.assessments.coverage import LEVELS, CoverageGap
from governance.assurance.assessments.framework_board import AssessedRequirement, FrameworkBoard
from governance.assurance.evidence.freshness import CURRENT, freshness
from governance.assurance.frameworks import queries as frameworks
from governance.kernel import current, formatting
from governance.kernel.data.tenant_cache import BoundedCache
from governance.kernel.pages.list_pages import (
    Column,
    Export,
    Filter,
    ListPage,
    ListRequest,
    arrange,
    keep,
)

STATES = {
    "proven": "proven",
    "unproven": "not proven",
    "below": "below target",
    "met": "target met",
    "overdue": "evidence overdue",
    "red": "failed or overdue",
    "open": "not concluded",
    "unsigned": "awaiting sign-off",
    "returned": "returned to the assessor",
    "signed": "signed off",
}
EXPORT_COLUMNS = (
    "Ref",
    "Title",
    "Outcome",
    "Proven",
    "Level",
    "Level name",
    "Target",
    "Gain in points",
    "Reasons",
    "Controls",
    "Owner",
    "Due",
    "Concluded level",
    "Conclusion",
    "Assessor",
    "Concluded at",
    "Revision",
    "Signed off by",
    "Signed off at",
)


LEVEL_CHOICES = tuple((str(level), f"{level} {word}") for level, word in enumerate(LEVELS))
GAP_STATES = (
    "overdue",
    "red",
    "open",
    "unsigned",
    "returned",
)  # Only gaps can be in these states.
REQUIREMENTS = ListPage(
    name="requirements",
    title="Requirements",
    noun="requirement",
    endpoint="assessments.requirements",
    place=("key",),
    find_place=frameworks.framework,
    carried=("as_of",),
    search="Search requirements",
    sort="ref",
    sorts=("moves",),
    size=100,
    columns=(
        Column(
            "ref",
            "Requirement",
            sort=True,
            file=(
                "Ref",
                "Title",
            ),
        ),
        Column("outcome", "Outcome", extra=True),
        Column(
            "level",
            "Level",
            sort=True,
            file=(
                "Proven",
                "Level",
                "Level name",
            ),
        ),
        Column("target", "Target", sort=True, optional=True),
        Column("controls", "Controls", optional=True),
        Column("evidence", "Current evidence", optional=True, numeric=True),
        Column(
            "conclusion",
            "Conclusion",
            optional=True,
            file=(
                "Concluded level",
                "Conclusion",
                "Assessor",
                "Concluded at",
            ),
        ),
        Column("owner", "Owner", sort=True, optional=True),
        Column("due", "Due", optional=True, numeric=True),
    ),
    filters=(
        Filter("level", "Level", LEVEL_CHOICES),
        Filter("state", "State", tuple(STATES.items())),
        Filter("under", "Group", short=True),
        Filter("owner", "Owner"),
    ),
    exports=tuple(Export(form, "assessments.export", {"form": form}) for form in ("csv", "xlsx")),
    bulk="assessments.assign_selected",
)
GAPS = ListPage(
    name="gaps",
    title="Gaps",
    noun="gap",
    endpoint="assessments.heat_map",
    place=("key",),
    find_place=frameworks.framework,
    carried=("as_of", "sel"),
    search="Search gaps",
    sort="-moves",
    size=10,
    columns=(
        Column("ref", "Requirement", sort=True),
        Column("level", "Now → target", sort=True),
        Column("closes", "How to close it", optional=True),
        Column("moves", "Gain", sort=True),
        Column("owner", "Owner", sort=True, optional=True),
        Column("due", "Due", optional=True, numeric=True),
    ),
    filters=(
        Filter("level", "Level", LEVEL_CHOICES[:-1]),
        Filter("under", "Group", short=True),
        Filter(
            "state",
            "State",
            tuple((state, STATES[state]) for state in GAP_STATES),
            label_of=STATES.get,
        ),
        Filter("owner", "Owner"),
    ),
    exports=tuple(
        Export(form, "assessments.export", {"form": form}, {"sort": "-moves", "state": "below"})
        for form in ("csv", "xlsx")
    ),
    bulk="assessments.assign_selected",
)


DRAWN_ROWS = BoundedCache(8192)  # Rows and cells of all tenants together, about a kilobyte each


@dataclass(frozen=True, slots=True)
class Drawing:
    """A callable that draws a row by a macro of rows.html, with a cache.

    It reuses the macro's result for the same board from an earlier reader.
    """

    shown: FrameworkBoard
    as_of: str | None
    columns: tuple[str, ...]  # Columns that the list shows
    readers: tuple[Any, ...] = field(
        default_factory=lambda: (current.actor().tenant_slug, formatting.style())
    )

    # Templates call it with positional arguments.
    def __call__(self, macro: Any, row: AssessedRequirement, marked: bool, *more: Any) -> Markup:  # noqa: FBT001
        """Draw a row, or return the cached result.

        `marked` means selected. The values in `more` must depend only on the board.
        """

        def draw() -> Markup:
            drawn: Markup = macro(
                row, self.shown.framework.key, self.as_of, marked, self.columns, *more
            )
            return drawn

        if self.shown.token is None:
            return draw()
        return DRAWN_ROWS.get(
            (
                self.shown.token,
                macro.name,
                row.ref,
                marked,
                self.columns,
                self.readers,
            ),
            draw,
        )


def below_target(board: FrameworkBoard) -> list[AssessedRequirement]:
    """Return the requirements below their target, largest gain first."""
    rows = {row.ref: row for row in board.rows}
    return [rows[gap.requirement.ref] for gap in board.gaps]


def gaps_by_ref(board: FrameworkBoard) -> dict[str, CoverageGap]:
    return {gap.requirement.ref: gap for gap in board.gaps}


def filter_requirements(
    rows: Sequence[AssessedRequirement], list_request: ListRequest, moved: Mapping[str, CoverageGap]
) -> list[AssessedRequirement]:
    """Return the rows that match the filters, sorted as requested.

    The order is the publisher's, or by level, target, owner or the gain of closing the gap.
    """
    keys: Mapping[str, Callable[[AssessedRequirement], Any]] = {
        "ref": lambda row: row.requirement.position,
        "level": lambda row: row.derived.level,
        "target": lambda row: row.target,
        "owner": lambda row: (row.owner or "\uffff").casefold(),
        "moves": lambda row: moved[row.ref].moves if row.ref in moved else 0.0,
    }
    return arrange(keep(rows, list_request, REQUIREMENT_FILTERS, _text), list_request, keys)


def _text(row: AssessedRequirement) -> str:
    each = row.requirement
    return f"{row.ref} {each.path} {each.title} {each.outcome} {row.owner or ''}"


def _is_under(row: AssessedRequirement, ref: str) -> bool:
    return ref in {row.function, row.ref, row.requirement.parent_ref} or row.ref.startswith(
        (f"{ref}.", f"{ref} ")
    )


def _in_state(row: AssessedRequirement, state: str) -> bool:
    judged = row.judgement
    return {
        "proven": row.derived.is_proven,
        "unproven": not row.derived.is_proven,
        "below": row.requirement_level.short > 0,
        "met": row.requirement_level.short == 0,
        "overdue": row.is_overdue,
        "red": row.derived.is_red,
        "open": judged is None,
        "signed": judged is not None and judged.signer is not None,
        "returned": judged is not None and judged.signer is None and bool(judged.return_reason),
        "unsigned": judged is not None and judged.signer is None and not judged.return_reason,
    }.get(state, False)


REQUIREMENT_FILTERS: Mapping[str, Callable[[AssessedRequirement, str], bool]] = {
    "level": lambda row, value: value == str(row.derived.level),
    "under": _is_under,
    "owner": lambda row, value: value == (row.owner or "nobody"),
    "state": _in_state,
}


def functions(board: FrameworkBoard) -> list[tuple[str, str]]:
    """Return the choices of the filter "Group": functions and their categories."""
    return [
        (
            node.ref,
            (
                f"{node.ref} {node.title}"
                if node.title.casefold() != node.ref.casefold()
                else node.title
            ),
        )
        for node in board.tree
        if not node.assessable
    ]


def owners(board: FrameworkBoard) -> list[tuple[str, str]]:
    """Return the choices of the filter "Owner"."""
    found = sorted({row.owner for row in board.rows if row.owner})
    return [("nobody", "No owner"), *((name, name) for name in found)]


def count_evidence(row: AssessedRequirement, board: FrameworkBoard) -> tuple[int, int]:
    """Return (current, all) evidence items of a requirement, each counted once.

    Evidence that is due soon is current.
    """
    states: dict[UUID, bool] = {}
    for control, _, _ in row.derived.controls:
        for proof in control.proofs:
            fresh = freshness(
                proof.versions, cadence=proof.cadence, due_on=proof.due_on, today=board.as_of.date()
            )
            states[proof.evidence_id] = fresh.state in CURRENT
    return sum(states.values()), len(states)


def export_cells(board: FrameworkBoard, rows: Sequence[AssessedRequirement]) -> list[list[Any]]:
    moved = gaps_by_ref(board)
    return [_cells(row, moved.get(row.ref)) for row in rows]


def _cells(row: AssessedRequirement, gap: CoverageGap | None) -> list[Any]:
    judged = row.judgement
    reasons = " ".join(f"{r.fact} {r.consequence}".strip() for r in row.derived.reasons)
    controls = ", ".join(
        f"{control.ref} ({how_far}, {status.word})"
        for control, how_far, status in row.derived.controls
    )
    concluded = (
        [judged.level, judged.rationale, judged.assessor, judged.at, judged.revision]
        if judged
        else [None] * 5
    )
    signed = [judged.signer, judged.signed_at] if judged else [None, None]
    return [
        row.ref,
        row.requirement.title,
        row.requirement.outcome,
        "yes" if row.derived.is_proven else "no",
        row.derived.level,
        row.derived.word,
        row.target,
        round(gap.moves, 2) if gap else 0,
        reasons,
        controls,
        row.owner,
        row.due_on,
        *concluded,
        *signed,
    ]
