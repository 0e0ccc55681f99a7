"""The tenant's client at its identity provider, the returned identity, and sign-in errors."""

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
    """The provider's answer does not prove who is signing in."""


@dataclass(frozen=True, slots=True)
class OidcClient:
    """One tenant's client at one issuer."""

    issuer: str
    client_id: str
    secret: str
    redirect_uri: str
    reads_groups: bool = False  # True if the tenant gives roles by groups.
    named_by_operator: bool = False  # The operator named it, so it may be on a private network.

    @property
    def private_origin(self) -> str:
        return origin_of(self.issuer) if self.named_by_operator else ""


@dataclass(frozen=True, slots=True)
class Identity:
    """An identity that the provider vouches for.

    `authenticated_at` is in seconds since 1970. `email_verified` is None if the provider says
    nothing about it. `groups` is None if it sends no such claim.
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
    """Return their text on one line, without control characters, cut to the stored length."""
    return CONTROL.sub(" ", value).strip()[:longest] if isinstance(value, str) else ""
