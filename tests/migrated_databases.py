"""Migrated databases, of which the first is migrated and each further one is a copy.

They are on the one server of all tests, and on a test's own servers.

The migrations themselves are tested in kernel/test_migrations.py, on databases that run them all.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import psycopg

from governance.app import migrate
from governance.kernel.data import embedded

REPOSITORY = Path(__file__).parents[1]
KEEP = Path(
    os.environ.get("GOVERNANCE_TESTS") or Path(tempfile.gettempdir()) / "governance-tests"
)  # Two checkouts, two servers.
SERVER = KEEP / "pg"


def migrated_database(name: str) -> embedded.Embedded:
    """Create a database of that name with the current schema, and drop an existing one."""
    KEEP.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time():
        server = embedded.start(SERVER)
        with psycopg.connect(server.super_uri, autocommit=True) as connection:
            _spare_the_disk(connection)
            template = _template(connection)
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            connection.execute(
                f'CREATE DATABASE "{name}" OWNER {embedded.OWNER} TEMPLATE "{template}"'
            )
    started = embedded.start(SERVER, database=name)
    migrate.move_clock(started.owner_url)
    return started


def _spare_the_disk(connection: psycopg.Connection) -> None:
    """Disable syncing: no data outlives the machine, so a commit need not wait for the disk."""
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        connection.execute(f"ALTER SYSTEM SET {setting} = off")
    connection.execute("SELECT pg_reload_conf()")


def _template(connection: psycopg.Connection) -> str:
    """Return the name of the database to copy.

    It is migrated now, unless an earlier run did so with the same migrations.
    """
    name = f"migrated_{digest_of_migrations()}"
    names = [row[0] for row in connection.execute("SELECT datname FROM pg_database").fetchall()]
    if name in names:
        return name
    for old in names:
        if old.startswith("migrated_"):
            connection.execute(f'DROP DATABASE "{old}" WITH (FORCE)')
    unfinished = "migrated_unfinished"
    migrate.upgrade(embedded.start(SERVER, database=unfinished).owner_url)
    connection.execute(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')
    return name


def copy_migrated_server(folder: Path) -> None:
    """Fill `folder` with a migrated server of its own that isn't started."""
    KEEP.mkdir(parents=True, exist_ok=True)
    made = KEEP / f"migrated_server_{digest_of_migrations()}"
    with _one_at_a_time():
        if not made.exists():
            for old in KEEP.glob("migrated_server_*"):
                shutil.rmtree(old)
            unfinished = KEEP / "migrated_server_unfinished"
            migrate.upgrade(embedded.start(unfinished).owner_url)
            embedded.call(unfinished, "pg_ctl", "-D", str(unfinished), "-w", "stop")
            unfinished.rename(made)
        subprocess.run(["cp", "-a", made, folder], check=True)  # Run by the account that owns it.


def digest_of_migrations() -> str:
    """Return a digest of everything that a migration consists of."""
    found = sha256()
    for path in sorted((REPOSITORY / "migrations").rglob("*.py")):
        found.update(path.name.encode() + b"\0" + path.read_bytes())
    found.update(Path(migrate.__file__).read_bytes())
    return found.hexdigest()[:16]


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Lock out the other workers, since a database in use can't be copied."""
    with (KEEP / "migrated.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
