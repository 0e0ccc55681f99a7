"""A witness's cosignature (C2SP tlog-cosignature, Ed25519). Pure.

It states: "At this time, this was the largest tree of that log I had seen."

A signature line of the checkpoint's note: 8 bytes of seconds since 1970, then a signature over

    cosignature/v1
    time <seconds>
    <the checkpoint's text>
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from governance.kernel.safety import signed_note
from governance.kernel.safety.signed_note import (
    SIGNATURE_BYTES,
    NotSigned,
    SignatureLine,
    VerifierKey,
)

KIND = b"\x04"
TIME_BYTES = 8
MAX_CLOCK_SKEW = 300  # Seconds that a witness's clock may be ahead.
LAST_SECOND = 253_402_300_799  # The end of the year 9999.


@dataclass(frozen=True, slots=True)
class Cosigned:
    """A valid signature line, and when the witness signed."""

    line: SignatureLine
    at: datetime


def parse_key(text: str) -> VerifierKey:
    """Read a witness's verifier key; raise NotSigned for any other kind of text or key."""
    try:
        return signed_note.parse_key(text, kind=KIND)
    except NotSigned as error:
        if _is_plain(text):
            raise NotSigned(
                "This is the key of a log or a signer. Enter the witness's cosignature key"
                " (type 4)."
            ) from None
        raise NotSigned(str(error)) from None


def _is_plain(text: str) -> bool:
    try:
        signed_note.parse_key(text)
    except NotSigned:
        return False
    return True


def opened(text: str, answer: str, key: VerifierKey, *, now: datetime) -> Cosigned:
    """Return the cosignature of `key` on a checkpoint's text, from a witness's answer.

    Other keys are ignored. Raise NotSigned where the answer has none by this key.
    """
    signed, lines = signed_note.split(f"{text}\n{answer}")
    mine = [line for line in lines if (line.name, line.key_id) == (key.name, key.key_id)]
    if signed != text or not mine:
        raise NotSigned("answered without a cosignature by its key")
    return Cosigned(mine[0], _verified(text, mine[0].signature, key, now))


def _verified(text: str, signature: bytes, key: VerifierKey, now: datetime) -> datetime:
    seconds = int.from_bytes(signature[:TIME_BYTES])
    if (
        not _is_valid(f"cosignature/v1\ntime {seconds}\n{text}".encode(), signature, key)
        or not 0 < seconds <= LAST_SECOND
    ):
        raise NotSigned("answered with an invalid cosignature")
    if seconds > now.timestamp() + MAX_CLOCK_SKEW:
        raise NotSigned("answered with a cosignature from the future: its clock is ahead")
    return datetime.fromtimestamp(seconds, UTC)


def _is_valid(message: bytes, signature: bytes, key: VerifierKey) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature[TIME_BYTES:], message)
    except InvalidSignature:
        return False
    return len(signature) == TIME_BYTES + SIGNATURE_BYTES
