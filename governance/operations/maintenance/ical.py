"""The maintenance calendar as iCalendar (RFC 5545), for any calendar program. Pure.

Each exclusion keeps its UID, and a change raises its SEQUENCE. A withdrawn one stays for a while as
CANCELLED, so that calendars remove it. Recurring ones name their time zone, with its VTIMEZONE.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event, vRecur, vText

from governance.operations.maintenance.models import Exclusion

PRODUCT = "-//Meridian//Maintenance calendar//EN"
DOMAIN = "maintenance.meridian"


def calendar(name: str, rows: Sequence[Exclusion], scopes: Mapping[UUID, str]) -> bytes:
    """Return the feed with these exclusions; `scopes` has their scopes in words."""
    made = Calendar()
    made.add("prodid", PRODUCT)
    made.add("version", "2.0")
    made.add("x-wr-calname", vText(name))  # Escape the text; an unknown property isn't
    for row in rows:
        made.add_component(_event(row, scopes[row.id]))
    made.add_missing_timezones()
    content: bytes = made.to_ical()
    return content


def _event(row: Exclusion, scope: str) -> Event:
    event = Event()
    event.add("uid", f"{row.id}@{DOMAIN}")
    event.add("dtstamp", _stamp(row))
    event.add("sequence", row.revision)
    event.add("status", "CANCELLED" if row.state == "withdrawn" else "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    event.add("summary", f"{row.title} ({scope})")
    event.add("description", f"{row.ref}, {row.category_name.lower()}: {scope}.")
    event.add("categories", [row.category_name])
    zone = ZoneInfo(row.time_zone) if row.rrule else UTC
    event.add("dtstart", row.starts_at.astimezone(zone))
    event.add("dtend", row.ends_at.astimezone(zone))
    if row.rrule:
        event.add("rrule", _rule(row.rrule, row.repeat_until))
    return event


def _rule(rule: str, until: datetime | None) -> vRecur:
    """Return the rule with its end.

    A rule has a COUNT or an UNTIL, so the end replaces a count if a series was ended early.
    """
    parts: vRecur = vRecur.from_ical(rule)
    if until is not None:
        parts.pop("COUNT", None)
        parts["UNTIL"] = [until.astimezone(UTC)]
    return parts


def _stamp(row: Exclusion) -> datetime:
    """Return the time of its last change, so that an unchanged feed has the same bytes."""
    known = [row.announced_at, row.approved_at, row.withdrawn_at]
    return max(each for each in known if each is not None).astimezone(UTC)
