"""The proof that tenants are isolated: a catalog of all tables, and an attempt in each run.

The attempt runs in a transaction of another tenant, or of an invented one if there is none. It
selects rows of this tenant by id from each table (from counts by tenant, as they have no id). It
adds no filter of ours, so only the database separates the tenants. The transaction is always rolled
back, and the other tenant is not named.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import text

from governance.foundation.populations import population as populations
from governance.foundation.populations.collector import Collector, PopulationRow
from governance.foundation.populations.periods import Period
from governance.foundation.tenants import queries as directory
from governance.kernel import current
from governance.kernel.data.db import session, transaction
from governance.kernel.data.ids import uuid7
from governance.kernel.formatting import plural

TABLES = """
SELECT c.relname AS table, c.relrowsecurity AS row_level_security, c.relforcerowsecurity AS forced,
  EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polcmd = '*'
      AND p.polqual IS NOT NULL AND p.polwithcheck IS NOT NULL)
    AS policy_for_all_verbs,
  (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid
      AND p.polcmd <> '*') AS narrower_policies
FROM pg_class c
WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
  AND EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid
      AND a.attname = 'tenant_id' AND NOT a.attisdropped)
ORDER BY c.relname"""
# The attempt selects each row by its id, but counts by tenant, because they have no id. The
# application may read a partition only through its table.
KEYS = """
SELECT c.relname AS table, CASE WHEN EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid
      AND a.attname = 'id' AND NOT a.attisdropped) THEN 'id' ELSE 'tenant_id' END AS key
FROM pg_class c
WHERE c.relname = ANY (:names) AND c.relnamespace = 'public'::regnamespace
  AND has_table_privilege(c.oid, 'SELECT')
ORDER BY c.relname"""
ROLE = (
    "SELECT current_user AS role, rolsuper OR rolbypassrls AS unbound FROM pg_roles WHERE rolname ="
    " current_user"
)
LOOSE_KEYS = """
SELECT count(*) FROM pg_constraint k WHERE k.contype = 'f'
    AND k.connamespace = 'public'::regnamespace
AND EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = k.confrelid AND a.attname = 'tenant_id')
AND NOT EXISTS (SELECT 1 FROM pg_attribute a WHERE a.attrelid = k.conrelid
    AND a.attname = 'tenant_id' AND a.attnum = ANY (k.conkey))"""


class OwnRow(NamedTuple):
    """The column and the value by which the attempt selects a row of the acting tenant."""

    key: str
    value: UUID


class AttemptDone(Exception):
    """A signal that ends the other tenant's transaction, so that nothing is stored."""


class Isolation(Collector):
    key, title = "tenant-isolation", "Tenant isolation"
    about = (
        "The row-level security of every tenant table, and whether a transaction of another tenant"
        " could read this tenant's rows."
    )
    controls = ("SEC-01",)
    catches_up = False
    topic = "isolation"

    @property
    def query(self) -> str:
        return TABLES

    # The result describes the current state, whatever the period is.
    def population(self, period: Period) -> populations.CollectorPopulation:  # noqa: ARG002
        tables = [dict(row) for row in session().execute(text(TABLES)).mappings()]
        ids = _own_rows([str(row["table"]) for row in tables])
        seen = _attempt(ids)
        for row in tables:
            name = str(row["table"])
            row |= {
                "own_row_asked_for": str(ids[name].value) if name in ids else "no row to test",
                "seen_by_another_tenant": seen.get(name, 0),
            }
        columns = (*(tables[0] if tables else ()),)
        population = self.told(columns, tables, {"tenant": current.actor().tenant_id})
        attempts = "".join(_attempt_query(0, name, row.key) for name, row in list(ids.items())[:1])
        return populations.CollectorPopulation(
            population.key,
            population.title,
            f"{TABLES}; and in a transaction of another tenant, for every table: {attempts}",
            population.parameters,
            population.run_at,
            population.run_by,
            population.columns,
            population.rows,
        )

    def judge(self, rows: Sequence[PopulationRow], _period: Period, /) -> tuple[str, bool]:
        unsealed = [
            r["table"]
            for r in rows
            if not (r["row_level_security"] and r["forced"] and r["policy_for_all_verbs"])
        ]
        leaks = [r["table"] for r in rows if r["seen_by_another_tenant"]]
        tried = sum(r["own_row_asked_for"] != "no row to test" for r in rows)
        loose, unbound = (
            session().scalar(text(LOOSE_KEYS)),
            session().execute(text(ROLE)).one().unbound,
        )
        if leaks:
            return f"Another tenant could read rows of {', '.join(leaks)}.", False
        if unsealed or loose or unbound:
            what = [f"{', '.join(unsealed)} without full row-level security"] * bool(unsealed)
            what += [f"{plural(loose or 0, 'foreign key')} without the tenant"] * bool(loose)
            what += ["the application's role bypasses row-level security"] * bool(unbound)
            return f"Isolation isn't proven: {'; '.join(what)}.", False
        return (
            (
                f"{plural(len(rows), 'table')} protected by row-level security. A transaction of"
                f" another tenant tried to read rows from {tried} of them and got none."
            ),
            True,
        )

    def facts(self, _period: Period) -> Sequence[tuple[str, str]]:
        role = session().execute(text(ROLE)).one()
        return (
            ("Database role of the application", role.role),
            ("Row-level security applies to it", "no" if role.unbound else "yes"),
            (
                "Foreign keys without the tenant",
                str(session().scalar(text(LOOSE_KEYS)) or 0),
            ),
        )


def _own_rows(names: Sequence[str]) -> dict[str, OwnRow]:
    """Return a row of the acting tenant from each table that has one, in one statement."""
    keys = session().execute(text(KEYS), {"names": list(names)}).all()
    if not keys:
        return {}
    asked = [_first_row(place, name, key) for place, (name, key) in enumerate(keys)]
    found = session().execute(
        text(" UNION ALL ".join(asked)), {"tenant": current.actor().tenant_id}
    )
    values = {row.place: row.value for row in found}
    return {
        name: OwnRow(key, values[place])
        for place, (name, key) in enumerate(keys)
        if place in values
    }


def _first_row(place: int, name: str, key: str) -> str:
    return (
        f"(SELECT {place} AS place, {key} AS value FROM {_quoted(name)}"  # noqa: S608 - of the catalogue
        " WHERE tenant_id = :tenant LIMIT 1)"
    )


def _attempt(ids: Mapping[str, OwnRow]) -> dict[str, int]:
    """Return how many of these rows the other tenant can read, by table, in one statement."""
    seen: dict[str, int] = {}
    if not ids:
        return seen
    names, other = list(ids), _another_tenant()
    asked = [_attempt_query(place, name, row.key) for place, (name, row) in enumerate(ids.items())]
    values = {"values": [row.value for row in ids.values()]}
    with suppress(AttemptDone), transaction(read_only=True, tenant_id=other):
        tried = session().execute(text(" UNION ALL ".join(asked)), values)
        seen.update({names[row.place]: row.rows for row in tried})
        raise AttemptDone
    return seen


def _attempt_query(place: int, name: str, key: str) -> str:
    return (
        f"SELECT {place} AS place, count(*) AS rows FROM {_quoted(name)}"  # noqa: S608 - of the catalogue
        f" WHERE {key} = (CAST(:values AS uuid[]))[{place + 1}]"
    )


def _quoted(name: str) -> str:
    return str(session().get_bind().dialect.identifier_preparer.quote(name))


def _another_tenant() -> UUID:
    mine = current.actor().tenant_id
    return next((t.id for t in directory.all_tenants() if t.id != mine), uuid7())
