"""Signed notes (C2SP signed-note, Ed25519): a text, and below it a line for each signature.

    <text, ending in a newline>

    — <name of the key> <base64 of key id and signature>

A verifier key is one line, `name+key id+base64(type, public key)`. Reports, checkpoints of the
audit log and the answers of witnesses are such notes. Source: https://c2sp.org/signed-note
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

ED25519 = b"\x01"  # Signature type of a plain signature.
PUBLIC_BYTES, SIGNATURE_BYTES, ID_BYTES = 32, 64, 4
DASH = "\N{EM DASH}"
NAME = re.compile(r"[^\s+]+")


class NotSigned(ValueError):
    """The note cannot be trusted; the message says why in one sentence."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with its name: `name+<8 hex>+<base64>`.

    `kind` is the type of signature that it makes.
    """

    name: str
    public: bytes
    kind: bytes = ED25519

    @property
    def key_id(self) -> bytes:
        return hashlib.sha256(self.name.encode() + b"\n" + self.kind + self.public).digest()[
            :ID_BYTES
        ]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64(self.kind + self.public)}"


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One signature line: who signed, with which key id, and the bytes after it."""

    name: str
    key_id: bytes
    signature: bytes

    def __str__(self) -> str:
        return f"{DASH} {self.name} {b64(self.key_id + self.signature)}\n"


def new_key() -> bytes:
    """Return a new private key, 32 raw bytes."""
    return Ed25519PrivateKey.generate().private_bytes(
        Encoding.Raw, PrivateFormat.Raw, NoEncryption()
    )


def public_half(private: Ed25519PrivateKey) -> bytes:
    return private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def verifier_key(private: Ed25519PrivateKey, name: str) -> str:
    """Return the public line for a private key; the name has no space and no plus sign."""
    if not NAME.fullmatch(name):
        raise ValueError(f"a key name has no spaces and no plus sign: {name!r}")
    return str(VerifierKey(name, public_half(private)))


def parse_key(text: str, *, kind: bytes = ED25519) -> VerifierKey:
    """Read a verifier key; raise NotSigned, which says what is wrong with it."""
    try:
        name, key_id, encoded = text.strip().split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
    except (ValueError, binascii.Error):
        raise NotSigned(
            "This isn't a verifier key. Verifier keys look like name+id+base64."
        ) from None
    if raw[:1] != kind or len(raw) != 1 + PUBLIC_BYTES:
        raise NotSigned("The key isn't a 32-byte Ed25519 key.")
    key = VerifierKey(name, raw[1:], kind)
    if key.key_id.hex() != key_id:
        raise NotSigned(
            "The key doesn't match its ID. Copy it again: a character is missing or wrong."
        )
    return key


def sign(private: Ed25519PrivateKey, name: str, text: str) -> str:
    """Return the complete note: the text, which ends in a newline, and this key's signature."""
    if not text.endswith("\n"):
        raise ValueError("a note's text ends in a newline")
    key = parse_key(verifier_key(private, name))
    return f"{text}\n{SignatureLine(name, key.key_id, private.sign(text.encode()))}"


def split(note: str) -> tuple[str, list[SignatureLine]]:
    """Return (text, signature lines) of a note; raise NotSigned without one.

    Lines that cannot be read are left out, as the standard requires.
    """
    text, gap, rest = note.replace("\r\n", "\n").rpartition(f"\n\n{DASH} ")
    if not gap:
        raise NotSigned("The text has no signature line.")
    return f"{text}\n", list(_lines(f"{DASH} {rest}"))


def _lines(text: str) -> Iterator[SignatureLine]:
    for line in text.split("\n"):
        name, _, encoded = line.removeprefix(f"{DASH} ").partition(" ")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            continue
        if (
            line.startswith(DASH) and name and len(raw) > ID_BYTES and b64(raw) == encoded
        ):  # One signature has one spelling.
            yield SignatureLine(name, raw[:ID_BYTES], raw[ID_BYTES:])


def open_note(note: str, key: VerifierKey) -> str:
    """Return the text if this key signed it; raise NotSigned otherwise.

    Signatures of other keys are ignored.
    """
    text, lines = split(note)
    mine = [line for line in lines if line.name == key.name and line.key_id == key.key_id]
    if not mine:
        raise NotSigned(_no_signature(lines, key))
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(mine[0].signature, text.encode())
    except InvalidSignature:
        raise NotSigned(
            "The signature is invalid: the text was changed, or it was signed with a different"
            f" key than {key.name}."
        ) from None
    return text


def _no_signature(lines: list[SignatureLine], key: VerifierKey) -> str:
    seen = [line.name for line in lines if len(line.signature) == SIGNATURE_BYTES]
    if not seen:
        return "The signature line is incomplete or damaged."
    return (
        f"The file was signed with a different key ({', '.join(seen)}) than the one you"
        f" provided ({key.name}, {key.key_id.hex()})."
    )


def b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
