"""The store that keeps the usage events of this installation.

use(url)              chooses PostgreSQL if None, otherwise ClickHouse at this address
store()               returns the chosen one
create_tables(url)    creates what the store needs beyond the migrations
"""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from governance.economics.usage.event_store import EventStore
from governance.economics.usage.postgresql_events import PostgresqlEvents
from governance.kernel.config import SettingsError
from governance.kernel.feature_settings import Setting

if TYPE_CHECKING:
    from governance.economics.usage.clickhouse_events import ClickhouseEvents

_store: EventStore = PostgresqlEvents()


def use(url: str | None) -> None:
    """Choose the store. Raises SettingsError if the ClickHouse client isn't installed."""
    global _store  # noqa: PLW0603 - one process, one store
    _store = clickhouse(url) if url else PostgresqlEvents()


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # The port isn't a number.
        return False


def _problem(url: str) -> str | None:
    if _is_address(url):
        return None
    return "isn't an address of ClickHouse such as https://user:password@host:8443/database"


SETTING = Setting(
    name="GOVERNANCE_USAGE_URL",
    meaning="ClickHouse for usage events: `https://user:password@host:8443/database`; needs the extra `clickhouse`, see `usage.md`",
    unset="PostgreSQL keeps usage events",
    use=use,
    problem=_problem,
)


def store() -> EventStore:
    """Return the store of this installation."""
    return _store


def create_tables(url: str | None) -> None:
    """Create the table of events if it doesn't exist. Raises Unavailable."""
    if url:
        clickhouse(url).create_table()


def clickhouse(url: str) -> "ClickhouseEvents":
    """Return the store at this address. Raises SettingsError if the client isn't installed."""
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
