"""What the overview shows: one board, read once, and everything that follows from it.

    foremost(items, most)              the items of a person's inbox that the page names
    evidence_at(board)                 how fresh the evidence is, and what falls due in the next
                                       weeks
    movement(board)                    what was proven and covered thirty days ago, and what rose or
                                       fell since
    trend(board)                       coverage at the ends of twelve months, as far as there is a
                                       history, and now
    deeds(board)                       what people did, from the log, grouped; one statement
    reports(board)                     the newest report, and one that is under way; one statement
    steps(board)                       what a new tenant still has to do; one statement

A board takes three statements; activity, reports, first steps and the inbox take one each; the rest
none.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, func, or_, select

from governance.assurance.assessments import board_queries, framework_board, level_history
from governance.assurance.assessments.coverage import (
    RequirementLevel,
    Share,
    coverage,
    explain_fall,
)
from governance.assurance.assessments.framework_board import (
    FUNCTIONS,
    AssessedRequirement,
    FrameworkBoard,
)
from governance.assurance.evidence import permissions as bringing
from governance.assurance.evidence.freshness import deadline
from governance.assurance.evidence.item_history import EvidenceItem
from governance.assurance.frameworks import queries as frameworks
from governance.assurance.frameworks.models import Adoption
from governance.foundation.audit.models import AuditEntry
from governance.foundation.audit.registry import Shape, registry, shape_of
from governance.foundation.people import permissions as people
from governance.foundation.people.models import Membership, Person
from governance.kernel.access import allowed
from governance.kernel.background_work import Run
from governance.kernel.db import session
from governance.operations.policies.policy_diff import setting_of
from governance.operations.systems.models import AISystem
from governance.publishing.inbox.queries import InboxItem
from governance.publishing.reports.models import ReportRun
from governance.publishing.reports.queries import runs as report_runs

KEY = "nist-ai-rmf-1.0"
LOOK_BACK = timedelta(days=30)
WEEKS = 8


def board(as_of: datetime | None = None) -> FrameworkBoard:
    """The AI RMF as it stands, or stood at `as_of`."""
    return board_queries.board(frameworks.framework(KEY), as_of)


# ---- what needs this person


def foremost(items: Sequence[InboxItem], most: int) -> list[InboxItem]:
    """The `most` that a short list shows, the earliest first: an approval is never left out for
    something older.

    Of the rest the first of each kind comes before the second of any: twenty late items do not hide
    the one thing to sign.
    """
    pressing = sorted((item for item in items if item.source.group == "approvals"), key=_age)[:most]
    others = sorted(
        _ranked(sorted((item for item in items if item.source.group != "approvals"), key=_age)),
        key=lambda each: each[0],
    )
    return sorted([*pressing, *(item for _, item in others[: most - len(pressing)])], key=_age)


def _age(item: InboxItem) -> tuple[datetime, str]:
    return item.at, item.title


def _ranked(items: Iterable[InboxItem]) -> Iterator[tuple[int, InboxItem]]:
    """Each with how many of its kind come before it."""
    before: Counter[str] = Counter()
    for item in items:
        yield before[item.source.endpoint], item
        before[item.source.endpoint] += 1


def _live(board: FrameworkBoard) -> list[EvidenceItem]:
    return [piece for piece in board.ledger.pieces.values() if piece.is_live_at(board.as_of)]


# ---- evidence


@dataclass(frozen=True, slots=True)
class EvidenceState:
    """Counts of live pieces by state, and (Monday, how many fall due) for this week and the
    following ones.
    """

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
    """Live evidence on the board's day.

    A deadline counts in the calendar week (from Monday) that it falls in.
    """
    pieces, today = _live(board), board.as_of.date()
    states = Counter(piece.freshness(board.as_of).state for piece in pieces)
    ends = (deadline(piece.at(board.as_of), due_on=piece.due_on) for piece in pieces)
    weeks = Counter(_monday(end) for end in ends if end is not None and end >= today)
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


# ---- movement


@dataclass(frozen=True, slots=True)
class Moved:
    """A requirement whose level changed, and the fact behind the level that it has now."""

    row: AssessedRequirement
    before: int

    @property
    def now(self) -> int:
        return self.row.derived.level

    @property
    def why(self) -> str:
        return explain_fall(self.row.derived) if self.now < self.before else ""


@dataclass(frozen=True, slots=True)
class Movement:
    """What changed since then: percentage points by function and for `all`, requirements proven,
    and levels.
    """

    since: date
    points: dict[str, float]
    proven: int
    rose: tuple[Moved, ...]
    fell: tuple[Moved, ...]


def movement(board: FrameworkBoard) -> Movement | None:
    """Against thirty days earlier, by today's targets and the same period; None if nothing was
    evidenced yet then.
    """
    then = board.as_of - LOOK_BACK
    if not level_history.with_history(board, [then]):
        return None
    before = _levels(board, then, board.period)
    old = _shares(board, before)
    new = {f: board.share_of(f) for f in FUNCTIONS} | {"all": board.share}
    moved = [
        Moved(row, before[row.ref]) for row in board.rows if row.derived.level != before[row.ref]
    ]
    return Movement(
        then.date(),
        {f: new[f].percent - old[f].percent for f in new},
        new["all"].proven - old["all"].proven,
        tuple(m for m in moved if m.now > m.before),
        tuple(m for m in moved if m.now < m.before),
    )


def _shares(board: FrameworkBoard, levels: dict[str, int]) -> dict[str, Share]:
    """Coverage of each function and of `all` if the requirements stood at these levels."""
    standings = [RequirementLevel(row.ref, levels[row.ref], row.target) for row in board.rows]
    return {f: coverage(s for s in standings if s.ref.startswith(f"{f} ")) for f in FUNCTIONS} | {
        "all": coverage(standings)
    }


@dataclass(frozen=True, slots=True)
class CoverageAt:
    """Coverage by function (and `all`) at a moment."""

    at: datetime
    shares: dict[str, Share]


def trend(board: FrameworkBoard) -> list[CoverageAt]:
    """The ends of twelve months, each over the year up to it and by today's targets, and the board
    itself as the last point.

    Months before the first evidence are no points: a line begins where there is something to draw.
    """
    ends = level_history.with_history(board, level_history.month_ends(board.as_of)[:-1])
    past = [
        CoverageAt(
            at,
            _shares(
                board, _levels(board, at, (at.date() - framework_board.YEAR_BEFORE, at.date()))
            ),
        )
        for at in ends
    ]
    return [
        *past,
        CoverageAt(board.as_of, {f: board.share_of(f) for f in FUNCTIONS} | {"all": board.share}),
    ]


def _levels(board: FrameworkBoard, at: datetime, period: tuple[date, date]) -> dict[str, int]:
    """The level of each requirement at a moment; kept with the ledger, whose past does not
    change.
    """
    levels = level_history.levels_at(board.ledger, at, period)
    return {row.ref: levels.get(row.requirement.id, 0) for row in board.rows}


def quarters(points: Sequence[CoverageAt]) -> list[CoverageAt]:
    """Of a trend: the ends of the last four quarters, and now."""
    return [*[p for p in points[:-1] if p.at.month % 3 == 0][-4:], points[-1]]


# ---- the log


@dataclass(frozen=True, slots=True)
class Deed:
    """What one person did on one day: an action on some objects.

    `names` are theirs, as far as they can be told.
    """

    at: datetime
    who: str
    action: str
    says: str
    count: int
    names: tuple[str, ...] = field(default=())
    shape: Shape = "dot"


SHOWN = (
    "assessment.",
    "control.",
    "evidence.",
    "framework.",
    "policy.",
    "report.",
    "switch.",
    "system.",
    "waiver.",
)
NOT_SHOWN = {
    "evidence.version.downloaded",
    "report.downloaded",
    "report.requested",
    "policy.drafted",
}
ENTRIES = 160


def deeds(board: FrameworkBoard) -> list[Deed]:
    """The newest entries about governance up to the board's moment, those of one person, day and
    kind as one.
    """
    rows = session().execute(_entries(board.as_of)).all()
    named, known = allowed(people.NAMES), _known(board)
    groups = groupby(rows, key=lambda row: (row.at.date(), row.actor, row.action))
    return [_deed(list(group), known, named=named) for _, group in groups]


def _entries(until: datetime) -> Any:
    e = AuditEntry
    return (
        select(e.at, e.actor, e.actor_kind, e.action, e.target_id, e.facts, Person.name)
        .outerjoin(Membership, Membership.pseudonym == e.actor)
        .outerjoin(Person, Person.id == Membership.person_id)
        .where(
            e.at <= until,
            or_(*(e.action.startswith(prefix) for prefix in SHOWN)),
            e.action.notin_(NOT_SHOWN),
        )
        .order_by(e.at.desc(), e.id.desc())
        .limit(ENTRIES)
    )


def _deed(rows: Sequence[Any], known: dict[UUID, str], *, named: bool) -> Deed:
    first = rows[0]
    who = (
        "The console"
        if first.actor_kind == "job"
        else ((first.name if named else None) or f"person {first.actor[:8]}")
    )
    says = registry[first.action].says if first.action in registry else first.action
    told = dict.fromkeys(name for row in rows if (name := _named(row, known)))
    shapes = [shape_of(row.action, row.facts) for row in rows]
    shape = "bad" if "bad" in shapes else shapes[0]
    return Deed(
        first.at, who, first.action, says, len({row.target_id for row in rows}), tuple(told), shape
    )


def _named(row: Any, known: dict[UUID, str]) -> str:
    """What the entry is about, by the name that people use for it."""
    facts = row.facts
    if row.action.startswith("policy.") and facts.get("number"):
        return f"version {facts['number']}"
    if row.action.startswith("waiver.") and facts.get("dimension"):
        return setting_of(facts["dimension"], facts.get("system", ""))
    told = (
        facts[name] for name in ("ref", "requirement", "title", "key", "name") if facts.get(name)
    )
    return known.get(row.target_id) or next(told, "")


def _known(board: FrameworkBoard) -> dict[UUID, str]:
    """Refs of controls, evidence and versions, from what the board has read already."""
    refs = {row.id: row.ref for row in board.ledger.controls}
    for piece in board.ledger.pieces.values():
        refs[piece.id] = piece.ref
        refs |= {held.version_id: piece.ref for held in piece.versions}
    return refs


# ---- the report, and the first steps


@dataclass(frozen=True, slots=True)
class Reports:
    """The newest finished report and one that is being made, as they were at the board's moment."""

    last: ReportRun | None
    running: Run[ReportRun] | None


def reports(board: FrameworkBoard) -> Reports:
    asked = [run for run in report_runs(limit=30) if run.row.created_at <= board.as_of]
    done = (
        r.row for r in asked if r.row.finished_at is not None and r.row.finished_at <= board.as_of
    )
    running = (r for r in asked if r.work is not None and r.work.state in {"queued", "running"})
    return Reports(next(done, None), next(running, None))


@dataclass(frozen=True, slots=True)
class HoldUp:
    """What keeps the next report from being complete:

    `red` rows, `unsigned` and `unconcluded` among all.
    """

    red: tuple[AssessedRequirement, ...]
    waiting: tuple[AssessedRequirement, ...]
    unconcluded: tuple[AssessedRequirement, ...]
    signed: int
    count: int

    @property
    def things(self) -> int:
        """Requirements without a signature behind them."""
        return self.count - self.signed


def hold_up(board: FrameworkBoard) -> HoldUp:
    judged = [(row, row.item.judgement if row.item else None) for row in board.rows]
    unsigned = [(row, j) for row, j in judged if j is None or j.signer is None]
    return HoldUp(
        red=tuple(row for row, _ in unsigned if row.derived.is_red),
        waiting=tuple(row for row, j in unsigned if j is not None and not row.derived.is_red),
        unconcluded=tuple(row for row, j in unsigned if j is None and not row.derived.is_red),
        signed=len(judged) - len(unsigned),
        count=len(judged),
    )


@dataclass(frozen=True, slots=True)
class SetupStep:
    """A step of the first run: its permission decides whether the reader is offered its verb."""

    done: bool
    title: str
    text: str
    endpoint: str
    verb: str
    needs: str


def steps(board: FrameworkBoard) -> list[SetupStep]:
    """What a new tenant does first, in order; one statement."""
    controls = any(row.retired_at is None for row in board.ledger.controls)
    pieces = _live(board)
    adopted, two_people, has_system = session().execute(_first_facts(board.framework.id)).one()
    return [
        SetupStep(
            adopted or board.assessment is not None,
            "Adopt a framework",
            "The NIST AI RMF is installed. Adopt it to work with it.",
            "frameworks.index",
            "Adopt the AI RMF",
            "frameworks.adopt",
        ),
        SetupStep(
            controls,
            "Choose your controls",
            "The starter pack is already mapped to the AI RMF.",
            "controls.index",
            "Choose controls",
            "controls.manage",
        ),
        SetupStep(
            two_people,
            "Invite a second person",
            "Evidence counts only after someone else reviews it.",
            "people.members",
            "Invite a person",
            "people.manage",
        ),
        SetupStep(
            has_system,
            "Register an AI system",
            "Policies, switches and assessments apply to registered systems.",
            "systems.registration",
            "Register a system",
            "systems.register",
        ),
        SetupStep(
            any(p.versions for p in pieces),
            "Upload evidence",
            "A file or a link that shows a control works.",
            "evidence.index",
            "Upload evidence",
            "evidence.bring",
        ),
        SetupStep(
            board.assessment is not None,
            "Start an assessment",
            "It sets the period and the targets that coverage is counted against.",
            "assessments.new",
            "Start an assessment",
            "assessments.manage",
        ),
    ]


def _first_facts(framework_id: UUID) -> Select[bool, bool, bool]:
    """Whether the framework is adopted, one member can upload evidence and another review it, and a
    system is registered.
    """
    members = select(func.count()).select_from(Membership).where(Membership.ended_at.is_(None))
    uploaders, reviewers = (
        members.where(Membership.role.in_(needs.roles)).scalar_subquery()
        for needs in (bringing.BRING, bringing.REVIEW)
    )
    return select(
        select(Adoption.id).where(Adoption.framework_id == framework_id).exists(),
        and_(uploaders > 1, reviewers > 0),
        select(AISystem.id).where(AISystem.retired_at.is_(None)).exists(),
    )


def is_new(done: Sequence[SetupStep]) -> bool:
    return not all(step.done for step in done)
