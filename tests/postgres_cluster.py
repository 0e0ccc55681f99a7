"""A PostgreSQL server of a test's own, which it may stop, kill and start."""

import contextlib
import subprocess
import time
from pathlib import Path

import psycopg

from governance.kernel.data import embedded
from tests.migrated_databases import copy_migrated_server


class Cluster:
    """A migrated server in `folder`."""

    def __init__(self, folder: Path) -> None:
        copy_migrated_server(folder)
        self.folder, self.server = folder, embedded.start(folder)

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
        """Restart as after a crash, without a clean shutdown."""
        self.stop()
        # On a busy machine the last backends keep the shared memory a little longer.
        for _ in range(100):
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
