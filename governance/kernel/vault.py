"""Envelope encryption: data keys are wrapped by tenant keys, tenant keys by the installation's key (KEK)."""

import os

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

NONCE = 12
_kek: bytes = b""


def use(kek: bytes) -> None:
    """Set the installation's key-encryption key: 32 bytes, from GOVERNANCE_KEK_FILE."""
    global _kek  # noqa: PLW0603 - one process, one key
    if len(kek) != 32:  # noqa: PLR2004
        raise ValueError("the key-encryption key must have 32 bytes")
    _kek = kek


def encrypt(key: bytes, plain: bytes, context: bytes) -> bytes:
    """AES-256-GCM: 12 bytes nonce, then ciphertext and tag; `context` is authenticated, not stored."""
    nonce = os.urandom(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, plain, context)


def decrypt(key: bytes, sealed: bytes, context: bytes) -> bytes:
    return AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], context)


def wrap(key: bytes, context: bytes) -> bytes:
    return encrypt(_kek, key, context)


def unwrap(sealed: bytes, context: bytes) -> bytes:
    return decrypt(_kek, sealed, context)


def new_key() -> bytes:
    return os.urandom(32)
