"""Type II testing as it stands: the matrix, populations, samples with their items, exceptions and
findings.

matrix(first, last, framework)      a row for each control in scope; a fixed number of statements
inbox(facts), telling(facts)        beside it: what waits for review, the sample that says most
line(control_id, first, last)       the row of one control
population, sample, exception, finding      the row behind a page or a verb
items(sample)                       drawn items with their latest result; results(item) all of them
exceptions(…), samples(…), findings(…)      what reports and packages list, all of it
exceptions_page, findings_page              what a page lists
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import String, and_, cast, exists, func, or_, select
from sqlalchemy import case as whichever
from sqlalchemy.orm import aliased, undefer

from governance.assurance.collectors.builtin import COLLECTORS
from governance.assurance.controls import queries as controls
from governance.assurance.controls.models import Control
from governance.assurance.controls.status import ControlFacts
from governance.assurance.evidence import permissions as evidence
from governance.assurance.evidence.freshness import Freshness, interval
from governance.assurance.evidence.models import (
    Evidence,
    EvidenceLink,
    EvidenceReview,
    EvidenceVersion,
)
from governance.assurance.evidence.queries import JudgedVersion, Piece, covers, sound
from governance.assurance.evidence.visibility import among
from governance.assurance.frameworks import queries as frameworks
from governance.assurance.testing import matrix as rules
from governance.assurance.testing.models import (
    Finding,
    ItemResult,
    Population,
    Retest,
    Sample,
    SampleItem,
    SamplingTable,
    TestException,
)
from governance.assurance.testing.occurrences import Cycle, PerformanceRecord, month_of
from governance.assurance.testing.occurrences import months as columns
from governance.assurance.testing.sampling import HOUSE, SampleSizes, digest, table_of
from governance.assurance.testing.work_in_progress import Engaged
from governance.kernel import clock
from governance.kernel.access import matching
from governance.kernel.db import find, session
from governance.kernel.errors import NotFound
from governance.kernel.pages import Keyset, keyset
from governance.kernel.visibility_scope import scope

YEAR, WIDEST = 12, 18  # months
SHOWN = 200


def default_period(
    months: int | None = None, *, engaged: Engaged | None = None
) -> tuple[date, date]:
    """So many months that end with the present one; unless they are asked for, the engagement's, in
    whole months.

    An auditor's is always that of his engagements. One that is longer than the matrix is wide is
    not shown by itself.
    """
    held = scope()
    if held is not None and held.period_from <= held.period_to < date.max:
        return _whole(held.period_from, held.period_to)
    if months is None and engaged is not None:
        first, last = _whole(engaged.period_from, engaged.period_to)
        if len(columns(first, last)) <= WIDEST:
            return first, last
    today = clock.today()
    number = today.year * YEAR + today.month - (months or YEAR)
    return date(number // YEAR, number % YEAR + 1, 1), _end_of_month(today)


def _whole(first: date, last: date) -> tuple[date, date]:
    return month_of(first), _end_of_month(last)


def _end_of_month(day: date) -> date:
    return date(day.year + day.month // YEAR, day.month % YEAR + 1, 1) - timedelta(days=1)


# ---- the sizes


def table_row() -> SamplingTable | None:
    return (
        session()
        .scalars(select(SamplingTable).order_by(SamplingTable.number.desc()).limit(1))
        .one_or_none()
    )


def table() -> SampleSizes:
    """The tenant's own sizes, or ours."""
    held = table_row()
    return table_of(held.content) if held is not None else HOUSE


# ---- the matrix


def posture() -> list[ControlFacts]:
    """The live controls in scope, by ref; two statements, none where the tenant's facts are
    remembered.
    """
    keeps = _keeper()
    return [c for c in controls.posture() if keeps(c.control_id)]


def matrix(
    period_from: date,
    period_to: date,
    framework: str | None = None,
    *,
    facts: Sequence[ControlFacts] | None = None,
) -> list[rules.MatrixRow]:
    """A row for each live control that is in scope (and answers for the framework), by ref; six
    statements, seven by framework.
    """
    wanted = _of_framework(framework) if framework else None
    return _rows(
        [c for c in (posture() if facts is None else facts) if _answers(c, wanted)],
        period_from,
        period_to,
    )


def _answers(control: ControlFacts, wanted: Collection[UUID] | None) -> bool:
    return wanted is None or any(requirement in wanted for requirement, _ in control.mappings)


def _of_framework(key: str) -> frozenset[UUID]:
    return frozenset(node.id for node in frameworks.requirements(frameworks.framework(key).id))


def _rows(
    facts: Sequence[ControlFacts], first: date, last: date, *, only: UUID | None = None
) -> list[rules.MatrixRow]:
    items, events, sizes, today = (
        _items(first, last, only),
        _events(first, last, only),
        table(),
        clock.today(),
    )
    told = _told(first, last, only)
    return [
        rules.row(
            _facts(
                c, items.get(c.control_id, ()), events.get(c.control_id), told.get(c.control_id, {})
            ),
            first,
            last,
            today=today,
            table=sizes,
        )
        for c in facts
    ]


def _told(first: date, last: date, only: UUID | None) -> dict[UUID, dict[tuple[date, date], str]]:
    """Exceptions of missed cycles that end in the period; one statement."""
    e = TestException
    query = select(e.control_id, e.missed_from, e.missed_to, e.ref).where(
        e.missed_to >= first, e.missed_to <= last
    )
    found: dict[UUID, dict[tuple[date, date], str]] = {}
    for row in session().execute(query if only is None else query.where(e.control_id == only)):
        found.setdefault(row.control_id, {})[row.missed_from, row.missed_to] = row.ref
    return found


def _facts(
    control: ControlFacts,
    items: Sequence[rules.Item],
    events: Mapping[date, int] | None,
    told: Mapping[tuple[date, date], str],
) -> rules.Facts:
    """Tests that follow from a sample stand in its items; those by hand stand by themselves."""
    tests = (t for t in control.tests if t.of is None)
    return rules.Facts(
        control.control_id,
        control.ref,
        control.title,
        control.cadence,
        control.since,
        tuple(_proofs(control)),
        tuple(rules.Tried(t.tested_on, t.sample, t.failed, t.finding_ref) for t in tests),
        tuple(items),
        events,
        told,
    )


def _proofs(control: ControlFacts) -> list[PerformanceRecord]:
    """Accepted versions of what supports the control."""
    return [
        PerformanceRecord(
            v.period_from,
            v.period_to,
            v.collected_on,
            f"{p.ref} {p.title}, {covers(v.period_from, v.period_to)},",
            interval(p.cadence),
        )
        for p in control.proofs
        for v in p.versions
        if v.review == "accepted"
    ]


def _items(first: date, last: date, only: UUID | None) -> dict[UUID, list[rules.Item]]:
    """The items of samples whose population overlaps the period, by control; one statement."""
    query = (
        select(
            Population.control_id,
            Population.key,
            Population.period_from,
            Population.period_to,
            Sample.size,
            Sample.advised,
            SampleItem.number,
            SampleItem.item,
            SampleItem.dated,
            ItemResult.outcome,
            TestException.ref,
        )
        .select_from(Population)
        .join(Sample, Sample.population_id == Population.id)
        .join(SampleItem, SampleItem.sample_id == Sample.id)
        .outerjoin(ItemResult, and_(ItemResult.sample_item_id == SampleItem.id, _latest()))
        .outerjoin(TestException, TestException.sample_item_id == SampleItem.id)
        .where(Population.period_from <= last, Population.period_to >= first)
        .order_by(SampleItem.number)
    )
    found: dict[UUID, list[rules.Item]] = {}
    for (
        control_id,
        key,
        begins,
        ends,
        size,
        advised,
        number,
        name,
        day,
        outcome,
        ref,
    ) in session().execute(_of(query, only)):
        item = rules.Item(number, name, day, outcome, ref, (key, begins, ends), max(size, advised))
        found.setdefault(control_id, []).append(item)
    return found


def _latest() -> Any:
    """No later result stands in for this one."""
    later = aliased(ItemResult)
    return ~exists().where(
        later.sample_item_id == ItemResult.sample_item_id, later.number > ItemResult.number
    ).correlate(ItemResult)


def _events(first: date, last: date, only: UUID | None) -> dict[UUID, dict[date, int]]:
    """What frozen populations count by month; of those of one query and period the last one
    counts.
    """
    query = select(
        Population.control_id,
        Population.key,
        Population.period_from,
        Population.period_to,
        Population.by_month,
    ).where(
        Population.period_from <= last,
        Population.period_to >= first,
        Population.date_column.is_not(None),
    )
    newest = {
        (row[0], row[1], row[2], row[3]): row[4]
        for row in session().execute(_of(query, only).order_by(Population.created_at))
    }
    found: dict[UUID, dict[date, int]] = {}
    for (control_id, *_), counts in newest.items():
        held = found.setdefault(control_id, {})
        for month, count in counts.items():
            day = date.fromisoformat(month)
            held[day] = max(held.get(day, 0), count)
    return found


def _of(query: Any, control_id: UUID | None) -> Any:
    return query if control_id is None else query.where(Population.control_id == control_id)


# ---- beside the matrix


@dataclass(frozen=True, slots=True)
class Pending:
    """A version that waits for review.

    `size` is None for a link; `may_review`: whether the reader may.
    """

    piece: Piece
    held: JudgedVersion
    fresh: Freshness
    controls: Sequence[ControlFacts]
    size: int | None
    may_review: bool


@dataclass(frozen=True, slots=True)
class Inbox:
    """Those that have waited longest, how many there are, for how many days the oldest waits, and
    the one to begin with.
    """

    rows: Sequence[Pending]
    total: int
    oldest: int
    first: UUID | None


def inbox(facts: Sequence[ControlFacts], *, most: int) -> Inbox:
    """Of live evidence in scope, oldest first.

    It follows from the ledger that the matrix has read; one statement for the versions.
    """
    now, within, ledger = clock.now(), scope(), controls.ledger()
    waiting = sorted(
        (
            (held.known, piece.ref, piece, held)
            for piece in ledger.pieces.values()
            if piece.lives(now) and (within is None or within.holds_evidence(piece.id))
            for held in piece.held
            if held.stands(now) and held.at(now).review == "pending"
        ),
        key=lambda each: each[:2],
    )
    shown = [(piece, held) for *_, piece, held in waiting[:most]]
    supports: dict[UUID, list[ControlFacts]] = {}
    for control in facts:
        for proof in control.proofs:
            supports.setdefault(proof.evidence_id, []).append(control)
    sizes, reviewable = _sizes_and_reviewable([held.version_id for *_, held in waiting])
    return Inbox(
        [
            Pending(
                p,
                h,
                p.freshness(now),
                supports.get(p.id, ()),
                sizes.get(h.version_id),
                h.version_id in reviewable,
            )
            for p, h in shown
        ],
        len(waiting),
        (now - waiting[0][0]).days if waiting else 0,
        next((h.version_id for *_, h in waiting if h.version_id in reviewable), None),
    )


def _sizes_and_reviewable(ids: Collection[UUID]) -> tuple[dict[UUID, int | None], set[UUID]]:
    """(version → size, the versions that the acting person may review)."""
    if not ids:
        return {}, set()
    v = EvidenceVersion
    rows = (
        session()
        .execute(select(v.id, v.size, matching(evidence.REVIEW, v)).where(among(v.id, ids)))
        .all()
    )
    return {row[0]: row[1] for row in rows}, {row[0] for row in rows if row[2]}


# ---- one control


def control(control_id: UUID) -> Control:
    """The control, if it is in the acting person's scope."""
    held = scope()
    if held is not None and not held.holds(control_id):
        raise NotFound("There is no such control here.")
    return controls.find_control(control_id)


def line(control_id: UUID, period_from: date, period_to: date) -> rules.MatrixRow | None:
    """The matrix's row of one control; None when it was retired."""
    facts = controls.ledger(control_id).of(control_id, clock.now())
    return _rows([facts], period_from, period_to, only=control_id)[0] if facts else None


def missed(control_id: UUID) -> tuple[Cycle, ...]:
    """The missed cycles of a control for which no exception is recorded, of the last eighteen
    months; an auditor's, of his period.
    """
    held = line(control_id, *default_period(WIDEST))
    return held.untold if held is not None else ()


def exception_of_cycle(control_id: UUID, cycle: Cycle) -> TestException | None:
    e = TestException
    query = select(e).where(
        e.control_id == control_id, e.missed_from == cycle.first, e.missed_to == cycle.last
    )
    return session().scalars(query).one_or_none()


@dataclass(frozen=True, slots=True)
class Frozen:
    """A population with what its page says: whether the same query gave the same rows when it was
    run before.
    """

    population: Population
    samples: int
    again: str  # "", "same" or "other"


def populations(control_id: UUID) -> list[Frozen]:
    """Newest first; two statements."""
    rows = (
        session()
        .scalars(
            select(Population)
            .where(Population.control_id == control_id)
            .order_by(Population.created_at, Population.id)
        )
        .all()
    )
    counted = (
        select(Sample.population_id, func.count())
        .join(Population, Population.id == Sample.population_id)
        .where(Population.control_id == control_id)
        .group_by(Sample.population_id)
    )
    counts = {row[0]: row[1] for row in session().execute(counted)}
    seen: dict[tuple[str, date, date], str] = {}
    found = []
    for row in rows:
        before = seen.get(which := (row.key, row.period_from, row.period_to))
        found.append(
            Frozen(
                row,
                counts.get(row.id, 0),
                "" if before is None else "same" if before == row.sha256 else "other",
            )
        )
        seen[which] = row.sha256
    return found[::-1]


def population(population_id: UUID, *, whole: bool = False) -> Population:
    """With `whole` its rows are read too, in the same statement."""
    query = select(Population).where(Population.id == population_id)
    found = (
        session().scalars(query.options(undefer(Population.rows)) if whole else query).one_or_none()
    )
    if found is None:
        raise NotFound("There is no such population here.")
    control(found.control_id)
    return found


def is_as_frozen(held: Population) -> bool:
    """Whether the rows still have the hash that was taken when they were frozen."""
    return len(held.rows) == held.row_count and digest(held.rows) == held.sha256


def offered(control_ref: str) -> list[tuple[str, str]]:
    """(key, title) of the collectors whose population serves the control."""
    return [(c.key, c.title) for c in COLLECTORS.values() if control_ref in c.controls]


def versions_of(control_id: UUID, first: date, last: date) -> list[dict[str, Any]]:
    """The accepted versions of a control's evidence that end in the period: the population of what
    has no other.

    One whose file was destroyed, is missing or was altered is no proof any more, and no item.
    """
    query = (
        select(
            Evidence.ref,
            EvidenceVersion.number,
            Evidence.title,
            EvidenceVersion.period_from,
            EvidenceVersion.period_to,
            EvidenceVersion.sha256,
            EvidenceVersion.url,
            EvidenceReview.reviewed_at,
        )
        .join(EvidenceVersion, EvidenceVersion.evidence_id == Evidence.id)
        .join(EvidenceReview, EvidenceReview.version_id == EvidenceVersion.id)
        .join(EvidenceLink, EvidenceLink.evidence_id == Evidence.id)
        .where(
            EvidenceLink.control_id == control_id,
            EvidenceLink.removed_at.is_(None),
            EvidenceReview.decision == "accepted",
            sound(),
            EvidenceVersion.period_to >= first,
            EvidenceVersion.period_to <= last,
        )
        .order_by(EvidenceVersion.period_to, Evidence.ref, EvidenceVersion.number)
    )
    return [
        {
            "id": f"{r.ref} version {r.number}",
            "covers to": r.period_to.isoformat(),
            "covers from": r.period_from.isoformat(),
            "evidence": r.title,
            "sha256 or address": r.sha256 or r.url,
            "accepted": r.reviewed_at.date().isoformat(),
        }
        for r in session().execute(query)
    ]


# ---- samples


@dataclass(frozen=True, slots=True)
class SampleProgress:
    """A sample with its population and control, and how far it is."""

    sample: Sample
    population: Population
    control: Control
    tested: int
    failed: int

    @property
    def is_done(self) -> bool:
        return self.tested == self.sample.size

    @property
    def says(self) -> str:
        if not self.tested:
            return f"none of {self.sample.size} tested"
        if self.failed:
            return f"{self.failed} of {self.tested} failed"
        return (
            f"all {self.sample.size} passed"
            if self.is_done
            else f"{self.tested} of {self.sample.size} tested"
        )


def samples(
    control_id: UUID | None = None, *, since: date | None = None, until: date | None = None
) -> list[SampleProgress]:
    """Samples with how far they are, newest first; one statement."""
    tally = (
        select(
            SampleItem.sample_id,
            func.count().label("tested"),
            func.count().filter(ItemResult.outcome == "failed").label("failed"),
        )
        .select_from(SampleItem)
        .join(ItemResult, ItemResult.sample_item_id == SampleItem.id)
        .where(_latest())
        .group_by(SampleItem.sample_id)
        .subquery()
    )
    query = (
        select(
            Sample,
            Population,
            Control,
            func.coalesce(tally.c.tested, 0),
            func.coalesce(tally.c.failed, 0),
        )
        .select_from(Sample)
        .join(Population, Population.id == Sample.population_id)
        .join(Control, Control.id == Population.control_id)
        .outerjoin(tally, tally.c.sample_id == Sample.id)
        .order_by(Sample.created_at.desc(), Sample.id)
    )
    if control_id is not None:
        query = query.where(Population.control_id == control_id)
    if since is not None:
        query = query.where(Population.period_to >= since)
    if until is not None:
        query = query.where(Population.period_from <= until)
    keeps = _keeper()
    return [SampleProgress(*row) for row in session().execute(query) if keeps(row[2].id)]


def _keeper() -> Callable[[UUID], bool]:
    """Which controls the acting person may see; the scope is asked for once."""
    held = scope()
    return held.holds if held is not None else lambda _control_id: True


def sample(sample_id: UUID) -> tuple[Sample, Population, Control]:
    held = find(Sample, sample_id, what="sample")
    of = population(held.population_id)
    return held, of, control(of.control_id)


def sample_of(population_id: UUID, seed: str, size: int) -> Sample | None:
    query = select(Sample).where(
        Sample.population_id == population_id, Sample.seed == seed, Sample.size == size
    )
    return session().scalars(query).one_or_none()


@dataclass(frozen=True, slots=True)
class ItemView:
    item: SampleItem
    result: ItemResult | None
    exception: TestException | None


def items(sample_id: UUID) -> list[ItemView]:
    """Every drawn item in the order of the draw, with its latest result and its exception; one
    statement.
    """
    query = (
        select(SampleItem, ItemResult, TestException)
        .select_from(SampleItem)
        .outerjoin(ItemResult, and_(ItemResult.sample_item_id == SampleItem.id, _latest()))
        .outerjoin(TestException, TestException.sample_item_id == SampleItem.id)
        .where(SampleItem.sample_id == sample_id)
        .order_by(SampleItem.number)
    )
    return [ItemView(*row) for row in session().execute(query)]


def telling(
    facts: Sequence[ControlFacts], first: date, last: date
) -> tuple[SampleProgress, Sequence[ItemView]] | None:
    """The newest sample of the period with an item that failed, otherwise the newest one; with its
    items. Of these controls.
    """
    ids = [c.control_id for c in facts]
    query = (
        select(Sample, Population, Control)
        .select_from(Sample)
        .join(Population, Population.id == Sample.population_id)
        .join(Control, Control.id == Population.control_id)
        .where(Population.period_to >= first, Population.period_from <= last, Control.id.in_(ids))
        .order_by(Sample.created_at.desc(), Sample.id)
        .limit(1)
    )
    failed = (
        select(SampleItem.sample_id)
        .join(TestException, TestException.sample_item_id == SampleItem.id)
        .join(ItemResult, ItemResult.sample_item_id == SampleItem.id)
        .where(ItemResult.outcome == "failed", _latest())
    )
    row = (
        session().execute(query.where(Sample.id.in_(failed))).one_or_none()
        or session().execute(query).one_or_none()
    )
    if row is None:
        return None
    drawn = items(row[0].id)
    results = [view.result.outcome for view in drawn if view.result is not None]
    return SampleProgress(row[0], row[1], row[2], len(results), results.count("failed")), drawn


def item(item_id: UUID) -> SampleItem:
    held = find(SampleItem, item_id, what="item")
    sample(held.sample_id)
    return held


def results(item_id: UUID) -> Sequence[ItemResult]:
    """All results of an item, newest first: the first one counts."""
    query = select(ItemResult).where(ItemResult.sample_item_id == item_id)
    return session().scalars(query.order_by(ItemResult.number.desc())).all()


def version_choices(control_id: UUID) -> list[tuple[UUID, str]]:
    """(version id, words) of what supports the control, newest first: what a result may point
    at.
    """
    query = (
        select(EvidenceVersion.id, Evidence.ref, EvidenceVersion.number, Evidence.title)
        .join(Evidence, Evidence.id == EvidenceVersion.evidence_id)
        .join(EvidenceLink, EvidenceLink.evidence_id == Evidence.id)
        .where(EvidenceLink.control_id == control_id, EvidenceLink.removed_at.is_(None), sound())
        .order_by(EvidenceVersion.period_to.desc(), Evidence.ref)
        .limit(SHOWN)
    )
    return [(r.id, f"{r.ref} version {r.number}, {r.title}") for r in session().execute(query)]


# ---- exceptions, findings, retests


@dataclass(frozen=True, slots=True)
class Case:
    """An exception with all that came of it.

    One of a missed cycle has no item and no sample.

    `state`: closed, fixed, in repair; set aside when a later result let the item pass; answered,
    open.
    """

    exception: TestException
    control: Control
    item: SampleItem | None
    sample: Sample | None
    finding: Finding | None
    result: ItemResult | None
    state: str

    @property
    def what(self) -> str:
        """What did not hold: the item by its name, or the cycle: Q3 2026."""
        if self.item is not None:
            return self.item.item
        first, last = self.exception.missed_from, self.exception.missed_to
        return covers(first, last) if first and last else ""

    @property
    def kind(self) -> str:
        return {
            "closed": "ok",
            "fixed": "info",
            "in repair": "due",
            "answered": "due",
            "set aside": "none",
        }.get(self.state, "bad")

    @property
    def word(self) -> str:
        return {"closed": "Closed, retest passed", "fixed": "Fixed, awaiting retest"}.get(
            self.state, self.state.capitalize()
        )


SETTLED, RAISED = (
    ("closed", "set aside"),
    ("closed", "fixed", "in repair"),
)  # no longer open; became a finding


def _state() -> Any:
    return whichever(
        (Finding.closed_at.is_not(None), "closed"),
        (Finding.remedied_at.is_not(None), "fixed"),
        (Finding.id.is_not(None), "in repair"),
        (ItemResult.outcome == "passed", "set aside"),
        (TestException.response != "", "answered"),
        else_="open",
    )


def _cases() -> Any:
    """Every case that the acting person may see."""
    return _joined(TestException, Control, SampleItem, Sample, Finding, ItemResult, _state())


def _joined(*columns: Any) -> Any:
    query = (
        select(*columns)
        .select_from(TestException)
        .join(Control, Control.id == TestException.control_id)
        .outerjoin(SampleItem, SampleItem.id == TestException.sample_item_id)
        .outerjoin(Sample, Sample.id == SampleItem.sample_id)
        .outerjoin(Finding, Finding.exception_id == TestException.id)
        .outerjoin(ItemResult, and_(ItemResult.sample_item_id == SampleItem.id, _latest()))
    )
    held = scope()
    return (
        query
        if held is None or held.controls is None
        else query.where(TestException.control_id.in_(held.controls))
    )


def exceptions(
    since: date | None = None, until: date | None = None, *, control_id: UUID | None = None
) -> list[Case]:
    """All exceptions found between two days, newest first; one statement."""
    query = _cases()
    if since is not None:
        query = query.where(TestException.created_at >= since)
    if until is not None:
        query = query.where(TestException.created_at < until + timedelta(days=1))
    if control_id is not None:
        query = query.where(TestException.control_id == control_id)
    return [
        Case(*row)
        for row in session().execute(
            query.order_by(TestException.created_at.desc(), TestException.id)
        )
    ]


def exceptions_page(
    state: str = "", *, newest_first: bool = True, after: str | None = None, size: int = 50
) -> Keyset:
    """Cases (of one state) by the day they were found, a page at a time."""
    query = _cases().where(_state() == state) if state else _cases()
    found = keyset(
        query,
        TestException.created_at,
        TestException.id,
        after=after,
        size=size,
        descending=newest_first,
    )
    return replace(found, rows=[Case(*row) for row in found.rows])


def exceptions_by_state() -> dict[str, int]:
    """How many there are of each state."""
    return {
        row[0]: row[1]
        for row in session().execute(
            _joined(_state().label("state"), func.count()).group_by("state")
        )
    }


def case(exception_id: UUID) -> Case:
    row = session().execute(_cases().where(TestException.id == exception_id)).one_or_none()
    if row is None:
        raise NotFound("There is no such exception here.")
    return Case(*row)


def exception(exception_id: UUID, *, lock: bool = False) -> TestException:
    held = find(TestException, exception_id, what="exception", lock=lock)
    control(held.control_id)
    return held


def finding(finding_id: UUID, *, lock: bool = False) -> tuple[Finding, TestException]:
    held = find(Finding, finding_id, what="finding", lock=lock)
    return held, exception(held.exception_id)


def open_refs(sample_id: UUID) -> set[str]:
    """The exceptions of a sample that are neither closed by a retest nor set aside: while there is
    one, the control fails.
    """
    cases = [Case(*row) for row in session().execute(_cases().where(Sample.id == sample_id))]
    return {each.exception.ref for each in cases if each.state not in SETTLED}


def sample_id_of(held: TestException) -> UUID | None:
    return session().scalar(
        select(SampleItem.sample_id).where(SampleItem.id == held.sample_item_id)
    )


def exception_of_item(item_id: UUID) -> TestException | None:
    return (
        session()
        .scalars(select(TestException).where(TestException.sample_item_id == item_id))
        .one_or_none()
    )


def finding_of(exception_id: UUID) -> Finding | None:
    return (
        session().scalars(select(Finding).where(Finding.exception_id == exception_id)).one_or_none()
    )


def retests(finding_id: UUID) -> Sequence[Retest]:
    return (
        session()
        .scalars(
            select(Retest)
            .where(Retest.finding_id == finding_id)
            .order_by(Retest.created_at.desc(), Retest.id)
        )
        .all()
    )


def findings(as_of: datetime | None = None) -> list[Case]:
    """All cases that became findings, open ones first, by the day that they are due; with `as_of`
    those open at that moment.
    """
    query = _cases().where(Finding.id.is_not(None))
    if as_of is not None:
        query = query.where(
            Finding.created_at <= as_of, or_(Finding.closed_at.is_(None), Finding.closed_at > as_of)
        )
    return [Case(*row) for row in session().execute(query.order_by(*_urgency()))]


def findings_page(
    wanted: Mapping[str, str], *, sort: str = "urgency", after: str | None = None, size: int = 50
) -> Keyset:
    """A page of the cases that became findings.

    `wanted` holds the filters: q, state, owner (a person's id).
    """
    query = _cases().where(Finding.id.is_not(None))
    for word in wanted.get("q", "").split():
        query = query.where(
            func.concat_ws(
                " ", Finding.ref, Finding.title, Control.ref, TestException.ref
            ).icontains(word, autoescape=True)
        )
    if "state" in wanted:
        query = query.where(_state() == wanted["state"])
    if "owner" in wanted:
        query = query.where(cast(Finding.owner_id, String) == wanted["owner"])
    columns = {"finding": (Finding.ref,), "due": (Finding.due_on, Finding.ref)}.get(
        sort.removeprefix("-"), _urgency()
    )
    found = keyset(query, *columns, after=after, size=size, descending=sort.startswith("-"))
    return replace(found, rows=[Case(*row) for row in found.rows])


def finding_owners() -> Sequence[UUID]:
    """Who owns a finding that the acting person may see."""
    return (
        session().scalars(_joined(Finding.owner_id).where(Finding.id.is_not(None)).distinct()).all()
    )


def _urgency() -> tuple[Any, ...]:
    return whichever((Finding.closed_at.is_(None), 0), else_=1), Finding.due_on, Finding.ref
