"""Brings the database to the newest schema; safe to run from several places at once."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from governance.kernel.db import session, transaction

FOLDER = Path(__file__).parents[2] / "migrations"


def configuration(url: str | None = None) -> Config:
    settings = Config()
    settings.set_main_option("script_location", str(FOLDER))
    settings.set_main_option("path_separator", "os")
    settings.set_main_option("prepend_sys_path", str(FOLDER.parent))
    if url:
        settings.attributes["url"] = url
    return settings


def upgrade(url: str) -> None:
    """Run what is missing, as the owner named by `url`."""
    command.upgrade(configuration(url), "head")


def is_current() -> bool:
    """Whether the database that the application uses has every migration of this code."""
    with transaction(read_only=True):
        return MigrationContext.configure(session().connection()).get_current_revision() == newest()


@cache
def newest() -> str | None:
    """The last migration of this code; its files do not change while it runs."""
    return ScriptDirectory.from_config(configuration()).get_current_head()
