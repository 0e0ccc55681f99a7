"""The client that a tenant is at its identity provider, the identity that comes back, and how
sign-in fails.
"""

import re
from dataclasses import dataclass
from typing import Any

from governance.kernel.errors import DomainError
from governance.kernel.safety.outbound_http import origin_of

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
CONTROL = re.compile(r"[\x00-\x1f\x7f]+")


class SignInRefused(DomainError):
    """Somebody was not signed in.

    `remedy` says what to set, and where; `reason` is for the log and names nobody.
    """

    status = 403

    def __init__(self, message: str, *, remedy: str = "", reason: str = "") -> None:
        super().__init__(message)
        self.remedy, self.reason = remedy, reason or message


class TokenRefused(SignInRefused):
    """What came back does not prove who is signing in."""


@dataclass(frozen=True, slots=True)
class OidcClient:
    """One tenant's client at one issuer."""

    issuer: str
    client_id: str
    secret: str
    redirect_uri: str
    reads_groups: bool = False  # whether the tenant gives roles by groups
    named_by_operator: bool = False  # so it may be on a private network

    @property
    def private_origin(self) -> str:
        return origin_of(self.issuer) if self.named_by_operator else ""


@dataclass(frozen=True, slots=True)
class Identity:
    """What the provider vouches for.

    `authenticated_at` in seconds since 1970.

    `email_verified` is None where the provider says nothing of it. `groups` is None where it sends
    no such claim.
    """

    issuer: str
    subject: str
    email: str
    email_verified: bool | None
    name: str
    groups: tuple[str, ...] | None
    sid: str | None
    authenticated_at: float
    id_token: str


def one_line(value: Any, longest: int) -> str:
    """Text of theirs on one line, without control characters, no longer than we keep."""
    return CONTROL.sub(" ", value).strip()[:longest] if isinstance(value, str) else ""
