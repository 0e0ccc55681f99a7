"""Labels of exclusions on pages: scope, notice, repetition."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from governance.kernel import formatting
from governance.kernel.formatting import plural, short
from governance.kernel.intervals import Span
from governance.operations.maintenance.models import Exclusion
from governance.operations.measurements import queries as measurements
from governance.operations.systems import queries as systems

SIMPLE = {
    "FREQ=DAILY": "Every day",
    "FREQ=WEEKLY": "Every week",
    "FREQ=WEEKLY;INTERVAL=2": "Every two weeks",
    "FREQ=MONTHLY": "Every month",
}


def scope_words(row: Exclusion) -> str:
    """Return "All systems", or the name of a system or an indicator, which needs a statement."""
    if row.indicator_id is not None:
        return measurements.indicator(row.indicator_id).name
    if row.system_id is not None:
        return systems.names([row.system_id]).get(row.system_id, "A retired system")
    return "All systems"


def scopes(rows: Iterable[Exclusion]) -> dict[UUID, str]:
    """Return each exclusion's scope in words. Runs two statements at most."""
    every = list(rows)
    names = systems.names(row.system_id for row in every)
    indicators = (
        {each.id: each.name for each in measurements.every_indicator()}
        if any(row.indicator_id for row in every)
        else {}
    )
    return {
        row.id: indicators.get(row.indicator_id, "An indicator")
        if row.indicator_id
        else names.get(row.system_id, "A system")
        if row.system_id
        else "All systems"
        for row in every
    }


def notice_words(row: Exclusion) -> str:
    """Return "72 hours before the start", or how long after the fact it was announced."""
    length = abs(row.notice)
    if length >= timedelta(days=3):
        words = plural(length.days, "day")
    elif length >= timedelta(hours=1):
        words = plural(length // timedelta(hours=1), "hour")
    else:
        words = plural(length // timedelta(minutes=1), "minute")
    side = "before" if row.notice >= timedelta(0) else "after"
    return f"{short(row.announced_at)}, {words} {side} its start"


def repeats(row: Exclusion) -> str:
    """Describe the repetition, such as "Every week until 31 Dec 2026"."""
    if row.rrule is None:
        return "Never"
    rule = SIMPLE.get(row.rrule, row.rrule)
    if row.repeat_until is None:
        return rule
    last = row.repeat_until.astimezone(ZoneInfo(row.time_zone))
    return f"{rule} until {last.day} {last:%b %Y}"


def day_words(at: datetime) -> str:
    """Return "Sun 29 Nov"."""
    local = at.astimezone(formatting.tenant_zone())
    return f"{local:%a} {local.day} {local:%b}"


def hours_words(span: Span) -> str:
    """Return "02:00 to 04:00 CET", with the end's day if it is another day."""
    start, end = (at.astimezone(formatting.tenant_zone()) for at in span)
    with formatting.as_tenant():
        zone = short(span.end).rsplit(" ", 1)[-1]
    last = "" if start.date() == end.date() else f"{day_words(span.end)}, "
    return f"{start:%H:%M} to {last}{end:%H:%M} {zone}"


def span_words(span: Span) -> str:
    """Return "Sun 29 Nov 2026, 02:00 to 04:00 CET"."""
    year = span.start.astimezone(formatting.tenant_zone()).year
    return f"{day_words(span.start)} {year}, {hours_words(span)}"
