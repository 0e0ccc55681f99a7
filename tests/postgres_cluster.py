"""A PostgreSQL server of a test's own, which it may stop, kill and start."""

import contextlib
import subprocess
import time
from pathlib import Path

import psycopg

from governance.app import migrate
from governance.kernel import embedded


class Cluster:
    """A migrated server in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.server = folder, embedded.start(folder)
        migrate.upgrade(self.server.owner_url)

    def control(self, *command: str) -> None:
        embedded.call(
            self.folder,
            "pg_ctl",
            "-D",
            str(self.folder),
            "-w",
            "-t",
            "60",
            "-l",
            str(self.folder / "log"),
            *command,
        )

    def restart(self) -> None:
        """As after a crash: no goodbye to anybody."""
        self.stop()
        for _ in range(
            10
        ):  # on a busy machine the last backends hold the shared memory a little longer
            with contextlib.suppress(subprocess.CalledProcessError):
                self.start()
                return
            time.sleep(0.5)
        raise AssertionError((self.folder / "log").read_text()[-2000:])

    def stop(self) -> None:
        self.control("-m", "immediate", "stop")

    def start(self) -> None:
        socket = psycopg.conninfo.conninfo_to_dict(self.server.super_uri)["host"]
        self.control("-o", f"-h '' -k {socket}", "start")
