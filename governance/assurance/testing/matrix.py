"""Control by month: what is on file, what was tested, what is missing, each cell with the sentence
that explains it. Pure.

    row(control, first, last, …)     one control's line: a cell a month, and how much of the sample
                                     is tested
    headline(rows)                   "102 of 104 expected occurrences are on file. SEC-04 lacks Q3."

The worst of a month stands in its cell: exception, missed, tested, performed, due, none.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal
from uuid import UUID

from governance.assurance.testing.occurrences import (
    Cycle,
    PerformanceRecord,
    Stand,
    gaps,
    is_per_event,
    month_of,
    months,
    stand,
)
from governance.assurance.testing.sampling import SampleSizes, advised
from governance.kernel.formatting import long_day, plural, thousands

type Kind = Literal["tested", "performed", "exception", "missed", "due", "none"]

KINDS: tuple[Kind, ...] = ("tested", "performed", "exception", "missed", "due", "none")
MANY = ("daily", "weekly")  # a test of these tries items; of the rarer ones it tries occurrences
NAMED = 3


@dataclass(frozen=True, slots=True)
class Tried:
    """A test of the control on a day: how many items, how many of them failed, and the exception
    that it led to.
    """

    day: date
    sample: int
    failed: int
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """An item of a sample.

    `outcome` is that of its latest result; None: not tested yet. `ref` names its exception.

    `of` is the list that it was drawn from, whenever that was frozen; `asked` how many the rule, or
    a larger sample, wants of it.
    """

    number: int
    name: str
    day: date | None
    outcome: Literal["passed", "failed"] | None
    ref: str | None = None
    of: tuple[str, date, date] | None = None
    asked: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """A control with all that its line follows from.

    `events` counts the population's rows by the first of their month.

    `told` names the exceptions that were recorded for missed cycles, by the cycle's first and last
    day.
    """

    control_id: UUID
    ref: str
    title: str
    cadence: str
    since: date
    proofs: tuple[PerformanceRecord, ...] = ()
    tests: tuple[Tried, ...] = ()
    items: tuple[Item, ...] = ()
    events: Mapping[date, int] | None = None
    told: Mapping[tuple[date, date], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cell:
    """One month of a control. `count` is None where a number says nothing that the mark does not.

    `untold` are the missed cycles without an exception.
    """

    month: date
    kind: Kind
    count: int | None
    why: str
    untold: tuple[Cycle, ...] = ()


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """`on_file` of `due` occurrences that were due by now; `lacks` are the missed cycles; `tested`
    of `expected` items.

    An item that several samples of one list drew counts once, and so does the list: it wants as
    many as the largest of them.
    """

    control_id: UUID
    ref: str
    title: str
    cadence: str
    months: tuple[Cell, ...]
    tested: int
    expected: int
    on_file: int
    due: int
    lacks: tuple[str, ...] = ()
    exceptions: tuple[str, ...] = ()

    @property
    def untold(self) -> tuple[Cycle, ...]:
        """Missed cycles without an exception, oldest first."""
        return tuple(cycle for cell in self.months for cycle in cell.untold)


@dataclass(slots=True)
class _Month:
    """What falls into one month."""

    stands: list[Stand] = field(default_factory=list)
    tests: list[Tried] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)
    ended: int = 0
    covered: list[PerformanceRecord] = field(default_factory=list)


def row(control: Facts, first: date, last: date, *, today: date, table: SampleSizes) -> MatrixRow:
    """The line of one control for a period that begins and ends with a month."""
    tests = tuple(t for t in control.tests if first <= t.day <= last)
    proofs = (
        *control.proofs,
        *(
            PerformanceRecord(t.day, t.day, t.day, f"the test of {long_day(t.day)}", 1)
            for t in tests
            if t.failed < t.sample
        ),
    )
    stands = stand(control.cadence, first, last, proofs, today=today, since=control.since)
    held = {month: _Month() for month in months(first, last)}
    for each in stands:
        held[each.cycle.month].stands.append(each)
    for test in tests:
        held[_column(test.day, stands)].tests.append(test)
    items = _once(control.items)
    for item in items:
        if item.day is not None and month_of(item.day) in held:
            held[month_of(item.day)].items.append(item)
    if is_per_event(control.cadence):
        _cover(held, control.proofs)
    cells = tuple(_cell(control, month, each, today) for month, each in held.items())
    tried, wanted = _progress(control, items, tests, stands, cells, table)
    over = [s for s in stands if s.state != "due"]
    return MatrixRow(
        control.control_id,
        control.ref,
        control.title,
        control.cadence,
        cells,
        tried,
        wanted,
        on_file=sum(s.state == "performed" for s in over),
        due=len(over),
        lacks=tuple(c.says for c in gaps(stands)),
        exceptions=tuple(
            sorted(
                {
                    ref
                    for ref in (*_refs(tests, control.items), *(_told(control, s) for s in stands))
                    if ref
                }
            )
        ),
    )


def headline(rows: Sequence[MatrixRow]) -> str:
    """What the page says first: how many of the expected occurrences are on file, and which are
    not.
    """
    due, there = sum(r.due for r in rows), sum(r.on_file for r in rows)
    if not due:
        return "No occurrence was expected in this period yet."
    verb = "is" if there == 1 else "are"
    lacking = [(r.ref, r.lacks) for r in rows if r.lacks]
    says = f"{thousands(there)} of {thousands(due)} expected occurrences {verb} on file."
    if not lacking:
        return f"{says} Nothing is missing."
    first, *others = [f"{ref}{{}} {_listed(lacks)}" for ref, lacks in lacking[:NAMED]]
    rest = len(lacking) - NAMED
    more = f", and {rest} more {'lacks' if rest == 1 else 'lack'} something" if rest > 0 else ""
    return f"{says} {', '.join([first.format(' lacks'), *(o.format('') for o in others)])}{more}."


# ---- one cell


def _cell(control: Facts, month: date, held: _Month, today: date) -> Cell:
    failed = [i for i in held.items if i.outcome == "failed"]
    done = [i for i in held.items if i.outcome is not None]
    bad = [t for t in held.tests if t.failed]
    lost = [s for s in held.stands if s.state in {"missed", "late"}]
    untold = tuple(s.cycle for s in lost if not _told(control, s))
    there = [s for s in held.stands if s.state == "performed"]
    events = _events(control, month, held)
    kind: Kind
    if failed or bad or len(untold) < len(lost):
        kind = "exception"
    elif lost:
        kind = "missed"
    elif (done or held.tests) and (there or events or done):
        kind = "tested"
    elif there or events:
        kind = "performed"
    elif held.stands and (control.cadence not in MANY or month_of(today) >= month):
        kind = "due"
    else:
        kind = "none"
    count = events if is_per_event(control.cadence) else len(lost if kind == "missed" else there)
    shown = count if count and (is_per_event(control.cadence) or control.cadence in MANY) else None
    return Cell(month, kind, shown, " ".join(_sentences(control, month, held, today)), untold)


def _told(control: Facts, one: Stand) -> str | None:
    """The exception that was recorded for a cycle; it stands for as long as the cycle is missed."""
    return (
        control.told.get((one.cycle.first, one.cycle.last))
        if one.state in {"missed", "late"}
        else None
    )


def _events(control: Facts, month: date, held: _Month) -> int:
    if not is_per_event(control.cadence):
        return 0
    return control.events.get(month, 0) if control.events is not None else held.ended


def _sentences(control: Facts, month: date, held: _Month, today: date) -> Iterable[str]:
    yield from _performed(control, month, held, today)
    if told := [f"{ref} for {s.cycle.says}" for s in held.stands if (ref := _told(control, s))]:
        yield f"Recorded as {'an exception' if len(told) == 1 else 'exceptions'}: {_listed(told)}."
    for item in held.items:
        if item.outcome == "failed":
            yield (
                f"Item {item.number} of the sample, {item.name},"
                f" failed{f' ({item.ref})' if item.ref else ''}."
            )
    done, waiting = (
        sum(i.outcome is not None for i in held.items),
        sum(i.outcome is None for i in held.items),
    )
    if done:
        yield f"{plural(done, 'item')} of the sample {'was' if done == 1 else 'were'} tested."
    if waiting:
        yield (
            f"{plural(waiting, 'item')} of the sample {'waits' if waiting == 1 else 'wait'} for a"
            " test."
        )
    for test in held.tests:
        passed = "all passed" if not test.failed else f"{test.failed} failed"
        yield (
            f"Tested on {long_day(test.day)}: {plural(test.sample, 'item')},"
            f" {passed}{f' ({test.ref})' if test.ref else ''}."
        )


def _performed(control: Facts, month: date, held: _Month, today: date) -> Iterable[str]:
    if is_per_event(control.cadence):
        yield _of_events(control, month, held, today)
    elif not held.stands:
        yield f"Nothing falls due in {_month(month)}: it is performed {control.cadence}."
    elif len(held.stands) > 1:
        yield from _of_many(held.stands, month)
    else:
        yield _of_one(held.stands[0])


def _of_events(control: Facts, month: date, held: _Month, today: date) -> str:
    count = _events(control, month, held)
    if count:
        what = "in the population" if control.events is not None else "on file"
        return (
            f"{plural(count, 'occurrence')} of {_month(month)} {'is' if count == 1 else 'are'}"
            f" {what}."
        )
    if held.covered:
        return f"No occurrence is on file for {_month(month)}; {held.covered[0].says} covers it."
    if month > today:
        return f"{_month(month)} is still to come."
    return (
        f"A gap: no occurrence is on file for {_month(month)}, and no accepted evidence covers it."
    )


def _of_many(stands: Sequence[Stand], month: date) -> Iterable[str]:
    there = [s for s in stands if s.state == "performed"]
    by = sorted({s.proof.says for s in there if s.proof})
    yield (
        f"{len(there)} of {len(stands)} occurrences of {_month(month)} are on"
        f" file{f', by {_listed(by)}' if by else ''}."
    )
    lost, due = gaps(stands), sum(s.state == "due" for s in stands)
    if lost:
        yield (
            f"Missed: {_listed([c.says for c in lost])}. A missed cycle stays an exception even if"
            " it is repaired."
        )
    if due:
        yield f"{due} {'is' if due == 1 else 'are'} not due yet."


def _of_one(one: Stand) -> str:
    cycle, proof = one.cycle, one.proof
    if one.state == "performed" and proof is not None:
        return f"Performed for {cycle.says}: shown by {proof.says}."
    if one.state == "late" and proof is not None:
        days = (proof.collected - cycle.last).days
        return (
            f"Missed for {cycle.says}: {proof.says} was collected {plural(days, 'day')} after it"
            " ended. A missed cycle stays an exception even if it is repaired."
        )
    if one.state == "missed":
        return (
            f"Missed for {cycle.says}: it ended on {long_day(cycle.last)} and no accepted evidence"
            " covers it."
        )
    return f"Due for {cycle.says}, which ends on {long_day(cycle.last)}; nothing is on file yet."


# ---- the whole line


def _cover(held: Mapping[date, _Month], proofs: Iterable[PerformanceRecord]) -> None:
    """Which months accepted evidence ends in, and which it covers."""
    for proof in proofs:
        for month, each in held.items():
            if month_of(proof.first) <= month <= proof.last:
                each.covered.append(proof)
        if month_of(proof.last) in held:
            held[month_of(proof.last)].ended += 1


def _column(day: date, stands: Sequence[Stand]) -> date:
    """A test stands where the cycle stands that its day is in."""
    inside = next((s.cycle for s in stands if s.cycle.first <= day <= s.cycle.last), None)
    return inside.month if inside is not None else month_of(day)


def _progress(
    control: Facts,
    items: Sequence[Item],
    tests: Sequence[Tried],
    stands: Sequence[Stand],
    cells: Sequence[Cell],
    table: SampleSizes,
) -> tuple[int, int]:
    """(tested, to be tested): of each list that samples were drawn from, otherwise by the table."""
    if items:
        done, drawn = (
            Counter(i.of for i in items if i.outcome is not None),
            Counter(i.of for i in items),
        )
        asked = {i.of: i.asked or drawn[i.of] for i in items}
        return sum(min(done[of], n) for of, n in asked.items()), sum(asked.values())
    if is_per_event(control.cadence):
        wanted = advised(table, control.cadence, sum(c.count or 0 for c in cells)).size
    else:
        wanted = advised(table, control.cadence, len(stands)).size
    if is_per_event(control.cadence) or control.cadence in MANY:
        return min(wanted, max((t.sample for t in tests), default=0)), wanted
    return min(wanted, len({_column(t.day, stands) for t in tests})), wanted


def _once(items: Iterable[Item]) -> list[Item]:
    """Each item of a list once, however many samples drew it: failed before passed before not
    tested.
    """
    order = {"failed": 0, "passed": 1, None: 2}
    found: dict[tuple[object, str], Item] = {}
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


def _refs(tests: Iterable[Tried], items: Iterable[Item]) -> Iterable[str | None]:
    yield from (t.ref for t in tests if t.failed)
    yield from (i.ref for i in items if i.outcome == "failed")


def by_month(days: Iterable[date]) -> dict[date, int]:
    """How many of these days fall into each month."""
    counted: dict[date, int] = defaultdict(int)
    for day in days:
        counted[month_of(day)] += 1
    return dict(counted)


def _listed(names: Sequence[str]) -> str:
    shown = list(names[:NAMED])
    if len(names) > NAMED:
        return f"{', '.join(shown)} and {len(names) - NAMED} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _month(month: date) -> str:
    return f"{month:%B %Y}"
