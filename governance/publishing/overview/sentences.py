"""The headings of the overview. Each is a conclusion with its number. Pure.

headline, headline_then, headline_new    the page: now, on a past day, in a new tenant
functions_title, quarters_title          coverage by function, levels by quarter
evidence_title, changed_title            freshness, and recent changes
report_lines                             blockers of the next report

A change that rounds to zero counts as none.
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
from governance.publishing.overview.first_steps import SetupStep
from governance.publishing.overview.queries import (
    CoverageAt,
    CoverageMovement,
    EvidenceState,
    ReportReadiness,
    ReportState,
)

NEGLIGIBLE_POINTS = 0.05  # Percentage points that round to zero.
QUARTER_DAYS = 92
MAX_LISTED = 3


@dataclass(frozen=True, slots=True)
class ChecklistItem:
    """A line of the report's checklist, with the requirement that it links to."""

    kind: str
    text: str
    row: AssessedRequirement | None = None


def headline(
    board: FrameworkBoard, moved: CoverageMovement | None, items: int, readiness: ReportReadiness
) -> str:
    """Return a headline such as "61 of 72 requirements proven, 2 fewer than 30 days ago".

    The text below it is such as "88% coverage. 15 items need you; 7 requirements block …".
    """
    says = f"{_proven(board.share)}{_since(moved)}. {board.share.percent:.0f}% coverage."
    parts = [need(items) if items else "", _blocking(board, readiness)]
    rest = "; ".join(part for part in parts if part)
    return f"{says} {rest[:1].upper()}{rest[1:]}." if rest else says


def _proven(share: Share) -> str:
    return f"{share.proven} of {plural(share.count, 'requirement')} proven"


def _since(moved: CoverageMovement | None) -> str:
    if moved is None:
        return ""
    if not moved.proven:
        return ", the same as 30 days ago"
    return f", {abs(moved.proven)} {'more' if moved.proven > 0 else 'fewer'} than 30 days ago"


def _blocking(board: FrameworkBoard, readiness: ReportReadiness) -> str:
    if board.assessment is None or board.assessment.closed_at is not None:
        return ""
    if not readiness.blocking:
        return f"nothing blocks the {board.assessment.title} report"
    if readiness.blocking == readiness.count:
        return f"no conclusion of {board.assessment.title} is signed off yet"
    block = "blocks" if readiness.blocking == 1 else "block"
    return (
        f"{plural(readiness.blocking, 'requirement')} {block} the {board.assessment.title} report"
    )


def headline_then(board: FrameworkBoard, day: date) -> str:
    return f"{_proven(board.share)} on {long_day(day)}, {board.share.percent:.0f}% coverage"


def headline_new(board: FrameworkBoard, steps: Sequence[SetupStep]) -> str:
    """Return a headline such as "0 of 72 requirements proven, 0% coverage".

    The text below it is such as "Next step: upload evidence". Without a framework there is only the
    step.
    """
    following = next(step for step in steps if not step.done).title
    says = f"{_proven(board.share)}, {board.share.percent:.0f}% coverage. " if steps[0].done else ""
    return f"{says}Next step: {following[0].lower()}{following[1:]}"


def functions_title(board: FrameworkBoard, moved: CoverageMovement | None) -> str:
    """Return a title with the lowest function, or the one that fell in thirty days."""
    if not any(board.share.levels[1:]):
        return "No evidence yet"
    fell = [f for f in FUNCTIONS if moved is not None and moved.points[f] <= -NEGLIGIBLE_POINTS]
    if len(fell) == 1:
        return f"{fell[0].title()} is the only function that fell in 30 days"
    if fell:
        return f"{listed([f.title() for f in fell])} fell in 30 days"
    lowest = min(FUNCTIONS, key=lambda f: board.share_of(f).percent)
    says = f"{lowest.title()} is lowest, at {board.share_of(lowest).percent:.0f}%"
    return says if moved is None else f"{says}; no function fell in 30 days"


def quarters_title(points: Sequence[CoverageAt], *, then: bool = False) -> str:
    """Return a title such as "41 of 72 requirements proven, 12 more than 11 months ago".

    `then` is true if the page shows a past day.
    """
    first, last = points[0].shares["all"], points[-1].shares["all"]
    if len(points) == 1:
        return _proven(last)
    change = last.proven - first.proven
    months = (
        (points[-1].at.year - points[0].at.year) * 12 + points[-1].at.month - points[0].at.month
    )
    since = f"{months} {'month' if months == 1 else 'months'} {'earlier' if then else 'ago'}"
    than = (
        f"the same as {since}"
        if not change
        else f"{abs(change)} {'more' if change > 0 else 'fewer'} than {since}"
    )
    return f"{_proven(last)}, {than}"


def quarter(point: CoverageAt) -> str:
    return f"Q{(point.at.month + 2) // 3} {point.at.year}"


def evidence_title(evidence: EvidenceState) -> str:
    if not evidence.total:
        return "No evidence yet"
    return (
        f"{evidence.fresh} of {plural(evidence.total, 'evidence item')}"
        f" {'is' if evidence.fresh == 1 else 'are'} fresh"
    )


def changed_title(moved: CoverageMovement | None) -> str:
    """Return a title such as "12 levels rose and 9 fell in 30 days"."""
    if moved is None:
        return "Recent activity"
    rose, fell = len(moved.rose), len(moved.fell)
    if not rose and not fell:
        return "No level changed in 30 days"
    counts = [(rose, "rose"), (fell, "fell")]
    (first, verb), *rest = [(count, verb) for count, verb in counts if count]
    others = "".join(f" and {count} {verb}" for count, verb in rest)
    return f"{plural(first, 'level')} {verb}{others} in 30 days"


def level_words(level: int) -> str:
    return f"{level} {LEVELS[level]}"


def signed(points: float) -> str:
    """Return a change such as "+1.3" or "0.0", with a minus sign for a loss."""
    if abs(points) < NEGLIGIBLE_POINTS:
        return "0.0"
    return f"{'+' if points > 0 else '\N{MINUS SIGN}'}{abs(points):.1f}"


def listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else list(names))


def report_lines(
    readiness: ReportReadiness, reports: ReportState, today: date
) -> Iterator[ChecklistItem]:
    """Yield problems first, then what awaits someone, then what is complete."""
    worst = sorted(
        readiness.red, key=lambda row: row.derived.level == 0
    )  # Failures come before requirements that no control satisfies.
    for row in worst[:MAX_LISTED]:
        yield ChecklistItem("bad", f"{row.ref}: {_fact(row)}", row)
    if len(worst) > MAX_LISTED:
        yield ChecklistItem(
            "bad",
            f"{plural(len(worst) - MAX_LISTED, 'more requirement')}"
            f" {'has' if len(worst) == MAX_LISTED + 1 else 'have'} a problem",
        )
    yield from _unsigned(readiness)
    yield _last(reports, today)


def _fact(row: AssessedRequirement) -> str:
    fact = next(reason.fact for reason in row.derived.reasons if reason.severity == "bad").rstrip(
        "."
    )
    return fact if len(fact) > 1 and fact[1].isupper() else f"{fact[:1].lower()}{fact[1:]}"


def _unsigned(readiness: ReportReadiness) -> Iterator[ChecklistItem]:
    if len(readiness.waiting) == 1:
        yield ChecklistItem(
            "due", f"{readiness.waiting[0].ref}: conclusion awaits sign-off", readiness.waiting[0]
        )
    elif readiness.waiting:
        yield ChecklistItem(
            "due",
            f"{len(readiness.waiting)} {'other ' if readiness.red else ''}conclusions await"
            " sign-off",
        )
    if len(readiness.unconcluded) == 1:
        yield ChecklistItem(
            "none", f"{readiness.unconcluded[0].ref}: no conclusion yet", readiness.unconcluded[0]
        )
    elif readiness.unconcluded:
        yield ChecklistItem(
            "none", f"{len(readiness.unconcluded)} requirements have no conclusion yet"
        )
    yield ChecklistItem(
        "ok" if readiness.signed == readiness.count else "none",
        f"{readiness.signed} of {readiness.count} conclusions signed off",
    )


def _last(reports: ReportState, today: date) -> ChecklistItem:
    if reports.last is None or reports.last.finished_at is None:
        return ChecklistItem("none", "No report yet")
    days = (today - reports.last.finished_at.date()).days
    age = "was generated today" if days == 0 else f"is {plural(days, 'day')} old"
    return ChecklistItem("ok" if days <= QUARTER_DAYS else "due", f"The latest report {age}")
