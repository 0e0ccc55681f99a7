"""Envelope encryption: tenant keys wrap data keys, the installation's key (KEK) wraps tenant keys.

A `KeyService` keeps the installation's key: by default a `Keyring` of key files, with an interface
that a key management service can implement. Wrapped columns are declared with `holds()`, so that a
rotation finds all of them.
"""

import hashlib
import hmac
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE_BYTES = 12
KEY_BYTES = 32


class KeyService(Protocol):
    """A service that wraps small secrets under a key that it does not disclose.

    `context` is authenticated, not stored.
    """

    @property
    def key_id(self) -> str:
        """The name of the key that wraps now, which can be shown."""
        ...

    def wrap(self, key: bytes, context: bytes) -> bytes: ...
    def unwrap(self, sealed: bytes, context: bytes) -> bytes: ...

    def rewrap(self, sealed: bytes, context: bytes) -> bytes | None:
        """Return the same secret under the current key; None if it is under that already."""
        ...


class Keyring:
    """Key files: the current key wraps; during a rotation, the previous one still unwraps.

    Nothing wrapped names its key: decryption is authenticated, so only the right key opens it.
    """

    def __init__(self, present: bytes, previous: bytes | None = None) -> None:
        if any(len(key) != KEY_BYTES for key in (present, previous or present)):
            raise ValueError("the key-encryption key must have 32 bytes")
        self._present, self._previous = present, previous

    @property
    def key_id(self) -> str:
        """A fingerprint that reveals nothing about the key."""
        return hmac.new(self._present, b"key-id", hashlib.sha256).hexdigest()[:16]

    def wrap(self, key: bytes, context: bytes) -> bytes:
        return encrypt(self._present, key, context)

    def unwrap(self, sealed: bytes, context: bytes) -> bytes:
        try:
            return decrypt(self._present, sealed, context)
        except InvalidTag:
            if self._previous is None:
                raise
            return decrypt(self._previous, sealed, context)

    def rewrap(self, sealed: bytes, context: bytes) -> bytes | None:
        try:
            decrypt(self._present, sealed, context)
        except InvalidTag:
            return self.wrap(self.unwrap(sealed, context), context)
        return None


_service: KeyService | None = None


def use(kek: bytes | KeyService, previous: bytes | None = None) -> None:
    """Set the installation's key.

    It is 32 bytes from GOVERNANCE_KEK_FILE (and the previous one), or a service that keeps it.
    """
    global _service  # noqa: PLW0603 - one process, one key
    _service = Keyring(kek, previous) if isinstance(kek, bytes) else kek


def service() -> KeyService:
    if _service is None:
        raise RuntimeError("no key-encryption key: call use() first")
    return _service


def encrypt(key: bytes, plain: bytes, context: bytes) -> bytes:
    """Encrypt with AES-256-GCM.

    Returns 12 bytes nonce, then ciphertext and tag; `context` is authenticated, not stored.
    """
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, context)


def decrypt(key: bytes, sealed: bytes, context: bytes) -> bytes:
    return AESGCM(key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], context)


def wrap(key: bytes, context: bytes) -> bytes:
    return service().wrap(key, context)


def unwrap(sealed: bytes, context: bytes) -> bytes:
    return service().unwrap(sealed, context)


def new_key() -> bytes:
    return os.urandom(KEY_BYTES)


# ---- what the installation's key wraps


@dataclass(frozen=True, slots=True)
class Holding:
    """A column whose values are wrapped, and the context of each row's.

    An empty value is not wrapped.
    """

    model: type
    column: str
    context: Callable[[Any], bytes]


holdings: list[Holding] = []


def holds(model: type, column: str, context: Callable[[Any], bytes]) -> None:
    """Declare a column that a rotation of the installation's key has to wrap again.

    Call it next to the code that wraps.
    """
    holdings.append(Holding(model, column, context))
