"""Brings the database to the newest schema; safe to run from several places at once.

A web worker only compares names, without Alembic and without reading what the migrations do.
"""

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, pool, text

from governance.kernel import clock
from governance.kernel.db import session, transaction

if TYPE_CHECKING:
    from alembic.config import Config

FOLDER = Path(__file__).parents[2] / "migrations"
BEFORE_RELEASE = re.compile(
    r"\d{4}"
)  # how builds before 0.1.0 numbered their schemas; since then a name follows the number
MOVED_CLOCK = """
CREATE OR REPLACE FUNCTION current_instant() RETURNS timestamptz LANGUAGE sql VOLATILE
RETURN clock_timestamp() + interval '{} seconds'
"""
FOLLOWS = re.compile(r"""^down_revision = ["'](\w+)["']""", re.MULTILINE)


class UnknownSchema(SystemExit):
    """The database is at a schema that this version can't upgrade."""

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
    )  # the id of a migration is the name of its file
    if url:
        settings.attributes["url"] = url
    return settings


def upgrade(url: str) -> None:
    """Run what is missing, as the owner named by `url`.

    Raise UnknownSchema for a database that isn't of this chain.
    """
    from alembic import command  # noqa: PLC0415 - the same

    _check_schema(url)
    command.upgrade(configuration(url), "head")


def move_clock(url: str) -> None:
    """Move the database's clock, for the demo and for tests, as far as this process's is moved."""
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
    known = {
        script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions()
    }
    for schema in present:
        if schema not in known:
            raise UnknownSchema(schema)


def is_current() -> bool:
    """Whether the database that the application uses has every migration of this code."""
    with transaction(read_only=True):
        if session().scalar(text("SELECT to_regclass('alembic_version')")) is None:
            return False
        return session().scalars(text("SELECT version_num FROM alembic_version")).all() == [
            newest()
        ]


@cache
def newest() -> str | None:
    """The last migration of this code, the one that none follows; its files do not change while it
    runs, and each is named after its migration.
    """
    files = list((FOLDER / "versions").glob("[0-9]*.py"))
    followed = {name for each in files for name in FOLLOWS.findall(each.read_text())}
    return next((each.stem for each in files if each.stem not in followed), None)
