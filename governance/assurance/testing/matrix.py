"""Compute the Type II matrix: a row for each control, a cell for each month. Pure.

A cell shows the worst of its month: exception, missed, tested, performed, due, none.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from governance.assurance.testing.matrix_facts import (
    FREQUENT_CADENCES,
    ControlTestFacts,
    Kind,
    MatrixCell,
    MatrixFacts,
    MatrixRow,
    MonthFacts,
    SampledItem,
    event_count,
    recorded_exception,
)
from governance.assurance.testing.matrix_sentences import cell_sentences
from governance.assurance.testing.occurrences import (
    CycleState,
    PerformanceRecord,
    cycle_states,
    is_per_event,
    missed_cycles,
    month_of,
    months,
)
from governance.assurance.testing.sampling import SampleSizes, advise_size
from governance.kernel.formatting import long_day


def matrix_row(
    control: MatrixFacts, first: date, last: date, *, today: date, table: SampleSizes
) -> MatrixRow:
    """Return the row of one control for a period of whole months."""
    tests = tuple(t for t in control.tests if first <= t.day <= last)
    proofs = (
        *control.proofs,
        *(
            PerformanceRecord(t.day, t.day, t.day, f"the test on {long_day(t.day)}", 1)
            for t in tests
            if t.failed < t.sample
        ),
    )
    stands = cycle_states(control.cadence, first, last, proofs, today=today, since=control.since)
    month_facts = {month: MonthFacts() for month in months(first, last)}
    for each in stands:
        month_facts[each.cycle.month].stands.append(each)
    for test in tests:
        month_facts[_month_of_test(test.day, stands)].tests.append(test)
    items = _without_duplicates(control.items)
    for item in items:
        if item.day is not None and month_of(item.day) in month_facts:
            month_facts[month_of(item.day)].items.append(item)
    if is_per_event(control.cadence):
        _note_coverage(month_facts, control.proofs)
    cells = tuple(_cell(control, month, each, today) for month, each in month_facts.items())
    tested, expected = _progress(control, items, tests, stands, cells, table)
    over = [s for s in stands if s.state != "due"]
    return MatrixRow(
        control.control_id,
        control.ref,
        control.title,
        control.cadence,
        cells,
        tested,
        expected,
        on_file=sum(s.state == "performed" for s in over),
        due=len(over),
        lacks=tuple(c.says for c in missed_cycles(stands)),
        exceptions=tuple(
            sorted(
                {
                    ref
                    for ref in (
                        *_exception_refs(tests, control.items),
                        *(recorded_exception(control, s) for s in stands),
                    )
                    if ref
                }
            )
        ),
    )


# ---- one cell


def _cell(control: MatrixFacts, month: date, month_facts: MonthFacts, today: date) -> MatrixCell:
    failed = [i for i in month_facts.items if i.outcome == "failed"]
    done = [i for i in month_facts.items if i.outcome is not None]
    bad = [t for t in month_facts.tests if t.failed]
    lost = [s for s in month_facts.stands if s.state in {"missed", "late"}]
    unrecorded = tuple(s.cycle for s in lost if not recorded_exception(control, s))
    performed = [s for s in month_facts.stands if s.state == "performed"]
    events = event_count(control, month, month_facts)
    kind: Kind
    if failed or bad or len(unrecorded) < len(lost):
        kind = "exception"
    elif lost:
        kind = "missed"
    elif (done or month_facts.tests) and (performed or events or done):
        kind = "tested"
    elif performed or events:
        kind = "performed"
    elif month_facts.stands and (
        control.cadence not in FREQUENT_CADENCES or month_of(today) >= month
    ):
        kind = "due"
    else:
        kind = "none"
    count = (
        events if is_per_event(control.cadence) else len(lost if kind == "missed" else performed)
    )
    shown = (
        count
        if count and (is_per_event(control.cadence) or control.cadence in FREQUENT_CADENCES)
        else None
    )
    return MatrixCell(
        month, kind, shown, " ".join(cell_sentences(control, month, month_facts, today)), unrecorded
    )


# ---- the whole line


def _note_coverage(
    month_facts: Mapping[date, MonthFacts], proofs: Iterable[PerformanceRecord]
) -> None:
    """Add to each month the evidence that covers it, and count the evidence that ends in it."""
    for proof in proofs:
        for month, each in month_facts.items():
            if month_of(proof.first) <= month <= proof.last:
                each.covered.append(proof)
        if month_of(proof.last) in month_facts:
            month_facts[month_of(proof.last)].ended += 1


def _month_of_test(day: date, stands: Sequence[CycleState]) -> date:
    """Return the month that shows a test: the month of the cycle that contains its day."""
    inside = next((s.cycle for s in stands if s.cycle.first <= day <= s.cycle.last), None)
    return inside.month if inside is not None else month_of(day)


def _progress(
    control: MatrixFacts,
    items: Sequence[SampledItem],
    tests: Sequence[ControlTestFacts],
    stands: Sequence[CycleState],
    cells: Sequence[MatrixCell],
    table: SampleSizes,
) -> tuple[int, int]:
    """Return (tested, to be tested), by the sampled lists or, without samples, by the size table."""
    if items:
        done, drawn = (
            Counter(i.of for i in items if i.outcome is not None),
            Counter(i.of for i in items),
        )
        asked = {i.of: i.asked or drawn[i.of] for i in items}
        return sum(min(done[of], n) for of, n in asked.items()), sum(asked.values())
    if is_per_event(control.cadence):
        expected = advise_size(table, control.cadence, sum(c.count or 0 for c in cells)).size
    else:
        expected = advise_size(table, control.cadence, len(stands)).size
    if is_per_event(control.cadence) or control.cadence in FREQUENT_CADENCES:
        return min(expected, max((t.sample for t in tests), default=0)), expected
    return min(expected, len({_month_of_test(t.day, stands) for t in tests})), expected


def _without_duplicates(items: Iterable[SampledItem]) -> list[SampledItem]:
    """Return each item of a list once, even if several samples drew it.

    Failed takes precedence over passed, and passed over untested.
    """
    order = {"failed": 0, "passed": 1, None: 2}
    found: dict[tuple[object, str], SampledItem] = {}
    asked: dict[object, int] = defaultdict(int)
    for item in items:
        asked[item.of] = max(asked[item.of], item.asked)
        before = found.get(which := (item.of, item.name))
        if before is not None and before.outcome == item.outcome == "failed":
            found[which] = replace(
                before, ref=" and ".join(ref for ref in (before.ref, item.ref) if ref)
            )
        elif before is None or order[item.outcome] < order[before.outcome]:
            found[which] = item
    return [replace(item, asked=asked[item.of]) for item in found.values()]


def _exception_refs(
    tests: Iterable[ControlTestFacts], items: Iterable[SampledItem]
) -> Iterable[str | None]:
    yield from (t.ref for t in tests if t.failed)
    yield from (i.ref for i in items if i.outcome == "failed")


def by_month(days: Iterable[date]) -> dict[date, int]:
    """Count the days by the first day of their month."""
    counted: dict[date, int] = defaultdict(int)
    for day in days:
        counted[month_of(day)] += 1
    return dict(counted)
