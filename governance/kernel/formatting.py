"""Numbers and moments in the reader's words: the tenant's time zone, plain English, the absolute
behind the relative.
"""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from governance.kernel import clock, current

NARROW = "\N{NARROW NO-BREAK SPACE}"


def zone() -> ZoneInfo:
    who = current.actor_or_none()
    return ZoneInfo(who.time_zone if who else "UTC")


def moment(at: datetime) -> str:
    """25 November 2026, 10:24:03 CET."""
    local = at.astimezone(zone())
    return f"{local.day} {local:%B %Y, %H:%M:%S %Z}"


def short(at: datetime) -> str:
    """25 Nov 10:24; with the year when it is another one."""
    local = at.astimezone(zone())
    year = "" if local.year == clock.now().year else f" {local:%Y}"
    return f"{local.day} {local:%b}{year} {local:%H:%M}"


def long_day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def ago(at: datetime) -> str:
    """3 s ago, 12 minutes ago, 2 hours ago, 5 days ago."""
    seconds = max(0, int((clock.now() - at.astimezone(UTC)).total_seconds()))
    for size, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return f"{seconds} s ago"


def thousands(number: int) -> str:
    return f"{number:,}".replace(",", NARROW)


def size(octets: int) -> str:
    """1.2 MB, 640 KB, 12 bytes."""
    for unit, factor in (("GB", 1_000_000_000), ("MB", 1_000_000), ("KB", 1000)):
        if octets >= factor:
            value = octets / factor
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"  # noqa: PLR2004
    return f"{octets} bytes"


def plural(count: int, noun: str, many: str = "") -> str:
    """`1 session`, `3 sessions`."""
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
