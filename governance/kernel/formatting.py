"""Numbers, dates and times as a reader sees them: in English, in the tenant's time zone."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from governance.kernel import clock, current


def zone() -> ZoneInfo:
    """Return the time zone of the reader's tenant; UTC where nobody is signed in."""
    who = current.actor_or_none()
    return ZoneInfo(who.time_zone if who else "UTC")


def moment(at: datetime) -> str:
    """Return "25 Nov 2026, 19:44:03 CET"."""
    local = at.astimezone(zone())
    return f"{local.day} {local:%b %Y, %H:%M:%S} {_zone_name(local)}"


def short(at: datetime) -> str:
    """Return "25 Nov 2026, 19:44 CET"."""
    local = at.astimezone(zone())
    return f"{local.day} {local:%b %Y, %H:%M} {_zone_name(local)}"


def _zone_name(local: datetime) -> str:
    """Return CET or EDT; for a zone without an abbreviation of its own, UTC+04."""
    name = f"{local:%Z}"
    return f"UTC{name}" if name[0] in "+-" else name


def long_day(day: date) -> str:
    """Return "25 November 2026"."""
    return f"{day.day} {day:%B %Y}"


def ago(at: datetime) -> str:
    """Return "3 seconds ago", "12 minutes ago", "2 hours ago" or "5 days ago"."""
    seconds = max(0, int((clock.now() - at.astimezone(UTC)).total_seconds()))
    for length, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length:
            return f"{plural(seconds // length, unit)} ago"
    return f"{plural(seconds, 'second')} ago"


def thousands(number: int) -> str:
    """Return "1,200"."""
    return f"{number:,}"


def size(octets: int) -> str:
    """Return "1.2 MB", "640 KB" or "12 bytes"."""
    for unit, factor in (("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1000)):
        if octets >= factor:
            value = octets / factor
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"  # noqa: PLR2004
    return f"{octets} bytes"


def plural(count: int, noun: str, many: str = "") -> str:
    """Return "1 session" or "3 sessions"; `many` is an irregular plural."""
    return f"{thousands(count)} {noun if count == 1 else many or noun + 's'}"


FILTERS = {
    "moment": moment,
    "short": short,
    "ago": ago,
    "thousands": thousands,
    "size": size,
    "long_day": long_day,
    "plural": plural,
}
