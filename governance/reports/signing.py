"""The detached signature of a report: a signed note (C2SP signed-note, Ed25519) beside the PDF.

    governance report v1
    ACME-RMF-2026-Q3.pdf
    sha256 <digest of the file>
    fingerprint <digest of the frozen snapshot>

    — console.example <base64 of key id and signature>

A verifier key is one line, `name+key id+base64(type, public key)`; it is printed in every report.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

TITLE = "governance report v1"
ED25519 = b"\x01"  # signature type of C2SP signed-note
PUBLIC_BYTES, SIGNATURE_BYTES, ID_BYTES = 32, 64, 4
DASH = "\N{EM DASH}"
NAME = re.compile(r"[^\s+]+")
HEX = re.compile(r"[0-9a-f]{64}")


class NotSigned(ValueError):
    """The note cannot be trusted; the message says why in one sentence."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name: `name+<8 hex>+<base64>`."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + ED25519 + self.public).digest()[:ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{_b64(ED25519 + self.public)}"


@dataclass(frozen=True, slots=True)
class Note:
    """What a good signature vouches for; both digests in hex."""

    filename: str
    sha256: str
    fingerprint: str

    @property
    def body(self) -> str:
        return f"{TITLE}\n{self.filename}\nsha256 {self.sha256}\nfingerprint {self.fingerprint}\n"


def verifier_key(private: Ed25519PrivateKey, name: str) -> str:
    """The public line for a private key; the name has no space and no plus sign."""
    if not NAME.fullmatch(name):
        raise ValueError(f"a key name has no spaces and no plus sign: {name!r}")
    return str(VerifierKey(name, private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)))


def parse_key(text: str) -> VerifierKey:
    """Read a verifier key; NotSigned says what is wrong with it."""
    try:
        name, key_id, encoded = text.strip().split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        raise NotSigned("The key is not a verifier key: it should read name+id+base64.") from None
    if raw[:1] != ED25519 or len(raw) != 1 + PUBLIC_BYTES:
        raise NotSigned("The key is not an Ed25519 key of 32 bytes.")
    key = VerifierKey(name, raw[1:])
    if key.key_id.hex() != key_id:
        raise NotSigned("The key does not match its own id: a character was lost or changed in copying.")
    return key


def sign(private: Ed25519PrivateKey, name: str, *, filename: str, pdf: bytes, fingerprint: str) -> str:
    """The text of the signature file for these bytes. `fingerprint` is the hex digest of snapshot.json."""
    if "\n" in filename:
        raise ValueError("a file name is one line")
    note = Note(filename, hashlib.sha256(pdf).hexdigest(), fingerprint)
    key = parse_key(verifier_key(private, name))
    return f"{note.body}\n{DASH} {name} {_b64(key.key_id + private.sign(note.body.encode()))}\n"


def open_note(text: str, key: VerifierKey) -> Note:
    """Check the signature by this key and return what it vouches for; NotSigned otherwise."""
    body, gap, signatures = text.replace("\r\n", "\n").partition(f"\n\n{DASH} ")
    if not gap:
        raise NotSigned("The signature file holds no signature line.")
    raw = _signature_of(signatures, key)
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(raw, f"{body}\n".encode())
    except InvalidSignature:
        raise NotSigned(f"The signature does not hold: its text was changed, or another key than {key.name} made it.") from None
    return _read(body)


def _signature_of(signatures: str, key: VerifierKey) -> bytes:
    seen = []
    for line in signatures.split("\n"):
        name, _, encoded = line.removeprefix(f"{DASH} ").partition(" ")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except binascii.Error:
            continue
        if len(raw) == ID_BYTES + SIGNATURE_BYTES:
            seen.append(name)
            if name == key.name and raw[:ID_BYTES] == key.key_id:
                return raw[ID_BYTES:]
    if not seen:
        raise NotSigned("The signature line is cut short or damaged.")
    raise NotSigned(
        f"The file was signed with another key ({', '.join(seen)}) than the one given ({key.name}, {key.key_id.hex()})."
    )


def _read(body: str) -> Note:
    match body.split("\n"):
        case [title, filename, digest, print_] if title == TITLE:
            sha256, fingerprint = digest.removeprefix("sha256 "), print_.removeprefix("fingerprint ")
            if HEX.fullmatch(sha256) and HEX.fullmatch(fingerprint):
                return Note(filename, sha256, fingerprint)
        case _:
            pass
    raise NotSigned("The signed text is not that of a report of this console.")


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
