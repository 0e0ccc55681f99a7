"""Monthly partitions of the minute counts.

The application doesn't own the table. Two functions of the database create and drop a partition for
it (migrations/versions): they check their argument and seal what they create.
"""

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import text

from governance.kernel import clock
from governance.kernel.db import session
from governance.kernel.months import Month

MONTHS_AHEAD = 3

MISSING = text(
    "SELECT create_minute_partition(month) FROM unnest(CAST(:months AS date[])) AS month"
    " WHERE to_regclass('public.indicator_minutes_' || to_char(month, 'YYYY_MM')) IS NULL"
)
EXISTING = text(
    "SELECT right(c.relname, 7) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
    " WHERE i.inhparent = 'public.indicator_minutes'::regclass ORDER BY c.relname"
)
DROP = text("SELECT drop_minute_partition(:month)")


def first_day(month: Month) -> date:
    return date(month.year, month.number, 1)


def utc_month(at: datetime) -> Month:
    """The month of an instant in UTC."""
    return Month(at.year, at.month)


def ensure(months: Iterable[Month]) -> None:
    """Create the partitions of these months that don't exist yet; one statement."""
    days = sorted({first_day(month) for month in months})
    if days:
        session().execute(MISSING, {"months": days})


def create_ahead() -> None:
    """Create the partitions of this month and the next three."""
    present = utc_month(clock.now())
    ensure(present.plus(months) for months in range(MONTHS_AHEAD + 1))


def existing() -> list[Month]:
    """The months with a partition, in order."""
    return [Month.parse(name.replace("_", "-")) for name in session().scalars(EXISTING)]


def drop(month: Month) -> None:
    """Drop the minutes of a month, of every tenant. Their hours and days stay."""
    session().execute(DROP, {"month": first_day(month)})
