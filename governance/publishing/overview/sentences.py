"""The overview in words: each heading says the conclusion, with its number. Pure.

    headline, headline_then, headline_new    the page: now, on another day, in a new tenant
    functions_title, quarters_title          coverage by function, levels by quarter
    evidence_title, changed_title            freshness, and what moved
    report_lines                             what holds up the next report

Small numbers are words, a change that rounds to nothing is none.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from governance.assurance.assessments.coverage import LEVELS, Share
from governance.assurance.assessments.framework_board import (
    FUNCTIONS,
    AssessedRequirement,
    FrameworkBoard,
)
from governance.kernel.formatting import long_day, plural
from governance.publishing.inbox.sentences import need
from governance.publishing.overview.queries import (
    CoverageAt,
    EvidenceState,
    HoldUp,
    Movement,
    Reports,
    SetupStep,
)

NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
STILL = 0.05  # percentage points that round to nothing
QUARTER_DAYS = 92
LISTED = 3


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """A line of the report's checklist; `ref` or `run` is what it links to."""

    kind: str
    text: str
    row: AssessedRequirement | None = None


def number(count: int) -> str:
    """One to nine in words, others in figures."""
    return NUMBERS[count] if 0 <= count < len(NUMBERS) else str(count)


def headline(board: FrameworkBoard, moved: Movement | None, items: int, holds: HoldUp) -> str:
    """61 of 72 requirements proven, 2 fewer than 30 days ago.

    88% coverage. 15 items need you; 7 requirements block …
    """
    says = f"{_proven(board.share)}{_since(moved)}. {board.share.percent:.0f}% coverage."
    parts = [need(items) if items else "", _holds(board, holds)]
    rest = "; ".join(part for part in parts if part)
    return f"{says} {rest[:1].upper()}{rest[1:]}." if rest else says


def _proven(share: Share) -> str:
    return f"{share.proven} of {plural(share.count, 'requirement')} proven"


def _since(moved: Movement | None) -> str:
    if moved is None:
        return ""
    if not moved.proven:
        return ", as many as 30 days ago"
    return f", {abs(moved.proven)} {'more' if moved.proven > 0 else 'fewer'} than 30 days ago"


def _holds(board: FrameworkBoard, holds: HoldUp) -> str:
    if board.assessment is None or board.assessment.closed_at is not None:
        return ""
    if not holds.things:
        return f"nothing blocks the {board.assessment.title} report"
    if holds.things == holds.count:
        return f"no conclusion of {board.assessment.title} is signed off yet"
    block = "blocks" if holds.things == 1 else "block"
    return f"{plural(holds.things, 'requirement')} {block} the {board.assessment.title} report"


def headline_then(board: FrameworkBoard, day: date) -> str:
    return f"{_proven(board.share)} on {long_day(day)}, {board.share.percent:.0f}% coverage"


def headline_new(board: FrameworkBoard, steps: Sequence[SetupStep]) -> str:
    """0 of 72 requirements proven, 0% coverage.

    Next step: upload evidence. Without a framework only the step.
    """
    following = next(step for step in steps if not step.done).title
    says = f"{_proven(board.share)}, {board.share.percent:.0f}% coverage. " if steps[0].done else ""
    return f"{says}Next step: {following[0].lower()}{following[1:]}"


# ---- coverage


def functions_title(board: FrameworkBoard, moved: Movement | None) -> str:
    """Which function holds the organisation back, by what happened in thirty days."""
    if not any(board.share.levels[1:]):
        return "No function has evidence yet"
    fell = [f for f in FUNCTIONS if moved is not None and moved.points[f] <= -STILL]
    if len(fell) == 1:
        return f"{fell[0].title()} holds coverage back: the only function that fell in 30 days"
    if fell:
        return f"{listed([f.title() for f in fell])} fell in 30 days"
    lowest = min(FUNCTIONS, key=lambda f: board.share_of(f).percent)
    says = f"{lowest.title()} is lowest with {board.share_of(lowest).percent:.0f}%"
    return says if moved is None else f"{says}; no function fell in 30 days"


def quarters_title(points: Sequence[CoverageAt], *, then: bool = False) -> str:
    """41 of 72 requirements proven, 12 more than 11 months ago; `then`: seen from another day."""
    first, last = points[0].shares["all"], points[-1].shares["all"]
    if len(points) == 1:
        return _proven(last)
    change = last.proven - first.proven
    months = (
        (points[-1].at.year - points[0].at.year) * 12 + points[-1].at.month - points[0].at.month
    )
    since = f"{months} {'month' if months == 1 else 'months'} {'earlier' if then else 'ago'}"
    than = (
        f"as many as {since}"
        if not change
        else f"{abs(change)} {'more' if change > 0 else 'fewer'} than {since}"
    )
    return f"{_proven(last)}, {than}"


def quarter(point: CoverageAt) -> str:
    return f"Q{(point.at.month + 2) // 3} {point.at.year}"


# ---- evidence and changes


def evidence_title(evidence: EvidenceState) -> str:
    if not evidence.total:
        return "No evidence is here yet"
    return (
        f"{evidence.fresh} of {plural(evidence.total, 'piece')} of evidence"
        f" {'is' if evidence.fresh == 1 else 'are'} fresh"
    )


def changed_title(moved: Movement | None) -> str:
    """What changed in 30 days: two levels gained, one lost."""
    if moved is None:
        return "Recent activity"
    rose, fell = len(moved.rose), len(moved.fell)
    if not rose and not fell:
        return "What changed: no level moved in 30 days"
    parts = [f"{rose} rose"] if rose else []
    parts += [f"{fell} fell"] if fell else []
    return f"What changed in 30 days: {', '.join(parts)}"


def level_words(level: int) -> str:
    return f"{level} {LEVELS[level]}"


def signed(points: float) -> str:
    """+1.3, 0.0, and a loss with a real minus."""
    if abs(points) < STILL:
        return "0.0"
    return f"{'+' if points > 0 else '\N{MINUS SIGN}'}{abs(points):.1f}"


def listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else list(names))


# ---- the next report


def report_lines(holds: HoldUp, reports: Reports, today: date) -> Iterator[ChecklistItem]:
    """What is red first, then what waits, then what is well."""
    worst = sorted(
        holds.red, key=lambda row: row.derived.level == 0
    )  # what failed says more than what nothing answers for
    for row in worst[:LISTED]:
        yield ChecklistItem("bad", f"{row.ref}: {_fact(row)}", row)
    if len(worst) > LISTED:
        yield ChecklistItem(
            "bad",
            f"{len(worst) - LISTED} more {'has' if len(worst) == LISTED + 1 else 'have'} a red"
            " reason",
        )
    yield from _unsigned(holds)
    yield _last(reports, today)


def _fact(row: AssessedRequirement) -> str:
    fact = next(reason.fact for reason in row.derived.reasons if reason.severity == "bad").rstrip(
        "."
    )
    return fact if len(fact) > 1 and fact[1].isupper() else f"{fact[:1].lower()}{fact[1:]}"


def _unsigned(holds: HoldUp) -> Iterator[ChecklistItem]:
    if len(holds.waiting) == 1:
        yield ChecklistItem(
            "due", f"{holds.waiting[0].ref}: its conclusion awaits sign-off", holds.waiting[0]
        )
    elif holds.waiting:
        yield ChecklistItem(
            "due", f"{len(holds.waiting)} {'other ' if holds.red else ''}conclusions await sign-off"
        )
    if len(holds.unconcluded) == 1:
        yield ChecklistItem(
            "none", f"{holds.unconcluded[0].ref}: has no conclusion yet", holds.unconcluded[0]
        )
    elif holds.unconcluded:
        yield ChecklistItem("none", f"{len(holds.unconcluded)} requirements have no conclusion yet")
    yield ChecklistItem(
        "ok" if holds.signed == holds.count else "none",
        f"{holds.signed} of {holds.count} conclusions signed off",
    )


def _last(reports: Reports, today: date) -> ChecklistItem:
    if reports.last is None or reports.last.finished_at is None:
        return ChecklistItem("none", "No report has been made yet")
    days = (today - reports.last.finished_at.date()).days
    age = "was made today" if days == 0 else f"is {plural(days, 'day')} old"
    return ChecklistItem("ok" if days <= QUARTER_DAYS else "due", f"The last report {age}")
