"""Store the events of a file with the same statement as a batch, some 200,000 at a time.

There is a file for each customer, with the columns of COPIED. Each part is copied to a temporary
table, then written with row-level security set to its customer. All of it happens in the caller's
transaction, so that a file is stored as a whole or not at all.

Most files hold only new events, so a part is first written as such. If a unique key rejects one of
them, that attempt is rolled back and the part is written by the statement that looks up every id.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.errors import UniqueViolation
from sqlalchemy import TextClause, text
from sqlalchemy.exc import IntegrityError

from governance.economics.usage import storing
from governance.economics.usage.event_store import StoredPart
from governance.economics.usage.usage_events import BUCKETS
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session

PART_BYTES = 32 * 1024 * 1024
SENT_BYTES = 1024 * 1024
COPIED = ("n", *storing.STORED)
TYPES = {
    "n": "bigint",
    "at": "timestamptz",
    "system_id": "uuid",
    "event_id": 'text COLLATE "C"',
} | {f"{each}_tokens": "int" for each in BUCKETS}
_COLUMNS = ", ".join(f"{name} {TYPES.get(name, 'text')}" for name in COPIED)
_TABLE = f"CREATE TEMPORARY TABLE IF NOT EXISTS usage_file ({_COLUMNS}) ON COMMIT DROP"
CREATE = text(_TABLE)
COPY = f"COPY usage_file ({', '.join(COPIED)}) FROM STDIN (FORMAT text, NULL '')".encode()
_FACTS = f"n, {storing.digest()} AS digest, {', '.join(storing.STORED)}"
GIVEN = f"SELECT DISTINCT ON (event_id) {_FACTS} FROM usage_file ORDER BY event_id, n"  # noqa: S608
RESULT = """
SELECT (SELECT count(*) FROM given) - count(*) AS new,
  min(n) FILTER (WHERE NOT is_same) AS different
FROM known"""
ALL_GIVEN = f"SELECT {_FACTS} FROM usage_file"  # noqa: S608
WRITE = text(storing.statement(GIVEN, RESULT))
WRITE_NEW = text(storing.statement_for_new(ALL_GIVEN))
# PostgreSQL plans with the table sizes from before this transaction, which fills the tables.
SETTINGS = (
    text("SET LOCAL enable_seqscan = off"),
    text("SET LOCAL work_mem = '64MB'"),
)
IN_TENANT = text("SELECT set_config('app.tenant', :tenant, true)")
SYSTEMS = text("SELECT key, id FROM ai_systems ORDER BY key")
EMPTY = text("TRUNCATE usage_file")


def systems_of(tenants: Sequence[Tenant]) -> list[tuple[int, str, str]]:
    """Return the AI systems of customers as (index in `tenants`, slug, id)."""
    found = []
    for number, tenant in enumerate(tenants):
        with in_tenant(tenant):
            found += [(number, row.key, str(row.id)) for row in session().execute(SYSTEMS)]
    return found


def prepare() -> None:
    """Create the temporary table and its settings. Call it once in the transaction."""
    session().execute(CREATE)
    for setting in SETTINGS:
        session().execute(setting)


def write(tenant: Tenant, part: bytes, zone: str) -> StoredPart:
    """Store the events of a part in the customer's tenant. Call `prepare` before."""
    fill(part)
    now = clock.now()
    values = {
        "tenant": tenant.id,
        "now": now,
        "long_ago": now - storing.LONG_AGO,
        "zone": zone,
    }
    with in_tenant(tenant):
        lock_tenant("usage")
        new = write_new(WRITE_NEW, values)
        if new is not None:
            return StoredPart(new)
        found = session().execute(WRITE, values).one()
    return StoredPart(found.new, found.different)


def write_new(statement: TextClause, values: Mapping[str, Any]) -> int | None:
    """Store the part if all its events are new; otherwise store nothing and return None."""
    try:
        with session().connection().begin_nested():
            return int(session().execute(statement, values).scalar_one())
    except IntegrityError as error:
        if not isinstance(error.orig, UniqueViolation):
            raise
    return None


def fill(part: bytes) -> None:
    """Replace the rows of the temporary table with the events of this part."""
    session().execute(EMPTY)
    raw = session().connection().connection.driver_connection
    if not isinstance(raw, psycopg.Connection):
        raise TypeError("the driver must be psycopg 3")
    view = memoryview(part)
    with raw.cursor() as cursor, cursor.copy(COPY) as copy:
        for start in range(0, len(part), SENT_BYTES):
            copy.write(view[start : start + SENT_BYTES])


@contextmanager
def in_tenant(tenant: Tenant) -> Generator[None]:
    """Switch row-level security to the customer within the block, then back to the operator."""
    who = current.actor()
    session().execute(IN_TENANT, {"tenant": str(tenant.id)})
    with current.acting_as(system_actor_in(tenant.id, tenant.slug, tenant.name)):
        yield
    session().execute(IN_TENANT, {"tenant": str(who.tenant_id)})


def parts(path: Path) -> Iterator[bytes]:
    """Yield a file in parts of whole lines."""
    rest = b""
    with path.open("rb") as file:
        while piece := file.read(PART_BYTES):
            end = piece.rfind(b"\n") + 1
            if end:
                yield rest + piece[:end]
                rest = piece[end:]
            else:
                rest += piece
    if rest:
        yield rest
