"""The results of a week by AI system and measure, with the weeks before it. Pure.

A cell is the newest completed run of its system and suite in the week. Where the newest run failed,
the cell says so: an older figure is not this week's.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from governance.operations.evaluations import figures
from governance.operations.evaluations.models import (
    EvaluationRun,
    EvaluationSuite,
    MeasureResult,
    SuiteMeasure,
)
from governance.operations.systems.models import AISystem

WEEKS = 12


@dataclass(frozen=True, slots=True)
class WeekCell:
    """What a measure shows this week: a result, or why there is none."""

    measure: SuiteMeasure
    run: EvaluationRun | None
    result: MeasureResult | None
    tier: str
    trend: Sequence[float | None] = ()
    stale: str = ""  # why it doesn't decide any more
    suite: EvaluationSuite | None = None

    @property
    def judged(self) -> Mapping[str, Any]:
        return self.result.verdicts.get(self.tier, {}) if self.result else {}

    @property
    def verdict(self) -> str:
        """One of figures.VERDICTS."""
        if self.result is None or not self.result.n:
            return "none"
        if self.stale:
            return "undecided"
        return str(self.judged.get("verdict", "none"))

    @property
    def state(self) -> tuple[str, str]:
        """Kind and word; a signal decides nothing, so it neither passes nor fails."""
        if self.measure.is_signal and self.verdict != "none":
            return "none", "Signal"
        return figures.VERDICTS[self.verdict]

    @property
    def is_failing(self) -> bool:
        return self.verdict == "fail" and not self.measure.is_signal

    @property
    def point(self) -> str:
        return figures.amount(self.result.point if self.result else None, self.measure.unit)

    @property
    def interval(self) -> str:
        if self.result is None:
            return ""
        return figures.interval(self.result.low, self.result.high, self.measure.unit)

    @property
    def limit(self) -> str:
        if self.measure.is_signal:
            return ""
        return figures.limit(self.measure, self.judged.get("limit"))

    @property
    def note(self) -> str:
        """The small line: what would decide, or of how many."""
        if self.result is None or not self.result.n:
            return self._missing
        if self.stale:
            return self.stale
        if self.verdict == "undecided" and not self.measure.is_signal:
            return figures.needs(self.judged.get("more"))
        return figures.counted(self.result.n, self.result.successes)

    @property
    def _missing(self) -> str:
        if self.run is None:
            return "No run this week"
        if self.run.outcome == "completed" and not any(each is not None for each in self.trend):
            return "No run has it"
        if self.run.outcome != "completed":
            why = self.run.problem or "no reason given"
            return f"Run {self.run.number:,} {self.run.outcome}: {why}"
        return f"Run {self.run.number:,} has no case of it"


def wanted_cases(cells: Iterable[WeekCell]) -> int | None:
    """How many cases one run needs so that its undecided measures are decided; None if none is."""
    return max(
        (
            cell.result.n + more
            for cell in cells
            if cell.result is not None
            and not cell.measure.is_signal
            and not cell.stale
            and cell.verdict == "undecided"
            and (more := cell.judged.get("more"))
        ),
        default=None,
    )


@dataclass(slots=True)
class SystemRow:
    """One AI system with its cells by measure slug."""

    system: AISystem
    run: EvaluationRun | None = None
    cells: dict[str, WeekCell] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WeekTable:
    """The table of one week."""

    week: date
    columns: Sequence[SuiteMeasure]
    rows: Sequence[SystemRow]

    @property
    def cells(self) -> list[WeekCell]:
        """The cells of measures that decide."""
        every = [cell for row in self.rows for cell in row.cells.values()]
        return [cell for cell in every if not cell.measure.is_signal]

    def count(self, verdict: str) -> int:
        return sum(cell.verdict == verdict for cell in self.cells)

    @property
    def open(self) -> list[tuple[SystemRow, WeekCell]]:
        """What more cases would decide, the fewest first."""
        found = [
            (row, cell)
            for row in self.rows
            for cell in row.cells.values()
            if cell.verdict == "undecided"
            and not cell.stale
            and cell.judged.get("more")
            and not cell.measure.is_signal
        ]
        return sorted(found, key=lambda pair: pair[1].judged["more"])

    @property
    def title(self) -> str:
        """The conclusion of the week."""
        if not self.cells:
            return "No evaluation results yet"
        failing = [
            (row, cell) for row in self.rows for cell in row.cells.values() if cell.is_failing
        ]
        undecided, total = self.count("undecided"), len(self.cells)
        if not failing:
            passes = self.count("pass")
            return f"{passes} of {total} results pass" + (
                f"; {undecided} undecided" if undecided else ""
            )
        row, cell = failing[0]
        where = (
            f"; the failure is {cell.measure.name.lower()} in {row.system.name}"
            if len(failing) == 1
            else ""
        )
        verb = "fails" if len(failing) == 1 else "fail"
        also = (
            f" and {undecided} {'is' if undecided == 1 else 'are'} undecided" if undecided else ""
        )
        return f"{len(failing)} of {total} results {verb}{also}{where}"


def week_table(
    week: date,
    tier: str,
    runs: Iterable[tuple[EvaluationRun, EvaluationSuite, AISystem]],
    results: Iterable[tuple[MeasureResult, SuiteMeasure]],
    stale: Mapping[tuple[UUID, str], str],
) -> WeekTable:
    """Arrange the runs of twelve weeks and their results as a table of the last of them.

    `stale` says by run and slug why a figure doesn't decide any more.
    """
    by_run: dict[UUID, list[tuple[MeasureResult, SuiteMeasure]]] = defaultdict(list)
    for result, measure in results:
        by_run[result.run_id].append((result, measure))
    grouped: dict[tuple[UUID, UUID], list[EvaluationRun]] = defaultdict(list)
    systems: dict[UUID, AISystem] = {}
    suites: dict[UUID, EvaluationSuite] = {}
    for run, suite, system in runs:
        systems[system.id], suites[suite.id] = system, suite
        grouped[system.id, suite.id].append(run)
    columns: dict[str, SuiteMeasure] = {}
    rows: dict[UUID, SystemRow] = {}
    for (system_id, suite_id), its_runs in grouped.items():
        row = rows.setdefault(system_id, SystemRow(systems[system_id]))
        in_order = sorted(its_runs, key=lambda run: run.number)
        _add(row, suites[suite_id], in_order, by_run, week, tier, stale)
        for key, cell in row.cells.items():
            columns.setdefault(key, cell.measure)
    ordered = sorted(columns.values(), key=lambda measure: (measure.is_signal, measure.position))
    return WeekTable(week, ordered, sorted(rows.values(), key=lambda row: row.system.name))


def _add(
    row: SystemRow,
    suite: EvaluationSuite,
    runs: Sequence[EvaluationRun],
    by_run: Mapping[UUID, Sequence[tuple[MeasureResult, SuiteMeasure]]],
    week: date,
    tier: str,
    stale: Mapping[tuple[UUID, str], str],
) -> None:
    points: dict[str, dict[date, float | None]] = defaultdict(dict)
    measures: dict[str, SuiteMeasure] = {}
    for run in runs:
        for result, measure in by_run.get(run.id, ()):
            measures[measure.key] = measure
            if result.n:
                points[measure.key][run.week] = result.point
    newest = next((run for run in reversed(runs) if run.week == week), None)
    found = {measure.key: result for result, measure in by_run.get(newest.id, ())} if newest else {}
    row.run = newest or row.run
    for key, measure in measures.items():
        trend = [points[key].get(week - timedelta(weeks=n)) for n in reversed(range(WEEKS))]
        row.cells[key] = WeekCell(
            measure,
            newest,
            found.get(key),
            tier,
            trend,
            stale.get((newest.id, key), "") if newest else "",
            suite,
        )
