"""Sign-ins in progress, and the client that a tenant is at its provider.

Nobody is known yet, so nothing is logged.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete, func, select

from governance.foundation.people.models import Connection, SignIn
from governance.foundation.people.oidc_types import OidcClient, TokenRefused
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError
from governance.kernel.safety import key_encryption

SIGN_IN_MINUTES = 10
KEPT_DAYS = 1
# Per network. A company behind one address starts many sign-ins at nine o'clock.
MAX_STARTED_PER_MINUTE = 120


class TooManySignIns(DomainError):
    """More sign-ins were started from one network than people start."""

    status = 429


key_encryption.holds(Connection, "secret", lambda row: secret_context(row.tenant_id))


@dataclass(frozen=True, slots=True)
class SignInSecrets:
    """The secrets that tie an answer to its request.

    They are the state (`<tenant>.<random>`), the nonce and the PKCE verifier.
    """

    state: str
    nonce: str
    verifier: str


def new_secrets(slug: str) -> SignInSecrets:
    return SignInSecrets(
        f"{slug}.{secrets.token_urlsafe(32)}", secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    )


def save_sign_in(
    drawn: SignInSecrets,
    *,
    connection_id: UUID,
    browser: str,
    next_path: str,
    fresh: bool,
    leaves: UUID | None = None,
    is_test: bool = False,
) -> None:
    """Store a sign-in in progress, bound to the browser that started it. Raises TooManySignIns.

    `leaves` is the session of another tenant that it may replace.
    """
    _check_not_flooded()
    under_way = SignIn(
        connection_id=connection_id,
        is_test=is_test,
        state_hash=_hash(drawn.state),
        browser_hash=_hash(browser),
        network=current.origin().network,
        nonce=drawn.nonce,
        verifier=drawn.verifier,
        next_path=next_path,
        fresh=fresh,
        leaves=leaves,
        used_at=None,
        created_at=clock.now(),
    )
    session().add(under_way)
    session().flush()


def _check_not_flooded() -> None:
    """Limit the sign-ins per minute and network, in all processes together.

    Anyone may start a sign-in, and each leaves a row.
    """
    recent = select(func.count()).where(
        SignIn.network == current.origin().network,
        SignIn.created_at > clock.now() - timedelta(minutes=1),
    )
    if (session().scalar(recent) or 0) >= MAX_STARTED_PER_MINUTE:
        raise TooManySignIns(
            "Too many sign-ins were started from your network in the last minute. Wait a minute,"
            " then try again."
        )


def use_sign_in(state: str, browser: str) -> SignIn:
    """Return the sign-in of this state, once, and only in the browser that started it."""
    query = select(SignIn).where(SignIn.state_hash == _hash(state)).with_for_update()
    found = session().scalars(query).one_or_none()
    if found is None or found.browser_hash != _hash(browser):
        raise TokenRefused(
            "This sign-in wasn't started in this browser. Start again from the sign-in page."
        )
    if found.used_at is not None:
        raise TokenRefused("This sign-in was already used. Start again from the sign-in page.")
    if clock.now() - found.created_at > timedelta(minutes=SIGN_IN_MINUTES):
        raise TokenRefused(
            "This sign-in took longer than 10 minutes. Start again from the sign-in page."
        )
    found.used_at = clock.now()
    session().flush()
    return found


def delete_old_sign_ins() -> None:
    """Delete the sign-ins that nobody finished, every night."""
    session().execute(
        delete(SignIn).where(SignIn.created_at < clock.now() - timedelta(days=KEPT_DAYS))
    )


def callback_path(slug: str, number: int = 1) -> str:
    """Return the path of a connection's redirect address.

    Each issuer and client of a tenant has its own (RFC 9700 §4.4).
    """
    return f"/auth/callback/{slug}" + (f"/{number}" if number > 1 else "")


def oidc_client(connection: Connection, redirect_uri: str) -> OidcClient:
    secret = key_encryption.unwrap(connection.secret, secret_context(connection.tenant_id)).decode()
    return OidcClient(
        connection.issuer,
        connection.client_id,
        secret,
        redirect_uri,
        reads_groups=bool(connection.group_roles),
        named_by_operator=connection.named_by_operator,
    )


def secret_context(tenant_id: UUID) -> bytes:
    """Return the context that binds an encrypted client secret to its tenant."""
    return b"client-secret" + tenant_id.bytes


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
