"""The signature of a package: a signed note by the key of the tenant's log.

    governance evidence package v1
    acme-ENG-2026-01
    tagmanifest-sha256 <digest of tagmanifest-sha256.txt>

    — console.example/audit/acme <base64 of key id and signature>

Auditors already have that key. The tag manifest contains the digest of the manifest, which contains
the digest of every file. The first line distinguishes the note from a checkpoint, which begins with
the log's origin.
"""

import re
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.kernel.safety import signed_note
from governance.kernel.safety.signed_note import NotSigned, VerifierKey

SIGNATURE_TITLE = "governance evidence package v1"
SHA256_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class PackageNote:
    """The content of a valid signature."""

    package: str
    tagmanifest: str

    @property
    def text(self) -> str:
        return f"{SIGNATURE_TITLE}\n{self.package}\ntagmanifest-sha256 {self.tagmanifest}\n"


def sign(private: Ed25519PrivateKey, name: str, note: PackageNote) -> str:
    return signed_note.sign(private, name, note.text)


def open_note(text: str, key: VerifierKey) -> PackageNote:
    """Return the content of a signature by this key. Raises NotSigned if it isn't valid."""
    match signed_note.open_note(text, key).split("\n"):
        case [title, package, digest, ""] if title == SIGNATURE_TITLE and SHA256_HEX.fullmatch(
            digest.removeprefix("tagmanifest-sha256 ")
        ):
            return PackageNote(package, digest.removeprefix("tagmanifest-sha256 "))
        case _:
            raise NotSigned("The signature is valid, but it isn't for an evidence package.")
