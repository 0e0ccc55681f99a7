"""An export of a log with its proofs, as JSON Lines: "governance.audit-export/3". Pure.

Every line is one JSON object in UTF-8 and ends in a newline. There are four kinds, in this order:

    {"format": "governance.audit-export/3", "origin": …, "checkpoint": …, "kind": …, "first": …,
    "last": …, "filters": {…}}
    {"index": 48212, "entry": "{…}", "proof": ["<hash, base64>", …]}       one for each entry
    {"place": 0, "level": 0, "hashes": "<hashes, base64>"}                  only in an export of
    part of the log
    {"entries": 120, "first": 48100, "last": 48219, "signature": "<signed note>"}

docs/audit-export-format.md describes each field, and how to verify a file with other software.

A "whole" export has every entry of the log, a "range" every entry from place `first` to `last`;
both prove that none is missing. A "filtered" one has the entries that match its `filters`, and
only Meridian's signature says that there are no others. `signature` is a signed note by a key of
the log over the SHA-256 of all lines before the last one, so that a file that was relabelled,
thinned or cut short is detected.

The lines with `hashes` let a reader compare part of a log with a checkpoint of their own
(earlier_roots.py). Each hash is 32 bytes, all of a line are encoded as one text, and each is the
root over 2^level entries; the first of them begins at `place`. Together they cover the log from
place 0 to its end, so they lead to the signed root, and wherever one of them ends, the root of the
log at that size can be computed.
"""

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, BinaryIO

from governance.foundation.audit.merkle import HASH, MAX_LEAVES
from governance.kernel.safety import signed_note

FORMAT = "governance.audit-export/3"
SIGNATURE_TITLE = "governance audit export v3"
WHOLE, RANGE, FILTERED = "whole", "range", "filtered"
# Room for an entry of 60 kB with every quote escaped and 63 hashes, or for MAX_HASHES.
MAX_LINE_BYTES = 256 * 1024
MAX_HASHES = 4096  # Per line.
MAX_PATH_LENGTH = 63
# 32 bytes in base64, in their only canonical spelling.
HASH_LINE = re.compile(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")


class Malformed(ValueError):
    """The line is not of this format; the message says in one sentence what is wrong."""


@dataclass(frozen=True, slots=True)
class Header:
    """`first` and `last` are the places of an export without a gap, None in a filtered one."""

    origin: str
    checkpoint: str
    kind: str  # One of: whole range filtered.
    first: int | None
    last: int | None
    filters: Mapping[str, str]

    @property
    def has_hashes(self) -> bool:
        """True if lines with the hashes of the complete tree must follow."""
        return self.kind != WHOLE

    @property
    def is_gapless(self) -> bool:
        """True if every entry from `first` to `last` must be there."""
        return self.kind != FILTERED

    @property
    def line(self) -> bytes:
        return _line(
            {
                "format": FORMAT,
                "origin": self.origin,
                "checkpoint": self.checkpoint,
                "kind": self.kind,
                "first": self.first,
                "last": self.last,
                "filters": dict(self.filters),
            }
        )


@dataclass(frozen=True, slots=True)
class ExportedEntry:
    """One entry: its place, the exact bytes that were hashed, and the path to the root."""

    index: int
    body: bytes
    path: Sequence[bytes]

    @property
    def line(self) -> bytes:
        return _line(
            {
                "index": self.index,
                "entry": self.body.decode(),
                "proof": [encoded(hash_) for hash_ in self.path],
            }
        )


@dataclass(frozen=True, slots=True)
class Subtrees:
    """Roots of neighboring complete subtrees over 2^level entries each.

    The first subtree begins at `place`.
    """

    place: int
    level: int
    hashes: Sequence[bytes]

    @property
    def line(self) -> bytes:
        return _line(
            {
                "place": self.place,
                "level": self.level,
                "hashes": signed_note.b64(b"".join(self.hashes)),
            }
        )


@dataclass(frozen=True, slots=True)
class Trailer:
    """The last line of an export.

    It states how many entries there were, the first and last place (None when there were none), and
    the signature over the lines before.
    """

    entries: int
    first: int | None
    last: int | None
    signature: str

    @property
    def line(self) -> bytes:
        return _line(
            {
                "entries": self.entries,
                "first": self.first,
                "last": self.last,
                "signature": self.signature,
            }
        )


def signed_text(origin: str, digest: str) -> str:
    """Return what the signature of an export signs: `digest` is the SHA-256 of its lines."""
    return f"{SIGNATURE_TITLE}\n{origin}\nsha256 {digest}\n"


def _line(fields: Mapping[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


@lru_cache(maxsize=4096)
def encoded(hash_: bytes) -> str:
    """Return a hash as text. Neighbors in a tree share most of their paths, hence the cache."""
    return signed_note.b64(hash_)


# ---- reading


def lines(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of a file, each cut off after MAX_LINE_BYTES so that none fills memory."""
    while line := stream.readline(MAX_LINE_BYTES + 1):
        yield line


def read(line: bytes) -> Header | ExportedEntry | Subtrees | Trailer:
    """Read one line; raise Malformed if it is not of this format."""
    fields = _object(line)
    if "entry" in fields:
        return _entry(fields)
    if "hashes" in fields:
        return _subtrees(fields)
    if "format" in fields:
        return _header(fields)
    if "entries" in fields:
        return _trailer(fields)
    raise Malformed(
        "It is not a line of an export: it is neither an entry, nor hashes, nor the beginning or"
        " end of one."
    )


def _object(line: bytes) -> dict[str, Any]:
    if len(line) > MAX_LINE_BYTES:
        raise Malformed(f"It is longer than {MAX_LINE_BYTES // 1024} KB, the most a line can have.")
    if not line.endswith(b"\n"):
        raise Malformed("It is cut short: the file ends in the middle of it.")
    try:
        found = json.loads(line.decode(), object_pairs_hook=_once)
    except UnicodeDecodeError:
        raise Malformed("It is not text: its bytes are not UTF-8.") from None
    except Malformed:
        raise
    except (ValueError, RecursionError):
        raise Malformed("It is not JSON.") from None
    if not isinstance(found, dict):
        raise Malformed("It is not a JSON object.")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Reject duplicate names: two readers could see two different values."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("It has the same name twice.")
    return found


def _header(fields: dict[str, Any]) -> Header:
    if fields["format"] != FORMAT:
        raise Malformed(f"Its format isn't {FORMAT}.")
    _exactly(fields, "format origin checkpoint kind first last filters")
    texts = (fields["origin"], fields["checkpoint"], fields["kind"])
    filters = fields["filters"]
    if (
        not all(isinstance(text, str) for text in texts)
        or fields["kind"] not in {WHOLE, RANGE, FILTERED}
        or not isinstance(filters, dict)
    ):
        raise Malformed("The beginning of the export is damaged.")
    is_gapless = fields["kind"] != FILTERED
    first, last = (_place(fields[name]) if is_gapless else None for name in ("first", "last"))
    return Header(*texts, first, last, {str(name): str(value) for name, value in filters.items()})


def _entry(fields: dict[str, Any]) -> ExportedEntry:
    _exactly(fields, "index entry proof")
    body, path = fields["entry"], fields["proof"]
    if not isinstance(body, str) or not isinstance(path, list) or len(path) > MAX_PATH_LENGTH:
        raise Malformed("Its entry or its proof is damaged.")
    try:
        return ExportedEntry(
            _place(fields["index"]), body.encode(), [decoded(each) for each in path]
        )
    except UnicodeEncodeError:
        raise Malformed("Its entry has characters that are not Unicode text.") from None


def _subtrees(fields: dict[str, Any]) -> Subtrees:
    _exactly(fields, "place level hashes")
    place, level, text = _place(fields["place"]), _place(fields["level"]), fields["hashes"]
    try:
        joined = base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except ValueError:
        joined = b""
    if (
        not joined
        or len(joined) % HASH
        or signed_note.b64(joined) != text
        or level > MAX_PATH_LENGTH
    ):
        raise Malformed("Its hashes are damaged.")
    return Subtrees(place, level, [joined[at : at + HASH] for at in range(0, len(joined), HASH)])


def _trailer(fields: dict[str, Any]) -> Trailer:
    _exactly(fields, "entries first last signature")
    count, signature = _place(fields["entries"]), fields["signature"]
    if not isinstance(signature, str):
        raise Malformed("The signature of the export is damaged.")
    first, last = (_place(fields[name]) if count else None for name in ("first", "last"))
    return Trailer(count, first, last, signature)


def _exactly(fields: dict[str, Any], names: str) -> None:
    if fields.keys() != set(names.split()):
        raise Malformed(f"It should have the fields {', '.join(names.split())}, but has others.")


def _place(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_LEAVES:
        raise Malformed("A number in it is not a place in a log.")
    return value


def decoded(text: Any) -> bytes:
    """Return the 32 bytes of a hash. It has one spelling, so that any flipped bit is detected."""
    if not isinstance(text, str):
        raise Malformed("A hash of its proof is damaged.")
    return _decoded(text)


@lru_cache(maxsize=4096)
def _decoded(text: str) -> bytes:
    if not HASH_LINE.fullmatch(text):
        raise Malformed("A hash of its proof is damaged.")
    return base64.b64decode(text)
