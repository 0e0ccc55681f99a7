"""Re-derives a whole log from its stored bytes and compares everything that was ever said of it.

    fsck() -> Report      of the acting tenant; every finding names the entry, tile or checkpoint that is wrong

It reads entries in the order of their places, a page at a time, so its memory does not grow with the log.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import func, select

from governance.audit import checkpoint, logs, merkle, tiles
from governance.audit.models import AuditEntry, Checkpoint, Leaf, LogHead, PendingEntry, Tile
from governance.audit.record import canonical
from governance.kernel.db import session
from governance.kernel.notes import NotSigned, VerifierKey

PAGE = 2_000
MOST_FINDINGS = 50


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` is entry, place, tile, head or checkpoint; `number` its index or number."""

    what: str
    number: int
    sentence: str


@dataclass(slots=True)
class Report:
    """`entries` were read; `checkpoints` were compared. Findings in the order of reading, at most fifty."""

    entries: int = 0
    checkpoints: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.findings

    def find(self, what: str, number: int, sentence: str) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(what, number, sentence))


@dataclass(slots=True)
class Rebuilt:
    """The tree as the stored entries make it, so far."""

    size: int = 0
    edge: bytes = b""
    full: dict[tuple[int, int], bytes] = field(default_factory=dict)  # recent ones: what roots and the edge need

    def root(self) -> bytes:
        return merkle.root(self.size, tiles.nodes(self.size, self.edge, lambda level, index: self.full[level, index]))


def fsck() -> Report:
    """Of the acting tenant, in the present transaction."""
    report, tree = Report(), Rebuilt()
    keys = {logs.key_id(key): logs.verifier(key) for key in logs.all_keys()}
    marks = _checkpoints()
    mark = next(marks, None)
    while mark is not None and mark.size == 0:
        _compare(mark, tree, keys, report)
        mark = next(marks, None)
    for index, entry in _entries():
        if index != tree.size:
            report.find("place", tree.size, f"Place {tree.size} is empty: the next entry stands at {index}.")
            break
        _read(entry, index, report)
        _grow(tree, entry.body, report)
        while mark is not None and mark.size == tree.size:
            _compare(mark, tree, keys, report)
            mark = next(marks, None)
    report.entries = tree.size
    if mark is not None:
        report.find(
            "checkpoint", mark.number, f"Checkpoint {mark.number} is over {mark.size} entries, and {tree.size} are there."
        )
    _head(tree, report)
    _strays(report)
    return report


def _entries() -> Iterator[tuple[int, AuditEntry]]:
    at = 0
    query = select(Leaf.index, AuditEntry).join(AuditEntry, (AuditEntry.tenant_id == Leaf.tenant_id) & (AuditEntry.id == Leaf.id))
    while True:
        rows = session().execute(query.where(Leaf.index >= at).order_by(Leaf.index).limit(PAGE)).all()
        for index, entry in rows:
            yield index, entry
            session().expunge(entry)
        if len(rows) < PAGE:
            return
        at = rows[-1][0] + 1


def _checkpoints() -> Iterator[Checkpoint]:
    at = 0
    while True:
        query = select(Checkpoint).where(Checkpoint.number > at).order_by(Checkpoint.number).limit(PAGE)
        rows = session().scalars(query).all()
        yield from rows
        if len(rows) < PAGE:
            return
        at = rows[-1].number


def _read(entry: AuditEntry, index: int, report: Report) -> None:
    """What readers are shown, the columns, is what is hashed, the body."""
    if canonical(entry) != entry.body:
        report.find("entry", index, f"Entry {index} ({entry.action}) shows something else than what was signed{_where(entry)}.")


def _where(entry: AuditEntry) -> str:
    try:
        said, shown = json.loads(entry.body), json.loads(canonical(entry))
    except ValueError:
        return ": its bytes are no JSON"
    different = sorted(name for name in {*said, *shown} if said.get(name) != shown.get(name))
    return f": {', '.join(different)}" if different else ""


def _grow(tree: Rebuilt, body: bytes, report: Report) -> None:
    grown = tiles.grow(tree.size, tree.edge, [merkle.leaf_hash(body)])
    tree.size, tree.edge = grown.size, grown.edge
    for made in grown.full:
        tree.full[made.level, made.index] = made.hashes
        if made.level == 0:
            tree.full.pop((0, made.index - 1), None)
        kept = session().scalar(select(Tile.hashes).where(Tile.level == made.level, Tile.index == made.index))
        if kept != made.hashes:
            name, first = tiles.path(made.level, made.index), _first_difference(kept or b"", made.hashes)
            where = made.index * tiles.WIDTH + first << tiles.HEIGHT * made.level
            report.find("tile", made.index, f"Tile {name} does not follow from the entries, from entry {where} on.")


def _first_difference(kept: bytes, made: bytes) -> int:
    size = merkle.HASH
    return next((n for n in range(tiles.WIDTH) if kept[n * size : (n + 1) * size] != made[n * size : (n + 1) * size]), 0)


def _compare(mark: Checkpoint, tree: Rebuilt, keys: dict[str, VerifierKey], report: Report) -> None:
    report.checkpoints += 1
    key = keys.get(mark.key_id)
    if key is None:
        report.find("checkpoint", mark.number, f"Checkpoint {mark.number} was signed with a key that is none of this log.")
        return
    try:
        stated = checkpoint.open_checkpoint(mark.note, key)
    except NotSigned as problem:
        report.find("checkpoint", mark.number, f"Checkpoint {mark.number} cannot be trusted. {problem}")
        return
    if (stated.size, stated.root) != (mark.size, mark.root):
        report.find("checkpoint", mark.number, f"Checkpoint {mark.number} shows something else than what was signed.")
    elif stated.root != tree.root():
        report.find(
            "checkpoint", mark.number, f"Checkpoint {mark.number} signed another history of the first {mark.size} entries."
        )


def _head(tree: Rebuilt, report: Report) -> None:
    head = session().scalars(select(LogHead)).one_or_none()
    if head is None:
        return
    if head.size != tree.size:
        report.find("head", head.size, f"The log says that it has {head.size} entries; {tree.size} follow each other.")
    elif head.edge != tree.edge:
        report.find("head", head.size, "The growing edge of the tree does not follow from the entries.")
    last = session().scalar(select(func.max(Checkpoint.number))) or 0
    if head.number != last:
        report.find("head", head.number, f"The log says that it signed {head.number} checkpoints; the last one kept is {last}.")


def _strays(report: Report) -> None:
    """Entries that have no place and wait for none: whoever emptied the queue wanted them forgotten."""
    placed = select(Leaf.id).where(Leaf.tenant_id == AuditEntry.tenant_id, Leaf.id == AuditEntry.id).exists()
    waits = (
        select(PendingEntry.id).where(PendingEntry.tenant_id == AuditEntry.tenant_id, PendingEntry.id == AuditEntry.id).exists()
    )
    query = select(AuditEntry.id, AuditEntry.action).where(~placed, ~waits).limit(MOST_FINDINGS)
    for entry_id, action in session().execute(query):
        report.find("entry", -1, f"The entry {entry_id} ({action}) has no place in the tree and waits for none.")
