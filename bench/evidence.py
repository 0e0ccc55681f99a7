"""Evidence measured: a large file uploaded over HTTP and into storage, and 10,000 items listed.

    measure(app, cookie, token, server, environment, rounds=…, seconds=…, quick=…) -> rows of the
    table

The limit of an upload is a plain streamed copy of the same file to the same disk, with its SHA-256:
the work that no upload can avoid.
"""

import contextlib
import hashlib
import http.client
import os
import statistics
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from flask import Flask, url_for

from bench import world
from bench.client import Target, median_ms, resident_megabytes, serving_console, warm
from bench.table import Row
from governance.assurance.evidence import actions
from governance.kernel import clock
from governance.kernel.data import embedded
from governance.kernel.files import storage
from tests import make

VAR = Path("var/bench")
LARGE, PIECES = 1024**3, 10_000
QUICK = 16  # Divisor of each quantity.
PIECE = 1024 * 1024
HEAD = b"%PDF-1.7\n"


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
    size, pieces, times = (
        LARGE // (QUICK if quick else 1),
        PIECES // (QUICK if quick else 1),
        min(rounds, 3),
    )
    file = VAR / "large.pdf"
    try:
        rows = _stored(app, file, size, times)
        with serving_console(environment, VAR / "web.log") as (port, pid):
            rows += _uploaded(app, cookie, token, file, size, port, pid, times)
            _fill(server, pieces)
            world.analyze(server)
            rows += _listed(app, cookie, port, pieces, rounds, seconds)
    finally:
        file.unlink(missing_ok=True)
    return rows


def _stored(app: Flask, file: Path, size: int, rounds: int) -> list[Row]:
    """Time encrypting into the store against a plain copy with SHA-256."""
    copied, kept = [], []
    for _ in range(rounds):
        _write(file, size)
        before = _copied(file)
        kept.append(_sealed(app, file))
        copied.append(_between(before, _copied(file)))
    return [
        (f"copy of {size // PIECE} MB with SHA-256, synced", _rate(size, copied), "MB/s", None, ""),
        (
            "the same, sealed into the store",
            _rate(size, kept),
            "MB/s",
            _ratio(copied, kept),
            "≥ 0.5 of the copy",
        ),
    ]


def _sealed(app: Flask, file: Path) -> float:
    begun = time.perf_counter()
    with app.app_context(), make.acting() as who, file.open("rb") as stream:
        blob = storage.store().write(who.tenant_id, stream, limit=LARGE, prefix="bench")
    taken = time.perf_counter() - begun
    storage.store().remove(blob.key)
    return taken


def _between(before: float, after: float) -> float:
    """Return the mean of the limits measured before and after.

    The first measurement after a write shares the disk with that write.
    """
    return (before + after) / 2


def _uploaded(
    app: Flask, cookie: str, token: str, file: Path, size: int, port: int, pid: int, rounds: int
) -> list[Row]:
    """Time an upload form over HTTP until its answer.

    The file is parsed, typed, encrypted and synced, and its row written.
    """
    copied, sent, grown = [], [], []
    with app.app_context(), make.acting():
        made = [
            actions.create_item(f"Large file {n}", kind="report", cadence="quarterly").id
            for n in range(rounds)
        ]
    for evidence_id in made:
        _write(file, size)
        before = _copied(file)
        with app.test_request_context():
            path = url_for("evidence.upload", tenant="acme", evidence_id=evidence_id)
        idle = resident_megabytes(pid)
        with _watched(pid) as peak:
            begun = time.perf_counter()
            _send(port, path, cookie, token, file)
            sent.append(time.perf_counter() - begun)
        grown.append(max(peak) - idle)
        copied.append(_between(before, _copied(file)))
    return [
        (
            f"upload of {size // PIECE} MB over HTTP, to its answer",
            _rate(size, sent),
            "MB/s",
            _ratio(copied, sent),
            "≥ 0.5 of the copy",
        ),
        ("web worker over idle, at its peak", max(grown), "MB", None, "< 64 MB, whatever the size"),
    ]


def _listed(
    app: Flask, cookie: str, port: int, pieces: int, rounds: int, seconds: float
) -> list[Row]:
    with app.test_request_context():
        library, export = (
            url_for("evidence.index", tenant="acme"),
            url_for("evidence.export", tenant="acme", form="csv"),
        )
        inbox = url_for("evidence.inbox", tenant="acme")
    asked = {
        f"library of {pieces} pieces, one page": library,
        "the same, searched and filtered": f"{library}?q=record+77&state=overdue",
        "the same, sorted by deadline": f"{library}?sort=-deadline",
        "the same, sorted by owner": f"{library}?sort=owner",
        "inbox over all of them": inbox,
        "all of them exported as CSV": export,
    }
    rows: list[Row] = []
    for name, path in asked.items():
        target = Target(name, port, path, {"Cookie": f"session={cookie}"})
        warm(target)
        goal = "" if "export" in name else "< 200 ms"
        rows.append(
            (
                name,
                statistics.median(median_ms(target, seconds) for _ in range(rounds)),
                "ms",
                None,
                goal,
            )
        )
    return rows


# ---- what is sent, and the sampler


def _write(file: Path, size: int) -> None:
    """Write bytes that are unique, so that storage can't reuse an existing file."""
    with file.open("wb") as out:
        out.write(HEAD)
        left = size - len(HEAD)
        while left:
            left -= out.write(os.urandom(min(PIECE, left)))
        os.fsync(out.fileno())


def _copied(file: Path) -> float:
    copy, digest = file.with_suffix(".copy"), hashlib.sha256()
    begun = time.perf_counter()
    with file.open("rb") as source, copy.open("wb") as target:
        while piece := source.read(PIECE):
            digest.update(piece)
            target.write(piece)
        target.flush()
        os.fsync(target.fileno())
    taken = time.perf_counter() - begun
    copy.unlink()
    return taken


def _send(port: int, path: str, cookie: str, token: str, file: Path) -> None:
    today, mark = clock.today().isoformat(), uuid4().hex
    fields = {
        "csrf_token": token,
        "collected_on": today,
        "period_from": today,
        "period_to": today,
        "valid_until": today,
        "source": "bench",
    }
    part = '--{}\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    head = (
        "".join(part.format(mark, *each) for each in fields.items())
        + f'--{mark}\r\nContent-Disposition: form-data; name="file";'
        ' filename="large.pdf"\r\nContent-Type: application/pdf\r\n\r\n'
    )
    tail = f"\r\n--{mark}--\r\n"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600, blocksize=PIECE)
    connection.putrequest("POST", path)
    connection.putheader("Cookie", f"session={cookie}")
    connection.putheader("Content-Type", f"multipart/form-data; boundary={mark}")
    connection.putheader("Content-Length", str(len(head) + file.stat().st_size + len(tail)))
    connection.endheaders(head.encode())
    with file.open("rb") as source:
        connection.send(source)
    connection.send(tail.encode())
    reply = connection.getresponse()
    said = reply.read()
    connection.close()
    if reply.status != 303:
        raise SystemExit(f"{path} answered {reply.status} to the upload: {said[-300:]!r}")


@contextlib.contextmanager
def _watched(pid: int) -> Iterator[list[float]]:
    """Sample the worker's resident memory fifty times a second."""
    seen, over = [resident_megabytes(pid)], threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            seen.append(resident_megabytes(pid))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


def _fill(server: embedded.Embedded, pieces: int) -> None:
    """Insert evidence items with one accepted version each, every tenth with twelve, by SQL.

    A third is overdue, a third due, a third fresh.
    """
    tenant, person = make.system_actor("acme").tenant_id, make.person_id("contributor")
    values = {"tenant": tenant, "person": person, "pieces": pieces}
    with psycopg.connect(world.superuser(server), autocommit=True) as connection:
        for statement in FILL:
            connection.execute(statement, values)


PIECES_SQL = """
INSERT INTO evidence (tenant_id, id, ref, title, kind, cadence, confidentiality, owner_id, version, created_at)
SELECT %(tenant)s, gen_random_uuid(), 'EV-' || (50000 + n), 'Record ' || n, 'record', 'quarterly', 'internal', %(person)s, 1,
       now() - interval '90 days'
FROM generate_series(1, %(pieces)s) n
"""
VERSIONS_SQL = """
INSERT INTO evidence_versions (tenant_id, id, evidence_id, number, url, source, collected_at, uploaded_at, uploaded_by,
                               period_from, period_to, valid_until, created_at)
SELECT tenant_id, gen_random_uuid(), id, number, 'https://records.example/' || ref, 'filled', now() - interval '20 days',
       now() - interval '20 days', %(person)s, current_date - 90, current_date - 20,
       current_date + (substr(ref, 4)::int %% 3 - 1) * 18, now() - interval '20 days'
FROM evidence, generate_series(1, 12) number
WHERE (number = 1 OR substr(ref, 4)::int %% 10 = 0) AND tenant_id = %(tenant)s AND ref ~ '^EV-[56][0-9]{4}$'
"""
REVIEWS_SQL = """
INSERT INTO evidence_reviews (tenant_id, id, version_id, decision, reason, reviewed_by, reviewed_at, created_at)
SELECT tenant_id, gen_random_uuid(), id, 'accepted', '', gen_random_uuid(), now() - interval '19 days', now() - interval '19 days'
FROM evidence_versions WHERE tenant_id = %(tenant)s AND source = 'filled'
"""
FILL = (PIECES_SQL, VERSIONS_SQL, REVIEWS_SQL)


def _rate(size: int, taken: list[float]) -> float:
    return size / PIECE / statistics.median(taken)


def _ratio(above: list[float], below: list[float]) -> float:
    """Return the ratio within each round, then the median of the rounds."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


def main() -> None:
    """Measure this section alone, in its own database: `python -m bench.evidence [--quick]`."""
    import sys

    from bench import table

    server = world.database(VAR / "pg")
    environment = world.environment(server)
    os.environ.update(environment)
    app = world.application()
    world.fill()
    cookie = world.cookie(app)
    rows: Any = measure(
        app,
        cookie,
        world.token(app, cookie),
        server,
        environment,
        rounds=3,
        seconds=0.4,
        quick="--quick" in sys.argv,
    )
    table.print_rows(rows)


if __name__ == "__main__":
    main()
