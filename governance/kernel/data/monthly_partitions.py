"""Tables with a partition for each month of UTC.

The application doesn't own them. Functions of the database (migrations/) create and drop a
partition for it: they check their argument and seal what they create.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from sqlalchemy import text
from sqlalchemy.exc import DataError

from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import Invalid
from governance.kernel.months import Month

MONTHS_AHEAD = 3
# The functions that create partitions check the same limits.
MONTHS_TAKEN_BEFORE, MONTHS_TAKEN_AHEAD = 61, 13


def utc_month(at: datetime) -> Month:
    """Return the month of an instant in UTC."""
    return Month(at.year, at.month)


def first_instant(month: Month) -> datetime:
    """Return the first instant of a month of UTC."""
    return datetime(month.year, month.number, 1, tzinfo=UTC)


def months_between(first: datetime, last: datetime) -> list[Month]:
    """Return every month of UTC from the first to the last instant."""
    months, end = [utc_month(first)], utc_month(last)
    while months[-1] < end:
        months.append(months[-1].plus(1))
    return months


@dataclass(frozen=True, slots=True)
class MonthlyPartitions:
    """The partitions of one table, and the names of its two functions."""

    table: str
    create_function: str
    drop_function: str

    def ensure(self, months: Iterable[Month]) -> None:
        """Create the partitions of these months that don't exist yet; one statement.

        Raises Invalid for a month that the database rejects: one that is far from its own clock.
        """
        days = sorted({_first_day(month) for month in months})
        if days:
            missing = f"""
SELECT {self.create_function}(month) FROM unnest(CAST(:months AS date[])) AS month
WHERE to_regclass('public.{self.table}_' || to_char(month, 'YYYY_MM')) IS NULL"""  # noqa: S608 - names of ours
            try:
                session().execute(text(missing), {"months": days})
            except DataError as refused:
                raise Invalid(_out_of_reach(days), field="at") from refused

    def create_ahead(self) -> None:
        """Create the partitions of this month and the next three."""
        present = utc_month(clock.now())
        self.ensure(present.plus(months) for months in range(MONTHS_AHEAD + 1))

    def existing(self) -> list[Month]:
        """Return the months with a partition, in order."""
        found = text(
            "SELECT right(c.relname, 7) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " WHERE i.inhparent = CAST(:table AS regclass) ORDER BY c.relname"
        )
        names = session().scalars(found, {"table": f"public.{self.table}"})
        return [Month.parse(name.replace("_", "-")) for name in names]

    def drop(self, month: Month) -> None:
        """Drop the rows of a month, of every tenant."""
        drop = text(f"SELECT {self.drop_function}(:month)")
        session().execute(drop, {"month": _first_day(month)})


def _out_of_reach(days: Sequence[date]) -> str:
    first, last = (Month(each.year, each.month).long_name for each in (days[0], days[-1]))
    sent = first if first == last else f"{first} to {last}"
    return (
        f"at: {sent} can't be stored. The database takes months from {MONTHS_TAKEN_BEFORE} before"
        f" to {MONTHS_TAKEN_AHEAD} after the present one, by its own clock. If the month is right,"
        " ask the operator to compare the clocks of Meridian and its database. Nothing was saved."
    )


def _first_day(month: Month) -> date:
    return date(month.year, month.number, 1)
