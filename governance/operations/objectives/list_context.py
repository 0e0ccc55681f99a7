"""The context of the list of objectives: charts, gaps, and upcoming items."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from markupsafe import Markup

from governance.kernel import formatting
from governance.kernel.formatting import tenant_zone, zone
from governance.kernel.intervals import Span, intersection, minutes
from governance.operations.maintenance.queries import upcoming
from governance.operations.measurements import queries as measurements
from governance.operations.objectives import charts, figures, ports, queries, trends
from governance.operations.objectives.objective_list import ObjectiveRow
from governance.operations.objectives.ports import ComingUp
from governance.operations.objectives.windows import days_of

MAX_STRIPS = 6  # Objectives of the gaps panel: those with the least coverage
STRIP_DAYS = 31
LATE = 10  # Normal delay of data in minutes; not a gap yet
MAX_COMING = 6


@dataclass(frozen=True, slots=True)
class GapPanel:
    """Minutes with data by day, of the objectives with the least coverage."""

    title: str
    chart: Markup
    rows: Sequence[tuple[str, str, str, str]]  # Objective, no data, coverage, minimum


def rows_of(*, retired: bool = False) -> list[ObjectiveRow]:
    """Return a row for each objective, with its score and its alert."""
    found = queries.objectives_with_indicators(retired=retired)
    known = {indicator.id: indicator for _objective, indicator in found}
    read = queries.planned_readings([each for each, _indicator in found], indicators=known)
    ids = [objective.id for objective, _indicator in found]
    alerts = ports.alert_states()(ids) if ids else {}
    return [ObjectiveRow(plan, reading, alerts.get(plan.objective.id)) for plan, reading in read]


def find_uses(rows: Sequence[ObjectiveRow]) -> None:
    """Find the uses of the objectives of these rows."""
    uses = ports.uses_of()([row.objective.id for row in rows]) if rows else {}
    for row in rows:
        row.uses = uses.get(row.objective.id, ())


def draw(rows: Sequence[ObjectiveRow]) -> None:
    """Draw the charts of these rows, and find since when data is missing."""
    burns = trends.burns([(row.plan, row.reading) for row in rows])
    silent = [row for row in rows if row.state == "unknown" and not row.reading.last_day.minutes]
    last = measurements.last_minute(row.indicator.id for row in silent) if silent else {}
    for row in rows:
        row.last = last.get(row.indicator.id)
        row.draw(burns[row.objective.id])


def gap_panel(rows: Sequence[ObjectiveRow]) -> GapPanel | None:
    """Return the panel, or None if no objective that requires coverage has gaps.

    Runs one statement.
    """
    gapped = [
        row
        for row in rows
        if row.reading.score.unknown > LATE
        and row.reading.first
        and row.objective.minimum_coverage_share
    ]
    if not gapped:
        return None
    shown = sorted(gapped, key=lambda row: (row.reading.score.coverage or 0, row.objective.name))
    shown = shown[:MAX_STRIPS]
    end = max(row.reading.at for row in shown)
    days = days_of(Span(end - timedelta(days=STRIP_DAYS - 1), end), tenant_zone())
    asked = [
        (row.indicator.id, intersection([day], row.plan.spans.counted))
        for row in shown
        for day in days
    ]
    counts = measurements.counts_of_many(asked)
    strips = []
    for n, row in enumerate(shown):
        part = range(n * len(days), (n + 1) * len(days))
        cells = [(counts[k].minutes, minutes(asked[k][1])) for k in part]
        strips.append(
            charts.Strip(row.objective.name, cells, _coverage(row), row.is_low, _minimum(row))
        )
    ticks = [(n, figures.day(days[n].start)) for n in range(0, len(days), 7)]
    title = _gap_title(len(gapped), sum(row.is_low for row in gapped))
    return GapPanel(
        title,
        charts.coverage_strips(strips, ticks, "Minutes with data by day"),
        [
            (
                row.objective.name,
                figures.length(row.reading.score.unknown),
                _coverage(row),
                figures.percent(row.objective.minimum_coverage_share, 0),
            )
            for row in shown
        ],
    )


def _coverage(row: ObjectiveRow) -> str:
    return figures.percent(row.reading.score.coverage)


def _minimum(row: ObjectiveRow) -> str:
    return f"minimum {figures.percent(row.objective.minimum_coverage_share, 0)}"


def _gap_title(gapped: int, low: int) -> str:
    number = figures.number_word(gapped).capitalize()
    have = f"{number} objective has gaps" if gapped == 1 else f"{number} objectives have gaps"
    if not low:
        return f"{have}; all are above their minimum coverage" if gapped > 1 else have
    are = "is" if low == 1 else "are"
    return f"{have}; {figures.number_word(low)} {are} below the minimum coverage"


def coming_up(page_of: Callable[[UUID], str]) -> list[ComingUp]:
    """Return upcoming maintenance, incidents, statements and playbooks, by time.

    `page_of` is the address of an exclusion's page.
    """
    found = [
        ComingUp(
            each.span.start,
            each.exclusion.title,
            page_of(each.exclusion.id),
            f"{figures.between(*each.span)}, excluded from attainment",
        )
        for each in upcoming(3)
    ]
    for port in (
        ports.coming_up_incidents,
        ports.coming_up_statements,
        ports.coming_up_playbooks,
    ):
        found += port()()
    return sorted(found, key=lambda each: each.at)[:MAX_COMING]


def due_word(at: datetime, now: datetime) -> str:
    """Return "today 17:36" or "Sun 29 Nov"."""
    local, today = at.astimezone(zone()), now.astimezone(zone())
    if local.date() == today.date():
        return f"today {formatting.hour(local)}"
    return formatting.weekday(local)
