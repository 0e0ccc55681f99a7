"""The week that a run belongs to. Pure."""

from datetime import UTC, date, datetime, timedelta


def monday_of(day: date) -> date:
    """The first day of its ISO week."""
    return day - timedelta(days=day.weekday())


def instant(text: str) -> datetime | None:
    """An instant as tools write it: ISO 8601, in UTC where it has no zone; None for other text."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def ran_at(completed_at: str, started_at: str) -> datetime | None:
    """When a run ended, or began where it doesn't say when it ended."""
    return instant(completed_at) or instant(started_at)
