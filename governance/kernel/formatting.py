"""Numbers, dates and times as a reader sees them, in English.

On pages they follow the reader's profile: their time zone, and the regional form of their dates,
times and numbers. Everything else (files, PDFs, mail, what is cached for all readers) has the
tenant's: `with as_tenant():`.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_decimal

from governance.kernel import clock, current

# Regional forms of English, with a decimal point: "1.200" never means 1,200 here.
LOCALES = {
    "": "International English",
    "en-US": "English (United States)",
    "en-CA": "English (Canada)",
    "en-AU": "English (Australia)",
    "en-IN": "English (India)",
}
MINUTE = timedelta(minutes=1)
_is_for_tenant: ContextVar[bool] = ContextVar("formatting for the tenant", default=False)


@contextmanager
def as_tenant() -> Generator[None]:
    """Format for everybody in the tenant, not for the reader."""
    token = _is_for_tenant.set(True)
    try:
        yield
    finally:
        _is_for_tenant.reset(token)


def zone() -> ZoneInfo:
    """Return the reader's time zone; UTC if nobody is signed in."""
    who = current.actor_or_none()
    if who is None:
        return ZoneInfo("UTC")
    own = "" if _is_for_tenant.get() else who.own_time_zone
    return ZoneInfo(own or who.time_zone)


def tenant_zone() -> ZoneInfo:
    """Return the time zone in which the tenant's days begin and end."""
    with as_tenant():
        return zone()


def locale() -> str:
    """Return the reader's regional form, a key of LOCALES."""
    who = current.actor_or_none()
    return "" if who is None or _is_for_tenant.get() else who.locale


def style() -> tuple[str, str]:
    """Return what the reader's dates and numbers depend on, as a cache key."""
    return zone().key, locale()


def moment(at: datetime) -> str:
    """Return "25 Nov 2026, 19:44:03 CET"."""
    return f"{day(at)}, {_time(at, 'medium')}"


def short(at: datetime) -> str:
    """Return "25 Nov 2026, 19:44 CET"."""
    return f"{day(at)}, {time_of_day(at)}"


def time_of_day(at: datetime) -> str:
    """Return "19:44 CET"."""
    return _time(at, "short")


def hour(at: datetime) -> str:
    """Return "19:44"."""
    return _clock(at.astimezone(zone()), "short")


def _time(at: datetime, length: str) -> str:
    local = at.astimezone(zone())
    return f"{_clock(local, length)} {_zone_name(local)}"


def _clock(local: datetime, length: str) -> str:
    if not (where := locale()):
        return f"{local:%H:%M:%S}" if length == "medium" else f"{local:%H:%M}"
    text = format_time(local.replace(tzinfo=None), length, locale=where.replace("-", "_"))
    return text.replace("\N{NARROW NO-BREAK SPACE}", " ")


def example(where: str, at: datetime) -> str:
    """Return an example of a regional form: "25 Nov 2026, 19:44 · 1,234,567.5"."""
    if not where:
        return f"{_day(at.date(), 'medium', '')}, {at:%H:%M} · 1,234,567.5"
    known = where.replace("-", "_")
    time = format_time(at.replace(tzinfo=None), "short", locale=known)
    number = format_decimal(1234567.5, locale=known)
    return f"{_day(at.date(), 'medium', where)}, {time} · {number}"


def _zone_name(local: datetime) -> str:
    """Return CET or EDT; for a zone without an abbreviation of its own, UTC+04."""
    name = f"{local:%Z}"
    return f"UTC{name}" if name[0] in "+-" else name


def day(at: date | datetime) -> str:
    """Return "25 Nov 2026"; of a moment, the day in the reader's time zone."""
    return _day(local_day(at), "medium", locale())


def long_day(at: date | datetime) -> str:
    """Return "25 November 2026"."""
    return _day(local_day(at), "long", locale())


def day_of_year(at: date | datetime) -> str:
    """Return "25 Nov"."""
    return _day(local_day(at), "MMMd", locale())


def weekday(at: date | datetime) -> str:
    """Return "Wed 25 Nov"."""
    return _day(local_day(at), "MMMEd", locale())


def local_day(at: date | datetime) -> date:
    """Return the day of a moment in the reader's time zone; return a day unchanged."""
    return at.astimezone(zone()).date() if isinstance(at, datetime) and at.tzinfo else _date(at)


def _date(at: date | datetime) -> date:
    return at.date() if isinstance(at, datetime) else at


@lru_cache(maxsize=8192)
def _day(at: date, form: str, where: str) -> str:
    """Return a day in one of CLDR's forms: medium, long, or a skeleton."""
    if not where:
        names = {"medium": "%b %Y", "long": "%B %Y", "MMMd": "%b", "MMMEd": "%b"}[form]
        return f"{at:%a} {at.day} {at:%b}" if form == "MMMEd" else f"{at.day} {at:{names}}"
    known = where.replace("-", "_")
    if form in {"medium", "long"}:
        return format_date(at, form, locale=known)
    return format_skeleton(form, at, locale=known)


def ago(at: datetime) -> str:
    """Return "3 seconds ago", "12 minutes ago", "2 hours ago" or "5 days ago"."""
    seconds = max(0, int((clock.now() - at.astimezone(UTC)).total_seconds()))
    for length, unit in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length:
            return f"{plural(seconds // length, unit)} ago"
    return f"{plural(seconds, 'second')} ago"


def lately(at: datetime) -> str:
    """Return "just now" within a minute, then as `ago`: for what is recorded once a minute."""
    return "just now" if clock.now() - at.astimezone(UTC) < MINUTE else ago(at)


def thousands(number: int) -> str:
    """Return "1,200"."""
    where = locale()
    if not where or -1000 < number < 1000:  # noqa: PLR2004 - no group of thousands
        return f"{number:,}"
    return format_decimal(number, locale=where.replace("-", "_"))


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
    "lately": lately,
    "thousands": thousands,
    "size": size,
    "day": day,
    "long_day": long_day,
    "day_of_year": day_of_year,
    "weekday": weekday,
    "local_day": local_day,
    "time_of_day": time_of_day,
    "plural": plural,
}
