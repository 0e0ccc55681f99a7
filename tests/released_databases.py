"""Filled databases of released versions, which it loads for tests and writes for a release.

    python -m tests.released_databases 0.2.0       write tests/released/0.2.0.sql.xz, on the day of
                                                   the release

The file is pg_dump's output of a database with rows of two tenants in every table, so it shows what
that release made even when the migrations no longer can. tests/row_factory.py makes the rows.
"""

import lzma
import sys
import tempfile
from pathlib import Path

import psycopg
from sqlalchemy import Table, func, insert, select

from governance.app import migrate
from governance.app.factory import create_app
from governance.assurance.frameworks import sync
from governance.economics.prices.models import USAGE_COLLECTIONS, USAGE_COSTS
from governance.economics.tenant_costs.models import LIST_PRICES
from governance.economics.usage import models as usage
from governance.economics.usage import partitions as usage_partitions
from governance.kernel import config
from governance.kernel.data import embedded
from governance.kernel.data.db import Model, Tenanted, session
from governance.operations.evaluations.models import RUN_CASES, EvaluationRun
from governance.operations.measurements import partitions
from governance.operations.measurements.models import DAYS, HOURS, MINUTES, Indicator
from governance.operations.systems.models import AISystem
from tests import make
from tests.row_factory import TENANTED, RowFactory
from tools import schema_dump

FOLDER = Path(__file__).parent / "released"
TENANTS = ("acme", "globex")
# Rows of tables without a tenant, where a check or a key requires more than a type.
SHARED_VALUES = {
    "platform_policies": {"state": "asked", "content": {}},
    "work_tickets": {"kind": "report"},
    "work_failures": {"kind": "report", "cause": "Refused"},
}


def versions() -> list[str]:
    """Return the releases with a stored database."""
    return sorted(path.name.removesuffix(".sql.xz") for path in FOLDER.glob("*.sql.xz"))


def load(version: str, folder: Path, database: str) -> embedded.Embedded:
    """Return the embedded server in `folder` with a new database that holds the release's content."""
    return _restore(
        lzma.decompress((FOLDER / f"{version}.sql.xz").read_bytes()).decode(), folder, database
    )


def restored_schema(started: embedded.Embedded, folder: Path, database: str) -> dict[str, str]:
    """Return the schema of a database after a backup and a restore.

    PostgreSQL writes some expressions (state IN ('a', 'b')) differently once they have been through
    pg_dump, so a database that was restored and one that never was are compared by their restored
    copies.
    """
    copy = f"{database}_copy"
    _restore(schema_dump.dump(folder, started, database, "--schema-only"), folder, copy)
    try:
        return schema_dump.schema(folder, started, copy)
    finally:
        embedded.drop(started, copy)


def _restore(dumped: str, folder: Path, database: str) -> embedded.Embedded:
    started = embedded.start(folder, database=database)
    embedded.drop(started, database)
    started = embedded.start(folder, database=database)
    statements = "".join(
        line for line in dumped.splitlines(keepends=True) if not line.startswith("\\")
    )  # Commands of psql's own.
    with psycopg.connect(started.super_uri, dbname=database, autocommit=True) as connection:
        connection.execute(statements.encode())
    return started


def write(version: str) -> Path:
    """Fill a database of the current schema and store it as that release's."""
    with tempfile.TemporaryDirectory(
        prefix="governance-released-", ignore_cleanup_errors=True
    ) as name:
        folder = Path(name)
        server = embedded.start(folder / "pg", database="released")
        migrate.upgrade(server.owner_url)
        sync.install_catalogues(server.owner_url)
        create_app(_settings(server, folder))
        fill()
        dumped = schema_dump.dump(folder / "pg", server, "released", "--column-inserts")
    path = FOLDER / f"{version}.sql.xz"
    path.write_bytes(lzma.compress(dumped.encode(), preset=9 | lzma.PRESET_EXTREME))
    return path


def fill() -> None:
    """Commit a row of every tenanted table for two tenants, and of every other empty table."""
    make.create_world()
    for slug in TENANTS:
        with make.acting("admin", slug):
            rows = RowFactory()
            for model in TENANTED:
                rows.of(model)
            partitions.MINUTES.create_ahead()
            usage_partitions.EVENTS.create_ahead()
            parents = {"indicator_id": rows.of(Indicator), "system_id": rows.of(AISystem)}
            parents["run_id"] = rows.of(EvaluationRun)
            usages = (
                usage.EVENTS,
                usage.EVENT_KEYS,
                usage.DAYS,
                usage.PEOPLE,
                usage.TASKS,
                usage.PROOFS,
            )
            for counts in (
                MINUTES,
                HOURS,
                DAYS,
                *usages,
                USAGE_COSTS,
                USAGE_COLLECTIONS,
                LIST_PRICES,
                RUN_CASES,
            ):
                values = rows.values(counts) | parents
                session().execute(
                    insert(counts).values({c.name: values[c.name] for c in counts.columns})
                )
    with make.acting("operator_admin", "console"):
        for mapper in Model.registry.mappers:
            table = mapper.class_.__table__
            if not issubclass(mapper.class_, Tenanted) and not session().scalar(
                select(func.count()).select_from(table)
            ):
                session().execute(insert(table).values(_shared_values(table)))


def _shared_values(table: Table) -> dict[str, object]:
    values = RowFactory().values(table)
    return {
        name: value for name, value in values.items() if name in table.columns
    } | SHARED_VALUES.get(table.name, {})


def _settings(server: embedded.Embedded, folder: Path) -> config.Settings:
    return config.Settings(
        database_url=server.app_url,
        owner_database_url=server.owner_url,
        secret_key=bytes(range(32)),
        kek=bytes(range(1, 33)),
        public_url="http://localhost",
        storage_url=f"file:{folder / 'objects'}",
        smtp_url=None,
        var=folder,
        demo=True,
    )


if __name__ == "__main__":
    print(f"Wrote {write(sys.argv[1]).relative_to(Path.cwd())}.")
