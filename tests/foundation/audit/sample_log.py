"""A log in memory, written by the product's tree and export lines, for tests of verifiers."""

import hashlib
import json
from functools import lru_cache
from itertools import batched, groupby

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.foundation.audit import checkpoint, jsonl, merkle, tiles
from governance.foundation.audit.earlier_roots import subtrees
from governance.kernel.safety import signed_note

ORIGIN = "console.example/audit/acme"
SIZE = 23


class SampleLog:
    """A log of `size` entries, and its key.

    The first `same` entries are those of a log without options.
    """

    def __init__(self, size=SIZE, *, origin=ORIGIN, seed=1, word="as it was", same=0):
        self.origin, self.size = origin, size
        self.private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        self.key = signed_note.verifier_key(self.private, origin)
        self.bodies = [
            json.dumps(
                {
                    "action": "control.changed",
                    "id": f"0199a3f2-0000-7000-8000-{n:012d}",
                    "facts": {"name": f"{'as it was' if n < same else word} {n} ä"},
                },
                ensure_ascii=False,
                separators=(",", ":"),
                sort_keys=True,
            ).encode()
            for n in range(size)
        ]
        self._grow()

    def _grow(self):
        grown = tiles.grow(0, b"", [merkle.leaf_hash(body) for body in self.bodies])
        full = {(tile.level, tile.index): tile.hashes for tile in grown.full}
        self.node = lru_cache(maxsize=None)(
            tiles.nodes(self.size, grown.edge, lambda *where: full[where])
        )

    def head(self, size=None):
        size = self.size if size is None else size
        return checkpoint.Head(self.origin, size, merkle.root(size, self.node))

    def note(self, size=None):
        return checkpoint.sign(self.private, self.origin, self.head(size))

    def entry(self, index):
        return jsonl.ExportedEntry(
            index, self.bodies[index], merkle.inclusion(index, self.size, self.node)
        ).line

    def hashes(self, edges=None):
        """Return the lines with the hashes of the tree.

        These sizes can be compared, by default every one.
        """
        for batch in batched(subtrees(edges or range(1, self.size + 1)), jsonl.MAX_HASHES):
            for level, run in groupby(batch, key=lambda each: each[0]):
                places = [place for _, place in run]
                yield jsonl.Subtrees(
                    places[0], level, [self.node(level, place >> level) for place in places]
                ).line

    def export(self, *indexes, edges=None, **changes):
        """Return the lines of an export of everything, or of the entries with these places only.

        With kind="range", the entries run from the first place to the last.
        """
        is_range = changes.get("kind") == jsonl.RANGE
        places = range(indexes[0], indexes[-1] + 1) if is_range else indexes or range(self.size)
        kind = jsonl.FILTERED if indexes else jsonl.WHOLE
        has_ends = is_range or not indexes
        header = {
            "origin": self.origin,
            "checkpoint": self.note(),
            "kind": kind,
            "first": places[0] if has_ends else None,
            "last": places[-1] if has_ends else None,
            "filters": {"action": "control"} if kind == jsonl.FILTERED else {},
        } | changes
        beginning = jsonl.Header(**header)
        hashes = self.hashes(edges) if beginning.has_hashes else ()
        return self.sealed([beginning.line, *map(self.entry, places), *hashes])

    def sealed(self, lines):
        """Return these lines with the trailer that counts and signs them."""
        places = [found.index for found in map(jsonl.read, lines) if hasattr(found, "index")]
        ends = (places[0], places[-1]) if places else (None, None)
        text = jsonl.signed_text(self.origin, hashlib.sha256(b"".join(lines)).hexdigest())
        note = signed_note.sign(self.private, self.origin, text)
        return [*lines, jsonl.Trailer(len(places), *ends, note).line]

    def consistency(self, old, new=None):
        """Return an answer of /proof/consistency."""
        path = merkle.consistency(old, new or self.size, self.node)
        return json.dumps(
            {
                "from": old,
                "to": new or self.size,
                "path": [signed_note.b64(each) for each in path],
                "checkpoint": None,
            }
        )


def edit_line(line, **changes):
    """Return a line with other values, otherwise unchanged."""
    return (
        json.dumps(json.loads(line) | changes, ensure_ascii=False, separators=(",", ":")).encode()
        + b"\n"
    )


def forked_log(at, *, size=SIZE, word="as they would have it"):
    """Return a log of the same key that diverges from the original at a place."""
    return SampleLog(size, word=word, same=at)
