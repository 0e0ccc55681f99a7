"""Read the recorded minutes of an objective for a back-test, and run it.

The minutes outside service hours or inside exclusions don't count, as in the evaluation.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select

from governance.foundation.tenants.time_zones import zone_periods
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.intervals import MINUTE, Span, difference
from governance.operations.alerts.backtest import (
    BackTest,
    History,
    IncidentSpan,
    alerts_of,
    result,
)
from governance.operations.alerts.burn_rules import BurnRule, lengths
from governance.operations.alerts.ports import incident_spans
from governance.operations.alerts.watching import Watched, watched_of
from governance.operations.measurements import queries as measurements
from governance.operations.measurements.models import MINUTES
from governance.operations.measurements.rollups import EPOCH, minute_number
from governance.operations.objectives.exclusions import applying, exclusions_in
from governance.operations.objectives.models import Objective
from governance.operations.objectives.windows import minute_of, window

DAYS = 90  # Days of a back-test


@dataclass(frozen=True, slots=True)
class Recorded:
    """The data of a back-test. `since` is the number of its first minute.

    `known` keeps each rule's statuses, so that a second set of rules costs little.
    """

    watched: Watched
    history: History
    since: int
    incidents: Sequence[IncidentSpan]
    known: dict[str, bytearray] = field(default_factory=dict)


def recorded(objective: Objective, *, days: int = DAYS, at: datetime | None = None) -> Recorded:
    """Read the minutes of the last days, and enough before them to fill the longest window."""
    end = minute_of(at or clock.now())
    zones = zone_periods()
    indicator = measurements.indicator(objective.indicator_id)
    its = window(objective.window, objective.window_days, zones, end)
    watched = watched_of(objective, indicator, its)
    start = end - timedelta(days=days)
    longest = max(lengths(watched.rules, watched.window))
    whole = Span(start - longest * MINUTE, end)
    hidden: list[Span] = [
        each.span
        for each in applying(
            exclusions_in(whole), system_id=indicator.system_id, indicator_id=indicator.id
        )
    ]
    if watched.hours is not None:
        hidden += difference([whole], watched.hours.spans(zones, whole))
    first, until = minute_number(whole.start), minute_number(whole.end)
    history = History.of(
        watched.kind,
        first,
        until,
        _rows(watched, whole),
        [(_number(span.start), _number(span.end)) for span in hidden],
    )
    declared = incident_spans()(indicator.system_id, Span(start, end))
    incidents = [
        IncidentSpan(each.ref, _number(each.start), _number(each.end) if each.end else None)
        for each in declared
    ]
    return Recorded(watched, history, minute_number(start), incidents)


def _number(at: datetime) -> int:
    return (at - EPOCH) // MINUTE


def _rows(watched: Watched, span: Span) -> list[tuple[int, int, int, bool]]:
    """Return minutes as (number, good, total, is down); plain tuples, since there are many."""
    c = MINUTES.c
    query = select(c.at, c.good, c.total, c.down).where(
        c.tenant_id == current.actor().tenant_id,
        c.indicator_id == watched.indicator_id,
        c.at >= span.start,
        c.at < span.end,
    )
    return [(_number(at), good, total, down) for at, good, total, down in session().execute(query)]


def run(over: Recorded, rules: Sequence[BurnRule]) -> BackTest:
    """Run a set of rules over the recorded minutes."""
    alerts = alerts_of(
        rules,
        over.history,
        target=over.watched.target,
        window=over.watched.window,
        since=over.since,
        known=over.known,
    )
    return result(alerts, over.incidents, over.history)
