"""Re-derives a whole log from its stored bytes and compares everything that was ever said of it.

    fsck() -> Report        of the acting tenant; every finding names the entry, tile or checkpoint
                            that is wrong
    note(report) -> entry   leaves the outcome in that log

It reads entries in the order of their places, a page at a time, so its memory does not grow with
the log. It needs one view of the log from beginning to end: `transaction(read_only=True,
snapshot=True)`, since a sequencer may be at work. What it cannot see is an end that was cut off
everywhere at once: that is what checkpoints outside are for.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

from cryptography.exceptions import InvalidTag
from sqlalchemy import func, select, text
from sqlalchemy.exc import DataError

from governance.foundation.audit import checkpoint, logs, merkle, tiles
from governance.foundation.audit.models import (
    AuditEntry,
    Checkpoint,
    Leaf,
    LogHead,
    PendingEntry,
    Tile,
)
from governance.foundation.audit.record import RecordedEntry, canonical, record
from governance.foundation.audit.registry import action
from governance.kernel import signed_note
from governance.kernel.db import session
from governance.kernel.formatting import plural
from governance.kernel.signed_note import NotSigned, VerifierKey

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
MOST_FINDINGS = 50
MOST_RECORDED = 10
type Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class LogFault:
    """`what` is entry, place, tile, head, key or checkpoint; `number` its index or number."""

    what: str
    number: int
    sentence: str


@dataclass(slots=True)
class Report:
    """`entries` were read; `checkpoints` were compared.

    Findings in the order of reading, at most fifty.
    """

    entries: int = 0
    checkpoints: int = 0
    findings: list[LogFault] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.findings

    @property
    def sentence(self) -> str:
        read = (
            f"{plural(self.entries, 'entry', 'entries')} and"
            f" {plural(self.checkpoints, 'checkpoint')}"
        )
        if self.ok:
            return f"{read} follow from each other."
        more = " or more" if len(self.findings) == MOST_FINDINGS else ""
        return f"{plural(len(self.findings), 'finding')}{more} in {read}."

    def find(self, what: str, number: int, sentence: str) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(LogFault(what, number, sentence))


@dataclass(slots=True)
class Rebuilt:
    """The tree as the stored entries make it, so far.

    Its root follows from the edge alone, so no tile is kept.
    """

    size: int = 0
    edge: bytes = b""
    whole: int = 0  # full tiles

    def grow(self, body: bytes) -> list[tiles.Full]:
        grown = tiles.grow(self.size, self.edge, [merkle.leaf_hash(body)])
        self.size, self.edge, self.whole = grown.size, grown.edge, self.whole + len(grown.full)
        return grown.full

    def root(self) -> bytes:
        return merkle.root(self.size, tiles.nodes(self.size, self.edge, _no_tile))


def _no_tile(level: int, index: int) -> bytes:
    raise LookupError(f"a root never needs the full tile {level}/{index}")


def fsck(told: Told = lambda _done, _total: None) -> Report:
    """Of the acting tenant, in the present transaction.

    `told(done, total)` hears after each page how far it is.
    """
    report = Report()
    session().execute(
        text("SELECT set_config('statement_timeout', '600000', true)")
    )  # the log may be long
    try:
        _compare(report, told)
    except DataError as problem:
        report.find("row", -1, f"A row of the log cannot be read: {problem.orig}.")
    return report


def _compare(report: Report, told: Told) -> None:
    tree = Rebuilt()
    head = session().scalars(select(LogHead)).one_or_none()
    marks = Marks({logs.key_id(key): logs.verifier(key) for key in logs.all_keys()}, report)
    marks.reached(tree)
    for index, entry in _entries(told, head.size if head else 0):
        if not _stands(index, entry, tree.size, report) or entry is None:
            break
        _read(entry, index, report)
        for full in tree.grow(entry.body):
            _kept(full, report)
        marks.reached(tree)
    report.entries = tree.size
    marks.beyond(tree.size)
    if head is not None:
        _head(head, tree, marks.last, report)
    _tiles(tree, report)
    _waiting(report)
    _strays(report)


def note(report: Report) -> RecordedEntry | None:
    """Leave the outcome in the acting tenant's log; None where no log was opened yet."""
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
        findings=[f.sentence for f in report.findings[:MOST_RECORDED]],
        **read,
    )


# ---- entries


def _entries(told: Told, total: int) -> Iterator[tuple[int, AuditEntry | None]]:
    """(place, entry) in the order of places; None where the place is taken and its entry is not
    there.
    """
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
        told(at + len(rows), total)
        if len(rows) < PAGE:
            return
        at = rows[-1][0] + 1


def _waiting(report: Report) -> None:
    """What has no place yet is not signed either; that its columns and bytes agree can be seen
    already.
    """
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
                    f"The entry {entry.id} ({entry.action}), which waits, shows something else than"
                    f" its bytes{_where(entry)}.",
                )
            session().expunge(entry)
        at = rows[-1].number


def _stands(index: int, entry: AuditEntry | None, wanted: int, report: Report) -> bool:
    """Whether the next place is the one that follows, and holds an entry."""
    if index != wanted:
        report.find("place", wanted, f"Place {wanted} is empty: the next entry stands at {index}.")
    elif entry is None:
        report.find(
            "entry",
            index,
            f"Entry {index} is gone: its place is there, and what stood in it is not.",
        )
    return index == wanted and entry is not None


def _read(entry: AuditEntry, index: int, report: Report) -> None:
    """What readers are shown, the columns, is what is hashed, the body."""
    if _shown(entry) != entry.body:
        report.find(
            "entry",
            index,
            f"Entry {index} ({entry.action}) shows something else than what was"
            f" signed{_where(entry)}.",
        )


def _shown(entry: AuditEntry) -> bytes:
    try:
        return canonical(entry)
    except ValueError:  # a number that none of ours writes
        return b""


def _where(entry: AuditEntry) -> str:
    try:
        said, shown = json.loads(entry.body), json.loads(_shown(entry))
        different = sorted(name for name in {*said, *shown} if said.get(name) != shown.get(name))
    except (ValueError, TypeError, AttributeError):
        return ": its bytes are not those of an entry"
    return f": {', '.join(different)}" if different else ": the same in other bytes"


def _strays(report: Report) -> None:
    """An entry stands in the tree or waits for its place, one of the two; whoever empties the queue
    wants it forgotten.
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
    for entry_id, deed in session().execute(
        select(AuditEntry.id, AuditEntry.action).where(~placed, ~waits).limit(MOST_FINDINGS)
    ):
        report.find(
            "entry",
            -1,
            f"The entry {entry_id} ({deed}) has no place in the tree and waits for none.",
        )
    twice = (Leaf.tenant_id == PendingEntry.tenant_id) & (Leaf.id == PendingEntry.id)
    for entry_id in session().scalars(
        select(PendingEntry.id).join(Leaf, twice).limit(MOST_FINDINGS)
    ):
        report.find(
            "entry",
            -1,
            f"The entry {entry_id} has its place in the tree and waits for another one.",
        )
    there = (
        select(AuditEntry.id)
        .where(AuditEntry.tenant_id == PendingEntry.tenant_id, AuditEntry.id == PendingEntry.id)
        .exists()
    )
    for entry_id in session().scalars(select(PendingEntry.id).where(~there).limit(MOST_FINDINGS)):
        report.find("entry", -1, f"The entry {entry_id} waits for its place and is not there.")


# ---- the tree


def _kept(made: tiles.Full, report: Report) -> None:
    kept = session().scalar(
        select(Tile.hashes).where(Tile.level == made.level, Tile.index == made.index)
    )
    if kept != made.hashes:
        name, first = (
            tiles.path(made.level, made.index),
            _first_difference(kept or b"", made.hashes),
        )
        where = made.index * tiles.WIDTH + first << tiles.HEIGHT * made.level
        report.find(
            "tile",
            made.index,
            f"Tile {name} does not follow from the entries, from entry {where} on.",
        )


def _tiles(tree: Rebuilt, report: Report) -> None:
    kept = session().scalar(select(func.count()).select_from(Tile)) or 0
    if kept > tree.whole:
        report.find(
            "tile", kept, f"{kept} tiles are kept, and {tree.whole} follow from the entries."
        )


def _first_difference(kept: bytes, made: bytes) -> int:
    """Which hash is the first that differs."""
    size = merkle.HASH
    return next(
        (
            n
            for n in range(len(made) // size)
            if kept[n * size : (n + 1) * size] != made[n * size : (n + 1) * size]
        ),
        0,
    )


def _head(head: LogHead, tree: Rebuilt, last: int, report: Report) -> None:
    if head.size != tree.size:
        report.find(
            "head",
            head.size,
            f"The log says that it has {head.size} entries; {tree.size} follow each other.",
        )
    elif head.edge != tree.edge:
        whole = tree.size // tiles.WIDTH * tiles.WIDTH
        first = whole + _first_difference(head.edge, tree.edge[: (tree.size - whole) * merkle.HASH])
        report.find(
            "head",
            first,
            "The growing edge of the tree does not follow from the entries, from entry"
            f" {first} on.",
        )
    if head.number != last:
        report.find(
            "head",
            head.number,
            f"The log says that it signed {head.number} checkpoints; the last one kept is {last}.",
        )
    _signs(head, report)


def _signs(head: LogHead, report: Report) -> None:
    """The key that is to sign next can, and its name is the log's."""
    key = logs.signing_key()
    if key is None or key.name != head.origin:
        report.find("key", 0, f"There is no key that signs for {head.origin}.")
        return
    try:
        fits = signed_note.public_half(logs.private_key(key)) == key.public
    except InvalidTag:
        report.find(
            "key",
            0,
            f"The key {logs.key_id(key)} cannot be unwrapped: it was changed, or the installation's"
            " key is another.",
        )
        return
    if not fits:
        report.find(
            "key", 0, f"The key {logs.key_id(key)} signs, and is not the one that is published."
        )


# ---- checkpoints


class Marks:
    """The kept checkpoints, each compared when the tree has grown to its size."""

    def __init__(self, keys: dict[str, VerifierKey], report: Report) -> None:
        self.last = 0
        self._keys, self._report, self._size = keys, report, 0
        self._rows = _checkpoints()
        self._next = next(self._rows, None)

    def reached(self, tree: Rebuilt) -> None:
        while self._next is not None and self._next.size <= tree.size:
            self._report.checkpoints += 1
            problem = self._follows(self._next) or self._signed(self._next, tree)
            if problem:
                self._report.find(
                    "checkpoint", self._next.number, f"Checkpoint {self._next.number} {problem}"
                )
            self.last, self._size = self._next.number, self._next.size
            self._next = next(self._rows, None)

    def beyond(self, size: int) -> None:
        """What is left is over more entries than are there."""
        for mark in chain([self._next] if self._next else [], self._rows):
            self._report.find(
                "checkpoint",
                mark.number,
                f"Checkpoint {mark.number} is over {mark.size} entries, and {size} follow each"
                " other.",
            )
            self.last = mark.number

    def _follows(self, mark: Checkpoint) -> str | None:
        if mark.number != self.last + 1:
            return f"follows on {self.last}: what was signed between them is missing."
        return (
            f"is over {mark.size} entries, and the one before it over {self._size}."
            if mark.size < self._size
            else None
        )

    def _signed(self, mark: Checkpoint, tree: Rebuilt) -> str | None:
        key = self._keys.get(mark.key_id)
        if key is None:
            return "was signed with a key that is none of this log."
        try:
            stated = checkpoint.open_checkpoint(mark.note, key)
        except NotSigned as problem:
            return f"cannot be trusted. {problem}"
        if (stated.origin, stated.size, stated.root) != (mark.origin, mark.size, mark.root):
            return "shows something else than what was signed."
        return (
            None
            if stated.root == tree.root()
            else f"signed another history of the first {mark.size} entries."
        )


def _checkpoints() -> Iterator[Checkpoint]:
    at = 0
    while True:
        query = (
            select(Checkpoint).where(Checkpoint.number > at).order_by(Checkpoint.number).limit(PAGE)
        )
        rows = session().scalars(query).all()
        for row in rows:
            session().expunge(row)
            yield row
        if len(rows) < PAGE:
            return
        at = rows[-1].number
