"""The results of a week by AI system and measure, with the weeks before it. Pure.

A row is a release of an AI system that is served or in a rollout, with one suite. Its cells show
the week's newest run of these. If that run failed, they show the failure, since an older figure
isn't this week's. Runs of other releases are listed apart, and don't count.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
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
from governance.operations.evaluations.ports import ReleaseRole, Roles
from governance.operations.evaluations.releases.served_releases import is_unknown
from governance.operations.systems.models import AISystem

WEEKS = 12


@dataclass(frozen=True, slots=True)
class WeekCell:
    """The result of a measure this week, or the reason why there is none."""

    measure: SuiteMeasure
    run: EvaluationRun | None
    result: MeasureResult | None
    tier: str
    trend: Sequence[float | None] = ()
    stale: str = ""  # Reason why it no longer decides
    suite: EvaluationSuite | None = None
    today: str = ""  # Today's tier if another one judged it

    @property
    def under_today(self) -> str:
        """The verdict by today's limits if it differs from the run's verdict; empty otherwise."""
        if not self.today or self.result is None or not self.result.n or self.stale:
            return ""
        now = str(self.result.verdicts.get(self.today, {}).get("verdict", "none"))
        if self.measure.is_signal or now == self.verdict:
            return ""
        return figures.VERDICTS[now][1]

    @property
    def today_limit(self) -> str:
        now = self.result.verdicts.get(self.today, {}) if self.result else {}
        return figures.limit(self.measure, now.get("limit"))

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
        """Kind and word. A signal neither passes nor fails."""
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
        """The small line: further samples needed, or the sample size."""
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
    """Return how many cases a run needs to decide its undecided measures; None if none is."""
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
    """A suite on a release of an AI system, with its cells by measure slug.

    `role` is None for a release that no record names.
    """

    system: AISystem
    release: str
    suite: EvaluationSuite
    role: ReleaseRole | None
    run: EvaluationRun | None = None
    cells: dict[str, WeekCell] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.system.name} {self.release}"

    @property
    def role_text(self) -> str:
        return self.role.text if self.role else ""


@dataclass(frozen=True, slots=True)
class WeekTable:
    """The table of one week.

    `unknown` are runs of releases that are neither served nor in a rollout, `unstated` the ids of
    AI systems without a record of served releases.
    """

    week: date
    columns: Sequence[SuiteMeasure]
    rows: Sequence[SystemRow]
    unknown: Sequence[SystemRow] = ()
    unstated: Collection[UUID] = ()

    @property
    def systems(self) -> int:
        """The number of AI systems with a row."""
        return len({row.system.id for row in self.rows})

    @property
    def cells(self) -> list[WeekCell]:
        """The cells of measures that decide."""
        every = [cell for row in self.rows for cell in row.cells.values()]
        return [cell for cell in every if not cell.measure.is_signal]

    def count(self, verdict: str) -> int:
        return sum(cell.verdict == verdict for cell in self.cells)

    @property
    def open(self) -> list[tuple[SystemRow, WeekCell]]:
        """The cells that more cases would decide, the fewest cases first."""
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
            return (
                "No release that is served has results yet"
                if self.unknown or self.unstated
                else "No evaluation results yet"
            )
        if all(cell.run is None for cell in self.cells):
            return "No run this week yet"
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
            f"; the failure is {cell.measure.name.lower()} in {row.name}"
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
    roles: Mapping[UUID, Roles],
) -> WeekTable:
    """Arrange the runs of twelve weeks and their results as a table of the last of them.

    `stale` has the reasons why figures no longer decide, by run and slug; `roles` the releases that
    are served or in a rollout, by AI system.
    """
    by_run: dict[UUID, list[tuple[MeasureResult, SuiteMeasure]]] = defaultdict(list)
    for result, measure in results:
        by_run[result.run_id].append((result, measure))
    grouped: dict[tuple[UUID, UUID, str], list[EvaluationRun]] = defaultdict(list)
    systems: dict[UUID, AISystem] = {}
    suites: dict[UUID, EvaluationSuite] = {}
    for run, suite, system in runs:
        systems[system.id], suites[suite.id] = system, suite
        grouped[system.id, suite.id, run.release].append(run)
    shown, unknown = _rows(grouped, week, roles)
    found: list[SystemRow] = []
    apart: list[SystemRow] = []
    columns: dict[str, SuiteMeasure] = {}
    for rows, keys in ((found, shown), (apart, unknown)):
        for system_id, suite_id, release in keys:
            role = roles.get(system_id, {}).get(release)
            row = SystemRow(systems[system_id], release, suites[suite_id], role)
            its_runs = sorted(grouped[system_id, suite_id, release], key=lambda run: run.number)
            _add(row, its_runs, by_run, week, tier, stale)
            rows.append(row)
    for row in found:
        for key, cell in row.cells.items():
            columns.setdefault(key, cell.measure)
    ordered = sorted(columns.values(), key=lambda measure: (measure.is_signal, measure.position))
    unstated = systems.keys() - roles.keys()
    return WeekTable(week, ordered, sorted(found, key=_rank), sorted(apart, key=_rank), unstated)


type RowKey = tuple[UUID, UUID, str]  # Ids of AI system and suite, and the release


def _rank(row: SystemRow) -> tuple[str, bool, str, str]:
    return row.system.name, not (row.role and row.role.is_served), row.release, row.suite.name


def _rows(
    grouped: Mapping[RowKey, Sequence[EvaluationRun]], week: date, roles: Mapping[UUID, Roles]
) -> tuple[list[RowKey], list[RowKey]]:
    """Return the rows of the table, and those listed apart.

    A release that is served or in a rollout has a row for each suite that evaluated it or the
    system's other releases. Without a record of served releases, each release is apart.
    """
    shown: list[RowKey] = []
    apart: list[RowKey] = []
    by_suite: dict[tuple[UUID, UUID], list[str]] = defaultdict(list)
    this_week: set[RowKey] = set()
    for (system_id, suite_id, release), runs in grouped.items():
        by_suite[system_id, suite_id].append(release)
        if any(run.week == week for run in runs):
            this_week.add((system_id, suite_id, release))
    for (system_id, suite_id), releases in by_suite.items():
        its = roles.get(system_id, {})
        current = {each for each in releases if (system_id, suite_id, each) in this_week}
        served = {each for each, role in its.items() if role.is_served}
        shown += [(system_id, suite_id, each) for each in served | (its.keys() & set(releases))]
        apart += [(system_id, suite_id, each) for each in current if is_unknown(its, each)]
    return shown, apart


def _add(
    row: SystemRow,
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
    row.run = newest
    for key, measure in measures.items():
        trend = [points[key].get(week - timedelta(weeks=n)) for n in reversed(range(WEEKS))]
        row.cells[key] = WeekCell(
            measure,
            newest,
            found.get(key),
            (newest.judged_tier if newest else None) or tier,
            trend,
            stale.get((newest.id, key), "") if newest else "",
            row.suite,
            tier,
        )
