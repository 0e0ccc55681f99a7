"""The interface of the store for raw usage events, independent of the database behind it.

PostgreSQL always keeps the ids of recent events, days and people. Its statements read what a store
counts from events as Rows. Every method acts on the acting tenant, except those for months.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

from governance.economics.usage.usage_events import UsageEvent
from governance.foundation.tenants.models import Tenant
from governance.kernel.intervals import Span
from governance.kernel.months import Month


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows that a larger PostgreSQL statement reads: a SELECT and its bind values."""

    sql: str
    values: Mapping[str, Any]

    def within(self, statement: str) -> str:
        """Return the statement with the SELECT in place of {rows}."""
        return statement.replace("{rows}", self.sql)


def rows_of(kinds: Mapping[str, str], found: Sequence[Sequence[Any]]) -> Rows:
    """Return Rows that bind results of another database; `kinds` has types by column, in order."""
    arrays = ", ".join(f"CAST(:found_{name} AS {kind}[])" for name, kind in kinds.items())
    return Rows(
        f"SELECT * FROM unnest({arrays}) AS found ({', '.join(kinds)})",  # noqa: S608 - names of ours
        {f"found_{name}": [row[n] for row in found] for n, name in enumerate(kinds)},
    )


@dataclass(frozen=True, slots=True)
class Days:
    """Days in the operator's time zone, and the span from the first to the last of them."""

    days: Sequence[date]
    span: Span
    zone: str


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """A model's price from one day to another, both included, in the currency of the caller.

    `per_million` has the price of a million tokens of each bucket.
    """

    provider: str  # "" where events name none
    model: str
    first: date
    last: date
    per_million: Mapping[str, Decimal]
    per_request: Decimal = Decimal(0)
    priced_in: str = ""  # the currency of the price book, before it was converted


@dataclass(frozen=True, slots=True)
class Stored:
    """The result of storing a batch.

    `same` and `different` are the positions, from 0, of events whose id was already stored, with
    the same content and with different content.
    """

    accepted: int
    same: tuple[int, ...] = ()
    different: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredPart:
    """The result of storing a part of a file.

    `different` is the row of the first event whose id is taken by an event with other content.
    """

    new: int
    different: int | None = None


class EventStore(Protocol):
    """The event store, as the rest of the console uses it."""

    def write(self, events: Sequence[UsageEvent], systems: Mapping[str, UUID], zone: str) -> Stored:
        """Store the events whose ids are new and count their days. Each id occurs once in `events`.

        `systems` are ids by slug, `zone` is the operator's. Raises Unavailable.
        """
        ...

    def prepare_file(self) -> None:
        """Prepare the transaction that stores a file. Call it once."""
        ...

    def write_part(self, tenant: Tenant, part: bytes, zone: str) -> StoredPart:
        """Store a part of a file in the customer's tenant, as `write` does."""
        ...

    def finish_file(self) -> None:
        """Complete the file after its last part. Raises Unavailable."""
        ...

    def forget_uncounted(self) -> int:
        """Remove events of incomplete writes, which no day counts. Return how many."""
        ...

    def counts(self, days: Days) -> Rows:
        """Return requests and tokens by day, system_id, feature, provider, model and outcome."""
        ...

    def people(self, days: Days) -> Rows:
        """Return the days of the month, as bits, by month, system_id, feature and person."""
        ...

    def tasks(self, span: Span, look_back: timedelta) -> Rows:
        """Return completed tasks by system_id and the feature of the first success.

        Counts tasks that events name, and requests that succeeded without naming one. A task that
        succeeded up to `look_back` before the span isn't counted.
        """
        ...

    def costs(self, span: Span, zone: str, prices: Sequence[UnitPrice]) -> Rows:
        """Return cost percentiles (50th, 95th, 99th) and counts of requests with and without price.

        There is a row for all requests, for each system_id and for each feature: NULL means all.
        """
        ...

    def count_outside(self) -> int:
        """Return how many events are kept outside of PostgreSQL. Raises Unavailable."""
        ...

    def lines_outside(self) -> Iterator[bytes] | None:
        """Yield each event kept outside of PostgreSQL as a line of JSON, in order of time.

        Returns None if the store keeps none outside. Raises Unavailable.
        """
        ...

    def delete_outside(self) -> None:
        """Delete the tenant's events outside of PostgreSQL permanently. Can be repeated to resume.

        Raises Unavailable.
        """
        ...

    def months(self) -> list[Month]:
        """Return the months in UTC that have events of any tenant, in order."""
        ...

    def ensure_months(self, months: Iterable[Month]) -> None:
        """Create the partitions for events of these months in UTC."""
        ...

    def drop_month(self, month: Month) -> None:
        """Drop the events of a month for every tenant. The month must be past its retention."""
        ...
