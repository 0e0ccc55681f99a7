"""The part of the log's check that compares its stored checkpoints with the rebuilt tree."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from sqlalchemy import select

from governance.foundation.audit import checkpoint, merkle, tiles
from governance.foundation.audit.fsck_report import FsckReport
from governance.foundation.audit.models import Checkpoint
from governance.kernel.data.db import session
from governance.kernel.safety.signed_note import NotSigned, VerifierKey

PAGE = 1_000


@dataclass(slots=True)
class RebuiltTree:
    """The tree of the stored entries read so far.

    Its root follows from the edge alone, so no tile is kept.
    """

    size: int = 0
    edge: bytes = b""
    full_tiles: int = 0

    def grow(self, body: bytes) -> list[tiles.Full]:
        grown = tiles.grow(self.size, self.edge, [merkle.leaf_hash(body)])
        self.size, self.edge = grown.size, grown.edge
        self.full_tiles += len(grown.full)
        return grown.full

    def root(self) -> bytes:
        return merkle.root(self.size, tiles.nodes(self.size, self.edge, _no_tile))


def _no_tile(level: int, index: int) -> bytes:
    raise LookupError(f"a root never needs the full tile {level}/{index}")


class CheckpointReader:
    """The stored checkpoints, each compared when the tree has grown to its size."""

    def __init__(self, keys: dict[str, VerifierKey], report: FsckReport) -> None:
        self.last = 0
        self._keys, self._report, self._size = keys, report, 0
        self._rows = _checkpoints()
        self._next = next(self._rows, None)

    def compare_at(self, tree: RebuiltTree) -> None:
        """Compare the checkpoints that the tree has reached."""
        while self._next is not None and self._next.size <= tree.size:
            self._report.checkpoints += 1
            problem = self._follows(self._next) or self._signed(self._next, tree)
            if problem:
                self._report.find(
                    "checkpoint", self._next.number, f"Checkpoint {self._next.number} {problem}"
                )
            self.last, self._size = self._next.number, self._next.size
            self._next = next(self._rows, None)

    def report_beyond(self, size: int) -> None:
        """Report the remaining checkpoints: they cover more entries than were found."""
        for signed in chain([self._next] if self._next else [], self._rows):
            self._report.find(
                "checkpoint",
                signed.number,
                f"Checkpoint {signed.number} covers {signed.size} entries, but only {size} were"
                " found in sequence.",
            )
            self.last = signed.number

    def _follows(self, signed: Checkpoint) -> str | None:
        if signed.number != self.last + 1:
            return f"follows checkpoint {self.last}: those between them are missing."
        return (
            f"covers {signed.size} entries, but the one before it covers {self._size}."
            if signed.size < self._size
            else None
        )

    def _signed(self, signed: Checkpoint, tree: RebuiltTree) -> str | None:
        key = self._keys.get(signed.key_id)
        if key is None:
            return "was signed with a key that is not this log's."
        try:
            stated = checkpoint.open_checkpoint(signed.note, key)
        except NotSigned as problem:
            return f"can't be verified. {problem}"
        if (stated.origin, stated.size, stated.root) != (signed.origin, signed.size, signed.root):
            return "differs from what was signed."
        return (
            None
            if stated.root == tree.root()
            else f"signed a different history of the first {signed.size} entries."
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
