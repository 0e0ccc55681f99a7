"""When a month closes. Pure."""

from collections.abc import Sequence
from datetime import datetime

from governance.kernel.months import Month, ZonePeriod, month_span, zone_at


def close_instant(zones: Sequence[ZonePeriod], month: Month, close_day: int) -> datetime:
    """Midnight of that day of the following month, in the zone in force at its beginning."""
    first = month_span(zones, month).end
    zone = zone_at(zones, first)
    after = month.plus(1)
    return datetime(after.year, after.number, close_day, tzinfo=zone)
