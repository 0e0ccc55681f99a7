"""The weekly series of an AI system: page, table, CSV and JSON."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from flask import Response, request, url_for

from governance.kernel import clock
from governance.kernel.files.downloads import FILE
from governance.kernel.files.spreadsheet_writer import Cell
from governance.kernel.intervals import Span
from governance.kernel.pages.list_export import csv_file
from governance.kernel.pages.rendering import filters, page
from governance.kernel.safety.access import allowed
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.evaluations import figures, permissions
from governance.operations.evaluations.judges import queries as judge_queries
from governance.operations.evaluations.ports import Roles, incidents_of
from governance.operations.evaluations.releases import served_releases
from governance.operations.evaluations.series import charts as series_charts
from governance.operations.evaluations.series import queries as series_queries
from governance.operations.evaluations.series.weekly_series import (
    MAX_WEEKS,
    MeasureSeries,
    SeriesMark,
    WeeklySeries,
    add_points,
    all_weeks,
    weekly_series,
)
from governance.operations.evaluations.series.weeks import monday_of
from governance.operations.evaluations.statistics.series import PAGE_FALSE_ALARMS
from governance.operations.evaluations.suites.task_packs import TIERS
from governance.operations.evaluations.views import feature
from governance.operations.policies import permissions as policy_permissions
from governance.operations.policies.tiers import TIERS as BUILT_IN
from governance.operations.systems import queries as systems
from governance.operations.systems.models import AISystem

WEEK_CHOICES = (("12", "12 weeks"), ("26", "26 weeks"), ("52", "52 weeks"))
MAX_MARKS = 40  # Maximum in the list under the charts; the newest are shown
HEAD = (
    "week",
    "suite",
    "measure",
    "name",
    "unit",
    "release",
    "run",
    "state",
    "n",
    "successes",
    "figure",
    "low",
    "high",
    "confidence",
    "limit",
    "verdict",
    "change",
    "why",
)


@dataclass(frozen=True, slots=True)
class _Read:
    system: AISystem
    page: WeeklySeries
    tier: str
    tier_name: str
    chosen: dict[str, str]
    roles: Roles | None


def _read(key: str) -> _Read:
    """Read the series that the address names, in seven statements."""
    chosen = filters("release", "suite", "measure", "weeks")
    count = int(chosen["weeks"]) if chosen.get("weeks") in {"12", "26", "52"} else MAX_WEEKS
    weeks = all_weeks(monday_of(clock.today()), count)
    system = systems.system(key)
    roles = served_releases.roles_of([system.id]).get(system.id)
    runs = series_queries.weekly_runs(
        key,
        weeks[0],
        weeks[-1],
        release=chosen.get("release", ""),
        suite_key=chosen.get("suite", ""),
        roles=roles,
        known=served_releases.known_runs([system.id]),
    )
    measures = series_queries.measures_of({run.version_id for run in runs})
    found, shown = weekly_series(weeks, runs, measures, measure_key=chosen.get("measure", ""))
    changes = series_queries.policy_changes(clock.now())
    tier = changes[-1].tier
    judged_by = tier if tier in TIERS else TIERS[-1]
    results = series_queries.weekly_results(
        [run.id for run in runs], [measure.id for measure in shown], judged_by
    )
    stale = judge_queries.stale((run, run.suite_id) for run in runs)
    add_points(found, runs, shown, results, stale)
    if found.weeks:
        found.marks += _policy_marks(found, changes)
        found.marks += _incident_marks(found, system)
        found.marks.sort(key=lambda each: each.at, reverse=True)
    built_in = BUILT_IN[tier].name if tier in BUILT_IN else tier
    tier_name = changes[-1].tier_name or built_in
    return _Read(system, found, judged_by, tier_name, chosen, roles)


def _policy_marks(found: WeeklySeries, changes: Any) -> Iterator[SeriesMark]:
    may_open = allowed(policy_permissions.VIEW)
    for change in changes:
        if change.number is None:
            continue
        at = change.in_force_from.date()
        if at >= found.weeks[0]:
            href = url_for("policies.version", number=change.number) if may_open else ""
            yield SeriesMark("policy", at, f"Policy version {change.number} takes effect", href)


def _incident_marks(found: WeeklySeries, system: AISystem) -> Iterator[SeriesMark]:
    span = Span(datetime.combine(found.weeks[0], time(), UTC), clock.now() + timedelta(minutes=1))
    for each in incidents_of()(system.id, span):
        at = max(each.start.date(), found.weeks[0])
        yield SeriesMark("incident", at, f"{each.ref}: {each.title}", each.href)


@feature.get("/evaluations/systems/<system_key>", needs=permissions.VIEW)
def trend(system_key: str) -> ResponseReturnValue:
    """Show every measure of a system week by week, as charts or as a table."""
    read = _read(system_key)
    is_table = request.args.get("show") == "table"
    return page(
        "operations/evaluations/trend.html",
        system=read.system,
        found=read.page,
        tier=read.tier_name,
        chosen=read.chosen,
        stated=next(iter(read.roles or ()), "") if served_releases.is_stated(read.roles) else "",
        has_record=read.roles is not None,
        chips=_chips(read),
        is_table=is_table,
        rows=list(_table(read.page)) if is_table else (),
        charts=[
            (each, series_charts.small_multiple(each, read.page.marks))
            for each in ([] if is_table else read.page.series)
        ],
        marks=read.page.marks[:MAX_MARKS],
        mark_words=series_charts.MARKS,
        key=series_charts.key(read.page.marks),
        sign=series_charts.sign,
        releases=[(each, each) for each in read.page.releases],
        week_choices=WEEK_CHOICES,
        budget=figures.amount(PAGE_FALSE_ALARMS, "share").replace(".0", ""),
        address=lambda **more: _address(read, "evaluations.trend", **more),
        files={kind: _address(read, f"evaluations.trend_{kind}") for kind in ("csv", "json")},
    )


def _address(read: _Read, endpoint: str, **more: Any) -> str:
    return url_for(endpoint, system_key=read.system.key, **{**read.chosen, **more})


def _chips(read: _Read) -> list[dict[str, str]]:
    names = {"suite": dict(read.page.suites), "measure": dict(read.page.measures)}
    return [
        {
            "label": name.capitalize(),
            "value": names.get(name, {}).get(value, value),
            "href": _address(read, "evaluations.trend", **{name: None}),
        }
        for name, value in read.chosen.items()
    ]


def _table(found: WeeklySeries) -> Iterator[tuple[Any, list[tuple[str, str]]]]:
    """Return (week, (figure, interval and state) of each measure), newest week first."""
    for place in reversed(range(len(found.weeks))):
        yield found.weeks[place], [_cell(each, place) for each in found.series]


def _cell(series: MeasureSeries, place: int) -> tuple[str, str]:
    known = series.points[place]
    if known is None:
        return "no run", ""
    if not known.has_figure:
        return known.state, f"run {known.run_number:,}"
    word = "" if series.is_signal else f", {known.state.lower()}"
    change = ", change" if any(each.index == place for each in series.changes) else ""
    between = figures.interval(known.low, known.high, series.unit)
    return figures.amount(known.point, series.unit), f"{between}{word}{change}"


# ---- files


def _rows(found: WeeklySeries) -> Iterator[list[Cell]]:
    for series in found.series:
        changes = {each.index for each in series.changes}
        for place, (week, known) in enumerate(zip(found.weeks, series.points, strict=True)):
            start = [week.isoformat(), series.suite_key, series.key, series.name, series.unit]
            if known is None:
                yield [*start, None, None, "no run", *[None] * 10]
                continue
            yield [
                *start,
                known.release,
                known.run_number,
                known.state.lower(),
                known.n,
                known.successes,
                known.point,
                known.low,
                known.high,
                known.confidence,
                known.limit,
                None if series.is_signal else known.verdict,
                "change" if place in changes else None,
                known.stale or None,
            ]


@feature.get("/evaluations/systems/<system_key>/series.csv", needs=permissions.VIEW, answers=FILE)
def trend_csv(system_key: str) -> ResponseReturnValue:
    """Export the series with one row per measure and week."""
    read = _read(system_key)
    return csv_file(f"{read.system.key}-evaluations", HEAD, [list(_rows(read.page))])


@feature.get("/evaluations/systems/<system_key>/series.json", needs=permissions.VIEW, answers=FILE)
def trend_json(system_key: str) -> ResponseReturnValue:
    """Export the series, their changes and the events of the same weeks."""
    read = _read(system_key)
    facts = {
        "system": read.system.key,
        "tier": read.tier,
        "filters": read.chosen,
        "false_alarms": {"budget": PAGE_FALSE_ALARMS, "measures": read.page.tested},
        "points": [dict(zip(HEAD, row, strict=True)) for row in _rows(read.page)],
        "changes": [
            {
                "suite": series.suite_key,
                "measure": series.key,
                "week": series.moment(change).isoformat(),
                "before": change.before,
                "after": change.after,
                "p_value": change.p_value,
            }
            for series in read.page.series
            for change in series.changes
        ],
        "events": [
            {"kind": mark.kind, "day": mark.at.isoformat(), "text": mark.words}
            for mark in read.page.marks
        ],
    }
    headers = {
        "Content-Type": "application/json",
        "Content-Disposition": f'attachment; filename="{read.system.key}-evaluations.json"',
    }
    return Response(json.dumps(facts, allow_nan=False), headers=headers)
