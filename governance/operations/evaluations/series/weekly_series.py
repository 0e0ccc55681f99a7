"""The measures of one AI system week by week, with its events. Pure.

A week is judged by its newest run: if that run failed, the week has no figure. A measure whose
kind or unit changed between versions of its suite begins another series.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from governance.kernel.formatting import plural
from governance.operations.evaluations import figures
from governance.operations.evaluations.series.weeks import monday_of
from governance.operations.evaluations.statistics.series import (
    ChangePoint,
    WeekCount,
    WeekMean,
    change_points,
    mean_change_points,
    significance_of_series,
)

MAX_WEEKS, MIN_WEEKS = 104, 12
MAX_SERIES = 12  # Maximum on one page
NO_SAMPLES = WeekCount(0, 0)
type SeriesKey = tuple[UUID, str, str, str, int | None]


@dataclass(frozen=True, slots=True)
class WeekPoint:
    """The result of a measure in one week: a figure, or a run without one."""

    run_id: UUID
    run_number: int
    release: str
    outcome: str
    is_withdrawn: bool
    n: int = 0
    successes: int | None = None
    deviation: float | None = None
    point: float | None = None
    low: float | None = None
    high: float | None = None
    confidence: float | None = None
    limit: float | None = None
    verdict: str = "none"
    stale: str = ""  # Reason why it no longer decides

    @property
    def has_figure(self) -> bool:
        return self.n > 0 and self.point is not None

    @property
    def state(self) -> str:
        """The reason why there is no figure, or the verdict."""
        if self.outcome != "completed":
            return f"{self.outcome} run"
        if not self.has_figure:
            return "none evaluated"
        return "version withdrawn" if self.is_withdrawn else figures.VERDICTS[self.verdict][1]


@dataclass(slots=True)
class MeasureSeries:
    """One measure over the weeks; None for a week without a run."""

    suite_key: str
    suite: str
    key: str
    name: str
    kind: str
    unit: str
    at_least: bool
    is_signal: bool
    weeks: Sequence[date]
    points: list[WeekPoint | None]
    changes: Sequence[ChangePoint] = ()

    @property
    def is_tested(self) -> bool:
        """True if changes are searched; not for a percentile, whose samples aren't kept."""
        return self.kind != "percentile"

    @property
    def known(self) -> list[WeekPoint]:
        return [each for each in self.points if each is not None and each.has_figure]

    @property
    def stale(self) -> list[WeekPoint]:
        """The weeks whose figure doesn't count because of its judge."""
        return [each for each in self.known if each.stale]

    @property
    def newest(self) -> WeekPoint | None:
        return next(reversed(self.known), None)

    @property
    def title(self) -> str:
        """The conclusion: the measure's level, or its change."""
        newest = self.newest
        if newest is None:
            return f"{self.name}: no run has it"
        if not self.changes:
            return f"{self.name} is {figures.amount(newest.point, self.unit)}"
        last = self.changes[-1]
        before, after = (figures.amount(each, self.unit) for each in (last.before, last.after))
        return f"{self.name} went from {before} to {after}"

    @property
    def note(self) -> str:
        """The small line under the title."""
        side = "at least" if self.at_least else "at most"
        asks = f"{figures.UNITS.get(self.unit, self.unit)}, {side}"
        if self.is_signal:
            asks = f"{figures.UNITS.get(self.unit, self.unit)}, a signal that decides nothing"
        weeks = f"{len(self.known)} of {plural(len(self.weeks), 'week')}"
        if self.stale and not self.is_signal:
            weeks += f", {len(self.stale)} undecided because of the judge"
        return f"{asks} · {weeks}"

    def moment(self, change: ChangePoint) -> date:
        """Return the Monday of the first week of a new level."""
        return self.weeks[change.index]

    def find_changes(self, significance: float) -> None:
        """Search for changes among the weeks with a figure whose version and judge count."""
        counted = [
            each
            if each is not None and each.has_figure and not each.is_withdrawn and not each.stale
            else None
            for each in self.points
        ]
        if self.kind == "rate":
            weeks = [
                NO_SAMPLES if each is None else WeekCount(each.successes or 0, each.n)
                for each in counted
            ]
            self.changes = change_points(weeks, significance)
        elif self.kind == "mean":
            means = [
                WeekMean(0, 0, 0)
                if each is None
                else WeekMean(each.point or 0, each.deviation or 0, each.n)
                for each in counted
            ]
            self.changes = mean_change_points(means, significance)


@dataclass(frozen=True, slots=True)
class SeriesMark:
    """An event of the system: a release, another suite version, a policy, an incident."""

    kind: str  # A key of series_charts.MARKS
    at: date
    words: str
    href: str = ""


@dataclass(slots=True)
class WeeklySeries:
    """All data on the page of a system's series."""

    weeks: Sequence[date]
    series: Sequence[MeasureSeries]
    hidden: int  # Number of measures beyond the first MAX_SERIES
    releases: Sequence[str]
    suites: Sequence[tuple[str, str]]
    measures: Sequence[tuple[str, str]]
    marks: list[SeriesMark]
    tested: int  # Number of measures searched for changes, shown or not
    by_key: Mapping[SeriesKey, MeasureSeries]

    @property
    def changed(self) -> list[MeasureSeries]:
        return [each for each in self.series if each.changes]

    @property
    def title(self) -> str:
        """The conclusion of the page."""
        if not self.weeks:
            return "No evaluation results yet"
        if not self.changed:
            return f"No measure changed in {plural(len(self.weeks), 'week')}"
        newest = max(self.changed, key=lambda each: each.changes[-1].index)
        count = len(self.changed)
        more = f"; {plural(count, 'measure')} changed" if count > 1 else ""
        return f"{newest.title}{more}"


def all_weeks(this_week: date, count: int = MAX_WEEKS) -> list[date]:
    """Return the Mondays of `count` weeks up to this week."""
    return [this_week - timedelta(weeks=back) for back in reversed(range(count))]


def weekly_series(
    weeks: Sequence[date],
    runs: Sequence[Any],
    measures: Sequence[Any],
    *,
    measure_key: str = "",
) -> tuple[WeeklySeries, list[Any]]:
    """Return the series without their points, and the measures whose results they need.

    `runs` and `measures` are rows of series_queries. The weeks begin with the first run; there are
    at least MIN_WEEKS of them.
    """
    first = min((run.week for run in runs), default=None)
    shown = [week for week in weeks if first is not None and week >= first]
    if shown and len(shown) < MIN_WEEKS:
        shown = list(weeks[-MIN_WEEKS:])
    run_of = {run.version_id: run for run in runs}
    found: dict[SeriesKey, MeasureSeries] = {}
    newest: dict[SeriesKey, tuple[int, Any]] = {}
    for measure in measures:
        run, key = run_of[measure.version_id], _key(measure, run_of)
        if key not in newest or run.version > newest[key][0]:
            newest[key] = run.version, measure
    order = sorted(newest, key=lambda key: _order(newest[key][1], run_of))
    names = {newest[key][1].key: newest[key][1].name for key in order}
    wanted = [key for key in order if not measure_key or key[1] == measure_key]
    for key in wanted[:MAX_SERIES]:
        measure = newest[key][1]
        run = run_of[measure.version_id]
        found[key] = MeasureSeries(
            run.suite_key,
            run.suite,
            measure.key,
            measure.name,
            measure.kind,
            measure.unit,
            measure.at_least,
            measure.is_signal,
            shown,
            [None] * len(shown),
        )
    result = WeeklySeries(
        shown,
        list(found.values()),
        max(len(wanted) - MAX_SERIES, 0),
        sorted(runs[0].releases, reverse=True) if runs else [],
        sorted({(run.suite_key, run.suite) for run in runs}),
        sorted(names.items(), key=lambda pair: pair[1]),
        _marks_of_runs(runs),
        sum(newest[key][1].kind != "percentile" for key in order),
        found,
    )
    return result, [each for each in measures if _key(each, run_of) in found]


def add_points(
    page: WeeklySeries,
    runs: Sequence[Any],
    measures: Sequence[Any],
    results: Iterable[Any],
    stale: Mapping[tuple[UUID, str], str],
) -> None:
    """Add the runs' results to their weeks, and search for changes.

    `stale` has the reasons why figures no longer decide, by run and slug.
    """
    places = {week: place for place, week in enumerate(page.weeks)}
    run_of, by_version = {run.id: run for run in runs}, {run.version_id: run for run in runs}
    series_of: dict[UUID, MeasureSeries] = {}
    of_version: dict[UUID, list[MeasureSeries]] = defaultdict(list)
    for measure in measures:
        series = page.by_key[_key(measure, by_version)]
        series_of[measure.id] = series
        of_version[measure.version_id].append(series)
    for run in runs:
        for series in of_version[run.version_id]:
            series.points[places[run.week]] = WeekPoint(
                run.id, run.number, run.release, run.outcome, run.withdrawn_at is not None
            )
    for row in results:
        run, judged = run_of[row.run_id], row.judged or {}
        series = series_of[row.measure_id]
        reason = stale.get((run.id, series.key), "")
        series.points[places[run.week]] = WeekPoint(
            run.id,
            run.number,
            run.release,
            run.outcome,
            run.withdrawn_at is not None,
            row.n,
            row.successes,
            row.deviation,
            row.point,
            row.low,
            row.high,
            row.confidence,
            judged.get("limit"),
            "undecided" if reason else judged.get("verdict", "none"),
            reason,
        )
    significance = significance_of_series(page.tested)
    for series in page.series:
        series.find_changes(significance)


def _key(measure: Any, run_of: Mapping[UUID, Any]) -> SeriesKey:
    suite_id = run_of[measure.version_id].suite_id
    return suite_id, measure.key, measure.kind, measure.unit, measure.percent


def _order(measure: Any, run_of: Mapping[UUID, Any]) -> tuple[bool, str, int]:
    return measure.is_signal, run_of[measure.version_id].suite, measure.position


def _marks_of_runs(runs: Sequence[Any]) -> list[SeriesMark]:
    """Return the first week of each release, and of each later version of a suite."""
    releases: dict[str, date] = {}
    versions: dict[tuple[str, int], date] = {}
    for run in sorted(runs, key=lambda run: run.number):
        releases[run.release] = min(releases.get(run.release, run.week), run.week)
        version = run.suite, run.version
        versions[version] = min(versions.get(version, run.week), run.week)
    marks = [
        SeriesMark("release", week, f"Release {release}, first run")
        for release, week in releases.items()
    ]
    first = {suite: min(n for name, n in versions if name == suite) for suite, _n in versions}
    marks += [
        SeriesMark("version", week, f"{suite}, version {number}")
        for (suite, number), week in versions.items()
        if number > first[suite]
    ]
    return marks


def week_of(at: datetime) -> date:
    """Return the Monday of an instant's week."""
    return monday_of(at.date())
