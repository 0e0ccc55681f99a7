"""Where a framework stands: levels derived from the controls, targets and judgements from the
assessment.

    board(framework, as_of)        everything that the heat map and the requirement list show, in
                                   three statements; of today
                                   in none while the tenant commits nothing
                                   (foundation/logbook/log_health.py)
    shares_at, transitions         the same levels at other moments, from what was already read
    with_history(board, moments)   those moments of which anything can be told
    assessment, assessments, item, items, rows, conclusions, comments, revisions
    item_rows                      the rows behind verbs
    progress()                     how many conclusions of each assessment are written and signed

Levels, conclusions and signatures are cut at the moment that is asked for; targets, owners and due
days are today's. An auditor is shown the requirements that his engagement is about, and what stands
on them; the boards stay whole, and what is shown of them is cut. Of a past day that is also what
answered for them then.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased, defer

from governance.assurance.assessments.coverage import (
    Answer,
    Derived,
    Gap,
    RequirementLevel,
    Share,
    coverage,
    derive,
    gaps,
    level_of,
)
from governance.assurance.assessments.models import (
    Assessment,
    AssessmentItem,
    Comment,
    Conclusion,
    SignOff,
)
from governance.assurance.controls import queries as controls
from governance.assurance.controls.queries import Ledger
from governance.assurance.controls.status import Status, status
from governance.assurance.evidence.freshness import SOON, Version, interval
from governance.assurance.evidence.queries import FORMER
from governance.assurance.frameworks import queries as frameworks
from governance.assurance.frameworks.queries import FrameworkView, RequirementView
from governance.foundation.logbook.log_health import recall
from governance.foundation.people.models import Person
from governance.kernel import clock
from governance.kernel.db import find, session
from governance.kernel.errors import NotFound
from governance.kernel.visibility_scope import Scope, limits

DEFAULT_TARGET = 3
YEAR = timedelta(days=364)  # with the day itself a year
FUNCTIONS = ("GOVERN", "MAP", "MEASURE", "MANAGE")


@dataclass(frozen=True, slots=True)
class AssessmentFacts:
    """An assessment as it stands, without what closing froze."""

    id: UUID
    framework_id: UUID
    title: str
    scope: str
    period_from: date
    period_to: date
    revision: int
    closed_at: datetime | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """The row of an item, to be read."""

    id: UUID
    requirement_id: UUID
    target: int
    owner_id: UUID | None
    due_on: date | None
    version: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Judgement:
    """The last revision of a conclusion, and whether another person stands behind it."""

    id: UUID
    revision: int
    level: int
    rationale: str
    concluded_by: UUID
    assessor: str
    at: datetime
    return_reason: str | None
    signer: str | None
    signed_at: datetime | None
    entry_id: UUID | None


@dataclass(frozen=True, slots=True)
class Item:
    """What an assessment holds on one requirement."""

    row: ItemFacts
    ref: str
    owner: str | None
    judgement: Judgement | None

    @property
    def conclusion(self) -> Judgement | None:
        return self.judgement


@dataclass(frozen=True, slots=True)
class AssessedRequirement:
    """One requirement with its derived level, target and judgement."""

    requirement: RequirementView
    derived: Derived
    target: int
    item: Item | None
    function: str = ""

    @property
    def ref(self) -> str:
        return self.requirement.ref

    @property
    def standing(self) -> RequirementLevel:
        return RequirementLevel(self.ref, self.derived.level, self.target, self.function)

    @property
    def judgement(self) -> Judgement | None:
        return self.item.judgement if self.item else None

    @property
    def due_on(self) -> date | None:
        return self.item.row.due_on if self.item else None

    @property
    def is_overdue(self) -> bool:
        """A piece of evidence behind it has passed its day."""
        return any(
            reason.kind == "evidence" and reason.severity == "bad" and "overdue" in reason.fact
            for reason in self.derived.reasons
        )

    @property
    def owner(self) -> str | None:
        if self.item is not None and self.item.owner:
            return self.item.owner
        return next(
            (control.owner for control, _, _ in self.derived.controls if control.owner), None
        )


@dataclass(frozen=True, slots=True)
class Board:
    """A framework as it stands on a day.

    `ledger` lets other days be looked at without asking again.

    Its rows never change. A board that is remembered has a `token`, by which what was made of it is
    told from what was not.
    """

    framework: FrameworkView
    tree: tuple[RequirementView, ...]
    rows: tuple[AssessedRequirement, ...]
    assessment: AssessmentFacts | None
    as_of: datetime
    period: tuple[date, date]
    ledger: Ledger
    token: object = None

    def row(self, ref: str) -> AssessedRequirement | None:
        return next((row for row in self.rows if row.ref == ref), None)

    @property
    def share(self) -> Share:
        return coverage(row.standing for row in self.rows)

    @property
    def gaps(self) -> list[Gap]:
        return gaps([row.standing for row in self.rows])

    @property
    def is_past(self) -> bool:
        return self.as_of.date() < clock.today()

    @property
    def is_open(self) -> bool:
        """Whether somebody may still conclude, assign and set targets."""
        return (
            self.assessment is not None and self.assessment.closed_at is None and not self.is_past
        )

    @property
    def functions(self) -> list[RequirementView]:
        """The top of the tree; none where the framework is a flat list."""
        return [node for node in self.tree if node.depth == 1 and not node.assessable]

    def of(self, ref: str) -> list[AssessedRequirement]:
        """The rows under a node: of a function (`MEASURE`), of a category (`MEASURE 2`)."""
        under = {ref}
        for node in self.tree:  # in the publisher's order a parent stands before its children
            if node.parent_ref in under:
                under.add(node.ref)
        return [row for row in self.rows if row.ref in under]

    def share_of(self, ref: str) -> Share:
        return coverage(row.standing for row in self.of(ref))


# ---- reading


def assessments(framework_id: UUID | None = None) -> Sequence[Assessment]:
    """The newest period first, of one period the last revision first."""
    query = select(Assessment).options(defer(Assessment.frozen))
    query = query.order_by(
        Assessment.period_to.desc(), Assessment.revision.desc(), Assessment.created_at.desc()
    )
    if (held := limits()) is not None:
        query = query.where(
            Assessment.framework_id.in_(
                [f.id for f in frameworks.installed() if held.holds_framework(f.key)]
            )
        )
    return (
        session()
        .scalars(query.where(Assessment.framework_id == framework_id) if framework_id else query)
        .all()
    )


def assessment(assessment_id: UUID, *, lock: bool = False) -> Assessment:
    """The row, if its framework is in the acting person's scope."""
    found, held = find(Assessment, assessment_id, what="assessment", lock=lock), limits()
    if held is not None and not held.holds_framework(
        frameworks.framework_by_id(found.framework_id).key
    ):
        raise NotFound("There is no such assessment here.")
    return found


def item(item_id: UUID, *, lock: bool = False) -> AssessmentItem:
    """The row, if its requirement is in the acting person's scope."""
    found, held = find(AssessmentItem, item_id, what="assessed requirement", lock=lock), limits()
    if held is not None and not held.holds_requirement(found.requirement_id):
        raise NotFound("There is no such assessed requirement here.")
    return found


def some_items(
    framework_id: UUID, ids: Collection[UUID], *, lock: bool = False
) -> list[tuple[AssessmentItem, Assessment]]:
    """These requirements of assessments of that framework, as far as the acting person sees them;
    locked, as they are now.
    """
    query = select(AssessmentItem, Assessment).join(
        Assessment, Assessment.id == AssessmentItem.assessment_id
    )
    query = query.where(
        AssessmentItem.id.in_(ids), Assessment.framework_id == framework_id
    ).order_by(AssessmentItem.id)
    locked = query.with_for_update(key_share=True, of=AssessmentItem).execution_options(
        populate_existing=True
    )
    rows = session().execute((locked if lock else query).options(defer(Assessment.frozen))).all()
    held = limits()
    return [
        (row[0], row[1])
        for row in rows
        if held is None or held.holds_requirement(row[0].requirement_id)
    ]


def is_whole(framework_id: UUID) -> bool:
    """Whether the acting person sees every requirement of that framework: what is frozen or printed
    cannot be cut.
    """
    held = limits()
    return held is None or all(
        held.holds_requirement(each.id) for each in frameworks.requirements(framework_id)
    )


def refs_shown(framework_id: UUID) -> frozenset[str]:
    """The refs of the requirements of that framework that the acting person sees."""
    held = limits()
    return frozenset(
        r.ref
        for r in frameworks.requirements(framework_id)
        if held is None or held.holds_requirement(r.id)
    )


def revisions(held: Assessment) -> Sequence[Assessment]:
    """Every revision of an assessment, the first one first."""
    query = select(Assessment).options(defer(Assessment.frozen))
    query = query.where(
        Assessment.framework_id == held.framework_id,
        Assessment.scope == held.scope,
        Assessment.title == held.title,
        Assessment.period_from == held.period_from,
    )
    return session().scalars(query.order_by(Assessment.revision)).all()


def present(framework_id: UUID, as_of: datetime | None = None) -> Assessment | None:
    """The assessment that a page shows: the latest that was begun by then, an open one before a
    closed one.
    """
    found = session().scalars(
        select(Assessment)
        .where(Assessment.id == _present(framework_id, as_of))
        .options(defer(Assessment.frozen))
    )
    return found.one_or_none()


def _present(framework_id: UUID, as_of: datetime | None) -> Any:
    query = select(Assessment.id).where(
        Assessment.framework_id == framework_id, Assessment.scope == "organisation"
    )
    was_open: ColumnElement[bool] = Assessment.closed_at.is_(None)
    if as_of is not None:
        query, was_open = (
            query.where(Assessment.created_at <= as_of),
            or_(was_open, Assessment.closed_at > as_of),
        )
    ordered = query.order_by(
        case((was_open, 0), else_=1),
        Assessment.period_to.desc(),
        Assessment.revision.desc(),
        Assessment.created_at.desc(),
    )
    return ordered.limit(1).scalar_subquery()


def item_rows(assessment_id: UUID) -> dict[UUID, AssessmentItem]:
    """Every item of an assessment by its id, as the verbs take them."""
    return {
        row.id: row
        for row in session().scalars(
            select(AssessmentItem).where(AssessmentItem.assessment_id == assessment_id)
        )
    }


def items(assessment_id: UUID, as_of: datetime | None = None) -> list[Item]:
    """Every item with its last conclusion and its signature, in the publisher's order and in one
    statement.
    """
    return _items(AssessmentItem.assessment_id == assessment_id, as_of)[1]


ASSESSMENT = [getattr(Assessment, name) for name in AssessmentFacts.__dataclass_fields__]
ITEM = [getattr(AssessmentItem, name) for name in ItemFacts.__dataclass_fields__]
FIRST, LAST = len(ASSESSMENT), len(ASSESSMENT) + len(ITEM)


def _items(which: Any, as_of: datetime | None) -> tuple[AssessmentFacts | None, list[Item]]:
    rows = session().execute(_judged(as_of).where(which)).all()
    refs = refs_of()
    order = {requirement_id: place for place, requirement_id in enumerate(refs)}
    found = sorted(
        (_item(row, refs) for row in rows), key=lambda each: order[each.row.requirement_id]
    )
    return (AssessmentFacts(*rows[0][:FIRST]) if rows else None), found


def _item(row: Sequence[Any], refs: Mapping[UUID, str]) -> Item:
    facts = ItemFacts(*row[FIRST:LAST])
    owner, *judged = row[LAST:]
    return Item(facts, refs[facts.requirement_id], owner, _judgement(judged))


def _judged(at: datetime | None) -> Select[*tuple[Any, ...]]:
    """Of each item: the assessment's facts, its own, its owner's name, and its last conclusion (by
    then) with the signature on that.

    Now is not cut: everything that is committed has happened, also where another machine's clock is
    ahead of ours.
    """
    later, assessor, signer, owner = (
        aliased(Conclusion),
        aliased(Person),
        aliased(Person),
        aliased(Person),
    )
    newest = select(later.id).where(
        later.item_id == AssessmentItem.id, later.tenant_id == AssessmentItem.tenant_id
    )
    signed: ColumnElement[bool] = SignOff.conclusion_id == Conclusion.id
    if at is not None:
        newest, signed = (
            newest.where(later.concluded_at <= at),
            and_(signed, SignOff.signed_at <= at),
        )
    c, s = Conclusion, SignOff
    return (
        select(
            *ASSESSMENT,
            *ITEM,
            owner.name,
            c.id,
            c.revision,
            c.level,
            c.rationale,
            c.concluded_by,
            assessor.name,
            c.concluded_at,
            c.return_reason,
            s.id,
            signer.name,
            s.signed_at,
            s.entry_id,
        )
        .select_from(AssessmentItem)
        .join(Assessment, Assessment.id == AssessmentItem.assessment_id)
        .outerjoin(
            c,
            c.id
            == newest.order_by(later.revision.desc())
            .limit(1)
            .correlate(AssessmentItem)
            .scalar_subquery(),
        )
        .outerjoin(s, signed)
        .outerjoin(assessor, assessor.id == c.concluded_by)
        .outerjoin(signer, signer.id == s.signed_by)
        .outerjoin(owner, owner.id == AssessmentItem.owner_id)
    )


def refs_of() -> dict[UUID, str]:
    """Requirement id → ref in the publisher's order, of every installed framework, from the
    remembered catalogues.
    """
    return {
        r.id: r.ref
        for each in frameworks.installed()
        for r in frameworks.requirements(each.id)
        if r.assessable
    }


def _judgement(judged: Sequence[Any]) -> Judgement | None:
    (
        made,
        revision,
        level,
        rationale,
        by,
        assessor,
        at,
        returned,
        signature,
        signer,
        signed_at,
        entry_id,
    ) = judged
    if made is None:
        return None
    signed_by = (signer or FORMER) if signature else None
    return Judgement(
        made,
        revision,
        level,
        rationale,
        by,
        assessor or FORMER,
        at,
        returned,
        signed_by,
        signed_at,
        entry_id,
    )


def conclusions(item_id: UUID) -> Sequence[Conclusion]:
    """Every revision, the last one first."""
    return (
        session()
        .scalars(
            select(Conclusion)
            .where(Conclusion.item_id == item_id)
            .order_by(Conclusion.revision.desc())
        )
        .all()
    )


def judgement_of(item_id: UUID) -> Item:
    """One item with its last conclusion."""
    return _items(AssessmentItem.id == item(item_id).id, None)[1][0]


def comments(item_id: UUID, as_of: datetime | None = None) -> list[tuple[Comment, str]]:
    """The discussion of an item, oldest first, with the names."""
    query = select(Comment, Person.name).outerjoin(Person, Person.id == Comment.written_by)
    query = query.where(Comment.item_id == item_id, Comment.created_at <= (as_of or clock.now()))
    return [
        (comment, name or FORMER)
        for comment, name in session().execute(query.order_by(Comment.created_at, Comment.id))
    ]


def discussion(assessment_id: UUID) -> list[dict[str, Any]]:
    """Every remark of an assessment, oldest first, as plain JSON."""
    query = (
        select(AssessmentItem.requirement_id, Comment.text, Comment.created_at, Person.name)
        .select_from(Comment)
        .join(AssessmentItem, AssessmentItem.id == Comment.item_id)
        .outerjoin(Person, Person.id == Comment.written_by)
        .where(AssessmentItem.assessment_id == assessment_id)
        .order_by(Comment.created_at, Comment.id)
    )
    refs = refs_of()
    return [
        {"ref": refs[i], "by": name or FORMER, "at": iso(at), "text": text}
        for i, text, at, name in session().execute(query)
    ]


# ---- the board


def board(
    framework: FrameworkView, as_of: datetime | None = None, held: Assessment | None = None
) -> Board:
    """All requirements of a framework as they stand: the assessment with its items, and the
    controls' ledger; three statements.

    Of today's the rows are remembered: until the tenant commits anything, something begins or ends,
    or the day does.
    """
    at, ledger = as_of or clock.now(), controls.ledger()
    if as_of is not None or held is not None:
        return _within(limits(), _board(framework, at, ledger, as_of, held))
    key = ("board", framework, frameworks.requirements(framework.id), at.date(), ledger.since(at))
    whole = recall(key, lambda: replace(_board(framework, at, ledger), token=object()))
    return _within(limits(), replace(whole, as_of=at))


def _within(held: Scope | None, whole: Board) -> Board:
    """The requirements in scope with the groups above them.

    Rows and shares are other ones then, so nothing drawn is shared.
    """
    if held is None:
        return whole
    rows = tuple(row for row in whole.rows if held.holds_requirement(row.requirement.id))
    if len(rows) == len(whole.rows):
        return whole
    above, kept = {node.ref: node.parent_ref for node in whole.tree}, set[str | None]()
    for row in rows:
        ref: str | None = row.ref
        while ref is not None and ref not in kept:
            kept.add(ref)
            ref = above.get(ref)
    return replace(
        whole, rows=rows, tree=tuple(node for node in whole.tree if node.ref in kept), token=None
    )


def _board(
    framework: FrameworkView,
    at: datetime,
    ledger: Ledger,
    as_of: datetime | None = None,
    held: Assessment | None = None,
) -> Board:
    which = AssessmentItem.assessment_id == (held.id if held else _present(framework.id, as_of))
    shown, found = _items(which, as_of)
    shown = shown or (_facts(held) if held else None)
    by_ref, tree = {each.ref: each for each in found}, frameworks.requirements(framework.id)
    period = (shown.period_from, shown.period_to) if shown else (at.date() - YEAR, at.date())
    levels, tops = derive_all(tree, ledger, at, period), _tops(tree)
    rows = tuple(
        _row(r, levels[r.id], by_ref.get(r.ref), tops[r.ref]) for r in tree if r.assessable
    )
    return Board(framework, tree, rows, shown, at, period, ledger)


def _facts(held: Assessment) -> AssessmentFacts:
    return AssessmentFacts(*(getattr(held, name) for name in AssessmentFacts.__dataclass_fields__))


def _row(
    node: RequirementView, derived: Derived, found: Item | None, function: str
) -> AssessedRequirement:
    return AssessedRequirement(
        node, derived, found.row.target if found else DEFAULT_TARGET, found, function
    )


def _tops(tree: Sequence[RequirementView]) -> dict[str, str]:
    """The function of each node; a node without a parent is its own."""
    tops: dict[str, str] = {}
    for node in tree:
        tops[node.ref] = tops.get(node.parent_ref or "", node.ref)
    return tops


def rows(assessment_id: UUID) -> tuple[AssessedRequirement, ...]:
    """The rows of one assessment, as they stand now."""
    held = assessment(assessment_id)
    return board(frameworks.framework_by_id(held.framework_id), held=held).rows


def derived(found: AssessmentItem) -> Derived:
    """The level of one requirement over its assessment's period, as it stands now; three
    statements.
    """
    held, now = assessment(found.assessment_id), clock.now()
    tree = [r for r in frameworks.requirements(held.framework_id) if r.id == found.requirement_id]
    period = (held.period_from, held.period_to)
    return derive_all(tree, controls.ledger_of(found.requirement_id), now, period).get(
        found.requirement_id
    ) or derive([])


def derive_all(
    tree: Sequence[RequirementView], ledger: Ledger, at: datetime, period: tuple[date, date]
) -> dict[UUID, Derived]:
    """The level of each requirement at a moment: each control is judged once, however many
    requirements it serves.
    """
    answers: dict[UUID, list[Answer]] = {}
    for control in ledger.at(at):
        judged = status(control, today=at.date(), period_from=period[0], period_to=period[1])
        for requirement_id, how_far in control.mappings:
            answers.setdefault(requirement_id, []).append((control, how_far, judged))
    return {r.id: derive(answers.get(r.id, [])) for r in tree if r.assessable}


def shares_at(
    shown: Board, moments: Sequence[datetime], period: tuple[date, date] | None = None
) -> list[dict[str, Share]]:
    """For each moment, the coverage of each function and of `all`, against today's targets.

    Over the period, as the board itself is judged; without one over the year up to each moment.
    """
    targets = {row.requirement.id: (row.ref, row.target, row.function) for row in shown.rows}
    found = []
    for at in moments:
        levels = levels_at(shown.ledger, at, period or (at.date() - YEAR, at.date()))
        standings = [
            RequirementLevel(ref, levels.get(i, 0), target, function)
            for i, (ref, target, function) in targets.items()
        ]
        each = {
            f.ref: coverage(s for s in standings if s.function == f.ref) for f in shown.functions
        }
        found.append(each | {"all": coverage(standings)})
    return found


def with_history(shown: Board, moments: Iterable[datetime]) -> list[datetime]:
    """The moments since the first evidence was uploaded.

    Before it every level is 0 because nothing was recorded, not because anything was measured: no
    line starts there and nothing is compared with it.
    """
    first = shown.ledger.first_evidence
    return [] if first is None else [at for at in moments if at >= first]


def levels_at(ledger: Ledger, at: datetime, period: tuple[date, date]) -> Mapping[UUID, int]:
    """The level alone of each requirement that something answers for."""

    def levels() -> Mapping[UUID, int]:
        answers: dict[UUID, list[tuple[str, Status]]] = {}
        for control in ledger.at(at):
            judged = status(control, today=at.date(), period_from=period[0], period_to=period[1])
            for requirement_id, how_far in control.mappings:
                answers.setdefault(requirement_id, []).append((how_far, judged))
        return MappingProxyType(
            {requirement_id: level_of(each) for requirement_id, each in answers.items()}
        )

    return ledger.derived.get(("levels", at.date(), ledger.since(at), period), levels)


@dataclass(frozen=True, slots=True)
class Transition:
    """The level of a requirement went from one to another at a moment; `because` is the worst
    reason of a fall.
    """

    at: datetime
    before: int
    after: int
    reason: str


def transitions(shown: Board, row: AssessedRequirement, since: datetime) -> list[Transition]:
    """When its level rose or fell, oldest first: each control is judged anew at each moment that
    could have moved it.
    """
    parts = [
        _alone(shown.ledger, control)
        for control in shown.ledger.controls
        if _ever_answered(control, row.requirement.id)
    ]
    touched: dict[datetime, list[int]] = {since: list(range(len(parts)))}
    for number, part in enumerate(parts):
        for at in {each for each in _moments(part) if since < each <= shown.as_of}:
            touched.setdefault(at, []).append(number)
    answers: dict[int, Answer | None] = {}
    found: list[Transition] = []
    level = 0
    for at in sorted(touched):
        answers.update(
            {
                number: _answer(parts[number], row.requirement.id, at, shown)
                for number in touched[at]
            }
        )
        after = level_of((each[1], each[2]) for each in answers.values() if each is not None)
        if at > since and after != level:
            found.append(
                Transition(at, level, after, _worst(answers.values()) if after < level else "")
            )
        level = after
    return found


def _worst(answers: Iterable[Answer | None]) -> str:
    reasons = derive([each for each in answers if each is not None]).reasons
    return reasons[0].fact if reasons else ""


def _ever_answered(control: Any, requirement_id: UUID) -> bool:
    wanted = str(requirement_id)
    return any(mapping[0] == wanted for mapping in control.mappings or ())


def _alone(ledger: Ledger, control: Any) -> Ledger:
    """One control with its evidence."""
    pieces = {UUID(link[0]) for link in control.links or ()}
    return Ledger([control], {i: ledger.pieces[i] for i in pieces if i in ledger.pieces})


def _moments(part: Ledger) -> Iterator[datetime]:
    """Each instant at which the status could have moved: what was recorded, and the days on which
    evidence grew old.
    """
    for control in part.controls:
        stamps = (
            [s for m in control.mappings or () for s in m[2:4]]
            + [s for link in control.links or () for s in link[1:3]]
            + [t[0] for t in control.tests or ()]
        )
        stamps += controls.live_stamps(control)
        yield from (
            datetime.fromtimestamp(float(stamp), UTC) for stamp in stamps if stamp is not None
        )
        yield from (each for each in (control.created_at, control.retired_at) if each is not None)
    for piece in part.pieces.values():
        yield from (each for each in (piece.known, piece.retired) if each is not None)
        for held in piece.held:
            yield from (each for each in (held.known, held.judged) if each is not None)
            yield from (
                datetime.combine(day, time(), UTC)
                for day in _old_days(held.after, interval(piece.cadence))
            )
        if not piece.held and piece.due_on is not None:
            yield datetime.combine(piece.due_on + timedelta(days=1), time(), UTC)


def _old_days(version: Version, allowed: int | None) -> Iterator[date]:
    """The days on which a version may become due, or no longer hold."""
    yield version.valid_until + timedelta(days=1)
    yield version.valid_until - timedelta(days=SOON)
    if allowed is not None:
        yield version.collected_on + timedelta(days=allowed + 1)
        yield version.valid_until - timedelta(days=allowed // 2)


def _answer(part: Ledger, requirement_id: UUID, at: datetime, shown: Board) -> Answer | None:
    """How the one control of `part` answered for the requirement at a moment."""
    since, until = shown.period if shown.period[0] <= at.date() else (at.date() - YEAR, at.date())
    for control in part.at(at):
        how_far = dict(control.mappings).get(requirement_id)
        if how_far is not None:
            return (
                control,
                how_far,
                status(control, today=at.date(), period_from=since, period_to=until),
            )
    return None


def month_ends(until: datetime, count: int = 12) -> list[datetime]:
    """The last moments of the `count` months before `until`, and `until` itself."""
    first, ends = until.date().replace(day=1), []
    for _ in range(count):
        ends.append(datetime.combine(first - timedelta(days=1), time(23, 59, 59), UTC))
        first = (first - timedelta(days=1)).replace(day=1)
    return [*reversed(ends), until]


@dataclass(frozen=True, slots=True)
class Progress:
    """Of the items of an assessment: how many have a conclusion, wait for its revision, are signed
    off.
    """

    items: int
    concluded: int
    returned: int
    signed: int


def progress() -> dict[UUID, Progress]:
    """Of every assessment, in one statement; of an auditor's, what it says on the requirements in
    his scope.
    """
    last = (
        select(Conclusion)
        .ext(distinct_on(Conclusion.item_id))
        .order_by(Conclusion.item_id, Conclusion.revision.desc())
        .subquery()
    )
    newest = aliased(Conclusion, last)
    query = (
        select(
            AssessmentItem.assessment_id,
            func.count(AssessmentItem.id),
            func.count(newest.id),
            func.count(newest.id).filter(newest.return_reason.isnot(None)),
            func.count(SignOff.id),
        )
        .outerjoin(newest, newest.item_id == AssessmentItem.id)
        .outerjoin(SignOff, SignOff.conclusion_id == newest.id)
        .group_by(AssessmentItem.assessment_id)
    )
    if (held := limits()) is not None and held.requirements is not None:
        query = query.where(AssessmentItem.requirement_id.in_(held.requirements))
    return {row[0]: Progress(*row[1:]) for row in session().execute(query)}


def iso(at: datetime | None) -> str | None:
    """A moment as frozen data holds it: UTC, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if at else None
