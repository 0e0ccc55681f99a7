"""The audit log measured: the cost of an entry, of sequencing, and of reading a million entries.

    measure(app, cookie, server, environment, rounds=…, seconds=…, quick=…) -> rows of the table

Most entries are written by SQL into acme's log, in the bytes that record() would write. The
product's own sequencer writes places, tiles and checkpoints.
"""

import contextlib
import hashlib
import itertools
import json
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask
from psycopg.types.json import Jsonb
from sqlalchemy import func, select, text

from bench import world
from bench.client import (
    Target,
    median_ms,
    serving_console,
    serving_silently,
    turn_by_turn,
)
from bench.table import Row
from governance.foundation.audit import checkpoint, jsonl, merkle, queries, sequencer
from governance.foundation.audit.models import AuditEntry
from governance.foundation.audit.record import canonical, record
from governance.foundation.audit.registry import registry
from governance.foundation.logbook.queries import PAGE
from governance.foundation.tenants.models import Tenant
from governance.kernel import clock, current
from governance.kernel.data import embedded
from governance.kernel.data.db import session, transaction
from governance.kernel.data.ids import uuid7
from governance.kernel.pages.rendering import _seal
from governance.kernel.safety import signed_note
from tests import make

WRITERS = 8
MILLION, DEEP, EXPORTED = (
    1_000_000,
    10_000,
    100_000,
)  # Entries of the log, pages turned, entries of an export.
QUICK = 50  # Divisor of each quantity.
VAR = Path("var/bench")


def measure(
    app: Flask,
    cookie: str,
    token: str,
    server: embedded.Embedded,
    environment: Mapping[str, str],
    *,
    rounds: int,
    seconds: float,
    quick: bool,
) -> list[Row]:
    scale = QUICK if quick else 1
    with (
        serving_console(environment, VAR / "web.log") as (port, _),
        serving_silently(environment, VAR / "silent.log") as (mute, _),
    ):
        rows = _acted(cookie, token, (port, mute), rounds, seconds)
        written, commits = _written(app, server, rounds, seconds)
        rows += [*written, *_sequenced(app, server, MILLION // scale, commits)]
        rows += _listed(app, cookie, port, DEEP // scale, rounds, seconds)
    rows.append(_history(app, 200 // scale))
    return [*rows, *_proved(app, 2000 // scale), *_verified(EXPORTED // scale)]


def _ratio(above: list[float], below: list[float]) -> float:
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


# ---- an entry with its action


def _acted(
    cookie: str, token: str, ports: tuple[int, int], rounds: int, seconds: float
) -> list[Row]:
    """Time the smallest action over HTTP, with its entry and in the same app without record()."""
    serial, headers = itertools.count(1), {"Cookie": f"session={cookie}"}

    def form() -> dict[str, str]:
        number = next(serial)
        return {
            "csrf_token": token,
            "lane": "standard",
            "stage": "proposed",
            "since": clock.today().isoformat(),
            "key": f"bench-{number}",
            "name": f"Bench {number}",
            "purpose": "Measured.",
        }

    targets = [
        Target(name, port, "/t/acme/systems/new", headers, form, 303)
        for name, port in zip(("with", "without"), ports, strict=True)
    ]
    times: dict[str, list[float]] = {"with": [], "without": []}
    turn_by_turn(targets, 0)
    for _ in range(rounds):
        for target, taken in zip(targets, turn_by_turn(targets, max(2 * seconds, 1)), strict=True):
            times[target.name].append(statistics.median(taken) * 1000)
    ratio = _ratio(times["without"], times["with"])
    return [
        (
            "an action with its audit entry, over HTTP",
            statistics.median(times["with"]),
            "ms",
            ratio,
            "≥ 0.85 of without",
        )
    ]


def _rate(work: Callable[[float], int], seconds: float) -> float:
    """Return how many times per second eight threads together do the work."""
    begun = time.perf_counter()
    with ThreadPoolExecutor(WRITERS) as pool:
        done = sum(pool.map(work, [begun + seconds] * WRITERS))
    return done / (time.perf_counter() - begun)


def _written(
    app: Flask, server: embedded.Embedded, rounds: int, seconds: float
) -> tuple[list[Row], float]:
    """Time one tenant's entries by record() against bare rows from the same client and threads.

    The rows have the same columns and indexes.
    """
    with psycopg.connect(server.owner_url.replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute(
            "CREATE TABLE floor_entries (LIKE audit_entries INCLUDING DEFAULTS INCLUDING INDEXES)"
        )
        owner.execute("GRANT ALL ON floor_entries TO governance_app")
    with app.app_context(), make.acting("admin") as who:
        tenant = Tenant(
            id=who.tenant_id
        )  # The change itself is irrelevant: only its name is in the entry.
        sample = record(
            registry["tenant.settings.changed"], tenant, before={"name": "A"}, after={"name": "B"}
        )
        columns = [c.name for c in AuditEntry.__table__.columns]
        values = {
            name: getattr(sample, name, sample.at) for name in columns
        }  # It is the instant of created_at.
    url = server.app_url.replace("+psycopg", "")

    def ours(end: float) -> int:
        count = 0
        while time.perf_counter() < end:
            with current.acting_as(who), transaction():
                record(
                    registry["tenant.settings.changed"],
                    tenant,
                    before={"name": "A"},
                    after={"name": f"B{count}"},
                )
            count += 1
        return count

    def raw(end: float) -> int:
        return _insert("floor_entries", end)

    def queued(end: float) -> int:
        return _insert("audit_entries", end)

    def _insert(table: str, end: float) -> int:
        """Insert with psycopg alone; into the log itself under its policies, with its trigger."""
        count, statement = (
            0,
            (
                f"INSERT INTO {table} ({', '.join(columns)}) VALUES"
                f" ({', '.join(['%s'] * len(columns))})"
            ),
        )
        with psycopg.connect(url, autocommit=True, prepare_threshold=0) as connection:
            connection.execute("SELECT set_config('app.tenant', %s, false)", [str(who.tenant_id)])
            while time.perf_counter() < end:
                connection.execute(statement, [_bound(values, name) for name in columns])
                count += 1
        return count

    ways = {"raw": raw, "queued": queued, "ours": ours}
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            rates[name].append(_rate(way, max(seconds, 0.5)))
    middle = {name: statistics.median(each) for name, each in rates.items()}
    return [
        ("bare rows of that kind, 8 writers", middle["raw"], "/s", None, ""),
        (
            "the same into the log: policies, trigger, queue",
            middle["queued"],
            "/s",
            _ratio(rates["queued"], rates["raw"]),
            "what the database pays",
        ),
        (
            "entries of one tenant by record(), 8 writers at once",
            middle["ours"],
            "/s",
            _ratio(rates["ours"], rates["raw"]),
            "≥ 0.6 of bare rows",
        ),
    ], middle["raw"]


def _bound(values: Mapping[str, Any], name: str) -> Any:
    """Return a column's value: a fresh id for each row, JSON for JSON columns."""
    value = uuid7() if name == "id" else values[name]
    return Jsonb(value) if isinstance(value, dict) else value


# ---- a million entries


ENTRIES = """
INSERT INTO audit_entries (tenant_id, id, at, actor, actor_kind, action, target_type, target_id, outcome, request_id, origin,
  changes, facts, sealed, body, created_at)
SELECT tenant, id, at, actor, 'person', 'tenant.settings.changed', 'Tenant', tenant, 'done', '', '',
  jsonb_build_object('name', jsonb_build_array('A', 'B' || n)), '{}', '{}',
  convert_to(format('{"action":"tenant.settings.changed","actor":"%s","actor_kind":"person","at":"%s+00:00","changes":{"name":["A","B%s"]},'
    '"facts":{},"id":"%s","origin":"","outcome":"done","request_id":"","sealed":{},"target":["Tenant","%s"],"tenant":"%s"}',
    actor, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), n, id, tenant, tenant), 'UTF8'), at
FROM (SELECT n, current_setting('app.tenant')::uuid AS tenant, gen_random_uuid() AS id, md5((n % 200)::text) AS actor,
        timestamptz '2025-01-01 00:00:00.000001+00' + n * interval '53 seconds' + (n % 999) * interval '1 microsecond' AS at
      FROM generate_series(CAST(:first AS int), CAST(:last AS int)) n) AS made
"""
CHUNK = 25_000


def _sequenced(app: Flask, server: embedded.Embedded, count: int, commits: float) -> list[Row]:
    with app.app_context():
        _empty_queue()
        for first in range(1, count + 1, CHUNK):
            with make.acting("admin"):
                session().execute(text("SET LOCAL statement_timeout = '300s'"))
                session().execute(
                    text(ENTRIES), {"first": first, "last": min(first + CHUNK - 1, count)}
                )
        with make.acting("admin", read_only=True):
            query = (
                select(AuditEntry)
                .where(AuditEntry.action == "tenant.settings.changed")
                .order_by(AuditEntry.at)
            )
            sample = [
                (entry.body, canonical(entry)) for entry in session().scalars(query.limit(1000))
            ]
        if any(stored != meant for stored, meant in sample):
            raise SystemExit(
                "the entries that SQL wrote are not those that record() would have written"
            )
        world.analyze(server)
        begun = time.perf_counter()
        _empty_queue()
        per_second = count / (time.perf_counter() - begun)
    begun = time.perf_counter()
    for body, _ in sample:
        hashlib.sha256(b"\0" + body).digest()
    hashed = len(sample) / (time.perf_counter() - begun)
    name = f"sequencing {count} entries: places, tiles, checkpoints"
    return [
        (name, per_second, "/s", per_second / commits, "≥ 5 of 8 writers' commits"),
        (
            "bare SHA-256 of such entries",
            hashed,
            "/s",
            per_second / hashed,
            "what the tree is spared",
        ),
    ]


def _empty_queue() -> None:
    with current.acting_as(make.system_actor("acme")):
        while sequencer.sequence() == sequencer.BATCH:
            pass


def _listed(
    app: Flask, cookie: str, port: int, pages: int, rounds: int, seconds: float
) -> list[Row]:
    """Time the page as a person sees it: the first, and one after paging `pages` times."""
    with app.app_context(), make.acting("admin", read_only=True):
        newest = select(AuditEntry.at, AuditEntry.id).order_by(
            AuditEntry.at.desc(), AuditEntry.id.desc()
        )
        mark = session().execute(newest.offset(pages * PAGE - 1).limit(1)).one()
    headers = {"Cookie": f"session={cookie}"}
    targets = [
        Target("first", port, "/t/acme/audit/", headers),
        Target("deep", port, f"/t/acme/audit/?after={_seal(mark)}", headers),
    ]
    times: dict[str, list[float]] = {"first": [], "deep": []}
    for _ in range(rounds):
        for target in targets:
            times[target.name].append(median_ms(target, seconds))
    return [
        ("the log's first page", statistics.median(times["first"]), "ms", None, "< 100 ms"),
        (
            f"its page {pages}",
            statistics.median(times["deep"]),
            "ms",
            _ratio(times["first"], times["deep"]),
            "≥ 0.8 of the first, < 100 ms",
        ),
    ]


def _history(app: Flask, times: int) -> Row:
    """Time the history of the object with the fewest entries, as its page shows it."""
    with app.app_context(), make.acting("admin", read_only=True):
        about = AuditEntry.target_id
        fewest = select(about).group_by(about).order_by(func.count(), about).limit(1)
        target = session().scalars(fewest).one()

    def once() -> float:
        with app.app_context(), make.acting("admin", read_only=True):
            begun = time.perf_counter()
            queries.entries_about([target])
            return (time.perf_counter() - begun) * 1000

    found = statistics.median(once() for _ in range(max(times, 20)))
    return ("the history of one object in that log", found, "ms", None, "< 5 ms")


def _proved(app: Flask, samples: int) -> list[Row]:
    """Time inclusion proofs of random entries, each in its own transaction.

    Also reports how many nodes the worst one needs.
    """
    times, asked = [], []
    lot = random.Random(2026)
    for _ in range(samples):
        with app.app_context(), make.acting("admin", read_only=True):
            size = queries.last_checkpoint().size
            node, read = queries.nodes(), []

            def counting(
                level: int, index: int, node: merkle.Node = node, read: list[Any] = read
            ) -> bytes:
                read.append((level, index))
                return node(level, index)

            begun = time.perf_counter()
            merkle.inclusion(lot.randrange(size), size, counting)
            times.append((time.perf_counter() - begun) * 1000)
            asked.append(len(read))
    return [
        (f"inclusion proof in a log of {size}", statistics.median(times), "ms", None, "a few ms"),
        ("nodes that the longest of them reads", max(asked), "", None, "≤ 40"),
    ]


def _verified(count: int) -> list[Row]:
    """Time `governance verify-log` on an export with its proofs, in its own process."""
    file, key = VAR / "export.jsonl", _export(VAR / "export.jsonl", count)
    command = [sys.executable, "-m", "governance.app.cli", "verify-log", str(file), "--key", key]
    begun = time.perf_counter()
    process, peak = subprocess.Popen(command, stdout=subprocess.DEVNULL), 0.0
    while process.poll() is None:
        peak = max(peak, _peak_megabytes(process.pid))
        time.sleep(0.01)
    took = time.perf_counter() - begun
    if process.returncode:
        raise SystemExit("verify-log refused the export")
    file.unlink()
    return [
        (f"verify-log on {count} entries", took, "s", None, "≤ 10 s for 100 000"),
        ("its peak memory", peak, "MB", None, "≤ 100 MB, whatever the size"),
    ]


def _peak_megabytes(pid: int) -> float:
    """Return the peak memory of a process since its exec.

    wait4 can't be used, because a child's peak there starts with that of its parent.
    """
    with contextlib.suppress(OSError):
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return next(
            (int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0
        )
    return 0.0


def _export(file: Path, count: int) -> str:
    """Write a log of `count` entries with every proof, signed with a new key.

    Return the verifier key.
    """
    filler = "x" * 300
    bodies = [
        json.dumps({"action": "bench.entry", "id": f"{n:036d}", "text": filler}).encode()
        for n in range(count)
    ]
    levels = [[merkle.leaf_hash(body) for body in bodies]]
    while len(levels[-1]) > 1:
        row = levels[-1]
        levels.append([merkle.node_hash(row[at], row[at + 1]) for at in range(0, len(row) - 1, 2)])

    def node(level: int, index: int) -> bytes:
        return levels[level][index]

    private, origin = Ed25519PrivateKey.generate(), "bench.example/audit/acme"
    note = checkpoint.sign(
        private, origin, checkpoint.Head(origin, count, merkle.root(count, node))
    )
    with file.open("wb") as out:
        digest = hashlib.sha256()

        def write(line: bytes) -> None:
            digest.update(line)
            out.write(line)

        write(jsonl.Header(origin, note, jsonl.WHOLE, first=0, last=count - 1, filters={}).line)
        for index, body in enumerate(bodies):
            write(jsonl.ExportedEntry(index, body, merkle.inclusion(index, count, node)).line)
        text = jsonl.signed_text(origin, digest.hexdigest())
        signature = signed_note.sign(private, origin, text)
        out.write(jsonl.Trailer(count, 0, count - 1, signature).line)
    return signed_note.verifier_key(private, origin)
