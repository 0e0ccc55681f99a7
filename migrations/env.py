"""Runs migrations as the owner, with short lock and statement timeouts, one migrator at a time."""

from alembic import context
from sqlalchemy import create_engine, pool, text

from governance.app import models  # noqa: F401 - every table, so that autogenerate sees them
from governance.kernel import config
from governance.kernel.data.db import Model

MIGRATION_LOCK = 7_305_712


def run() -> None:
    url = context.config.attributes.get("url") or config.from_environment().owner_database_url
    engine = create_engine(url, poolclass=pool.NullPool)
    with engine.connect() as connection:
        connection.execute(
            text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK}
        )  # waits for another migrator
        connection.execute(text("SET lock_timeout = '5s'"))
        connection.execute(text("SET statement_timeout = '60s'"))
        connection.commit()
        context.configure(
            connection=connection, target_metadata=Model.metadata, transaction_per_migration=True
        )
        with context.begin_transaction():
            context.run_migrations()


run()
