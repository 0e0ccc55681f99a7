"""A small HTTP client over kept-alive connections, and servers to measure with it."""

import http.client
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from tests.free_ports import free_port

WARM_UP = 15
START_SECONDS = 400  # Seconds. A busy machine needs them; an idle server starts in a few.


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A request to repeat: path, method, fields and expected status.

    `form` returns the fields of each request; `expects` is the status of success.
    """

    name: str
    port: int
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Callable[[], Mapping[str, str]] | None = None
    expects: int = 200

    def ask(self, connection: http.client.HTTPConnection) -> None:
        body = urlencode(self.form()).encode() if self.form else None
        headers = {
            **self.headers,
            **({"Content-Type": "application/x-www-form-urlencoded"} if body else {}),
        }
        connection.request("POST" if self.form else "GET", self.path, body, headers)
        reply = connection.getresponse()
        reply.read()
        if reply.status != self.expects:
            raise SystemExit(
                f"{self.name}: {self.path} answered {reply.status}, not {self.expects}"
            )


def latencies(target: Target, seconds: float, least: int = 5) -> list[float]:
    """Measure the seconds of each request, one after the other on one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", target.port, timeout=30)
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while len(taken) < least or time.perf_counter() < end:
        begun = time.perf_counter()
        target.ask(connection)
        taken.append(time.perf_counter() - begun)
    connection.close()
    return taken


def warm(target: Target) -> None:
    if target.form is None:
        latencies(target, 0, WARM_UP)


def turn_by_turn(targets: Sequence[Target], seconds: float) -> list[list[float]]:
    """Measure the seconds of each request, with the targets in turn.

    Interleaving spreads the machine's other work evenly over all targets.
    """
    connections = [http.client.HTTPConnection("127.0.0.1", t.port, timeout=30) for t in targets]
    taken: list[list[float]] = [[] for _ in targets]
    end = time.perf_counter() + seconds
    while len(taken[0]) < 5 or time.perf_counter() < end:
        for target, connection, times in zip(targets, connections, taken, strict=True):
            begun = time.perf_counter()
            target.ask(connection)
            times.append(time.perf_counter() - begun)
    for connection in connections:
        connection.close()
    return taken


def median_ms(target: Target, seconds: float, least: int = 5) -> float:
    return statistics.median(latencies(target, seconds, least)) * 1000


def rate(target: Target, seconds: float, threads: int = 4) -> float:
    """Measure requests per second, with `threads` connections at once.

    The client shares the machine with the server.
    """
    begun = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        counts = [
            len(each) for each in pool.map(lambda _: latencies(target, seconds, 1), range(threads))
        ]
    return sum(counts) / (time.perf_counter() - begun)


@contextmanager
def serving(
    application: str, environment: Mapping[str, str], log: Path
) -> Iterator[tuple[int, int]]:
    """Run granian's WSGI server on a free port of loopback. Yield its port and process id.

    The floors run on it.
    """
    port = free_port()
    command = [
        str(Path(sys.executable).with_name("granian")),
        "--interface",
        "wsgi",
        "--workers",
        "1",
        "--blocking-threads",
        "16",
        "--workers-kill-timeout",
        "3",
        "--no-access-log",
        "--log-level",
        "warning",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        application,
    ]
    with _running(command, port, environment, log) as process:
        yield port, process.pid


@contextmanager
def serving_console(
    environment: Mapping[str, str], log: Path, workers: int = 1, niceness: int = 0
) -> Iterator[tuple[int, int]]:
    """Run `governance web` on a free port of loopback. Yield its port and process id."""
    port = free_port()
    command = [
        "nice",
        "-n",
        str(niceness),
        sys.executable,
        "-m",
        "governance.app.cli",
        "web",
        "--port",
        str(port),
        "--workers",
        str(workers),
    ]
    with _running(command, port, environment, log) as process:
        yield port, process.pid


@contextmanager
def serving_silently(environment: Mapping[str, str], log: Path) -> Iterator[tuple[int, int]]:
    """Run the server without record() (bench/silent.py). Yield its port and process id."""
    port = free_port()
    command = [sys.executable, "-m", "bench.silent", str(port)]
    with _running(command, port, environment, log) as process:
        yield port, process.pid


@contextmanager
def _running(
    command: list[str], port: int, environment: Mapping[str, str], log: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as out:
        process = subprocess.Popen(
            command, env=dict(environment), stdout=out, stderr=subprocess.STDOUT
        )
    try:
        _wait(port, process, log)
        yield process
    finally:
        process.terminate()
        process.wait(20)


def _wait(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"the server did not come up:\n{log.read_text()[-2000:]}")


def resident_megabytes(pid: int) -> float:
    """Return the resident memory of the server's largest child: its worker."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return max((_rss(int(child)) for child in children), default=_rss(pid))


def processor_seconds(pid: int) -> float:
    """Return the CPU seconds that a server and its workers have used so far."""
    workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    fields = [
        Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
        for each in (str(pid), *workers)
    ]
    user, system = 11, 12  # Positions after the name, in ticks: proc_pid_stat(5).
    return sum(int(each[user]) + int(each[system]) for each in fields) / os.sysconf("SC_CLK_TCK")


def share_megabytes(pid: int) -> float:
    """Return the memory that each worker takes, in MB.

    Memory that several processes share counts once (Pss), the server's own included.
    """
    workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    sizes = {each: _kilobytes(each, "Pss") / 1024 for each in (str(pid), *workers)}
    small = 20  # MB. multiprocessing's resource tracker is a child, too.
    served = [each for each in workers if sizes[each] > small]
    return sum(sizes.values()) / len(served)


def _kilobytes(pid: str, kind: str) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{kind}:"))


def _rss(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)
