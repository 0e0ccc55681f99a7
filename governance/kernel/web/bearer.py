"""API keys as bearer tokens: their form, and which stored key a token matches.

Pure, so that a snapshot can answer without a database.

    gc_<tenant>_<43 characters>     256 random bits; the tenant in it says where to search, and is
                                    no secret

Only the SHA-256 of a key is stored. A fast hash is enough, since nobody guesses 256 random bits.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from governance.kernel.current import Actor
from governance.kernel.errors import KeyNeeded

SECRET_LENGTH = 43  # Characters.
KEY_PATTERN = re.compile(rf"gc_(?P<tenant>[a-z][a-z0-9-]{{1,40}})_[A-Za-z0-9_-]{{{SECRET_LENGTH}}}")
HINT_LENGTH = 4  # Characters of the secret that tell keys apart: 232 bits of it stay.


@dataclass(frozen=True, slots=True)
class PresentedKey:
    """The tenant and the hash of a key that a request presents."""

    tenant: str
    secret_hash: bytes


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key as it is stored. A rotated key is stored twice for a while, with the same id."""

    key_id: UUID
    tenant_id: UUID
    tenant: str
    tenant_name: str
    name: str
    secret_hash: bytes
    scopes: frozenset[str]
    until: datetime | None
    revoked: bool
    system_id: UUID | None = None  # The one AI system that it may ask for; None = all.
    rate: int = 0  # Requests/min if the answers are counted; 0 = unlimited.

    @property
    def actor(self) -> Actor:
        return Actor(
            self.tenant_id,
            self.tenant,
            self.tenant_name,
            None,
            self.name,
            "api_key",
            kind="api_key",
            key_id=self.key_id,
            scopes=self.scopes,
        )


type Keys = Mapping[tuple[str, bytes], StoredKey]


def new(tenant: str) -> str:
    return f"gc_{tenant}_{secrets.token_urlsafe(32)}"


def hint(text: str) -> str:
    """Return the beginning of a key, as lists show it."""
    return text[: HINT_LENGTH - SECRET_LENGTH]


def digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def header_of(environ: Mapping[str, Any]) -> str:
    """Return the Authorization header of a WSGI environ, or its X-API-Key in that form.

    Empty without either.
    """
    key = environ.get("HTTP_X_API_KEY")
    return environ.get("HTTP_AUTHORIZATION") or (f"Bearer {key}" if key else "")


def parse(header: str) -> PresentedKey:
    """Return the token of an Authorization header. Raises KeyNeeded if it has none."""
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "bearer":
        raise KeyNeeded(
            "This endpoint needs an API key. Send it as Authorization: Bearer gc_…", reason=None
        )
    match = KEY_PATTERN.fullmatch(text.strip(" "))
    if match is None:
        raise KeyNeeded(
            "This isn't a Meridian API key. Keys look like gc_<tenant>_<43 characters>."
        )
    return PresentedKey(match["tenant"], digest(match[0]))


def admit(token: PresentedKey, keys: Keys, now: datetime) -> StoredKey:
    """Return the stored key of a token. Raises KeyNeeded with the reason if it isn't valid."""
    key = keys.get((token.tenant, token.secret_hash))
    if key is None or not hmac.compare_digest(key.secret_hash, token.secret_hash):
        raise KeyNeeded("This API key doesn't exist.")
    if key.revoked:
        raise KeyNeeded(f"The key {key.name} was revoked.")
    if key.until is not None and now >= key.until:
        raise KeyNeeded(f"The key {key.name} expired on {key.until.day} {key.until:%B %Y}.")
    return key
