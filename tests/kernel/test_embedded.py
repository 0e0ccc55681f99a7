"""The embedded server: joined when it runs, with two confined roles and disposable databases."""

import subprocess
import sys

import psycopg
import pytest

from governance.kernel.data import embedded
from tests.migrated_databases import KEEP


def test_it_is_joined_and_not_started_twice(server, worker_id):
    name = f"embedded_{worker_id}".replace("-", "_")
    first, second = (embedded.start(KEEP / "pg", database=name) for _ in range(2))
    assert first == second
    plain = first.app_url.replace("postgresql+psycopg://", "postgresql://")
    with psycopg.connect(plain) as connection:
        assert connection.execute("SELECT current_user, current_database()").fetchone() == (
            embedded.APP,
            name,
        )
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("CREATE TABLE mine (id int)")
    embedded.drop(first, name)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(plain)


def test_the_database_listens_to_this_machine_only(server):
    with psycopg.connect(server.super_uri) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


@pytest.mark.slow
def test_two_processes_that_start_it_at_once_find_one_server(server_folder):
    start = (
        "from pathlib import Path; from governance.kernel.data import embedded;"
        f" print(embedded.start(Path({str(server_folder / 'pg')!r})).app_url); input()"
    )
    both = [
        subprocess.Popen(
            [sys.executable, "-c", start], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    try:
        first, second = (process.stdout.readline() for process in both)
        assert first == second != ""
    finally:
        for process in both:
            process.communicate("\n", timeout=60)


def test_a_server_whose_start_was_cut_off_is_stopped_too(server_folder):
    """A signal to a whole process group ends pg_ctl, while the server that it forked goes on."""
    folder = server_folder / "cut-off"
    embedded.init(folder)
    embedded.call(folder, "pg_ctl", "-D", str(folder), "-o", f"-k {folder} -h ''", "-w", "start")
    assert (folder / "postmaster.pid").exists()
    embedded.stop(folder)
    assert not (folder / "postmaster.pid").exists()
