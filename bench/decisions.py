"""The decision API measured against bare Flask on the same server.

Every decision is authenticated, rate-limited and counted.

measure(…)      requests/s and p99 by wrk, alone and while pages are served; SQL statements in
                steady state; the time from a stop until both workers obey it, by NOTIFY and
                without it, and while pages are served; a policy of 50 systems resolved in
                the process; memory of 2 000 tenants
"""

import json
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from sqlalchemy import select

from bench.client import processor_seconds, serving, serving_console
from bench.table import Row
from governance.kernel import current

VAR = Path("var/bench")
FLAGS = "/ofrep/v1/evaluate/flags"
SYSTEMS, MANY_SYSTEMS, FLIPS, FLOCK = 50, 500, 200, 5000
WATCHERS = 4  # Kept connections, divided between both workers.
READERS = 4  # Readers that request pages one after the other.
# Niceness of the server for pages next to one for decisions: docs/operating/decisions.md.
NICENESS = 10


def measure(
    environment: Mapping[str, str],
    server: Any,
    readers: "Readers",
    *,
    rounds: int,
    seconds: float,
    quick: bool,
) -> list[Row]:
    world = _world()
    flips = 6 if quick else FLIPS
    with (
        serving_console(environment, VAR / "decisions.log") as (port, pid),
        serving("bench.floor:app", environment, VAR / "floor-decisions.log") as (
            floor_port,
            floor_pid,
        ),
    ):
        rows = _rates(world, port, floor_port, rounds, max(seconds * 5, 1))
        rows.append(_processor_time(world, (port, pid), (floor_port, floor_pid), rounds))
        rows.append(_silence(world, port, server))
        rows += _busy_rates(
            world, port, floor_port, environment, readers, rounds, max(seconds * 5, 1)
        )
    two = {**environment, "GOVERNANCE_WEB_WORKERS": "2"}
    with (
        serving_console(two, VAR / "two.log", workers=2) as (port, _),
        serving_console(environment, VAR / "pages.log", niceness=NICENESS) as (pages_port, _),
    ):
        rows += _flips(world, port, server, flips)
        for name, pages in {"in their workers": port, "in processes beside": pages_port}.items():
            with readers.reading(pages):
                rows += _busy_flips(world, port, server, name, max(flips // 4, 6))
    return [*rows, *_resolving(), _flock(quick=quick)]


# ---- the measured tenant


def _world() -> dict[str, Any]:
    """Create a system with a feature, and a key without a rate limit."""
    from governance.foundation.api_keys import actions as keys
    from governance.operations.systems import actions as systems
    from tests import make

    with make.acting("admin"):
        systems.register(
            key="bench-triage",
            stage="live",
            name="Triage",
            lane="high_risk",
            purpose="Measured.",
            owner_id=None,
        )
        flipped = systems.register(
            key="bench-copy",
            stage="live",
            name="Copy",
            lane="standard",
            purpose="Stopped and restarted.",
            owner_id=None,
        )
        _, key = keys.create("bench", ("flags:read",), rate=10_000_000)
        return {"key": key, "flipped_id": flipped.id, "tenant_id": current.actor().tenant_id}


# ---- requests per second


def _rates(
    world: Mapping[str, Any], port: int, floor_port: int, rounds: int, seconds: float
) -> list[Row]:
    base = f"http://127.0.0.1:{port}"
    asked = {"hello": (f"http://127.0.0.1:{floor_port}/hello", None)}
    asked["one"] = (f"{base}{FLAGS}/policy.grounding", _script("one", world["key"]))
    tag = _etag(port, world["key"])
    asked["bulk, unchanged"] = (f"{base}{FLAGS}", _script("bulk", world["key"], tag))
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in asked}
    for url, script in asked.values():
        wrk(url, script, 1)
    for _ in range(rounds):
        for name, (url, script) in asked.items():
            found[name].append(wrk(url, script, seconds))
    hello = found.pop("hello")
    rows: list[Row] = [
        ("bare Flask hello", statistics.median(r for r, _ in hello), "req/s", None, ""),
        ("bare Flask hello, p99", statistics.median(p for _, p in hello), "ms", None, ""),
    ]
    for name, each in found.items():
        ratio = statistics.median(
            ours[0] / theirs[0] for ours, theirs in zip(each, hello, strict=True)
        )
        late = statistics.median(
            theirs[1] / ours[1] for ours, theirs in zip(each, hello, strict=True)
        )
        rows += [
            (
                f"decision, {name}",
                statistics.median(r for r, _ in each),
                "req/s",
                ratio,
                "≥ 2.0 of Flask hello",
            ),
            (
                f"decision, {name}, p99",
                statistics.median(p for _, p in each),
                "ms",
                late,
                "no worse than hello",
            ),
        ]
    unleash = statistics.median(r for r, _ in found["one"]) / 1350
    return [
        *rows,
        (
            "decision beside an Unleash evaluation (1 350 req/s, measured earlier)",
            unleash,
            "times",
            unleash,
            "≥ 10",
        ),
    ]


def _processor_time(
    world: Mapping[str, Any], ours: tuple[int, int], floor: tuple[int, int], rounds: int
) -> Row:
    """Measure the CPU time of a decision, relative to Flask hello.

    On a busy machine a server with many threads gets more CPU time, so its rate reflects the
    threads more than the decision.
    """
    url = f"http://127.0.0.1:{ours[0]}{FLAGS}/policy.grounding"
    asked = {
        ours[1]: (url, _script("one", world["key"])),
        floor[1]: (f"http://127.0.0.1:{floor[0]}/hello", None),
    }
    taken: dict[int, list[float]] = {pid: [] for pid in asked}
    for _ in range(rounds):
        for pid, (address, script) in asked.items():
            before = processor_seconds(pid)
            answered = wrk(address, script, 1)[0]
            taken[pid].append((processor_seconds(pid) - before) / answered * 1e6)
    ratios = [t / o for o, t in zip(taken[ours[1]], taken[floor[1]], strict=True)]
    return (
        "processor time of a decision, one flag",
        statistics.median(taken[ours[1]]),
        "µs",
        statistics.median(ratios),
        "≥ 2.0: half of Flask hello's",
    )


def _script(name: str, key: str, tag: str | None = None) -> Path:
    """Write the Lua script that tells wrk what to send. Return its path."""
    body = json.dumps({"context": {"targetingKey": "user-1", "system": "bench-triage"}})
    lines = [
        'wrk.method = "POST"',
        f"wrk.body = '{body}'",
        'wrk.headers["Content-Type"] = "application/json"',
        f'wrk.headers["Authorization"] = "Bearer {key}"',
    ]
    if tag:
        lines.append(f"wrk.headers[\"If-None-Match\"] = '{tag}'")
    path = VAR / f"{name}.lua"
    path.write_text("\n".join(lines) + "\n")
    return path


def _etag(port: int, key: str) -> str:
    connection = HTTPConnection("127.0.0.1", port)
    connection.request(
        "POST",
        FLAGS,
        json.dumps({"context": {"targetingKey": "u", "system": "bench-triage"}}),
        {"Authorization": f"Bearer {key}"},
    )
    reply = connection.getresponse()
    reply.read()
    return reply.headers["ETag"]


def wrk(url: str, script: Path | None, seconds: float) -> tuple[float, float]:
    """Return requests/s, and p99 in ms, on 16 connections."""
    command = [
        "wrk",
        "-t1",
        "-c16",
        f"-d{seconds:.0f}s",
        "--latency",
        *(["-s", str(script)] if script else []),
        url,
    ]
    output = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    if "Non-2xx or 3xx" in output:
        raise SystemExit(f"{url} was refused:\n{output}")
    # wrk always prints the 99th percentile.
    number, unit = re.search(r"99%\s+([0-9.]+)(us|ms|s)", output).groups()  # type: ignore[union-attr]
    late = float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]
    return float(re.search(r"Requests/sec:\s+([0-9.]+)", output).group(1)), late  # type: ignore[union-attr]


def _silence(world: Mapping[str, Any], port: int, server: Any) -> Row:
    """Count the commits of 2 000 decisions, less those of an equally long idle time."""

    def calls() -> int:
        with psycopg.connect(
            server.super_uri.replace("/postgres?", "/bench?"), autocommit=True
        ) as connection:
            time.sleep(1.2)  # PostgreSQL publishes backend statistics once a second.
            return int(
                connection.execute(
                    "SELECT xact_commit FROM pg_stat_database WHERE datname = 'bench'"
                ).fetchone()[0]
            )  # type: ignore[index]

    connection = HTTPConnection("127.0.0.1", port)
    body, headers = (
        json.dumps({"context": {"targetingKey": "u", "system": "bench-triage"}}),
        {"Authorization": f"Bearer {world['key']}"},
    )
    before, begun = calls(), time.monotonic()
    for _ in range(2000):
        connection.request("POST", f"{FLAGS}/policy.grounding", body, headers)
        connection.getresponse().read()
    took, busy = time.monotonic() - begun, calls() - before
    before = calls()
    time.sleep(took)
    idle = calls() - before
    return (
        "transactions for each of 2 000 decisions, those of the idle worker taken off",
        max(busy - idle, 0) / 2000,
        "",
        None,
        "0 in steady state",
    )


# ---- while pages are served


@dataclass(frozen=True, slots=True)
class Readers:
    """Simulated readers: their cookie, and the paths that they request cyclically."""

    cookie: str
    paths: Sequence[str]

    @contextmanager
    def reading(self, port: int) -> Iterator[None]:
        """Let all readers request pages from the server at `port`, each as fast as it answers."""
        path = VAR / "readers.lua"
        path.write_text(
            f"local paths = {{{', '.join(json.dumps(each) for each in self.paths)}}}\n"
            f'local headers = {{["Cookie"] = "session={self.cookie}"}}\nlocal n = 0\n'
            "function request()\n  n = n + 1\n"
            '  return wrk.format("GET", paths[n % #paths + 1], headers)\nend\n'
        )
        url = f"http://127.0.0.1:{port}"
        command = ["wrk", "-t1", f"-c{READERS}", "-d600s", "-s", str(path), url]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            try:
                time.sleep(0.5)
                yield
            finally:
                process.terminate()


def _busy_rates(
    world: Mapping[str, Any],
    port: int,
    floor_port: int,
    environment: Mapping[str, str],
    readers: Readers,
    rounds: int,
    seconds: float,
) -> list[Row]:
    """Compare the rate of decisions with that of Flask hello while the same pages are served.

    Each is measured in its own server next to the one for pages, and in the worker that serves
    the pages.
    """
    script = _script("one", world["key"])
    with (
        serving_console(environment, VAR / "pages.log", niceness=NICENESS) as (pages_port, _),
        serving("bench.plain_pages:app", environment, VAR / "plain.log") as (plain_port, _),
    ):
        ways = {  # (Decisions, their pages), (hello, its pages): the ports.
            "in a process beside": ((port, pages_port), (floor_port, pages_port)),
            "in their worker": ((port, port), (plain_port, plain_port)),
        }
        return [
            _busy_rate(way, readers, ours, hello, (script, rounds, seconds))
            for way, (ours, hello) in ways.items()
        ]


def _busy_rate(
    way: str,
    readers: Readers,
    ours: tuple[int, int],
    hello: tuple[int, int],
    how: tuple[Path, int, float],
) -> Row:
    script, rounds, seconds = how
    address, floor = (
        f"http://127.0.0.1:{ours[0]}{FLAGS}/policy.grounding",
        f"http://127.0.0.1:{hello[0]}/hello",
    )
    wrk(address, script, 1)
    wrk(floor, None, 1)
    rates, ratios = [], []
    for _ in range(rounds):
        with readers.reading(ours[1]):
            rates.append(wrk(address, script, seconds)[0])
        with readers.reading(hello[1]):
            ratios.append(rates[-1] / wrk(floor, None, seconds)[0])
    return (
        f"decision while pages are served, {way}",
        statistics.median(rates),
        "req/s",
        statistics.median(ratios),
        "≥ 2.0 of Flask hello, served the same way",
    )


def _busy_flips(
    world: Mapping[str, Any], port: int, server: Any, where: str, flips: int
) -> list[Row]:
    """Measure `_flips` by NOTIFY while pages are served, and a process that only listens."""
    late: list[float] = []
    with _bare_listener(server) as heard:
        for n in range(flips):
            late += _flip(world, port, server, stop=n % 2 == 0, silent=False)
    (p50, p99), (bare_p50, bare_p99) = _late(late), _late(heard)
    what, goal = f"stop → obeyed while pages are served, {where}", 50
    return [
        (f"stop → heard by a bare listener, {where}, p50", bare_p50, "ms", None, ""),
        (f"stop → heard by a bare listener, {where}, p99", bare_p99, "ms", None, ""),
        (f"{what}, p50 of {len(late)}", p50, "ms", bare_p50 / p50, "of the bare listener"),
        (f"{what}, p99", p99, "ms", goal / p99, f"≤ {goal} ms"),
    ]


def _late(found: Sequence[float]) -> tuple[float, float]:
    """Return the median and the 99th percentile."""
    ordered = sorted(found)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]


LISTENER = """
import sys, time, psycopg
with psycopg.connect(sys.argv[1], autocommit=True) as connection:
    connection.execute("LISTEN bench_floor")
    print(flush=True)
    for note in connection.notifies():
        print((time.clock_gettime(time.CLOCK_REALTIME) - float(note.payload)) * 1000, flush=True)
"""


@contextmanager
def _bare_listener(server: Any) -> Iterator[list[float]]:
    """Yield the milliseconds from a commit until a process that only listens is notified.

    One notification is sent every 50 ms. The list is complete once the block ends.
    """
    url = server.super_uri.replace("/postgres?", "/bench?")
    command = [sys.executable, "-c", LISTENER, url]
    heard: list[float] = []
    over = threading.Event()

    def tell() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not over.wait(0.05):
                now = str(time.clock_gettime(time.CLOCK_REALTIME))
                connection.execute("SELECT pg_notify('bench_floor', %s)", [now])

    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        output = process.stdout
        if output is None:
            raise SystemExit("the listener has no output")
        output.readline()
        telling = threading.Thread(target=tell)
        telling.start()
        try:
            yield heard
        finally:
            over.set()
            telling.join()
            process.terminate()
            heard += [float(line) for line in output.read().split()]


# ---- stop → obeyed


def _flips(world: Mapping[str, Any], port: int, server: Any, flips: int) -> list[Row]:
    """Measure from the commit of a stop to the first answer that obeys it, in each of two workers."""
    rows = []
    for how, goal in (("NOTIFY", 50), ("no NOTIFY", 1500)):
        count = flips if how == "NOTIFY" else max(flips // 10, 3)
        late = sorted(
            ms
            for n in range(count)
            for ms in _flip(world, port, server, stop=n % 2 == 0, silent=how != "NOTIFY")
        )
        p99 = late[min(len(late) - 1, int(len(late) * 0.99))]
        rows += [
            (
                f"stop or restart → obeyed by both workers, {how}, p50 of {len(late)}",
                statistics.median(late),
                "ms",
                None,
                "",
            ),
            (
                f"stop or restart → obeyed by both workers, {how}, p99",
                p99,
                "ms",
                goal / p99,
                f"≤ {goal} ms",
            ),
        ]
    return rows


def _flip(
    world: Mapping[str, Any], port: int, server: Any, *, stop: bool, silent: bool
) -> list[float]:
    """Return the milliseconds until each of the two workers obeys.

    `silent` changes the row without a NOTIFY, as if it were lost.
    """
    change = partial(_silently, world, server) if silent else partial(_stopped, world)
    return obeyed_after(
        partial(change, stop=stop),
        port,
        world["key"],
        flag="switch.bench-copy",
        awaited="stopped" if stop else "live",
    )


def obeyed_after(
    change: Callable[[], float], port: int, key: str, *, flag: str, awaited: str
) -> list[float]:
    """Return the milliseconds from the return of `change` until each worker answers the variant."""
    output: dict[int, float] = {}
    ready = threading.Barrier(WATCHERS + 1)
    threads = [
        threading.Thread(target=_watch, args=(port, key, flag, awaited, ready, output, n))
        for n in range(WATCHERS)
    ]
    for thread in threads:
        thread.start()
    ready.wait()
    time.sleep(0.02)
    committed = change()
    for thread in threads:
        thread.join(5)
    if len(output) < len(threads):
        raise SystemExit("a worker missed a change")
    return [max(at - committed, 0) * 1000 for at in output.values()]


def _watch(
    port: int,
    key: str,
    flag: str,
    awaited: str,
    ready: threading.Barrier,
    output: dict[int, float],
    n: int,
) -> None:
    """Poll until the answer is the awaited one."""
    connection = HTTPConnection("127.0.0.1", port)
    body, headers = (
        json.dumps({"context": {"targetingKey": "u"}}),
        {"Authorization": f"Bearer {key}"},
    )

    def variant() -> str:
        connection.request("POST", f"{FLAGS}/{flag}", body, headers)
        return str(json.loads(connection.getresponse().read())["variant"])

    variant()
    ready.wait()
    end = time.perf_counter() + 5
    while time.perf_counter() < end:
        if variant() == awaited:
            output[n] = time.perf_counter()
            return
        time.sleep(0.001)


def _stopped(world: Mapping[str, Any], *, stop: bool) -> float:
    """Stop or resume the feature by the product's own actions. Return the instant of the commit."""
    from governance.kernel.data.db import session
    from governance.operations.switches import actions
    from governance.operations.switches.models import Stop
    from governance.operations.systems import queries as systems
    from tests import make

    with make.acting("admin"):
        if stop:
            actions.stop("system", systems.system(world["flipped_id"]), None, reason="Measured.")
        for found in (
            [] if stop else session().scalars(select(Stop).where(Stop.restarted_at.is_(None))).all()
        ):
            actions.restart(found, seen=actions.seen(found), reason="Measured.")
    return time.perf_counter()


def _silently(world: Mapping[str, Any], server: Any, *, stop: bool) -> float:
    with psycopg.connect(server.super_uri.replace("/postgres?", "/bench?")) as connection:
        if stop:
            connection.execute(
                "INSERT INTO stops (tenant_id, id, scope, system_id, generate, serve, reason,"
                " version, expected, created_at) VALUES (%s, %s, 'system', %s, true, true, 'bench',"
                " 1, '[]', now())",
                [world["tenant_id"], uuid4(), world["flipped_id"]],
            )
        else:
            connection.execute("UPDATE stops SET restarted_at = now() WHERE restarted_at IS NULL")
        connection.execute(
            "UPDATE marks SET number = number + 1 WHERE id = %s", [world["tenant_id"]]
        )
    return time.perf_counter()


# ---- in the process


def _policy(systems: int) -> Any:
    from governance.operations.policies.dimensions import read_all
    from governance.operations.policies.effective_policies import (
        Content,
        EffectivePolicy,
        Governed,
        Platform,
    )

    each = tuple(
        Governed(uuid4(), f"system-{n}", f"System {n}", "high_risk" if n % 5 == 0 else "standard")
        for n in range(systems)
    )
    content = Content(
        "strict",
        read_all({"citations": "required"}),
        {s.id: read_all({"memory": "off"}) for s in each[::3]},
    )
    return EffectivePolicy(Platform(), 7, content, each)


def _answers(systems: int, slug: str = "bench") -> Any:
    from governance.operations.decisions.flags import Answers, DecisionFacts

    return Answers(DecisionFacts(uuid4(), slug, 1, 0, {}, _policy(systems)), datetime.now(UTC))


def _resolving() -> list[Row]:
    """Time the effective policy of one system per call, and of all 50 systems in one call."""
    from governance.operations.decisions.flags import Answers

    answers = _answers(SYSTEMS)
    which = answers.facts.policy.systems[0]

    def timed(act: Any, times: int) -> float:
        begun = time.perf_counter()
        for _ in range(times):
            act()
        return (time.perf_counter() - begun) / times * 1000

    one = timed(lambda: answers.facts.policy.effective(which), 300)
    every = timed(
        lambda: [_answers_of(answers, s) for s in (None, *answers.facts.policy.systems)], 30
    )
    many = _answers(MANY_SYSTEMS).facts
    asked, now = f"switch.{many.policy.systems[-1].key}", datetime.now(UTC)
    first = timed(lambda: Answers(many.at(now), now).flag("", asked), 100)
    return [
        (
            f"the first answer after a stop, one switch of {MANY_SYSTEMS} systems",
            first,
            "ms",
            None,
            "a few ms",
        ),
        ("a full policy resolved in the process, one system of 50", one, "ms", one, "< 1 ms"),
        ("the policies of all 50 systems resolved in the process", every, "ms", None, ""),
    ]


def _answers_of(answers: Any, system: Any) -> Any:
    return answers.resolve(system)


def _flock(*, quick: bool) -> Row:
    """Measure the memory of tenants with three systems each, with all of their flags built."""
    code = (
        "import os, sys; from bench.client import _rss; from bench.decisions import _answers\n"
        "_answers(3).bulk(''); before = _rss(os.getpid())\n"
        "kept = [_answers(3, f'tenant-{n}') for n in range(int(sys.argv[1]))]\n"
        "for a in kept:\n    for s in ('', *a.systems): a.bulk(s)\n"
        "print(_rss(os.getpid()) - before)"
    )

    count = 200 if quick else FLOCK
    output = subprocess.run(
        [sys.executable, "-c", code, str(count)],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    return (
        f"memory of {count:,} tenants, all flags of three systems drawn up".replace(",", " "),
        float(output.stdout),
        "MB",
        None,
        "bounded: at most 5 000 tenants a worker",
    )
