"""The upgrade of the database to the newest schema. Safe to run from several places at once.

A web worker only compares names, without Alembic and without reading what the migrations do.
"""

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, pool, text
from sqlalchemy.exc import DBAPIError, OperationalError

from governance.kernel import clock
from governance.kernel.data.db import session, transaction

if TYPE_CHECKING:
    from alembic.config import Config

FOLDER = Path(__file__).parents[2] / "migrations"
BEFORE_RELEASE = re.compile(
    r"\d{4}"
)  # Schema numbers of builds before 0.1.0. Since then a name follows the number.
MOVED_CLOCK = """
CREATE OR REPLACE FUNCTION current_instant() RETURNS timestamptz LANGUAGE sql VOLATILE
RETURN clock_timestamp() + interval '{} seconds'
"""
FOLLOWS = re.compile(r"""^down_revision = ["'](\w+)["']""", re.MULTILINE)


# Each table, with its columns that every later schema still has.
RELEASED = FOLDER / "release_0_1_0.txt"
COLUMNS = """SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = 'public'"""
HOLDERS = """SELECT DISTINCT l.pid, coalesce(a.usename, 'unknown'), c.relname
    FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
    LEFT JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.granted AND l.pid <> pg_backend_pid() AND c.relname = ANY (:tables)
    AND c.relkind IN ('r', 'p') AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ORDER BY 1, 3"""


class UnknownSchema(SystemExit):
    """An error for a database whose schema this version can't upgrade."""

    def __init__(self, schema: str) -> None:
        self.schema = schema
        sentence = (
            f"This database has schema {schema} of a build before release 0.1.0, which can't be"
            " upgraded. Create an empty database, name it in GOVERNANCE_OWNER_DATABASE_URL and"
            " DATABASE_URL, and run governance migrate again."
            if BEFORE_RELEASE.fullmatch(schema)
            else (
                f"This database has schema {schema}, which this version doesn't know: a newer"
                " version has upgraded it. Run that version, or restore the backup that you made"
                " before the upgrade."
            )
        )
        super().__init__(f"{sentence} Nothing was changed.")


class EarlierBuild(SystemExit):
    """An error for a database that names a released schema but was made by a build before 0.1.0."""

    def __init__(self, schema: str, table: str, column: str) -> None:
        super().__init__(
            f"This database calls its schema {schema}, but has no {table}.{column}: a build before"
            " release 0.1.0 made it, which can't be upgraded. Create an empty database, name it in"
            " GOVERNANCE_OWNER_DATABASE_URL and DATABASE_URL, and run governance migrate again."
            " Nothing was changed."
        )


class MigrationStopped(SystemExit):
    """An error for a migration that couldn't finish. Its text says how far it came."""


def configuration(url: str | None = None, *, versions: Path = FOLDER / "versions") -> "Config":
    """Return Alembic's settings for the database at `url` and the migrations in `versions`."""
    from alembic.config import Config  # noqa: PLC0415 - a web worker doesn't migrate

    settings = Config()
    settings.set_main_option("script_location", str(FOLDER))
    settings.set_main_option("version_locations", str(versions))
    settings.set_main_option("path_separator", "os")
    settings.set_main_option("prepend_sys_path", str(FOLDER.parent))
    settings.set_main_option(
        "file_template", "%%(rev)s"
    )  # The id of a migration is the name of its file.
    if url:
        settings.attributes["url"] = url
    return settings


def upgrade(url: str) -> None:
    """Run the missing migrations, as the owner named by `url`.

    Raises UnknownSchema if the database isn't of this chain, and MigrationStopped if a migration
    can't finish.
    """
    from alembic import command  # noqa: PLC0415 - the same

    try:
        _check_schema(url)
    except OperationalError as error:
        raise MigrationStopped(
            f"The database can't be reached: {_first_line(error)}. Check"
            " GOVERNANCE_OWNER_DATABASE_URL. Nothing was changed."
        ) from None
    try:
        command.upgrade(configuration(url), "head")
    except DBAPIError as error:
        raise MigrationStopped(_how_far(url, error)) from error


def move_clock(url: str) -> None:
    """Move the database's clock by this process's offset, for the demo and for tests."""
    seconds = int(clock.moved_by().total_seconds())
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.begin() as connection:
        connection.execute(text(MOVED_CLOCK.format(seconds)))


def _check_schema(url: str) -> None:
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415 - the same
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - the same

    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        present = MigrationContext.configure(connection).get_current_heads()
        found = {tuple(row) for row in connection.execute(text(COLUMNS))} if present else set()
    known = {
        script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions()
    }
    for schema in present:
        if schema not in known:
            raise UnknownSchema(schema)
        if missing := sorted(_released_columns() - found):
            raise EarlierBuild(schema, *missing[0])


def _released_columns() -> set[tuple[str, str]]:
    """Return the columns of release 0.1.0 that every later schema has, by table."""
    rows = (line.split(": ") for line in RELEASED.read_text().splitlines())
    return {(table, column) for table, columns in rows for column in columns.split()}


def _how_far(url: str, error: DBAPIError) -> str:
    """Say which migration stopped, what held the lock, and which migrations are applied."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - the same

    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        done = connection.scalar(text("SELECT version_num FROM alembic_version"))
        tables = sorted(set(re.findall(r"\w+", error.statement or "")))
        holders = connection.execute(text(HOLDERS), {"tables": tables}).all()
    scripts = ScriptDirectory.from_config(configuration()).iterate_revisions("head", done or "base")
    stopped = [script.revision for script in scripts][-1]
    why = _first_line(error)
    if holders:
        held = "; ".join(
            f"process {pid} ({role}) holds a lock on {table}" for pid, role, table in holders
        )
        why += f": {held}"
    state = f"The database has everything up to {done}" if done else "The database is still empty"
    return (
        f"Migration {stopped} couldn't finish ({why}). {state}; nothing of {stopped} was kept. Run"
        " governance migrate again: it continues there. Until it ends, no version of web and jobs"
        " runs on this database."
    )


def _first_line(error: DBAPIError) -> str:
    return str(error.orig).strip().splitlines()[0].rstrip(".")


def is_current() -> bool:
    """Return whether the database that the application uses has every migration of this code."""
    with transaction(read_only=True):
        if session().scalar(text("SELECT to_regclass('alembic_version')")) is None:
            return False
        return session().scalars(text("SELECT version_num FROM alembic_version")).all() == [
            newest()
        ]


@cache
def newest() -> str | None:
    """Return the last migration of this code, which is the one that none follows.

    The files don't change while the code runs, and each is named after its migration.
    """
    files = list((FOLDER / "versions").glob("[0-9]*.py"))
    followed = {name for each in files for name in FOLLOWS.findall(each.read_text())}
    return next((each.stem for each in files if each.stem not in followed), None)
