"""Time to acknowledge, to mitigate and to resolve, by severity and month. Pure.

    acknowledge   from detection until the incident was declared
    mitigate      from detection until the harm had stopped (the state "monitoring")
    resolve       from detection until it was resolved

Each figure is the median of the incidents that reached that point. An open incident is counted but
has no time, so it never improves a figure. Source of the terms: Google, Site Reliability Workbook,
chapter 9, and "Incident Metrics in SRE" (2021), which says why medians mislead less than means.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

MEASURES = ("acknowledge", "mitigate", "resolve")
MEASURE_NAMES = {
    "acknowledge": "Time to acknowledge",
    "mitigate": "Time to mitigate",
    "resolve": "Time to resolve",
}
MONTHS = 12


@dataclass(frozen=True, slots=True)
class IncidentTimes:
    """The times of one incident. `month` is the month of its declaration in the tenant's zone:
    "2026-11".
    """

    severity: int
    month: str
    detected_at: datetime
    declared_at: datetime
    mitigated_at: datetime | None
    resolved_at: datetime | None

    def time_to(self, measure: str) -> timedelta | None:
        """Return the time of one of MEASURES, or None if it hasn't been reached."""
        ends = {
            "acknowledge": self.declared_at,
            "mitigate": self.mitigated_at or self.resolved_at,
            "resolve": self.resolved_at,
        }
        end = ends[measure]
        return max(end - self.detected_at, timedelta(0)) if end is not None else None


@dataclass(frozen=True, slots=True)
class ResponseFigures:
    """The median minutes of each measure for `count` incidents. None without any."""

    count: int
    minutes: dict[str, float | None]


def figures(incidents: Sequence[IncidentTimes]) -> ResponseFigures:
    """Return the medians of these incidents."""
    found: dict[str, float | None] = {}
    for measure in MEASURES:
        lengths = [t for each in incidents if (t := each.time_to(measure)) is not None]
        found[measure] = (
            median(length.total_seconds() for length in lengths) / 60 if lengths else None
        )
    return ResponseFigures(len(incidents), found)


def by_severity(incidents: Iterable[IncidentTimes]) -> dict[int, ResponseFigures]:
    """Return the figures of each severity that has incidents, the worst first."""
    grouped: dict[int, list[IncidentTimes]] = defaultdict(list)
    for each in incidents:
        grouped[each.severity].append(each)
    return {level: figures(grouped[level]) for level in sorted(grouped)}


def by_month(incidents: Iterable[IncidentTimes], months: Sequence[str]) -> list[ResponseFigures]:
    """Return the figures of each of these months, in their order."""
    grouped: dict[str, list[IncidentTimes]] = defaultdict(list)
    for each in incidents:
        grouped[each.month].append(each)
    return [figures(grouped[month]) for month in months]
