"""Charts of time to acknowledge, to mitigate and to resolve, with their tables."""

import calendar

from markupsafe import Markup

from governance.assurance.incidents import permissions, response_times, statistics_queries
from governance.assurance.incidents.response_times import MEASURES, IncidentTimes, ResponseFigures
from governance.assurance.incidents.severity_queries import severity_names
from governance.assurance.incidents.views import feature
from governance.kernel.months import Month
from governance.kernel.pages.rendering import page
from governance.kernel.pictures import charts
from governance.kernel.pictures.charts import Series
from governance.kernel.web.responses import ResponseReturnValue

HOUR = 60


@feature.get("/incidents/charts", needs=permissions.VIEW)
def figures() -> ResponseReturnValue:
    months, times = statistics_queries.months(), statistics_queries.incident_times()
    names = {level: each.name for level, each in severity_names().items()}
    return page(
        "assurance/incidents/charts.html",
        months=[_label(each) for each in months],
        total=response_times.figures(times),
        by_severity=response_times.by_severity(times),
        names=names,
        sections=[_section(measure, times, months, names) for measure in MEASURES],
        count=len(times),
        still_open=sum(each.resolved_at is None for each in times),
        length=length,
    )


def _label(month: Month) -> str:
    """Return a label like "Oct 2026"."""
    return f"{calendar.month_abbr[month.number]} {month.year}"


def length(minutes: float | None) -> str:
    """Return "22 min" or "3 h 5 min", or "none" for None."""
    if minutes is None:
        return "none"
    whole = round(minutes)
    return f"{whole} min" if whole < HOUR else f"{whole // HOUR} h {whole % HOUR} min"


def _section(
    measure: str, times: list[IncidentTimes], months: list[Month], names: dict[int, str]
) -> dict[str, object]:
    """Return a chart with a line for each severity that has incidents, and its figures by month."""
    labels = [str(each) for each in months]
    levels = sorted({each.severity for each in times})
    rows: dict[int, list[ResponseFigures]] = {
        level: response_times.by_month([t for t in times if t.severity == level], labels)
        for level in levels
    }
    series = [
        Series(names[level], [each.minutes[measure] for each in rows[level]]) for level in levels
    ]
    name = response_times.MEASURE_NAMES[measure]
    chart = (
        charts.lines(
            series,
            [calendar.month_abbr[each.number] for each in months],
            f"{name}, median in minutes",
        )
        if series
        else Markup("")
    )
    return {
        "key": measure,
        "name": name,
        "chart": chart,
        "rows": [
            (names[level], [length(each.minutes[measure]) for each in found])
            for level, found in rows.items()
        ],
    }
