"""The tables in an archive, and their rows as JSON."""

from collections.abc import Iterator

from sqlalchemy import Table, text

from governance.kernel import current
from governance.kernel.data.db import Model, session
from governance.kernel.safety import key_encryption

ROWS_AT_ONCE = 500
EVENTS_OUTSIDE = "clickhouse.usage_events"  # Used if PostgreSQL doesn't store them.
# Keys open nothing outside this installation, and must not leave it.
LEFT_OUT = {
    "tenant_keys": "keys never leave the installation",
    "data_keys": "keys never leave the installation",
    "audit_entries": "in log/audit-log.jsonl, with proofs, and log/personal.jsonl",
    "sessions": "hashes and tokens of people who are signed in now",
    "sign_ins": "sign-ins under way",
    "saved_forms": "forms that wait for a sign-in",
    "log_words": "an index that follows from the log",
}


def exported_tables() -> list[Table]:
    """List every table whose rows belong to a tenant, in the order of names."""
    found = Model.metadata.tables.values()
    return sorted(
        (each for each in found if "tenant_id" in each.columns and each.name not in LEFT_OUT),
        key=lambda table: table.name,
    )


def rows(table: Table) -> Iterator[bytes]:
    """Yield each row of the acting tenant as a line of JSON, without columns that hold secrets."""
    secrets = sorted(_secrets().get(table.name, ()))
    order = ", ".join(f't."{column.name}"' for column in table.primary_key.columns)
    query = text(
        "SELECT (to_jsonb(t) - CAST(:secrets AS text[]))::text"  # noqa: S608 - names of our models
        f' FROM "{table.name}" t WHERE t.tenant_id = :tenant'
        f"{f' ORDER BY {order}' if order else ''}"
    )
    values = {"secrets": secrets, "tenant": current.actor().tenant_id}
    options = {"stream_results": True, "yield_per": ROWS_AT_ONCE}
    for (line,) in session().execute(query, values, execution_options=options):
        yield line.encode() + b"\n"


def _secrets() -> dict[str, set[str]]:
    """Return, by table, columns whose values are wrapped keys or hashes of secrets."""
    found: dict[str, set[str]] = {"api_keys": {"secret_hash", "previous_hash"}}
    for holding in key_encryption.holdings:
        name: str = vars(holding.model)["__tablename__"]
        found.setdefault(name, set()).add(holding.column)
    return found
