"""The charts of an AI system's page: its measures of the last weeks against their limits."""

from collections.abc import Sequence
from dataclasses import replace

from governance.kernel import clock
from governance.kernel.formatting import day
from governance.operations.evaluations import figures, permissions, queries
from governance.operations.evaluations.judges import queries as judge_queries
from governance.operations.evaluations.releases import served_releases
from governance.operations.evaluations.series import charts as series_charts
from governance.operations.evaluations.series import queries as series_queries
from governance.operations.evaluations.series.weekly_series import (
    MIN_WEEKS,
    MeasureSeries,
    WeekPoint,
    add_points,
    all_weeks,
    weekly_series,
)
from governance.operations.evaluations.series.weeks import monday_of
from governance.operations.systems.models import AISystem
from governance.operations.systems.parts import SystemChart, TrendChart

HEAD = ("Week of", "Figure", "Interval", "Limit", "Verdict")


def _draw(system: AISystem) -> Sequence[TrendChart]:
    """Draw the failing measures first, then those that changed, and signals last."""
    weeks = all_weeks(monday_of(clock.today()), MIN_WEEKS)
    roles = served_releases.roles_of([system.id]).get(system.id)
    known = served_releases.known_runs([system.id])
    runs = series_queries.weekly_runs(system.key, weeks[0], weeks[-1], roles=roles, known=known)
    if not runs:
        return ()
    measures = series_queries.measures_of({run.version_id for run in runs})
    found, shown = weekly_series(weeks, runs, measures)
    results = series_queries.weekly_results(
        [run.id for run in runs], [measure.id for measure in shown], queries.policy_tier()
    )
    stale = judge_queries.stale((run, run.suite_id) for run in runs)
    add_points(found, runs, shown, results, stale)
    drawn = [each for each in found.series if each.newest is not None]
    return [_chart(each) for each in sorted(drawn, key=_rank)]


def _rank(series: MeasureSeries) -> tuple[bool, bool, bool]:
    newest = series.newest
    fails = newest is not None and newest.verdict == "fail" and not newest.is_withdrawn
    return series.is_signal, not fails, not series.changes


def _chart(series: MeasureSeries) -> TrendChart:
    newest = series.newest
    count = f" · n = {newest.n:,}" if newest is not None else ""
    weeks = list(zip(series.weeks, series.points, strict=True))
    last_change = replace(series, changes=series.changes[-1:])  # As in the title
    return TrendChart(
        title=series.title,
        note=f"{figures.UNITS.get(series.unit, series.unit).capitalize()} by week, {series.suite}"
        f"{count}",
        picture=series_charts.small_multiple(last_change, ()),
        head=HEAD,
        rows=[(day(week), *_cells(series, point)) for week, point in reversed(weeks)],
    )


def _cells(series: MeasureSeries, point: WeekPoint | None) -> tuple[str, str, str, str]:
    if point is None:
        return "no run", "", "", ""
    if not point.has_figure:
        return point.state, "", "", ""
    return (
        figures.amount(point.point, series.unit),
        figures.interval(point.low, point.high, series.unit),
        "" if point.limit is None else figures.amount(point.limit, series.unit),
        "Signal" if series.is_signal else point.state,
    )


CHARTS = SystemChart(order=10, permission=permissions.VIEW, draw=_draw)
