"""When an engagement's fieldwork begins and ends as instants, and in which words that is told.

Pure.
"""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def access_window(first: date, last: date, zone: str) -> tuple[datetime, datetime]:
    """From midnight before the first day until midnight after the last one, as the tenant's clocks
    show it.
    """
    here = ZoneInfo(zone)
    return datetime.combine(first, time(), here), datetime.combine(
        last + timedelta(days=1), time(), here
    )


def phase(opens_at: datetime, closes_at: datetime, ended_at: datetime | None, now: datetime) -> str:
    """planned, open, or over."""
    if now >= closes_at or (ended_at is not None and now >= ended_at):
        return "over"
    return "open" if now >= opens_at else "planned"
