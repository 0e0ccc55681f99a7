"""The access window of an engagement as instants, and the phase it is in. Pure functions."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def access_window(first: date, last: date, zone: str) -> tuple[datetime, datetime]:
    """Return the start of the first day and the end of the last one, in the time zone `zone`."""
    here = ZoneInfo(zone)
    return datetime.combine(first, time(), here), datetime.combine(
        last + timedelta(days=1), time(), here
    )


def phase(opens_at: datetime, closes_at: datetime, ended_at: datetime | None, now: datetime) -> str:
    """Return "planned", "open" or "over"."""
    if now >= closes_at or (ended_at is not None and now >= ended_at):
        return "over"
    return "open" if now >= opens_at else "planned"
