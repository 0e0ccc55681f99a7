"""The stored name of a case: a digest, never its text. Pure."""

import hashlib

DIGEST_BYTES = 16


def case_digest(case: str) -> bytes:
    """Return the first 16 bytes of the SHA-256 of a case's id."""
    return hashlib.sha256(case.encode()).digest()[:DIGEST_BYTES]
