"""Check the signature of an ID token, and each claim that binds it to this client and sign-in."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from governance.foundation.people.oidc_types import ALGORITHMS, CONTROL, OidcClient, TokenRefused
from governance.foundation.people.provider_http import (
    ProviderFault,
)
from governance.foundation.people.provider_metadata import (
    METADATA_TTL_SECONDS,
    get_json,
    listed_values,
)
from governance.kernel import clock
from governance.kernel.formatting import plural

CLOCK_SKEW_SECONDS = 30
MIN_KEY_REFRESH_SECONDS = 10  # Minimum age of cached keys before an unknown key is looked up.
MAX_TOKEN_AGE_SECONDS = 600
MAX_TIMESTAMP = 2**37
MAX_SUBJECT_LENGTH = 255


def check_id_token(
    provider: OidcClient,
    document: Mapping[str, Any],
    raw: str,
    *,
    nonce: str,
    bound_to: Mapping[str, str],
    max_age: int | None = None,
) -> dict[str, Any]:
    """Check the signature by a key of the issuer, then each claim that binds the token.

    `bound_to` has what came with the token, by the claim that must be its hash. Raises
    TokenRefused.
    """
    header, claims = verify_signature(provider, document, raw)
    wrong = (
        _misfits(provider, claims, nonce)
        | _wrong_hashes(header, claims, bound_to)
        | _wrong_times(claims)
    )
    for reason, is_so in (
        {"it is another type of token (typ)": not is_typed(header, "")} | wrong
    ).items():
        if is_so:
            raise TokenRefused(f"The ID token was rejected: {reason}.")
    if max_age is not None:
        _check_freshness(claims, max_age)
    return claims


def is_typed(header: Mapping[str, Any], kind: str) -> bool:
    """Return whether the token may be of that kind.

    `typ` is optional and may be the general JWT, but no other kind's.
    """
    typed = header.get("typ", "JWT")
    return isinstance(typed, str) and typed.lower().removeprefix("application/") in {
        "jwt",
        kind or "jwt",
    }


def _wrong_hashes(
    header: Mapping[str, Any], claims: Mapping[str, Any], bound_to: Mapping[str, str]
) -> dict[str, bool]:
    """Return whether `at_hash` and `c_hash` are wrong.

    They are optional in the code flow; one that is there must be right (OpenID Connect Core
    3.3.2.11).
    """
    return {
        f"its {name} belongs to another sign-in": (
            name in claims and claims[name] != _half_hash(value, str(header.get("alg")))
        )
        for name, value in bound_to.items()
    }


def _half_hash(value: str, algorithm: str) -> str:
    """Return the left half of the signature's hash; with Ed25519 that is SHA-512."""
    digest = hashlib.new(
        "sha512" if algorithm == "EdDSA" else f"sha{algorithm[-3:]}", value.encode()
    ).digest()
    return urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode()


def _misfits(provider: OidcClient, claims: Mapping[str, Any], nonce: str) -> dict[str, bool]:
    subject = claims.get("sub")
    return {
        "it comes from another issuer (iss)": claims.get("iss") != provider.issuer,
        "it is meant for another application (aud)": (
            claims.get("aud") not in (provider.client_id, [provider.client_id])
        ),
        "it was issued to another application (azp)": (
            claims.get("azp", provider.client_id) != provider.client_id
        ),
        "it doesn't belong to this sign-in (nonce)": not nonce or claims.get("nonce") != nonce,
        "its subject is missing or invalid (sub)": (
            not isinstance(subject, str)
            or not 0 < len(subject) <= MAX_SUBJECT_LENGTH
            or bool(CONTROL.search(subject))
        ),
    }


def _wrong_times(claims: Mapping[str, Any]) -> dict[str, bool]:
    now = clock.now().timestamp()
    issued, expires, begins, signed_in = (
        claim_time(claims, name) for name in ("iat", "exp", "nbf", "auth_time")
    )
    return {
        "its nbf claim isn't a time": "nbf" in claims and begins is None,
        "it has expired": expires is None or expires + CLOCK_SKEW_SECONDS < now,
        "it is too old": issued is None or issued + MAX_TOKEN_AGE_SECONDS < now,
        "it isn't valid yet": (
            max(issued or 0, begins or 0, signed_in or 0) > now + CLOCK_SKEW_SECONDS
        ),
    }


def _check_freshness(claims: Mapping[str, Any], max_age: int) -> None:
    """Raise TokenRefused unless `auth_time` is there and recent.

    It matters only if `max_age` was sent (OpenID Connect Core 2).
    """
    signed_in = claim_time(claims, "auth_time")
    if signed_in is None:
        what = (
            "sent no auth_time claim"
            if "auth_time" not in claims
            else "sent an auth_time claim that isn't a time"
        )
        raise TokenRefused(
            f"The identity provider {what}, so Meridian can't tell that you signed in just now.",
            remedy=(
                "At the provider, add auth_time to the ID token, as the time of the sign-in in"
                " seconds since 1970. Providers must send it when max_age is requested, as Meridian"
                " does here."
            ),
        )
    if signed_in + max_age + CLOCK_SKEW_SECONDS < clock.now().timestamp():
        raise TokenRefused(
            "The identity provider didn't ask you to sign in again: by its auth_time claim, you"
            f" signed in more than {plural(max_age // 60, 'minute')} ago.",
            remedy=(
                "At the provider, allow applications to ask for a new sign-in (prompt=login and"
                " max_age)."
            ),
        )


def claim_time(claims: Mapping[str, Any], name: str) -> float | None:
    """Return seconds since 1970, or None if the claim is missing or no time.

    Text, true, NaN and the year 6325 are no times.
    """
    value = claims.get(name)
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not 0 < value < MAX_TIMESTAMP
    ):
        return None
    return float(value)


def verify_signature(
    provider: OidcClient, document: Mapping[str, Any], raw: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return (header, claims) of a token signed by a key of this issuer.

    A key that the issuer has only just published counts.
    """
    advertised = listed_values(document, "id_token_signing_alg_values_supported", ("RS256",))
    algorithms = [name for name in ALGORITHMS if name in advertised]
    if not algorithms:  # An empty list would mean joserfc's own, which includes HS256.
        raise ProviderFault(
            "The identity provider offers no signing algorithm that Meridian accepts:"
            f" {', '.join(ALGORITHMS)}."
        )
    try:
        try:
            return _decoded(provider, document, raw, algorithms, METADATA_TTL_SECONDS)
        except (InvalidKeyIdError, ValueError):
            return _decoded(provider, document, raw, algorithms, MIN_KEY_REFRESH_SECONDS)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TokenRefused(
            "The ID token was rejected: its signature doesn't prove who issued it."
        ) from error


def _decoded(
    provider: OidcClient,
    document: Mapping[str, Any],
    raw: str,
    algorithms: list[str],
    older_than: float,
) -> tuple[dict[str, Any], dict[str, Any]]:
    found = get_json(
        document["jwks_uri"],
        "signing keys",
        older_than=older_than,
        private_origin=provider.private_origin,
    )
    keys = KeySet.import_key_set(found)  # type: ignore[arg-type]  # joserfc checks the form
    token = jwt.decode(raw, keys, algorithms=algorithms)
    return dict(token.header), dict(token.claims)
