"""The policy bundle: all of a tenant's answers in one signed document, for products that decide at
the edge.

    claims(answers, …)             what is signed: iss, sub, iat, exp, the version, and every answer
                                   by system
    sign(body, key, key_id)        a JWS (RFC 7515, compact), EdDSA over Ed25519 (RFC 8037)
    jwks(keys)                     the public keys (RFC 8037), for who verifies

A bundle is good for LIFE seconds, and not beyond the end of a waiver or a looser floor that it
holds: an edge that cannot get a new one by then stops trusting the old one.
"""

import base64
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.operations.decisions.flags import Answers

LIFE = 300  # seconds
FRESH = 30  # seconds for which the same bundle is handed out
TYPE = "policy+jws"


def claims(answers: Answers, issuer: str, now: datetime, *, only: str = "") -> dict[str, Any]:
    """`policy` holds for requests that name no system.

    For a key of `only` one system: that one's answers.
    """
    facts, issued = answers.facts, int(now.timestamp())
    ends = (
        issued + LIFE
        if answers.until is None
        else min(issued + LIFE, int(answers.until.timestamp()))
    )
    return {
        "iss": issuer,
        "sub": facts.slug,
        "iat": issued,
        "exp": ends,
        "version": facts.number,
        "policy_version": facts.standing.number,
        "stale": answers.stale,
        "policy": answers.policy(only),
        "systems": {key: answers.policy(key) for key in answers.systems if only in {"", key}},
    }


def sign(body: dict[str, Any], key: bytes, key_id: str) -> bytes:
    """The compact serialisation; `key` is the raw private key of 32 bytes."""
    header = {"alg": "EdDSA", "typ": TYPE, "kid": key_id}
    signed = b".".join(_base64url(_json(part)) for part in (header, body))
    return signed + b"." + _base64url(Ed25519PrivateKey.from_private_bytes(key).sign(signed))


def jwks(keys: Iterable[tuple[str, bytes]]) -> dict[str, Any]:
    """Of (key id, raw public key of 32 bytes): those that sign, or signed what is still good."""
    each = {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA"}
    return {
        "keys": [
            each | {"kid": key_id, "x": _base64url(public).decode()} for key_id, public in keys
        ]
    }


def _base64url(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
