"""The policy bundle: all answers of a tenant, signed, for products that decide at the edge.

claims(answers, …)             the signed content: iss, sub, iat, exp, version, answers by system
sign(body, key, key_id)        a JWS (RFC 7515, compact), EdDSA over Ed25519 (RFC 8037)
jwks(keys)                     the public keys (RFC 8037)

A bundle expires after LIFETIME_SECONDS, or earlier when a waiver or a looser platform minimum in it
ends, so that an edge without a newer one stops trusting it.
"""

import base64
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from governance.operations.decisions.flags import Answers

LIFETIME_SECONDS = 300
REUSE_SECONDS = 30  # Seconds for which the same bundle is returned
TYPE = "policy+jws"


def claims(answers: Answers, issuer: str, now: datetime, *, only: str = "") -> dict[str, Any]:
    """Return the claims; `policy` applies to requests without a system.

    `rollouts` has the rules of rollouts by system, whose answers depend on the targeting key. A key
    for one system (`only`) gets the answers of that system.
    """
    facts, issued = answers.facts, int(now.timestamp())
    ends = (
        issued + LIFETIME_SECONDS
        if answers.until is None
        else min(issued + LIFETIME_SECONDS, int(answers.until.timestamp()))
    )
    return {
        "iss": issuer,
        "sub": facts.slug,
        "iat": issued,
        "exp": ends,
        "version": facts.number,
        "policy_version": facts.policy.number,
        "stale": answers.stale,
        "policy": answers.policy(only),
        "systems": {key: answers.policy(key) for key in answers.systems if only in {"", key}},
        "rollouts": {
            key: rules
            for key in answers.systems
            if only in {"", key} and (rules := answers.rollout_rules(key))
        },
    }


def sign(body: dict[str, Any], key: bytes, key_id: str) -> bytes:
    """Return the compact serialization; `key` is the raw private key of 32 bytes."""
    header = {"alg": "EdDSA", "typ": TYPE, "kid": key_id}
    signed = b".".join(_base64url(_json(part)) for part in (header, body))
    return signed + b"." + _base64url(Ed25519PrivateKey.from_private_bytes(key).sign(signed))


def jwks(keys: Iterable[tuple[str, bytes]]) -> dict[str, Any]:
    """Return the JWK Set of (key id, raw public key of 32 bytes)."""
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
