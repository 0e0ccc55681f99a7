"""The figures of the overview: one board, read once, and everything derived from it.

board(as_of)                 three statements; the rest needs none
most_pressing(items, limit)  the items of a person's inbox that the page lists
evidence_at(board)           freshness of the evidence, and deadlines of the next weeks
movement(board)              changes of the last thirty days
trend(board)                 coverage at the ends of twelve months, and now
reports(board), report_readiness(board)    the latest report, and blockers of the next one

Activity is in activity.py, and the steps of a new tenant are in first_steps.py.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from governance.assurance.assessments import board_queries, level_history
from governance.assurance.assessments.coverage import Share, explain_fall
from governance.assurance.assessments.framework_board import (
    FUNCTIONS,
    AssessedRequirement,
    FrameworkBoard,
)
from governance.assurance.evidence.freshness import deadline, freshness
from governance.assurance.evidence.item_history import EvidenceItem
from governance.assurance.frameworks import queries as frameworks
from governance.kernel.work.background_work import Run
from governance.publishing.inbox.queries import InboxItem
from governance.publishing.reports.models import ReportRun
from governance.publishing.reports.queries import runs as report_runs

KEY = "nist-ai-rmf-1.0"
LOOK_BACK = timedelta(days=30)
WEEKS = 8


def board(as_of: datetime | None = None) -> FrameworkBoard:
    """Return the AI RMF board now, or at `as_of`."""
    return board_queries.board(frameworks.framework(KEY), as_of)


def most_pressing(items: Sequence[InboxItem], limit: int) -> list[InboxItem]:
    """Return the items of a short list, the earliest first.

    Approvals come first. Of the rest, the first of each kind comes before the second of any, so
    that twenty overdue items don't hide the one to sign.
    """
    pressing = sorted((item for item in items if item.source.group == "approvals"), key=_age)
    pressing = pressing[:limit]
    others = sorted(
        _ranked(sorted((item for item in items if item.source.group != "approvals"), key=_age)),
        key=lambda each: each[0],
    )
    return sorted([*pressing, *(item for _, item in others[: limit - len(pressing)])], key=_age)


def _age(item: InboxItem) -> tuple[datetime, str]:
    return item.at, item.title


def _ranked(items: Iterable[InboxItem]) -> Iterator[tuple[int, InboxItem]]:
    """Yield each item with how many of its kind come before it."""
    before: Counter[str] = Counter()
    for item in items:
        yield before[item.source.endpoint], item
        before[item.source.endpoint] += 1


def live_items(board: FrameworkBoard) -> list[EvidenceItem]:
    return [piece for piece in board.ledger.pieces.values() if piece.is_live_at(board.as_of)]


@dataclass(frozen=True, slots=True)
class EvidenceState:
    """Live evidence items by freshness, and (Monday, number due) by week."""

    fresh: int
    due: int
    in_review: int
    late: int
    missing: int
    weeks: tuple[tuple[date, int], ...]

    @property
    def total(self) -> int:
        return self.fresh + self.due + self.in_review + self.late + self.missing


def evidence_at(board: FrameworkBoard) -> EvidenceState:
    """Count the live evidence on the board's day, and deadlines by calendar week from Monday."""
    today, states, weeks = board.as_of.date(), Counter[str](), Counter[date]()
    for piece in live_items(board):
        known = piece.at(board.as_of)
        found = freshness(known, cadence=piece.cadence, due_on=piece.due_on, today=today)
        states[found.state] += 1
        end = deadline(known, due_on=piece.due_on)
        if end is not None and end >= today:
            weeks[_monday(end)] += 1
    mondays = [_monday(today) + timedelta(weeks=n) for n in range(WEEKS)]
    return EvidenceState(
        states["fresh"],
        states["due"],
        states["in review"],
        states["overdue"] + states["rejected"],
        states["missing"],
        tuple((monday, weeks[monday]) for monday in mondays),
    )


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


@dataclass(frozen=True, slots=True)
class LevelChange:
    """A requirement whose level changed, and the reason for its present level."""

    row: AssessedRequirement
    before: int

    @property
    def now(self) -> int:
        return self.row.derived.level

    @property
    def why(self) -> str:
        return explain_fall(self.row.derived) if self.now < self.before else ""


@dataclass(frozen=True, slots=True)
class CoverageMovement:
    """The change since a day.

    It has percentage points by function and for `all`, requirements proven, and levels.
    """

    since: date
    points: dict[str, float]
    proven: int
    rose: tuple[LevelChange, ...]
    fell: tuple[LevelChange, ...]


def movement(board: FrameworkBoard) -> CoverageMovement | None:
    """Compare with thirty days earlier, using today's targets and the same period.

    Returns None if there was no evidence yet then.
    """
    then = board.as_of - LOOK_BACK
    if not level_history.with_history(board, [then]):
        return None
    before = level_history.levels_at(board.ledger, then, board.period)
    (old,), new = level_history.shares_at(board, [then], board.period), _shares_now(board)
    changes = (LevelChange(row, before.get(row.requirement.id, 0)) for row in board.rows)
    moved = [each for each in changes if each.now != each.before]
    return CoverageMovement(
        then.date(),
        {f: new[f].percent - old[f].percent for f in new},
        new["all"].proven - old["all"].proven,
        tuple(m for m in moved if m.now > m.before),
        tuple(m for m in moved if m.now < m.before),
    )


def _shares_now(board: FrameworkBoard) -> dict[str, Share]:
    return {f: board.share_of(f) for f in FUNCTIONS} | {"all": board.share}


@dataclass(frozen=True, slots=True)
class CoverageAt:
    """Coverage by function and for `all`, at a moment."""

    at: datetime
    shares: dict[str, Share]


def trend(board: FrameworkBoard) -> list[CoverageAt]:
    """Return coverage at the ends of twelve months and now, using today's targets.

    Months before the first evidence are omitted.
    """
    ends = level_history.with_history(board, level_history.month_ends(board.as_of)[:-1])
    shares = [*level_history.shares_at(board, ends), _shares_now(board)]
    return list(map(CoverageAt, [*ends, board.as_of], shares))


def quarters(points: Sequence[CoverageAt]) -> list[CoverageAt]:
    """Return the points of a trend at the ends of the last four quarters, and now."""
    return [*[p for p in points[:-1] if p.at.month % 3 == 0][-4:], points[-1]]


@dataclass(frozen=True, slots=True)
class ReportState:
    """The latest finished report and a running one, at the board's moment."""

    last: ReportRun | None
    running: Run[ReportRun] | None


def reports(board: FrameworkBoard) -> ReportState:
    requested = [run for run in report_runs(limit=30) if run.row.created_at <= board.as_of]
    done = (
        r.row
        for r in requested
        if r.row.finished_at is not None and r.row.finished_at <= board.as_of
    )
    running = (r for r in requested if r.work is not None and r.work.state in {"queued", "running"})
    return ReportState(next(done, None), next(running, None))


@dataclass(frozen=True, slots=True)
class ReportReadiness:
    """The blockers of the next report.

    `red` are requirements with a problem, `waiting` those whose conclusion awaits sign-off, and
    `unconcluded` those without a conclusion.
    """

    red: tuple[AssessedRequirement, ...]
    waiting: tuple[AssessedRequirement, ...]
    unconcluded: tuple[AssessedRequirement, ...]
    signed: int
    count: int

    @property
    def blocking(self) -> int:
        """The number of requirements that are not signed off."""
        return self.count - self.signed


def report_readiness(board: FrameworkBoard) -> ReportReadiness:
    judged = [(row, row.item.judgement if row.item else None) for row in board.rows]
    unsigned = [(row, j) for row, j in judged if j is None or j.signer is None]
    return ReportReadiness(
        red=tuple(row for row, _ in unsigned if row.derived.is_red),
        waiting=tuple(row for row, j in unsigned if j is not None and not row.derived.is_red),
        unconcluded=tuple(row for row, j in unsigned if j is None and not row.derived.is_red),
        signed=len(judged) - len(unsigned),
        count=len(judged),
    )
