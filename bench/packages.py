"""An evidence package measured: 5 000 files of 2 GiB together, made by a worker process.

5 000 files of 2 GiB together, made by the work item in a process of its own.

    measure(app, server, environment, quick=…) -> rows of the table

The limit is a plain copy of the same stored bytes into one file, with its SHA-256, synced: what
anybody has to do who makes one file of many. It is in the second tenant. While it is made, the
process' memory, the progress that the page shows and the bytes that lie there are looked at
together.

`python -m bench.packages [--quick]` runs this section alone.
"""

import hashlib
import io
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
from flask import Flask
from sqlalchemy import text

from bench import world
from bench.client import _rss
from bench.table import Row
from governance.assurance.controls import actions as controls
from governance.assurance.controls.control_record import ControlContent
from governance.assurance.engagements import actions, queries
from governance.assurance.engagements.packages import actions as packages
from governance.assurance.engagements.packages import queries as package_queries
from governance.foundation.audit import sequencer
from governance.kernel import clock
from governance.kernel.data import embedded
from governance.kernel.data.db import session
from governance.kernel.data.ids import uuid7
from governance.kernel.files import storage
from tests import make

VAR = Path("var/bench")
FILES, TOTAL = 5_000, 2 * 1024**3
QUICK = 16  # Divisor of each quantity.
MIB = 1024 * 1024
TENANT, OFFICER = "globex", "compliance_officer"
CONTROLS = 50  # Controls that the files are spread over.


@dataclass(slots=True)
class Made:
    """A package run: seconds, memory over idle, and (second, reported share, real share) samples."""

    seconds: float = 0.0
    grown: float = 0.0
    size: int = 0
    seen: list[tuple[float, float, int]] = field(default_factory=list)

    @property
    def strays(self) -> float:
        """Return the largest gap between reported share and share of bytes, in hundredths."""
        return max(
            (abs(told - 100 * there / self.size) for _, told, there in self.seen), default=100.0
        )

    @property
    def over_time(self) -> float:
        """Return the largest gap between reported share and share of time, in hundredths."""
        return max(
            (abs(told - 100 * at / self.seconds) for at, told, _ in self.seen), default=100.0
        )


def measure(
    app: Flask, server: embedded.Embedded, environment: Mapping[str, str], *, quick: bool
) -> list[Row]:
    files, total = FILES // (QUICK if quick else 1), TOTAL // (QUICK if quick else 1)
    with app.app_context():
        keys = _filled(server, files, total)
        engagement_id = _engagement()
        world.analyze(server)
        before = _copied(keys)
        package_id, made = _made(server, environment, engagement_id)
        copied = (before + _copied(keys)) / 2
        checked = _checked(engagement_id, package_id)
        _swept(keys, engagement_id, package_id)
    return [
        (
            f"copy of {files} stored files, {total // MIB} MB, SHA-256, synced",
            total / MIB / copied,
            "MB/s",
            None,
            "",
        ),
        (
            "a package of them by its work item, until it is filed",
            total / MIB / made.seconds,
            "MB/s",
            copied / made.seconds,
            "≥ 0.4 of the copy",
        ),
        (
            "its process over idle, at its peak",
            made.grown,
            "MB",
            None,
            "< 64 MB, whatever the size",
        ),
        ("progress: furthest from the share of bytes", made.strays, "%", None, "< 5"),
        (
            "progress: furthest from the share of time",
            made.over_time,
            "%",
            None,
            "the disk's last sync is in it",
        ),
        ("the same package by verify-package", total / MIB / checked, "MB/s", copied / checked, ""),
    ]


# ---- what is there


def _filled(server: embedded.Embedded, files: int, total: int) -> list[str]:
    """Put files into the store and insert their rows by SQL. Return their storage keys.

    Sizes range from a fifth to twice the mean.
    """
    rows, keys, left = [], [], total
    with make.acting(OFFICER, TENANT) as who:
        for number in range(files):
            size = (
                left if number == files - 1 else (total // files) * (20 + number * 37 % 160) // 100
            )
            left -= size
            blob = storage.store().write(
                who.tenant_id, io.BytesIO(os.urandom(size)), limit=total, prefix="evidence"
            )
            keys.append(blob.key)
            rows.append(
                (
                    str(who.tenant_id),
                    str(uuid7()),
                    str(uuid7()),
                    number,
                    blob.size,
                    blob.sha256,
                    blob.key,
                )
            )
    with make.acting(OFFICER, TENANT):
        held = [
            controls.create(
                f"PK-{n:02}",
                ControlContent(
                    title=f"Packed control {n}",
                    does="It is done.",
                    kind="preventive",
                    automation="manual",
                    cadence="monthly",
                ),
            ).id
            for n in range(CONTROLS)
        ]
    with psycopg.connect(world.superuser(server), autocommit=True) as connection:
        connection.execute(TABLE)
        with connection.cursor().copy("COPY packed FROM STDIN") as copy:
            for row in rows:
                copy.write_row((*row, str(held[row[3] % CONTROLS])))
        for statement in FILL:
            connection.execute(statement, {"person": make.person_id(OFFICER, TENANT)})
    return keys


def _engagement() -> UUID:
    today = clock.today()
    with make.acting(OFFICER, TENANT):
        held = actions.open_engagement(
            "Brook Audit",
            framework_id=None,
            period_from=today - timedelta(days=90),
            period_to=today,
            fieldwork_from=today,
            fieldwork_to=today,
        )
        engagement_id = held.id
    with make.acting("admin", TENANT):
        while sequencer.sequence():
            pass
    return engagement_id


def _swept(keys: list[str], engagement_id: UUID, package_id: UUID) -> None:
    with make.acting(OFFICER, TENANT, read_only=True):
        keys = [*keys, package_queries.package(engagement_id, package_id).row.storage_key or ""]
    for key in keys:
        storage.store().remove(key)


# ---- what is measured


def _copied(keys: list[str]) -> float:
    """Copy the stored bytes as they are into one file, and time it."""
    root, copy, digest = VAR / "objects", VAR / "packed.copy", hashlib.sha256()
    begun = time.perf_counter()
    with copy.open("wb") as target:
        for key in keys:
            with (root / key).open("rb") as source:
                while piece := source.read(MIB):
                    digest.update(piece)
                    target.write(piece)
        target.flush()
        os.fsync(target.fileno())
    taken = time.perf_counter() - begun
    copy.unlink()
    return taken


def _made(
    server: embedded.Embedded, environment: Mapping[str, str], engagement_id: UUID
) -> tuple[UUID, Made]:
    """Request a package here and watch another process make it.

    That process is like `governance jobs`, and idle before.
    """
    made = Made()
    with _worker(environment) as worker:
        idle = _rss(worker.pid)
        with make.acting(OFFICER, TENANT):
            package = packages.request_package(queries.engagement(engagement_id))
            package_id, work_id = package.id, package.work_item_id
        begun = time.perf_counter()
        assert worker.stdin
        worker.stdin.write(b"\n")
        worker.stdin.flush()
        with psycopg.connect(world.superuser(server), autocommit=True) as connection:
            state, peak = "queued", idle
            while state in {"queued", "running"}:
                state, done, total = connection.execute(STATE, [work_id]).fetchone() or (
                    "lost",
                    0,
                    0,
                )
                at, there, peak = time.perf_counter() - begun, _there(), max(peak, _rss(worker.pid))
                if state == "running" and there:
                    made.seen.append((at, 100 * done / max(total, 1), there))
                time.sleep(0.02)
        made.seconds, made.grown = time.perf_counter() - begun, peak - idle
    with make.acting(OFFICER, TENANT, read_only=True):
        found = package_queries.package(engagement_id, package_id)
        if state != "done" or found.row.size is None or (found.work and found.work.percent != 100):
            raise SystemExit(f"the package is {state}: {found.work and found.work.step}")
        made.size = found.row.size
    return package_id, made


def _there() -> int:
    """Return the bytes of the package in progress."""
    folder = VAR / "objects" / make.system_actor(TENANT).tenant_id.hex
    return sum(each.stat().st_size for each in folder.glob(f"{storage.INCOMING}*") if each.exists())


@contextmanager
def _worker(environment: Mapping[str, str]) -> "Iterator[subprocess.Popen[bytes]]":
    command = [sys.executable, "-m", "bench.packages", "--work"]
    process = subprocess.Popen(
        command, env=dict(environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        assert process.stdout
        if process.stdout.readline() != b"idle\n":
            raise SystemExit("the package's process did not come up")
        yield process
    finally:
        process.terminate()
        process.wait(20)


def work() -> None:
    """Run the worker: import and connect everything, read one line, then do the queue's one item."""
    from governance.app.schedule import HANDLERS
    from governance.foundation.people.jobs import actor_of
    from governance.kernel.work import jobs

    world.application()
    with make.acting(OFFICER, TENANT, read_only=True):
        session().execute(text("SELECT 1"))
    print("idle", flush=True)
    sys.stdin.readline()
    jobs.drain(actor_of)
    sys.stdin.readline()
    assert HANDLERS


def _checked(engagement_id: UUID, package_id: UUID) -> float:
    """Time the command-line verifier on the downloaded file."""
    file, key = VAR / "packed.zip", VAR / "packed.pub"
    with make.acting(OFFICER, TENANT, read_only=True):
        stored = package_queries.package(engagement_id, package_id).row.storage_key or ""
        key.write_text("\n".join(package_queries.verifier_keys()))
        with file.open("wb") as out:
            out.writelines(storage.pieces(stored))
    command = [
        str(Path(sys.executable).with_name("governance")),
        "verify-package",
        str(file),
        "--key",
        str(key),
    ]
    begun = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    taken = time.perf_counter() - begun
    file.unlink()
    if done.returncode:
        raise SystemExit(
            f"verify-package does not hold the package for whole:\n{done.stdout}{done.stderr}"
        )
    return taken


STATE = "SELECT state, done, total FROM work_items WHERE id = %s"
TABLE = """
CREATE TEMPORARY TABLE packed (tenant uuid, evidence uuid, version uuid, n int, size bigint, sha256 text, key text, control uuid)
"""
FILL = (
    """
    INSERT INTO evidence (tenant_id, id, ref, title, kind, cadence, confidentiality, version, created_at)
    SELECT tenant, evidence, 'EV-' || (70000 + n), 'Packed record ' || n, 'record', 'monthly', 'internal', 1, now() - interval '40 days' FROM packed
    """,
    """
    INSERT INTO evidence_links (tenant_id, id, evidence_id, control_id, note, created_at)
    SELECT tenant, gen_random_uuid(), evidence, control, '', now() - interval '40 days' FROM packed
    """,
    """
    INSERT INTO evidence_versions (tenant_id, id, evidence_id, number, filename, media_type, size, sha256, storage_key, source, collected_at,
                                   uploaded_at, uploaded_by, period_from, period_to, valid_until, created_at)
    SELECT tenant, version, evidence, 1, 'record ' || n || '.pdf', 'application/pdf', size, sha256, key, 'filled', now() - interval '20 days',
           now() - interval '20 days', %(person)s, current_date - 60, current_date - 20, current_date + 30, now() - interval '20 days'
    FROM packed
    """,
)


def main() -> None:
    """Measure this section alone, in its own database."""
    from bench import table

    if "--work" in sys.argv:
        work()
        return
    server = world.database(VAR / "pg")
    environment = world.environment(server)
    os.environ.update(environment)
    app = world.application()
    make.create_world()
    rows: Any = measure(app, server, environment, quick="--quick" in sys.argv)
    table.print_rows(rows)


if __name__ == "__main__":
    main()
