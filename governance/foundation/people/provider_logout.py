"""Sign out at the identity provider, and check the logout tokens that it sends."""

from governance.foundation.people.id_tokens import (
    CLOCK_SKEW_SECONDS,
    claim_time,
    is_typed,
    verify_signature,
)
from governance.foundation.people.oidc import with_query
from governance.foundation.people.oidc_types import OidcClient, TokenRefused
from governance.foundation.people.provider_http import (
    ProviderFault,
    is_address,
)
from governance.foundation.people.provider_metadata import discover
from governance.kernel import clock

MAX_LOGOUT_TOKEN_AGE_SECONDS = 120
BACK_CHANNEL = "http://schemas.openid.net/event/backchannel-logout"


def logout_url(provider: OidcClient, id_token: str, back: str) -> str | None:
    """Return the address of the provider's RP-initiated logout; None if it has none or is down."""
    try:
        endpoint = discover(provider.issuer, private_origin=provider.private_origin).get(
            "end_session_endpoint"
        )
    except ProviderFault:
        return None
    if not isinstance(endpoint, str) or not is_address(endpoint):
        return None
    return with_query(
        endpoint,
        {
            "id_token_hint": id_token,
            "client_id": provider.client_id,
            "post_logout_redirect_uri": back,
        },
    )


def check_logout_token(provider: OidcClient, raw: str) -> tuple[str | None, str | None, str]:
    """Check a back-channel logout token; return (subject, sid, jti). Raises TokenRefused.

    The caller checks that the jti is new.

    Current providers omit `typ` (which is only recommended) and `exp` (which older drafts did not
    have). Neither is needed to bound a token: `iat` must be recent, and what makes it a logout
    token is its event and that it has no nonce.
    """
    document = discover(provider.issuer, private_origin=provider.private_origin)
    header, claims = verify_signature(provider, document, raw)
    now = clock.now().timestamp()
    issued, expires, events = (
        claim_time(claims, "iat"),
        claim_time(claims, "exp"),
        claims.get("events"),
    )
    fit = (
        is_typed(header, "logout+jwt")
        and claims.get("iss") == provider.issuer
        and claims.get("aud") in (provider.client_id, [provider.client_id])
        and isinstance(events, dict)
        and isinstance(events.get(BACK_CHANNEL), dict)
        and "nonce" not in claims
        and isinstance(claims.get("jti"), str)
        and claims["jti"]
        and issued is not None
        and abs(issued - now) <= MAX_LOGOUT_TOKEN_AGE_SECONDS + CLOCK_SKEW_SECONDS
        and ("exp" not in claims or (expires is not None and now <= expires + CLOCK_SKEW_SECONDS))
        and all(
            claims.get(name) is None or isinstance(claims[name], str) for name in ("sub", "sid")
        )
        and (claims.get("sub") or claims.get("sid"))
    )
    if not fit:
        raise TokenRefused("The logout token was rejected.")
    return claims.get("sub"), claims.get("sid"), claims["jti"]
