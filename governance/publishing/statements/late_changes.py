"""Subscriptions to measurements and maintenance: minutes or exclusions of closed months changed."""

from datetime import UTC, datetime, timedelta

from governance.kernel import clock
from governance.operations.maintenance.events import ExclusionChanged
from governance.operations.measurements.events import MinutesStored
from governance.publishing.statements import actions, queries

MARGIN = timedelta(days=1)  # No time zone is further from UTC.


def on_minutes_stored(event: MinutesStored) -> None:
    """Mark the months of these minutes. Minutes of the running month take no statement."""
    if event.first >= _running_month():
        return
    _mark("late_data", event.first, event.last)


def on_exclusion_changed(event: ExclusionChanged) -> None:
    """Mark the months that the exclusion touches. A recurring one may touch several."""
    if event.span.start < _running_month():
        _mark("exclusion", event.span.start, event.span.end)


def _running_month() -> datetime:
    """Return the time from which minutes are certainly of the running month."""
    now = clock.now().astimezone(UTC)
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0) + MARGIN


def _mark(cause: str, first: datetime, last: datetime) -> None:
    found = queries.affected(first, last)
    if found:
        actions.mark_late(found, cause, first, last)
