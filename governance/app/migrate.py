"""Brings the database to the newest schema; safe to run from several places at once."""

import re
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, pool

from governance.kernel.db import session, transaction

FOLDER = Path(__file__).parents[2] / "migrations"
BEFORE_RELEASE = re.compile(
    r"\d{4}"
)  # how builds before 0.1.0 numbered their schemas; since then a name follows the number


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


def configuration(url: str | None = None, *, versions: Path = FOLDER / "versions") -> Config:
    """Return Alembic's settings for the database at `url` and the migrations in `versions`."""
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
    _check_schema(url)
    command.upgrade(configuration(url), "head")


def _check_schema(url: str) -> None:
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
        return MigrationContext.configure(session().connection()).get_current_revision() == newest()


@cache
def newest() -> str | None:
    """The last migration of this code; its files do not change while it runs."""
    return ScriptDirectory.from_config(configuration()).get_current_head()
