"""Proofs as files. Pure.

Of one entry (C2SP tlog-proof): its place, its path, and the checkpoint that the path leads to.

    c2sp.org/tlog-proof@v1
    index 48212
    <hash, base64>
    …

    <the checkpoint's note>

Of consistency, as /audit/<tenant>/proof/consistency answers: {"from": 1596, "to": 2486, "path":
["<hash, base64>", …]}.
"""

import base64
import binascii
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from governance.foundation.audit.checkpoint import Head, open_checkpoint
from governance.foundation.audit.merkle import ProofFails, leaf_hash, verify_inclusion
from governance.kernel.safety import signed_note
from governance.kernel.safety.signed_note import VerifierKey

TITLE = "c2sp.org/tlog-proof@v1"
INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")
MAX_PATH_LENGTH = 63  # Hashes.


@dataclass(frozen=True, slots=True)
class Proof:
    index: int
    path: Sequence[bytes]
    checkpoint: str

    def __str__(self) -> str:
        return (
            f"{TITLE}\nindex {self.index}\n"
            + "".join(f"{signed_note.b64(h)}\n" for h in self.path)
            + f"\n{self.checkpoint}"
        )


def parse(text: str) -> Proof:
    """Read a proof file; raise ProofFails if it has another form. An `extra` line is ignored."""
    top, gap, note = text.partition("\n\n")
    lines = top.split("\n")
    if len(lines) > 1 and lines[1].startswith("extra "):
        del lines[1]
    match = INDEX.fullmatch(lines[1]) if len(lines) > 1 else None
    if not gap or lines[0] != TITLE or match is None or len(lines) - 2 > MAX_PATH_LENGTH:
        raise ProofFails("The file is not a proof of an entry (tlog-proof).")
    try:
        path = [base64.b64decode(line, validate=True) for line in lines[2:]]
    except (binascii.Error, ValueError):
        raise ProofFails("A hash of the proof cannot be read.") from None
    return Proof(int(match[1]), path, note)


def verify(text: str, entry: bytes, key: VerifierKey) -> tuple[int, Head]:
    """Return (index, head) of an entry that the signed root includes.

    Raises ProofFails or NotSigned otherwise.
    """
    proof = parse(text)
    head = open_checkpoint(proof.checkpoint, key)
    verify_inclusion(leaf_hash(entry), proof.index, head.size, proof.path, head.root)
    return proof.index, head


@dataclass(frozen=True, slots=True)
class Consistency:
    """The path that leads from the tree of `old` entries to that of `new`."""

    old: int
    new: int
    path: Sequence[bytes]


def parse_consistency(text: str) -> Consistency:
    """Read an answer of /proof/consistency; raise ProofFails if it has another form."""
    try:
        fields = json.loads(text)
        sizes = (fields["from"], fields["to"])
        path = [base64.b64decode(line, validate=True) for line in fields["path"]]
    except (ValueError, TypeError, KeyError, IndexError, RecursionError):
        raise ProofFails(
            "The file is not an answer of /proof/consistency: it needs from, to and path."
        ) from None
    if not all(type(size) is int for size in sizes):
        raise ProofFails("Its sizes are not numbers of entries.")
    return Consistency(*sizes, path)
