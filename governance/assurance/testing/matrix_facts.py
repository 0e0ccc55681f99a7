"""The inputs of the Type II matrix, and its rows and cells. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal
from uuid import UUID

from governance.assurance.testing.occurrences import (
    Cycle,
    CycleState,
    PerformanceRecord,
    is_per_event,
)

type Kind = Literal["tested", "performed", "exception", "missed", "due", "none"]
KINDS: tuple[Kind, ...] = ("tested", "performed", "exception", "missed", "due", "none")
FREQUENT_CADENCES = (
    "daily",
    "weekly",
)  # Tests of these count items; other tests count occurrences.


@dataclass(frozen=True, slots=True)
class ControlTestFacts:
    """A manual test of a control: how many items were tested and failed, and its exception."""

    day: date
    sample: int
    failed: int
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class SampledItem:
    """An item of a sample. `outcome` is from its latest result, or None if it is untested.

    `ref` is its exception. `of` identifies the list that it was drawn from, regardless of when that
    was frozen. `asked` is how many items of that list are to be tested.
    """

    number: int
    name: str
    day: date | None
    outcome: Literal["passed", "failed"] | None
    ref: str | None = None
    of: tuple[str, date, date] | None = None
    asked: int = 0


@dataclass(frozen=True, slots=True)
class MatrixFacts:
    """The inputs of a control's matrix row.

    `events` counts the rows of its population by the first day of their month.
    `recorded_exceptions` has the exceptions of missed cycles, by the cycle's first and last day.
    """

    control_id: UUID
    ref: str
    title: str
    cadence: str
    since: date
    proofs: tuple[PerformanceRecord, ...] = ()
    tests: tuple[ControlTestFacts, ...] = ()
    items: tuple[SampledItem, ...] = ()
    events: Mapping[date, int] | None = None
    recorded_exceptions: Mapping[tuple[date, date], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """A month of a control. `count` is None if a number adds nothing to the symbol.

    `unrecorded` are the missed cycles without an exception.
    """

    month: date
    kind: Kind
    count: int | None
    why: str
    unrecorded: tuple[Cycle, ...] = ()


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """The row of a control: `on_file` of `due` occurrences, `tested` of `expected` items.

    `lacks` names the missed cycles. An item that several samples of one list drew counts once.
    """

    control_id: UUID
    ref: str
    title: str
    cadence: str
    months: tuple[MatrixCell, ...]
    tested: int
    expected: int
    on_file: int
    due: int
    lacks: tuple[str, ...] = ()
    exceptions: tuple[str, ...] = ()

    @property
    def unrecorded(self) -> tuple[Cycle, ...]:
        """Missed cycles without an exception, oldest first."""
        return tuple(cycle for cell in self.months for cycle in cell.unrecorded)


@dataclass(slots=True)
class MonthFacts:
    """The facts of one month of a control."""

    stands: list[CycleState] = field(default_factory=list)
    tests: list[ControlTestFacts] = field(default_factory=list)
    items: list[SampledItem] = field(default_factory=list)
    ended: int = 0
    covered: list[PerformanceRecord] = field(default_factory=list)


def recorded_exception(control: MatrixFacts, one: CycleState) -> str | None:
    """Return the exception recorded for a cycle, if the cycle is still missed."""
    return (
        control.recorded_exceptions.get((one.cycle.first, one.cycle.last))
        if one.state in {"missed", "late"}
        else None
    )


def event_count(control: MatrixFacts, month: date, month_facts: MonthFacts) -> int:
    if not is_per_event(control.cadence):
        return 0
    return control.events.get(month, 0) if control.events is not None else month_facts.ended
