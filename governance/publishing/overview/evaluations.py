"""The evaluations cell of the overview: open findings, and the weekly figures of the first one.

It takes a statement each for the findings, the weeks of their measure, and the served releases.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil
from typing import Any
from uuid import UUID

from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on

from governance.assurance.evaluation_findings.models import EvaluationFinding
from governance.kernel import clock, formatting
from governance.kernel.data.db import session
from governance.kernel.formatting import plural
from governance.kernel.pictures import charts
from governance.operations.evaluations import figures
from governance.operations.evaluations import queries as evaluations
from governance.operations.evaluations.models import (
    EvaluationRun,
    MeasureResult,
    SuiteMeasure,
    SuiteVersion,
)
from governance.operations.evaluations.releases import served_releases
from governance.operations.evaluations.series.weeks import monday_of
from governance.operations.systems.models import AISystem

MAX_LINES, MAX_SERIES, WEEKS = 4, 4, 12
HUNDRED = 100


@dataclass(frozen=True, slots=True)
class FindingLine:
    """An open finding. `state` is (kind, text), as c.state takes it."""

    id: UUID
    ref: str
    title: str
    detail: str
    state: tuple[str, str]


@dataclass(frozen=True, slots=True)
class EvaluationsNow:
    """The open findings, and a chart of the first one's measure by week and AI system."""

    heading: str
    sub: str
    lines: Sequence[FindingLine]
    chart: Markup | None
    weeks: Sequence[str]
    rows: Sequence[tuple[str, Sequence[str]]]


NOTHING_OPEN = EvaluationsNow("No evaluation misses its limit", "", (), None, (), ())


def evaluations_now(kinds: Collection[str]) -> EvaluationsNow | None:
    """Return the cell, or None if no run was judged. `kinds` are those of reliability.rows_now."""
    if "run" not in kinds:
        return None
    found = _findings() if "finding" in kinds else ()
    if not found:
        return NOTHING_OPEN
    first, system = found[0]
    weeks = _weeks()
    points = _points(first, weeks[0])
    word = "misses its limit" if len(found) == 1 else "miss their limits"
    heading = (
        f"{first.name} of {system.name} {word}"
        if len(found) == 1
        else f"{plural(len(found), 'evaluation measure')} {word}"
    )
    chart, rows, sub = _chart(first, system, points, weeks)
    lines = [_line(each, its) for each, its in found[:MAX_LINES]]
    labels = [formatting.day_of_year(week) for week in weeks]
    return EvaluationsNow(heading, sub, lines, chart, labels, rows)


def _findings() -> Sequence[tuple[EvaluationFinding, AISystem]]:
    """Return open findings of live AI systems: those without a later pass first, the newest first."""
    f = EvaluationFinding
    query = (
        select(f, AISystem)
        .join(AISystem, AISystem.id == f.system_id)
        .where(f.closed_at.is_(None), AISystem.retired_at.is_(None))
        .order_by(f.passed_run_id.is_not(None), f.number.desc())
    )
    return [(row[0], row[1]) for row in session().execute(query)]


def _line(found: EvaluationFinding, system: AISystem) -> FindingLine:
    detail = (
        f"{plural(found.misses, 'miss', 'misses')} since {formatting.long_day(found.created_at)}"
    )
    return FindingLine(found.id, found.ref, f"{found.name} of {system.name}", detail, found.state)


def _weeks() -> list[date]:
    last = monday_of(clock.today())
    return [last - timedelta(weeks=n) for n in reversed(range(WEEKS))]


def _points(found: EvaluationFinding, first: date) -> Sequence[Any]:
    """Return the newest figure of the measure by AI system and week."""
    r, m = EvaluationRun, MeasureResult
    query = (
        select(
            AISystem.id,
            AISystem.name,
            r.week,
            m,
            SuiteMeasure,
            r.judged_tier,
            r.release,
            r.ran_at,
            r.number,
        )
        .join(SuiteVersion, SuiteVersion.id == r.version_id)
        .join(SuiteMeasure, SuiteMeasure.version_id == SuiteVersion.id)
        .join(m, (m.run_id == r.id) & (m.measure_id == SuiteMeasure.id))
        .join(AISystem, AISystem.id == r.system_id)
        .where(
            SuiteVersion.suite_id == found.suite_id,
            SuiteMeasure.key == found.measure,
            r.state == "judged",
            r.outcome == "completed",
            r.week >= first,
            m.n > 0,
            AISystem.retired_at.is_(None),
        )
        .ext(distinct_on(AISystem.id, r.week, r.release))
        .order_by(AISystem.id, r.week, r.release, r.ran_at.desc(), r.number.desc())
    )
    return _of_known_releases(session().execute(query).all())


def _of_known_releases(rows: Sequence[Any]) -> Sequence[Any]:
    """Keep one row per system and week, preferring a served release.

    Of a system with recorded releases, rows of releases that no record names are dropped.
    """
    recorded = served_releases.recorded_of({row.id for row in rows})
    known = [row for row in rows if row.id not in recorded or row.release in recorded[row.id]]
    releases = Counter((row.id, row.week) for row in known)
    roles = served_releases.roles_of({each for (each, _), count in releases.items() if count > 1})

    def rank(row: Any) -> tuple[Any, ...]:
        role = roles.get(row.id, {}).get(row.release)
        return bool(role and role.is_served), row.ran_at, row.number

    best: dict[tuple[UUID, date], Any] = {}
    for row in sorted(known, key=rank):
        best[row.id, row.week] = row
    return [best[each] for each in sorted(best, key=lambda each: (str(each[0]), each[1]))]


def _chart(
    found: EvaluationFinding,
    system: AISystem,
    points: Sequence[Any],
    weeks: Sequence[date],
) -> tuple[Markup | None, list[tuple[str, list[str]]], str]:
    """Return the lines by AI system (the finding's first), the same as a table, and a description."""
    by_system: dict[UUID, dict[date, Any]] = {}
    names: dict[UUID, str] = {}
    for system_id, name, week, result, measure, judged_by, *_of_run in points:
        by_system.setdefault(system_id, {})[week] = (result, measure, judged_by)
        names[system_id] = name
    order = sorted(by_system, key=lambda each: (each != system.id, names[each]))[:MAX_SERIES]
    if not order or len(by_system[order[0]]) < 2:  # noqa: PLR2004 - a line needs two points
        return None, [], ""
    newest, measure, judged_by = max(by_system[order[0]].items())[1]
    scale = HUNDRED if measure.unit == "share" else 1
    unit = "%" if measure.unit == "share" else f" {measure.unit}"
    limit = newest.verdicts.get(judged_by or evaluations.policy_tier(), {}).get("limit")
    title = f"{found.name} by week"
    drawn = charts.lines(
        [_series(names[each], by_system[each], weeks, scale) for each in order],
        _labels(weeks),
        title,
        ceiling=_ceiling(points, scale, limit) if measure.unit == "share" else None,
        unit=unit,
        limit=(limit * scale, f"limit {figures.limit(measure, limit)}") if limit else None,
    )
    rows = [(names[each], _cells(by_system[each], weeks)) for each in order]
    sub = (
        f"{figures.asks(measure).capitalize()} {figures.amount(limit, measure.unit)} as its newest run"
        " was judged; by week"
    )
    return drawn, rows, sub


def _labels(weeks: Sequence[date]) -> list[str]:
    """Return the labels below the chart.

    The second-last is empty, since it would touch the last one.
    """
    return [
        "" if place == len(weeks) - 2 else formatting.day_of_year(week)
        for place, week in enumerate(weeks)
    ]


def _ceiling(points: Sequence[Any], scale: int, limit: float | None) -> float:
    """Return an even number of percent above everything that is drawn."""
    most = max([row[3].point for row in points] + [limit or 0]) * scale
    return min(2.0 * ceil(most / 2) or 2.0, float(HUNDRED))


def _series(
    name: str, known: Mapping[date, Any], weeks: Sequence[date], scale: int
) -> charts.Series:
    values = [known[week][0].point * scale if week in known else None for week in weeks]
    return charts.Series(name, values)


def _cells(known: Mapping[date, Any], weeks: Sequence[date]) -> list[str]:
    return [
        figures.amount(known[week][0].point, known[week][1].unit) if week in known else "no run"
        for week in weeks
    ]
