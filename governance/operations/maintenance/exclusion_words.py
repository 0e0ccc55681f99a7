"""What exclusions are called on pages: scope, notice, repetition."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from governance.kernel.formatting import plural, short
from governance.operations.maintenance.models import Exclusion
from governance.operations.measurements import queries as measurements
from governance.operations.systems import queries as systems

SIMPLE = {
    "FREQ=DAILY": "Every day",
    "FREQ=WEEKLY": "Every week",
    "FREQ=WEEKLY;INTERVAL=2": "Every two weeks",
    "FREQ=MONTHLY": "Every month",
}
STATES = {
    "proposed": ("due", "Awaiting approval"),
    "approved": ("ok", "Approved"),
    "rejected": ("none", "Not approved"),
    "withdrawn": ("none", "Withdrawn"),
}


def scope_words(row: Exclusion) -> str:
    """Return "All systems", a system's name, or an indicator's; a statement where there is one."""
    if row.indicator_id is not None:
        return measurements.indicator(row.indicator_id).name
    if row.system_id is not None:
        return systems.names([row.system_id]).get(row.system_id, "A retired system")
    return "All systems"


def scopes(rows: Iterable[Exclusion]) -> dict[UUID, str]:
    """Return exclusion → its scope in words; two statements at most."""
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
    """Return "72 hours before the start", or by how much it was after the fact."""
    hours = row.notice // timedelta(hours=1)
    if row.notice >= timedelta(days=3):
        before = plural(row.notice.days, "day")
    elif row.notice >= timedelta(hours=1):
        before = plural(hours, "hour")
    elif row.notice >= timedelta(0):
        before = plural(row.notice // timedelta(minutes=1), "minute")
    else:
        late = -row.notice
        words = (
            plural(late.days, "day")
            if late >= timedelta(days=3)
            else plural(late // timedelta(hours=1), "hour")
            if late >= timedelta(hours=1)
            else plural(late // timedelta(minutes=1), "minute")
        )
        return f"{short(row.announced_at)}, {words} after its start"
    return f"{short(row.announced_at)}, {before} before its start"


def repeats(row: Exclusion) -> str:
    """Return how it repeats, such as "Every week until 31 Dec 2026, 23:59 CET"."""
    if row.rrule is None:
        return "Never"
    rule = SIMPLE.get(row.rrule, row.rrule)
    return f"{rule} until {short(row.repeat_until)}" if row.repeat_until else rule
