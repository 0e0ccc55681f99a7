"""Verify a complete log: derive it from its stored bytes and compare everything recorded about it.

    fsck() -> FsckReport              of the acting tenant; every finding names the entry, tile or
                                      checkpoint that is wrong
    record_outcome(report) -> entry   records the outcome in that log

It reads entries in the order of their places, page by page, so its memory does not grow with the
log. It needs one view of the log from beginning to end: `transaction(read_only=True,
snapshot=True)`, since a sequencer may be running. It can't see that the end was cut off everywhere
at once; external witnesses can.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

from cryptography.exceptions import InvalidTag
from sqlalchemy import func, select, text
from sqlalchemy.exc import DataError

from governance.foundation.audit import logs, merkle, tiles
from governance.foundation.audit.fsck_checkpoints import CheckpointReader, RebuiltTree
from governance.foundation.audit.fsck_report import MAX_FINDINGS, FsckReport
from governance.foundation.audit.models import (
    AuditEntry,
    Leaf,
    LogHead,
    PendingEntry,
    Tile,
)
from governance.foundation.audit.record import RecordedEntry, canonical, record
from governance.foundation.audit.registry import action
from governance.kernel.data.db import session
from governance.kernel.safety import signed_note

PASSED = action(
    "audit.fsck.passed",
    "verified the whole audit log and found no damage",
    target="LogHead",
    activity="read",
    severity="informational",
    fields="entries checkpoints",
)
FAILED = action(
    "audit.fsck.failed",
    "verified the whole audit log and found damage",
    target="LogHead",
    activity="read",
    severity="critical",
    fields="entries checkpoints findings",
)
PAGE = 1_000
MAX_RECORDED_FINDINGS = 10
type Progress = Callable[[int, int], None]


def fsck(progress: Progress = lambda _done, _total: None) -> FsckReport:
    """Verify the acting tenant's log in the current transaction.

    `progress(done, total)` receives the number of entries after each page.
    """
    report = FsckReport()
    # 600,000 ms are ten minutes, because the log may be long.
    session().execute(text("SELECT set_config('statement_timeout', '600000', true)"))
    try:
        _compare(report, progress)
    except DataError as problem:
        report.find("row", -1, f"A row of the log cannot be read: {problem.orig}.")
    return report


def _compare(report: FsckReport, progress: Progress) -> None:
    tree = RebuiltTree()
    head = session().scalars(select(LogHead)).one_or_none()
    keys = {logs.key_id(key): logs.verifier(key) for key in logs.all_keys()}
    checkpoints = CheckpointReader(keys, report)
    checkpoints.compare_at(tree)
    for index, entry in _entries(progress, head.size if head else 0):
        if not _is_next(index, entry, tree.size, report) or entry is None:
            break
        _compare_entry(entry, index, report)
        for full in tree.grow(entry.body):
            _compare_tile(full, report)
        checkpoints.compare_at(tree)
    report.entries = tree.size
    checkpoints.report_beyond(tree.size)
    if head is not None:
        _compare_head(head, tree, checkpoints.last, report)
    _count_tiles(tree, report)
    _compare_pending(report)
    _find_strays(report)


def record_outcome(report: FsckReport) -> RecordedEntry | None:
    """Record the outcome in the acting tenant's log; None where no log was opened yet."""
    head = session().scalars(select(LogHead)).one_or_none()
    if head is None:
        return None
    read: dict[str, Any] = {"entries": report.entries, "checkpoints": report.checkpoints}
    if report.ok:
        return record(PASSED, head, **read)
    return record(
        FAILED,
        head,
        outcome="failed",
        findings=[f.sentence for f in report.findings[:MAX_RECORDED_FINDINGS]],
        **read,
    )


# ---- entries


def _entries(progress: Progress, total: int) -> Iterator[tuple[int, AuditEntry | None]]:
    """Yield (place, entry) in the order of places; None where a place has lost its entry."""
    at = 0
    query = select(Leaf.index, AuditEntry).outerjoin(
        AuditEntry, (AuditEntry.tenant_id == Leaf.tenant_id) & (AuditEntry.id == Leaf.id)
    )
    while True:
        rows = (
            session().execute(query.where(Leaf.index >= at).order_by(Leaf.index).limit(PAGE)).all()
        )
        for index, entry in rows:
            yield index, entry
            if entry is not None:
                session().expunge(entry)
        progress(at + len(rows), total)
        if len(rows) < PAGE:
            return
        at = rows[-1][0] + 1


def _compare_pending(report: FsckReport) -> None:
    """Compare the columns and bytes of pending entries, which nothing signs yet."""
    at = -1
    query = select(PendingEntry.number, AuditEntry).join(
        AuditEntry,
        (AuditEntry.tenant_id == PendingEntry.tenant_id) & (AuditEntry.id == PendingEntry.id),
    )
    while (
        rows := session()
        .execute(query.where(PendingEntry.number > at).order_by(PendingEntry.number).limit(PAGE))
        .all()
    ):
        for _, entry in rows:
            if _shown(entry) != entry.body:
                report.find(
                    "entry",
                    -1,
                    f"The pending entry {entry.id} ({entry.action}) differs from its stored"
                    f" bytes{_difference(entry)}.",
                )
            session().expunge(entry)
        at = rows[-1].number


def _is_next(index: int, entry: AuditEntry | None, expected: int, report: FsckReport) -> bool:
    """Return whether this place is the expected one and has its entry; report it otherwise."""
    if index != expected:
        report.find(
            "place",
            expected,
            f"Place {expected} is empty; the next entry is at place {index}.",
        )
    elif entry is None:
        report.find(
            "entry",
            index,
            f"Entry {index} is missing: its place exists, but the entry does not.",
        )
    return index == expected and entry is not None


def _compare_entry(entry: AuditEntry, index: int, report: FsckReport) -> None:
    """Compare the columns, which readers see, with the body, which is hashed."""
    if _shown(entry) != entry.body:
        report.find(
            "entry",
            index,
            f"Entry {index} ({entry.action}) differs from what was signed{_difference(entry)}.",
        )


def _shown(entry: AuditEntry) -> bytes:
    try:
        return canonical(entry)
    except ValueError:  # Meridian never writes such a number.
        return b""


def _difference(entry: AuditEntry) -> str:
    """Name the fields that differ, to follow a sentence."""
    try:
        signed, shown = json.loads(entry.body), json.loads(_shown(entry))
        different = sorted(
            name for name in {*signed, *shown} if signed.get(name) != shown.get(name)
        )
    except (ValueError, TypeError, AttributeError):
        return ": its bytes are not an entry"
    return f": {', '.join(different)}" if different else ": same values, different bytes"


def _find_strays(report: FsckReport) -> None:
    """Find entries that are neither in the tree nor pending, or both.

    An attacker who empties the queue wants its entries forgotten.
    """
    placed = (
        select(Leaf.id)
        .where(Leaf.tenant_id == AuditEntry.tenant_id, Leaf.id == AuditEntry.id)
        .exists()
    )
    waits = (
        select(PendingEntry.id)
        .where(PendingEntry.tenant_id == AuditEntry.tenant_id, PendingEntry.id == AuditEntry.id)
        .exists()
    )
    for entry_id, name in session().execute(
        select(AuditEntry.id, AuditEntry.action).where(~placed, ~waits).limit(MAX_FINDINGS)
    ):
        report.find(
            "entry",
            -1,
            f"The entry {entry_id} ({name}) has no place in the tree and is not pending.",
        )
    twice = (Leaf.tenant_id == PendingEntry.tenant_id) & (Leaf.id == PendingEntry.id)
    for entry_id in session().scalars(
        select(PendingEntry.id).join(Leaf, twice).limit(MAX_FINDINGS)
    ):
        report.find(
            "entry",
            -1,
            f"The entry {entry_id} has a place in the tree but is still pending.",
        )
    there = (
        select(AuditEntry.id)
        .where(AuditEntry.tenant_id == PendingEntry.tenant_id, AuditEntry.id == PendingEntry.id)
        .exists()
    )
    for entry_id in session().scalars(select(PendingEntry.id).where(~there).limit(MAX_FINDINGS)):
        report.find("entry", -1, f"The pending entry {entry_id} is missing.")


# ---- the tree


def _compare_tile(rebuilt: tiles.Full, report: FsckReport) -> None:
    stored = session().scalar(
        select(Tile.hashes).where(Tile.level == rebuilt.level, Tile.index == rebuilt.index)
    )
    if stored != rebuilt.hashes:
        name = tiles.path(rebuilt.level, rebuilt.index)
        first = _first_difference(stored or b"", rebuilt.hashes)
        place = rebuilt.index * tiles.WIDTH + first << tiles.HEIGHT * rebuilt.level
        report.find(
            "tile",
            rebuilt.index,
            f"Tile {name} does not match the entries, starting with entry {place}.",
        )


def _count_tiles(tree: RebuiltTree, report: FsckReport) -> None:
    stored = session().scalar(select(func.count()).select_from(Tile)) or 0
    if stored > tree.full_tiles:
        report.find(
            "tile", stored, f"{stored} tiles are stored, but the entries make {tree.full_tiles}."
        )


def _first_difference(stored: bytes, rebuilt: bytes) -> int:
    """Return the index of the first hash that differs."""
    size = merkle.HASH
    return next(
        (
            n
            for n in range(len(rebuilt) // size)
            if stored[n * size : (n + 1) * size] != rebuilt[n * size : (n + 1) * size]
        ),
        0,
    )


def _compare_head(head: LogHead, tree: RebuiltTree, last: int, report: FsckReport) -> None:
    if head.size != tree.size:
        report.find(
            "head",
            head.size,
            f"The log's head records {head.size} entries; {tree.size} were found in sequence.",
        )
    elif head.edge != tree.edge:
        whole = tree.size // tiles.WIDTH * tiles.WIDTH
        first = whole + _first_difference(head.edge, tree.edge[: (tree.size - whole) * merkle.HASH])
        report.find(
            "head",
            first,
            "The growing edge of the tree does not match the entries, starting with entry"
            f" {first}.",
        )
    if head.number != last:
        report.find(
            "head",
            head.number,
            f"The log's head records {head.number} checkpoints; the last one stored is {last}.",
        )
    _check_signing_key(head, report)


def _check_signing_key(head: LogHead, report: FsckReport) -> None:
    """Check that the current key can sign, and that its name is the log's."""
    key = logs.signing_key()
    if key is None or key.name != head.origin:
        report.find("key", 0, f"No signing key exists for {head.origin}.")
        return
    try:
        fits = signed_note.public_half(logs.private_key(key)) == key.public
    except InvalidTag:
        report.find(
            "key",
            0,
            f"The key {logs.key_id(key)} can't be decrypted: it was changed, or the installation's"
            " key is a different one.",
        )
        return
    if not fits:
        report.find(
            "key", 0, f"The signing key {logs.key_id(key)} does not match its published half."
        )
