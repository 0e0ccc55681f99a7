"""The detached signature of a report: a signed note (kernel/safety/signed_note.py) beside the PDF.

    governance report v1
    ACME-RMF-2026-Q3.pdf
    sha256 <digest of the file>
    fingerprint <digest of the frozen snapshot>

    — console.example <base64 of key id and signature>

A copy that was changed for one person has a signature of its own, which names the original:

    governance report copy v1
    ACME-RMF-2026-Q3.pdf
    sha256 <digest of the copy>
    fingerprint <digest of the frozen snapshot>
    watermarked copy of <digest of the original>
    for Harriet Lowe, Halden & Co, engagement ENG-0001
    at 2026-10-12T09:30:00Z

The verifier key that checks both is printed in every report.
"""

import hashlib
import re
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.kernel.safety import signed_note
from governance.kernel.safety.signed_note import NotSigned, VerifierKey, parse_key, verifier_key

TITLE, COPY_TITLE = "governance report v1", "governance report copy v1"
COPIES = ("watermarked copy", "sealed copy")
HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class CopyNote:
    """The data of a copy: its kind (of COPIES), the original's digest, its recipient, and its time."""

    what: str
    original: str
    recipient: str
    at: str


@dataclass(frozen=True, slots=True)
class Note:
    """The content that a valid signature confirms.

    Digests are in hex. `copy` is None for an original.
    """

    filename: str
    sha256: str
    fingerprint: str
    copy: CopyNote | None = None

    @property
    def body(self) -> str:
        same = f"{self.filename}\nsha256 {self.sha256}\nfingerprint {self.fingerprint}\n"
        if self.copy is None:
            return f"{TITLE}\n{same}"
        copy, recipient = self.copy, " ".join(self.copy.recipient.split())
        return (
            f"{COPY_TITLE}\n{same}{copy.what} of {copy.original}\nfor {recipient}\nat {copy.at}\n"
        )


def sign(
    private: Ed25519PrivateKey, name: str, *, filename: str, pdf: bytes, fingerprint: str
) -> str:
    """Return the text of the signature file for these bytes.

    `fingerprint` is the hex digest of snapshot.json.
    """
    return sign_note(private, name, Note(filename, hashlib.sha256(pdf).hexdigest(), fingerprint))


def sign_note(private: Ed25519PrivateKey, name: str, note: Note) -> str:
    if "\n" in note.filename:
        raise ValueError("a file name has one line")
    return signed_note.sign(private, name, note.body)


def open_note(text: str, key: VerifierKey) -> Note:
    """Check the signature with this key and return what it confirms. Raises NotSigned."""
    match signed_note.open_note(text, key).split("\n"):
        case [title, filename, digest, print_, ""] if title == TITLE:
            note = _note(filename, digest, print_, None)
        case [title, filename, digest, print_, origin, recipient, at, ""] if title == COPY_TITLE:
            note = _note(filename, digest, print_, _copy(origin, recipient, at))
            note = note if note is not None and note.copy is not None else None
        case _:
            note = None
    if note is None:
        raise NotSigned("The signed text is not that of a Meridian report.")
    return note


def _note(filename: str, digest: str, print_: str, copy: CopyNote | None) -> Note | None:
    sha256, fingerprint = digest.removeprefix("sha256 "), print_.removeprefix("fingerprint ")
    if HEX.fullmatch(sha256) and HEX.fullmatch(fingerprint):
        return Note(filename, sha256, fingerprint, copy)
    return None


def _copy(origin: str, recipient: str, at: str) -> CopyNote | None:
    what, _, original = origin.partition(" of ")
    if (
        what in COPIES
        and HEX.fullmatch(original)
        and recipient.startswith("for ")
        and at.startswith("at ")
    ):
        return CopyNote(what, original, recipient.removeprefix("for "), at.removeprefix("at "))
    return None


__all__ = [
    "CopyNote",
    "NotSigned",
    "Note",
    "VerifierKey",
    "open_note",
    "parse_key",
    "sign",
    "sign_note",
    "verifier_key",
]
