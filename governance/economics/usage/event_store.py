"""Where raw usage events are kept: one small interface, whatever database is behind it.

PostgreSQL keeps the ids of recent events, days and people in any case. Their statements read what
a store counts from events as Rows. Every method but those of months is about the acting tenant.
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
    """Rows as PostgreSQL reads them in a larger statement: a SELECT, and the values it binds."""

    sql: str
    values: Mapping[str, Any]

    def within(self, statement: str) -> str:
        """The statement that reads them, with the SELECT where it says {rows}."""
        return statement.replace("{rows}", self.sql)


def rows_of(kinds: Mapping[str, str], found: Sequence[Sequence[Any]]) -> Rows:
    """Bind rows that were found elsewhere: columns of these names, in order, of these types."""
    arrays = ", ".join(f"CAST(:found_{name} AS {kind}[])" for name, kind in kinds.items())
    return Rows(
        f"SELECT * FROM unnest({arrays}) AS found ({', '.join(kinds)})",  # noqa: S608 - names of ours
        {f"found_{name}": [row[n] for row in found] for n, name in enumerate(kinds)},
    )


@dataclass(frozen=True, slots=True)
class Days:
    """Days of the operator's time zone, and the span from the first to the last of them."""

    days: Sequence[date]
    span: Span
    zone: str


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """What a model costs from one day to another, both included, in the currency of the caller.

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
    """What became of a batch.

    `same` and `different` are the positions, from 0, of events whose id was already stored, with
    the same content and with different content.
    """

    accepted: int
    same: tuple[int, ...] = ()
    different: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredPart:
    """What became of a part of a file: new events, and the row of the first one whose id is taken
    by an event with other content.
    """

    new: int
    different: int | None = None


class EventStore(Protocol):
    """What the rest of the console asks of the events."""

    def write(self, events: Sequence[UsageEvent], systems: Mapping[str, UUID], zone: str) -> Stored:
        """Store the events whose ids are new and count their days; each id is there once.

        `systems` are ids by slug, `zone` is the operator's. Raises Unavailable.
        """
        ...

    def prepare_file(self) -> None:
        """Once in the transaction that stores a file."""
        ...

    def write_part(self, tenant: Tenant, part: bytes, zone: str) -> StoredPart:
        """Store a part of a file in the customer's tenant, as `write` does."""
        ...

    def finish_file(self) -> None:
        """After the last part. Raises Unavailable."""
        ...

    def forget_uncounted(self) -> int:
        """Remove events of a write that never ended, which no day counts; return how many."""
        ...

    def counts(self, days: Days) -> Rows:
        """Sums by day, system_id, feature, provider, model and outcome: requests and tokens."""
        ...

    def people(self, days: Days) -> Rows:
        """By month, system_id, feature and person: the days of the month, as bits."""
        ...

    def tasks(self, span: Span, look_back: timedelta) -> Rows:
        """By system_id and feature of its first success: tasks that events name, and the requests
        that succeeded without naming one.

        A task that succeeded up to `look_back` before the span isn't one of it.
        """
        ...

    def costs(self, span: Span, zone: str, prices: Sequence[UnitPrice]) -> Rows:
        """Of all requests, each system_id, and each of its features (NULL for all of them):
        requests with a price, unpriced ones, and the 50th, 95th and 99th percentile of the cost.
        """
        ...

    def count_outside(self) -> int:
        """How many events are kept outside of PostgreSQL. Raises Unavailable."""
        ...

    def lines_outside(self) -> Iterator[bytes] | None:
        """Each of those events as a line of JSON, in the order of time; None where the store keeps
        none outside. Raises Unavailable.
        """
        ...

    def delete_outside(self) -> None:
        """Delete all of them for good; done again, it goes on. Raises Unavailable."""
        ...

    def months(self) -> list[Month]:
        """The months of UTC whose events are there, of any tenant, in order."""
        ...

    def ensure_months(self, months: Iterable[Month]) -> None:
        """Make room for the events of these months of UTC."""
        ...

    def drop_month(self, month: Month) -> None:
        """Drop the events of a month, of every tenant; only one past its retention."""
        ...
