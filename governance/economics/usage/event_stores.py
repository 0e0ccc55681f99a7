"""Which store keeps the usage events of this installation.

use(url)              None: PostgreSQL, beside everything else; otherwise ClickHouse at this address
store()               the one in use
create_tables(url)    what the store needs beyond the migrations
"""

from typing import TYPE_CHECKING

from governance.economics.usage.event_store import EventStore
from governance.economics.usage.postgresql_events import PostgresqlEvents
from governance.kernel.config import SettingsError

if TYPE_CHECKING:
    from governance.economics.usage.clickhouse_events import ClickhouseEvents

_store: EventStore = PostgresqlEvents()


def use(url: str | None) -> None:
    """Choose the store. Raises SettingsError if the client of ClickHouse isn't installed."""
    global _store  # noqa: PLW0603 - one process, one store
    _store = clickhouse(url) if url else PostgresqlEvents()


def store() -> EventStore:
    """The store in use."""
    return _store


def create_tables(url: str | None) -> None:
    """Create the table of events, unless it is there. Raises Unavailable."""
    if url:
        clickhouse(url).create_table()


def clickhouse(url: str) -> "ClickhouseEvents":
    """The events at this address. Raises SettingsError if the client isn't installed."""
    try:
        from governance.economics.usage.clickhouse_events import ClickhouseEvents  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name != "clickhouse_connect":
            raise
        raise SettingsError(
            "Meridian can't start:\n  GOVERNANCE_USAGE_URL needs the package clickhouse-connect:"
            " install the extra `clickhouse`, or leave it unset"
        ) from None
    return ClickhouseEvents(url)
