"""A ClickHouse that a test may stop, kill and start."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
import requests

from tests.free_ports import free_port
from tests.waiting import MAX_WAIT_SECONDS, wait_until

USER, PASSWORD = "meridian", "p@ss/word:1"
REPOSITORY = Path(__file__).parents[3]


def need_clickhouse() -> None:
    """Skip visibly if the wheel isn't installed."""
    if importlib.util.find_spec("chdb") is None:
        pytest.skip("NOT TESTED: chdb missing (uv sync --all-extras --group clickhouse-tests)")


class ClickhouseServer:
    """ClickHouse's engine on a free loopback port, with its own folder."""

    def __init__(self, folder: Path) -> None:
        need_clickhouse()
        self.folder, self.port = folder, free_port()
        self.url = f"http://{USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/default"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        module = "tests.economics.usage.clickhouse_http"
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, str(self.port), self.folder / "db", USER, PASSWORD],
                cwd=REPOSITORY,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
            )
        wait_until(self._answers)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "log").read_text()
        try:
            return requests.get(self.url, timeout=MAX_WAIT_SECONDS).status_code < 600
        except requests.ConnectionError:
            return False
