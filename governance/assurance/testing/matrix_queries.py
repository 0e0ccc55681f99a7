"""Queries for the Type II matrix, in a fixed number of statements."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Date, Select, and_, bindparam, select

from governance.assurance.controls import control_ledger
from governance.assurance.controls import queries as controls
from governance.assurance.controls.status import ControlFacts
from governance.assurance.evidence.freshness import max_age_days
from governance.assurance.evidence.period_labels import period_label
from governance.assurance.frameworks import queries as frameworks
from governance.assurance.testing import matrix as matrix_rules
from governance.assurance.testing import matrix_facts
from governance.assurance.testing.control_scope import scope_filter
from governance.assurance.testing.models import (
    ItemResult,
    Population,
    Sample,
    SampleItem,
    TestException,
)
from governance.assurance.testing.occurrences import Cycle, PerformanceRecord, month_of
from governance.assurance.testing.occurrences import months as columns
from governance.assurance.testing.sample_queries import (
    is_latest_result,
    sample_sizes,
)
from governance.assurance.testing.work_in_progress import CurrentEngagement
from governance.kernel import clock
from governance.kernel.data.selects import Selected, one_of
from governance.kernel.safety.visibility_scope import scope

MONTHS_A_YEAR = 12
MAX_MONTHS = 18  # Columns of the matrix.
FIRST, LAST = bindparam("period_from", type_=Date()), bindparam("period_to", type_=Date())
type Some = Selected[tuple[Any, ...]]


def default_period(
    months: int | None = None, *, engaged: CurrentEngagement | None = None
) -> tuple[date, date]:
    """Return the period that the matrix shows, in whole months.

    The period is the last `months` months, including the current one. Without `months`, it is the
    engagement's period if that fits into MAX_MONTHS, else twelve months. An auditor always sees the
    period of their engagement.
    """
    auditor_scope = scope()
    if (
        auditor_scope is not None
        and auditor_scope.period_from <= auditor_scope.period_to < date.max
    ):
        return _whole_months(auditor_scope.period_from, auditor_scope.period_to)
    if months is None and engaged is not None:
        first, last = _whole_months(engaged.period_from, engaged.period_to)
        if len(columns(first, last)) <= MAX_MONTHS:
            return first, last
    today = clock.today()
    number = today.year * MONTHS_A_YEAR + today.month - (months or MONTHS_A_YEAR)
    return date(number // MONTHS_A_YEAR, number % MONTHS_A_YEAR + 1, 1), _end_of_month(today)


def _whole_months(first: date, last: date) -> tuple[date, date]:
    return month_of(first), _end_of_month(last)


def _end_of_month(day: date) -> date:
    return date(
        day.year + day.month // MONTHS_A_YEAR, day.month % MONTHS_A_YEAR + 1, 1
    ) - timedelta(days=1)


def controls_in_scope() -> list[ControlFacts]:
    """Return the live controls in scope, by ref, in at most two statements."""
    keeps = scope_filter()
    return [c for c in controls.posture() if keeps(c.control_id)]


def matrix(
    period_from: date,
    period_to: date,
    framework: str | None = None,
    *,
    facts: Sequence[ControlFacts] | None = None,
) -> list[matrix_facts.MatrixRow]:
    """Return a row for each live control in scope, by ref; of one framework, if given.

    Runs at most seven statements.
    """
    requirement_ids = _requirement_ids(framework) if framework else None
    return _rows(
        [
            c
            for c in (controls_in_scope() if facts is None else facts)
            if _is_mapped_to(c, requirement_ids)
        ],
        period_from,
        period_to,
    )


def _is_mapped_to(control: ControlFacts, requirement_ids: Collection[UUID] | None) -> bool:
    return requirement_ids is None or any(
        requirement in requirement_ids for requirement, _ in control.mappings
    )


def _requirement_ids(key: str) -> frozenset[UUID]:
    return frozenset(node.id for node in frameworks.requirements(frameworks.framework(key).id))


def _rows(
    facts: Sequence[ControlFacts], first: date, last: date, *, only: UUID | None = None
) -> list[matrix_facts.MatrixRow]:
    items, events, sizes, today = (
        _sampled_items(first, last, only),
        _event_counts(first, last, only),
        sample_sizes(),
        clock.today(),
    )
    recorded = _recorded_missed_cycles(first, last, only)
    return [
        matrix_rules.matrix_row(
            _matrix_facts(
                c,
                items.get(c.control_id, ()),
                events.get(c.control_id),
                recorded.get(c.control_id, {}),
            ),
            first,
            last,
            today=today,
            table=sizes,
        )
        for c in facts
    ]


def _recorded_missed_cycles(
    first: date, last: date, only: UUID | None
) -> dict[UUID, dict[tuple[date, date], str]]:
    """Return the exceptions of missed cycles that end in the period, by control.

    Runs one statement.
    """
    found: dict[UUID, dict[tuple[date, date], str]] = {}
    for control_id, begins, ends, ref in _read(MISSED, first, last, only):
        found.setdefault(control_id, {})[begins, ends] = ref
    return found


def _matrix_facts(
    control: ControlFacts,
    items: Sequence[matrix_facts.SampledItem],
    events: Mapping[date, int] | None,
    recorded: Mapping[tuple[date, date], str],
) -> matrix_facts.MatrixFacts:
    """Collect the facts of one control. A test based on a sample counts through its items."""
    tests = (t for t in control.tests if t.of is None)
    return matrix_facts.MatrixFacts(
        control.control_id,
        control.ref,
        control.title,
        control.cadence,
        control.since,
        tuple(_performance_records(control)),
        tuple(
            matrix_facts.ControlTestFacts(t.tested_on, t.sample, t.failed, t.finding_ref)
            for t in tests
        ),
        tuple(items),
        events,
        recorded,
    )


def _performance_records(control: ControlFacts) -> list[PerformanceRecord]:
    """Return the accepted versions of the evidence that supports the control."""
    return [
        PerformanceRecord(
            v.period_from,
            v.period_to,
            v.collected_on,
            f"{p.ref} {p.title} ({period_label(v.period_from, v.period_to)})",
            max_age_days(p.cadence),
        )
        for p in control.proofs
        for v in p.versions
        if v.review == "accepted"
    ]


def _sampled_items(
    first: date, last: date, only: UUID | None
) -> dict[UUID, list[matrix_facts.SampledItem]]:
    """Return items of samples whose population overlaps the period, by control.

    Runs one statement.
    """
    found: dict[UUID, list[matrix_facts.SampledItem]] = {}
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
    ) in _read(SAMPLED, first, last, only):
        item = matrix_facts.SampledItem(
            number, name, day, outcome, ref, (key, begins, ends), max(size, advised)
        )
        found.setdefault(control_id, []).append(item)
    return found


def _event_counts(first: date, last: date, only: UUID | None) -> dict[UUID, dict[date, int]]:
    """Count the rows of frozen populations by control and month.

    Only the newest of equal populations counts.
    """
    newest = {row[:4]: row[4] for row in _read(COUNTS, first, last, only)}
    found: dict[UUID, dict[date, int]] = {}
    for (control_id, *_), counts in newest.items():
        per_month = found.setdefault(control_id, {})
        for month, count in counts.items():
            day = date.fromisoformat(month)
            per_month[day] = max(per_month.get(day, 0), count)
    return found


# ---- the rows of a period: of all controls, and of one


def _of_all_and_one(
    build: Callable[[], Select[*tuple[Any, ...]]], control_id: Any
) -> tuple[Some, Some]:
    return Selected(build), Selected(lambda: build().where(one_of(control_id, "control_ids")))


def _select_missed() -> Select[*tuple[Any, ...]]:
    e = TestException
    query = select(e.control_id, e.missed_from, e.missed_to, e.ref)
    return query.where(e.missed_to >= FIRST, e.missed_to <= LAST)


def _select_sampled() -> Select[*tuple[Any, ...]]:
    p = Population
    return (
        select(
            p.control_id,
            p.key,
            p.period_from,
            p.period_to,
            Sample.size,
            Sample.advised,
            SampleItem.number,
            SampleItem.item,
            SampleItem.dated,
            ItemResult.outcome,
            TestException.ref,
        )
        .select_from(p)
        .join(Sample, Sample.population_id == p.id)
        .join(SampleItem, SampleItem.sample_id == Sample.id)
        .outerjoin(ItemResult, and_(ItemResult.sample_item_id == SampleItem.id, is_latest_result()))
        .outerjoin(TestException, TestException.sample_item_id == SampleItem.id)
        .where(p.period_from <= LAST, p.period_to >= FIRST)
        .order_by(SampleItem.number)
    )


def _select_counts() -> Select[*tuple[Any, ...]]:
    p = Population
    return (
        select(p.control_id, p.key, p.period_from, p.period_to, p.by_month)
        .where(p.period_from <= LAST, p.period_to >= FIRST, p.date_column.is_not(None))
        .order_by(p.created_at)
    )


MISSED = _of_all_and_one(_select_missed, TestException.control_id)
SAMPLED = _of_all_and_one(_select_sampled, Population.control_id)
COUNTS = _of_all_and_one(_select_counts, Population.control_id)


def _read(
    rows: tuple[Some, Some], first: date, last: date, only: UUID | None
) -> list[tuple[Any, ...]]:
    of_all, of_one = rows
    if only is None:
        return of_all.read(period_from=first, period_to=last)
    return of_one.read(period_from=first, period_to=last, control_ids=(only,))


def control_row(
    control_id: UUID, period_from: date, period_to: date
) -> matrix_facts.MatrixRow | None:
    """Return the matrix row of one control, or None if it is retired."""
    facts = control_ledger.ledger(control_id).of(control_id, clock.now())
    return _rows([facts], period_from, period_to, only=control_id)[0] if facts else None


def unrecorded_missed_cycles(control_id: UUID) -> tuple[Cycle, ...]:
    """Return a control's missed cycles that have no exception.

    Covers the last MAX_MONTHS months, or the period of an auditor's engagement.
    """
    row = control_row(control_id, *default_period(MAX_MONTHS))
    return row.unrecorded if row is not None else ()
