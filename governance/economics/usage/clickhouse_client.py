"""Query and change one tenant's events in ClickHouse.

Each statement about events binds the acting tenant, and ClickHouse adds the same condition to every
read of the table (additional_table_filters). A statement that forgot it would still find nothing of
another tenant. The text of its errors is never logged, nor is the address, which has a password.
"""

import logging
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

import clickhouse_connect
import structlog
from clickhouse_connect.driver.exceptions import ClickHouseError

from governance.kernel import current
from governance.kernel.errors import Unavailable

TABLE = "usage_events"
CONNECT_SECONDS, ANSWER_SECONDS = 5, 45  # PostgreSQL ends a transaction that idles for 60 s
SETTINGS = {
    "final": 1,  # of events that were inserted twice, one counts
    "do_not_merge_across_partitions_select_final": 1,
    "async_insert": 0,  # an insert is durable when it returns
    "lightweight_deletes_sync": 2,
}
UNKNOWN_TABLE = 60
log = structlog.get_logger("usage")
logging.getLogger("clickhouse_connect").setLevel(logging.CRITICAL)  # it logs addresses


class ClickHouse:
    """The database at an address such as https://user:password@host:8443/database.

    It connects on first use, so that the console starts without it.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._lock = threading.Lock()
        self._client: Any = None

    def rows(self, query: str, **values: Any) -> Sequence[Sequence[Any]]:
        """Return rows of the acting tenant: `query` must compare tenant_id with {tenant:UUID}."""
        tenant_id = current.actor().tenant_id
        return self._rows(query, values | {"tenant": tenant_id}, _sealed(tenant_id))

    def stream(self, query: str, **values: Any) -> Iterator[Sequence[Any]]:
        """Yield rows of the acting tenant one by one, without holding all of them in memory."""
        tenant_id = current.actor().tenant_id
        with (
            self._errors() as client,
            client.query_rows_stream(
                query, parameters=values | {"tenant": tenant_id}, settings=_sealed(tenant_id)
            ) as found,
        ):
            yield from found

    def rows_of_all(self, query: str) -> Sequence[Sequence[Any]]:
        """Return rows of the whole table, across tenants."""
        return self._rows(query, {}, {})

    def _rows(
        self, query: str, values: dict[str, Any], settings: dict[str, Any]
    ) -> Sequence[Sequence[Any]]:
        with self._errors() as client:
            rows: Sequence[Sequence[Any]] = client.query(
                query, parameters=values, settings=settings
            ).result_rows
        return rows

    def change(self, statement: str, **values: Any) -> None:
        """Run a statement that changes events of the acting tenant."""
        self.command(statement, **values, tenant=current.actor().tenant_id)

    def command(self, statement: str, **values: Any) -> None:
        """Run a statement on the whole table."""
        with self._errors() as client:
            client.command(statement, parameters=values)

    def insert(self, columns: Mapping[str, Sequence[Any]], kinds: Sequence[str]) -> None:
        """Insert rows. Columns are given by name, with `kinds` as their ClickHouse types."""
        with self._errors() as client:
            client.insert(
                TABLE,
                list(columns.values()),
                column_names=list(columns),
                column_type_names=list(kinds),
                column_oriented=True,
            )

    def insert_lines(self, names: Sequence[str], lines: bytes) -> None:
        """Insert rows in the text format of PostgreSQL's COPY."""
        with self._errors() as client:
            client.raw_insert(TABLE, names, lines, fmt="TabSeparated")

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    @contextmanager
    def _errors(self) -> Generator[Any]:
        try:
            yield self._connected()
        except ClickHouseError as error:
            code = getattr(error, "code", None)
            log.error("usage events unavailable", error=type(error).__name__, code=code)  # noqa: TRY400 - its text may have rows
            hint = " Run governance migrate." if code == UNKNOWN_TABLE else ""
            raise Unavailable(
                "The store of usage events is unavailable. Nothing was saved; try again in a"
                f" moment.{hint}"
            ) from None

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = _connect(self.url)
            return self._client


def _connect(url: str) -> Any:
    parts = urlsplit(url)
    return clickhouse_connect.get_client(
        interface=parts.scheme,
        host=parts.hostname,
        port=parts.port,
        username=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password or ""),
        database=unquote(parts.path.strip("/")) or "default",
        connect_timeout=CONNECT_SECONDS,
        send_receive_timeout=ANSWER_SECONDS,
        settings=SETTINGS,
        form_encode_query_params=True,  # arrays are longer than an address may be
        autogenerate_session_id=False,  # threads share the client
        show_clickhouse_errors=False,
        tz_mode="aware",
    )


def _sealed(tenant_id: UUID) -> dict[str, Any]:
    """Return settings that filter the table by tenant. A checked UUID needs no quoting."""
    if not isinstance(tenant_id, UUID):
        raise TypeError("a tenant is named by a UUID")
    return {"additional_table_filters": f"{{'{TABLE}': 'tenant_id = toUUID(''{tenant_id}'')'}}"}
