"""A checkpoint (C2SP tlog-checkpoint): origin, size and root in three lines, signed as a note.

console.example/audit/acme
48231
<root, base64>

— console.example/audit/acme <signature>
"""

import base64
import binascii
import re
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.foundation.audit.merkle import EMPTY, HASH, MAX_LEAVES
from governance.kernel.safety import signed_note
from governance.kernel.safety.signed_note import NotSigned, VerifierKey

SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Head:
    """The statement of a checkpoint: the tree of `origin` with `size` entries has this root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{signed_note.b64(self.root)}\n"


def sign(private: Ed25519PrivateKey, name: str, head: Head) -> str:
    """Return the checkpoint's note. The name of the key is the log's origin."""
    return signed_note.sign(private, name, head.text)


def open_checkpoint(note: str, key: VerifierKey) -> Head:
    """Return what a checkpoint states; raise NotSigned unless this key signed it."""
    head = parse(signed_note.open_note(note, key))
    if head.origin != key.name:
        raise NotSigned(f"The checkpoint is from {head.origin}, but the key is from {key.name}.")
    return head


def parse(text: str) -> Head:
    """Read the text of a checkpoint. Lines after the third are extensions and are ignored."""
    lines = text.split("\n")
    # The text has at least three lines and a final newline.
    if len(lines) < 4 or not lines[0] or lines[-1] or not SIZE.fullmatch(lines[1]):  # noqa: PLR2004
        raise NotSigned("The signed text is not a checkpoint.")
    try:
        root = base64.b64decode(lines[2], validate=True)
    except (binascii.Error, ValueError):
        root = b""
    size = int(lines[1])
    if len(root) != HASH or size > MAX_LEAVES or (size == 0 and root != EMPTY):
        raise NotSigned("The checkpoint's root is not the hash of a tree of that size.")
    return Head(lines[0], size, root)
