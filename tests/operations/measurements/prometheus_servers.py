"""A real Prometheus over samples or a target that a test controls, and a faulty server."""

import http.server
import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests

from governance.foundation.people.jobs import actor_of
from governance.kernel import current
from governance.kernel.work import jobs
from governance.operations.measurements import prometheus_pulling
from tests import make
from tests.free_ports import free_port
from tests.waiting import MAX_WAIT_SECONDS, wait_until

PROGRAMS = ("prometheus", "promtool")
CONFIG = """\
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs: [{{job_name: triage, static_configs: [{{targets: [{targets}]}}]}}]
"""


def need_prometheus() -> None:
    """Skip visibly if Debian's package isn't installed."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        pytest.skip(f"NOT TESTED: {' and '.join(missing)} missing (apt-get install prometheus)")


class RealPrometheus:
    """Debian's Prometheus on a free loopback port, with storage of its own."""

    def __init__(self, folder: Path) -> None:
        need_prometheus()
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def remember(self, lines: Iterable[str]) -> None:
        """Store past samples: OpenMetrics lines with their times in seconds."""
        text = self.folder / "samples.om"
        text.write_text("\n".join([*lines, "# EOF", ""]))
        made = subprocess.run(
            ["promtool", "tsdb", "create-blocks-from", "openmetrics", text, self.folder / "data"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert made.returncode == 0, made.stderr

    @contextmanager
    def serving(self, *targets: str) -> Iterator["RealPrometheus"]:
        config = self.folder / "prometheus.yml"
        config.write_text(CONFIG.format(targets=", ".join(f"'{each}'" for each in targets)))
        with (self.folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [
                    "prometheus",
                    f"--config.file={config}",
                    f"--storage.tsdb.path={self.folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                    "--log.level=warn",
                ],
                stdout=log,
                stderr=log,
            )
        try:
            wait_until(self._is_ready)
            yield self
        finally:
            self.stop()

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait()

    def _is_ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, (self.folder / "log").read_text()
        try:
            return requests.get(f"{self.url}/-/ready", timeout=MAX_WAIT_SECONDS).ok
        except requests.ConnectionError:
            return False

    def asked(self, query: str) -> list[dict[str, Any]]:
        reply = requests.get(
            f"{self.url}/api/v1/query", params={"query": query}, timeout=MAX_WAIT_SECONDS
        )
        return reply.json()["data"]["result"]


type Answer = tuple[int, Mapping[str, str], bytes]
type Asked = Callable[[str, dict[str, str]], Answer]


class StubServer:
    """An HTTP server whose answers a test chooses."""

    def __init__(self) -> None:
        self.answer: Asked = lambda _path, _fields: (404, {}, b"")
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.headers: list[dict[str, str]] = []
        self.stopping = threading.Event()
        stub = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                fields = dict(parse_qsl(body))
                stub.asked.append((self.path, fields))
                stub.headers.append(dict(self.headers))
                status, headers, content = stub.answer(self.path, fields)
                self._send(status, headers, content)

            def do_GET(self) -> None:
                self._send(*stub.answer(self.path, {}))

            def _send(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(content))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                with suppress(OSError):  # The client may close the connection early.
                    self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.address}"

    @classmethod
    @contextmanager
    def serving(cls) -> Iterator["StubServer"]:
        stub = cls()
        thread = threading.Thread(target=stub._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield stub
        finally:
            stub.stopping.set()
            stub._server.shutdown()
            stub._server.server_close()
            thread.join()


def matrix(*series: tuple[Mapping[str, str], Iterable[tuple[float, str]]]) -> Answer:
    """Return Prometheus's answer to a range query."""
    result = [
        {"metric": dict(labels), "values": [[at, value] for at, value in values]}
        for labels, values in series
    ]
    return answer({"resultType": "matrix", "result": result})


def answer(data: Any, **more: Any) -> Answer:
    body = {"status": "success", "data": data} | more
    return 200, {"Content-Type": "application/json"}, json.dumps(body).encode()


def pull(slug: str = "acme") -> int:
    """Pull as the schedule does each minute."""
    with current.acting_as(make.system_actor(slug)):
        return prometheus_pulling.pull()


def run_requested_work() -> int:
    return jobs.drain(actor_of)
