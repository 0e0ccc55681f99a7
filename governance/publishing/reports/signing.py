"""The detached signature of a report: a signed note (kernel/signed_note.py) beside the PDF.

    governance report v1
    ACME-RMF-2026-Q3.pdf
    sha256 <digest of the file>
    fingerprint <digest of the frozen snapshot>

    — console.example <base64 of key id and signature>

The verifier key that checks it is printed in every report.
"""

import hashlib
import re
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.kernel import signed_note
from governance.kernel.signed_note import NotSigned, VerifierKey, parse_key, verifier_key

TITLE = "governance report v1"
HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Note:
    """What a valid signature confirms; both digests in hex."""

    filename: str
    sha256: str
    fingerprint: str

    @property
    def body(self) -> str:
        return f"{TITLE}\n{self.filename}\nsha256 {self.sha256}\nfingerprint {self.fingerprint}\n"


def sign(
    private: Ed25519PrivateKey, name: str, *, filename: str, pdf: bytes, fingerprint: str
) -> str:
    """Return the text of the signature file for these bytes.

    `fingerprint` is the hex digest of snapshot.json.
    """
    if "\n" in filename:
        raise ValueError("a file name has one line")
    return signed_note.sign(
        private, name, Note(filename, hashlib.sha256(pdf).hexdigest(), fingerprint).body
    )


def open_note(text: str, key: VerifierKey) -> Note:
    """Check the signature with this key and return what it confirms; raises NotSigned."""
    match signed_note.open_note(text, key).split("\n"):
        case [title, filename, digest, print_, ""] if title == TITLE:
            sha256, fingerprint = (
                digest.removeprefix("sha256 "),
                print_.removeprefix("fingerprint "),
            )
            if HEX.fullmatch(sha256) and HEX.fullmatch(fingerprint):
                return Note(filename, sha256, fingerprint)
        case _:
            pass
    raise NotSigned("The signed text is not that of a Meridian report.")


__all__ = ["NotSigned", "Note", "VerifierKey", "open_note", "parse_key", "sign", "verifier_key"]
