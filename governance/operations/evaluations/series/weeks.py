"""The ISO week of a run. Pure."""

from datetime import UTC, date, datetime, timedelta


def monday_of(day: date) -> date:
    """Return the first day of a day's ISO week."""
    return day - timedelta(days=day.weekday())


def instant(text: str) -> datetime | None:
    """Parse ISO 8601, in UTC without a zone; None for other text."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def ran_at(completed_at: str, started_at: str) -> datetime | None:
    """Return when a run ended, or else when it started."""
    return instant(completed_at) or instant(started_at)
