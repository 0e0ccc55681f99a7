"""The heat map of a framework: its groups and cells, its headline, and the strip below it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from governance.assurance.assessments.coverage import Share
from governance.assurance.assessments.framework_board import AssessedRequirement, FrameworkBoard
from governance.assurance.assessments.requirement_summary import count_word, points
from governance.assurance.frameworks.queries import RequirementView

MAX_CELL_LENGTH = 5  # Characters that fit in a cell
CELLS_A_LINE = 14


@dataclass(frozen=True, slots=True)
class MapCategory:
    """A heading over cells; `short` is its own part of the ref."""

    title: str
    short: str
    share: Share
    rows: Sequence[AssessedRequirement]

    @property
    def width(self) -> str:
        return f"c-cat-{len(self.rows)}" if len(self.rows) in {2, 3} else "c-cat-wide"


@dataclass(frozen=True, slots=True)
class MapGroup:
    """A row of the map: a function.

    Its change in 30 days is in percentage points, or None without a history.
    """

    ref: str
    title: str
    share: Share
    change: float | None
    categories: Sequence[MapCategory]


def map_groups(board: FrameworkBoard, then: Mapping[str, Share] | None) -> list[MapGroup]:
    """Return the functions with their categories.

    A shallower tree has one category per group, a flat list one group. `then` are the shares of 30
    days ago by function and for "all"; None if there was no evidence yet.
    """

    def change(ref: str, share: Share) -> float | None:
        return None if then is None else share.percent - then[ref].percent

    if not board.functions:
        lines = _cell_lines(board.share, board.rows)
        return [MapGroup("", board.framework.title, board.share, change("all", board.share), lines)]
    nodes = [node for node in board.functions if board.of(node.ref)]
    return [_group(board, node, change(node.ref, board.share_of(node.ref))) for node in nodes]


def _group(board: FrameworkBoard, node: RequirementView, change: float | None) -> MapGroup:
    heads = [each for each in board.tree if each.parent_ref == node.ref and not each.assessable]
    inner = [
        MapCategory(
            each.title,
            each.ref.removeprefix(f"{node.ref} "),
            board.share_of(each.ref),
            board.of(each.ref),
        )
        for each in heads
    ]
    return MapGroup(
        node.ref,
        node.title,
        board.share_of(node.ref),
        change,
        inner or _cell_lines(board.share_of(node.ref), board.of(node.ref)),
    )


def _cell_lines(share: Share, rows: Sequence[AssessedRequirement]) -> list[MapCategory]:
    """Return cells without headings, in lines of CELLS_A_LINE."""
    return [
        MapCategory("", "", share, rows[start : start + CELLS_A_LINE])
        for start in range(0, len(rows), CELLS_A_LINE)
    ]


def cell_name(ref: str) -> tuple[str, str]:
    """Return (the prefix that only screen readers read, the text of the cell).

    MEASURE 2.7 shows 2.7. A longer id shows its category and number: GV-1.1-001 shows 1.1·1.
    """
    head, space, tail = ref.rpartition(" ")
    category, _, number = tail.rpartition("-")
    if len(tail) <= MAX_CELL_LENGTH:
        return f"{head}{space}", tail
    if category and number.isdigit():
        return f"{ref}, ", f"{category.rpartition('-')[2]}·{int(number)}"
    return f"{head}{space}", tail[:MAX_CELL_LENGTH]


def requirement_noun(board: FrameworkBoard) -> str:
    """Return "subcategory", NIST's term, for the AI RMF; otherwise "requirement"."""
    return "subcategory" if board.framework.key.startswith("nist-ai-rmf") else "requirement"


def requirement_nouns(board: FrameworkBoard) -> str:
    return "subcategories" if requirement_noun(board) == "subcategory" else "requirements"


def map_headline(board: FrameworkBoard) -> str:
    """Return the headline: how many are proven, the coverage, and where closing gaps gains most."""
    share, found = board.share, board.gaps
    says = f"{proven_phrase(board)}, {share.percent:.0f}% coverage"
    if not share.count:
        return "This framework has nothing to assess"
    if not found:
        return f"{says}. Every target is met."
    titles = {node.ref: node.title for node in board.functions}
    worth = {f: sum(gap.moves for gap in found if gap.requirement.function == f) for f in titles}
    best = max(worth, key=lambda f: worth[f], default="")
    if not best or not worth[best]:
        return (
            f"{says}. {_gap_phrase(len(found))} worth {points(sum(gap.moves for gap in found))}"
            " points."
        )
    inside = [gap for gap in found if gap.requirement.function == best]
    return (
        f"{says}. {_gap_phrase(len(inside), f' in {titles[best]}')} worth {points(worth[best])}"
        " points."
    )


def proven_phrase(board: FrameworkBoard) -> str:
    """Return a phrase like "45 of 72 subcategories proven"."""
    share = board.share
    noun = requirement_nouns(board) if share.count != 1 else requirement_noun(board)
    return f"{share.proven} of {share.count} {noun} proven"


def _gap_phrase(count: int, where: str = "") -> str:
    return (
        f"{count_word(count)} gap{'s' if count != 1 else ''}{where} {'are' if count != 1 else 'is'}"
    )


@dataclass(frozen=True, slots=True)
class Peek:
    """The strip below the map: a requirement, and the URL paths of its neighbors."""

    row: AssessedRequirement
    before: str | None
    after: str | None


def peek(board: FrameworkBoard, selected: str) -> Peek | None:
    """Return the requirement that the URL selects, otherwise the gap with the largest gain."""
    refs = [row.ref for row in board.rows]
    first = board.gaps[0].requirement.ref if board.gaps else (refs[0] if refs else "")
    ref = next(
        (
            row.ref
            for row in board.rows
            if selected and row.requirement.path == selected.replace(" ", "-")
        ),
        first,
    )
    row = board.row(ref)
    if row is None:
        return None
    here = refs.index(ref)
    paths = [each.requirement.path for each in board.rows]
    return Peek(
        row, paths[here - 1] if here else None, paths[here + 1] if here + 1 < len(paths) else None
    )


def peek_text(row: AssessedRequirement) -> str:
    """Return a text like "1 Partial, target 4: …", with the reasons that limit the level."""
    facts = "; ".join(reason.fact.rstrip(".") for reason in row.derived.reasons[:3])
    return f"{row.derived.level} {row.derived.word}, target {row.target}" + (
        f": {facts}" if facts else ""
    )
