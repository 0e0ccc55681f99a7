"""OpenID Connect as a strict relying party: code flow, PKCE S256, state, nonce, and nothing taken
on trust.

Authlib makes the token request and joserfc checks the signature; what Authlib's defaults would let
through (`alg: none` when discovery lists it, `aud` skipped when `azp` matches, `max_age` ignored, a
discovery document of another issuer) is checked here. See reference/security-and-reliability §3.3
and §8.1.
"""

import hashlib
import re
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from governance.foundation.people.provider_http import (
    ProviderFault,
    ask,
    careful,
    is_address,
    safe_url,
    send,
)
from governance.kernel import clock
from governance.kernel.errors import DomainError
from governance.kernel.formatting import plural

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
CLOCK_SKEW_SECONDS = 30
MAX_LOGOUT_TOKEN_AGE_SECONDS = 120
MAX_TOKEN_AGE_SECONDS = 600
MAX_TIMESTAMP = 2**37
METADATA_TTL_SECONDS = 300
MIN_KEY_REFRESH_SECONDS = 10
UNKNOWN_SIGN_IN_AGE_SECONDS = 3600
MAX_SUBJECT_LENGTH = 255
MAX_ADDRESS_LENGTH = 254
CANCELLED = {"access_denied", "login_required", "interaction_required", "consent_required"}
ABOUT_A_PERSON = ("email", "email_verified", "name")
BACK_CHANNEL = "http://schemas.openid.net/event/backchannel-logout"
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


# ---- what the provider says of itself

_remembered: dict[str, tuple[float, dict[str, Any]]] = {}
_lock = threading.Lock()


def forget_metadata() -> None:
    """Drop what is remembered of discovery documents and keys (tests, and "Test this
    connection").
    """
    with _lock:
        _remembered.clear()


def get_json(url: str, what: str, *, older_than: float = METADATA_TTL_SECONDS) -> dict[str, Any]:
    with _lock:
        held = _remembered.get(url)
    if held and time.monotonic() - held[0] < older_than:
        return held[1]
    answer = ask(url, what)
    with _lock:
        _remembered[url] = (time.monotonic(), answer)
    return answer


def discover(issuer: str) -> dict[str, Any]:
    """The discovery document, whose issuer must be exactly the configured one (ASVS 10.5.3)."""
    document = get_json(
        issuer.rstrip("/") + "/.well-known/openid-configuration", "discovery document"
    )
    if document.get("issuer") != issuer:
        raise ProviderFault(
            f"The discovery document names the issuer {str(document.get('issuer'))[:80]}, not"
            f" {issuer}.",
            field="issuer",
        )
    for needed in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not isinstance(document.get(needed), str):
            raise ProviderFault(f"The discovery document has no {needed}.", field="issuer")
    return document


def listed_values(
    document: Mapping[str, Any], member: str, default: tuple[str, ...] = ()
) -> list[str]:
    """A member that should be a list of words; anything else is an empty list."""
    found = document.get(member)
    if found is None:
        return list(default)
    return [str(item) for item in found] if isinstance(found, list) else []


# ---- to the provider and back


def authorization_url(
    provider: OidcClient,
    *,
    state: str,
    nonce: str,
    verifier: str,
    max_age: int | None = None,
    login_hint: str = "",
) -> str:
    """Where the browser goes to sign in.

    `max_age` in seconds asks for a sign-in that is no older, and for `auth_time`.
    """
    document = discover(provider.issuer)
    groups = " groups" if "groups" in listed_values(document, "scopes_supported") else ""
    query = {
        "response_type": "code",
        "client_id": provider.client_id,
        "redirect_uri": provider.redirect_uri,
        "scope": "openid email profile" + groups,
        "state": state,
        "nonce": nonce,
        "code_challenge": create_s256_code_challenge(verifier),
        "code_challenge_method": "S256",
    }
    query |= {"login_hint": login_hint} if login_hint else {}
    query |= {"prompt": "login", "max_age": str(max_age)} if max_age is not None else {}
    if not is_address(document["authorization_endpoint"]):
        raise ProviderFault(
            "The discovery document's authorization_endpoint isn't an HTTPS URL.",
            field="issuer",
        )
    return with_query(document["authorization_endpoint"], query)


def with_query(url: str, query: Mapping[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"


def refused_by_provider(error: str, description: str) -> TokenRefused:
    """The error that the provider sent instead of a code, in its own words."""
    if error in CANCELLED:
        return TokenRefused(
            "You canceled the sign-in at your company. Start again when you're ready."
        )
    words = (
        f"{one_line(error, 60)}: {one_line(description, 200)}"
        if description
        else one_line(error, 60)
    )
    return TokenRefused(
        f"The identity provider rejected the sign-in ({words}).",
        reason="The identity provider rejected the sign-in.",
    )


def redeem(
    provider: OidcClient,
    answer: Mapping[str, str],
    *,
    nonce: str,
    verifier: str,
    max_age: int | None = None,
) -> Identity:
    """Exchange the code and check the ID token; raises TokenRefused or ProviderFault."""
    document = discover(provider.issuer)
    named = answer.get("iss")
    if named != provider.issuer and (
        named is not None or document.get("authorization_response_iss_parameter_supported")
    ):
        raise TokenRefused(
            "The response came from a different identity provider. Start again from the sign-in"
            " page."
        )
    if not answer.get("code"):
        raise TokenRefused("The response has no sign-in code. Start again from the sign-in page.")
    tokens = _exchange(provider, document, answer["code"], verifier)
    raw = tokens.get("id_token")
    if not isinstance(raw, str):
        raise TokenRefused("The identity provider sent no ID token.")
    claims = check_id_token(
        provider, document, raw, nonce=nonce, max_age=max_age, bound_to=_bound_to(answer, tokens)
    )
    return _identity(provider, document, claims, raw, tokens)


def _bound_to(answer: Mapping[str, str], tokens: Mapping[str, Any]) -> dict[str, str]:
    """What came beside the ID token, by the claim that binds it: a wrong hash is another sign-in's
    token or code.
    """
    return {"at_hash": str(tokens.get("access_token", "")), "c_hash": answer["code"]}


def _exchange(
    provider: OidcClient, document: Mapping[str, Any], code: str, verifier: str
) -> dict[str, Any]:
    url = safe_url(document["token_endpoint"])
    client = careful(
        OAuth2Session(
            provider.client_id,
            provider.secret,
            token_endpoint_auth_method=client_authentication(document),
            redirect_uri=provider.redirect_uri,
        )
    )
    try:
        return dict(
            client.fetch_token(url, code=code, code_verifier=verifier, allow_redirects=False)
        )
    except requests.Timeout as error:
        raise ProviderFault(
            "The identity provider didn't respond in time. Try again in a minute."
        ) from error
    except (requests.ConnectionError, requests.HTTPError, OSError) as error:
        raise ProviderFault(
            "Meridian can't reach the identity provider. Try again, or ask your admin."
        ) from error
    except AuthlibBaseError as error:
        if error.error in {"invalid_client", "unauthorized_client"}:
            raise ProviderFault(
                "The identity provider rejected Meridian's client ID or secret. Ask your tenant"
                " admin to check both."
            ) from error
        raise TokenRefused(
            "The identity provider rejected the sign-in code. Start again from the sign-in page."
        ) from error
    except (
        ValueError,
        TypeError,
        AttributeError,
        KeyError,
    ) as error:  # Authlib on an answer of the wrong form
        raise TokenRefused(
            "Meridian can't read the identity provider's response to the sign-in code. Try again, or"
            " ask your admin."
        ) from error
    finally:
        client.close()


def client_authentication(document: Mapping[str, Any]) -> str:
    supported = listed_values(
        document, "token_endpoint_auth_methods_supported", ("client_secret_basic",)
    )
    return "client_secret_basic" if "client_secret_basic" in supported else "client_secret_post"


# ---- what the token must prove


def check_id_token(
    provider: OidcClient,
    document: Mapping[str, Any],
    raw: str,
    *,
    nonce: str,
    bound_to: Mapping[str, str],
    max_age: int | None = None,
) -> dict[str, Any]:
    """Check the signature by a key of the configured issuer, then each claim that binds the token
    to this sign-in.

    `bound_to` is what came beside the token, by the claim that must be its hash. Raises
    TokenRefused.
    """
    header, claims = verify_signature(document, raw)
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
    """Whether the token may be of that kind:

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
    """`at_hash` and `c_hash` are optional in the code flow; one that is there must be right (OpenID
    Connect Core 3.3.2.11).
    """
    return {
        f"its {name} belongs to another sign-in": (
            name in claims and claims[name] != _half_hash(value, str(header.get("alg")))
        )
        for name, value in bound_to.items()
    }


def _half_hash(value: str, algorithm: str) -> str:
    """The left half of the hash that goes with the signature; with Ed25519 that is SHA-512."""
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
        "it isn't valid yet": max(issued or 0, begins or 0, signed_in or 0)
        > now + CLOCK_SKEW_SECONDS,
    }


def _check_freshness(claims: Mapping[str, Any], max_age: int) -> None:
    """`auth_time` matters only where `max_age` was sent (OpenID Connect Core 2), and then it must
    be there and recent.
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
    """Seconds since 1970, or None where the claim is missing or no time (text, true, NaN, the year
    6325).
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
    document: Mapping[str, Any], raw: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """(header, claims) of a token signed by a key of this issuer; a key that it has only just
    published counts.
    """
    advertised = listed_values(document, "id_token_signing_alg_values_supported", ("RS256",))
    algorithms = [name for name in ALGORITHMS if name in advertised]
    if not algorithms:  # an empty list would mean joserfc's own, HS256 among them
        raise ProviderFault(
            "The identity provider offers no signing algorithm that Meridian accepts:"
            f" {', '.join(ALGORITHMS)}."
        )
    try:
        try:
            return _decoded(raw, document["jwks_uri"], algorithms, METADATA_TTL_SECONDS)
        except (InvalidKeyIdError, ValueError):
            return _decoded(raw, document["jwks_uri"], algorithms, MIN_KEY_REFRESH_SECONDS)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TokenRefused(
            "The ID token was rejected: its signature doesn't prove who issued it."
        ) from error


def _decoded(
    raw: str, keys_at: str, algorithms: list[str], older_than: float
) -> tuple[dict[str, Any], dict[str, Any]]:
    # joserfc checks the form
    keys = KeySet.import_key_set(get_json(keys_at, "signing keys", older_than=older_than))  # type: ignore[arg-type]
    token = jwt.decode(raw, keys, algorithms=algorithms)
    return dict(token.header), dict(token.claims)


def _identity(
    provider: OidcClient,
    document: Mapping[str, Any],
    claims: dict[str, Any],
    raw: str,
    tokens: Mapping[str, Any],
) -> Identity:
    wanted = (*ABOUT_A_PERSON, "groups") if provider.reads_groups else ABOUT_A_PERSON
    told = _userinfo(document, claims, tokens) if any(name not in claims for name in wanted) else {}
    facts = told | claims
    email = _address(facts.get("email"))
    return Identity(
        issuer=provider.issuer,
        subject=claims["sub"],
        email=email,
        email_verified=_is_verified(claims, told),
        name=one_line(facts.get("name"), 200) or email or claims["sub"],
        groups=_groups(facts.get("groups")),
        sid=one_line(claims.get("sid"), 255) or None,
        authenticated_at=_signed_in_at(claims),
        id_token=raw,
    )


def _userinfo(
    document: Mapping[str, Any], claims: Mapping[str, Any], tokens: Mapping[str, Any]
) -> dict[str, Any]:
    """What the userinfo endpoint says of the same person; nothing where the provider has none."""
    if not isinstance(document.get("userinfo_endpoint"), str):
        return {}
    bearer = {"Authorization": f"Bearer {tokens.get('access_token')}"}
    told = ask(document["userinfo_endpoint"], "user information", headers=bearer)
    if told.get("sub") != claims["sub"]:
        raise TokenRefused("The user information is about a different person.")
    return told


def _is_verified(claims: Mapping[str, Any], told: Mapping[str, Any]) -> bool | None:
    """What is said of the address itself: userinfo counts only where it names the address that the
    ID token names, or names it alone.
    """
    first = claims if "email" in claims else told
    said = first.get("email_verified")
    if said is None and told.get("email") == first.get("email"):
        said = told.get("email_verified")
    return None if said is None else said is True or said == "true"  # some providers send the word


def _groups(claim: Any) -> tuple[str, ...] | None:
    """Some providers send the only group as plain text."""
    if claim is None:
        return None
    named = [claim] if isinstance(claim, str) else claim if isinstance(claim, list) else []
    return tuple(one_line(str(each), 200) for each in named[:200])


def _signed_in_at(claims: Mapping[str, Any]) -> float:
    """Without a readable `auth_time` nobody knows how long ago it was: never recently enough for a
    step-up.
    """
    return claim_time(claims, "auth_time") or float(claims["iat"]) - UNKNOWN_SIGN_IN_AGE_SECONDS


def _address(value: Any) -> str:
    """In lower case; empty where it is longer than an address can be, since a part of it is another
    address.

    A letter that is no ASCII one never becomes one: the Kelvin sign in lower case would be a k.
    """
    address = one_line(value, MAX_ADDRESS_LENGTH + 1)
    if len(address) > MAX_ADDRESS_LENGTH:
        return ""
    return "".join(
        each.lower() if each.isascii() or not each.lower().isascii() else each for each in address
    )


def one_line(value: Any, longest: int) -> str:
    """Text of theirs on one line, without control characters, no longer than we keep."""
    return CONTROL.sub(" ", value).strip()[:longest] if isinstance(value, str) else ""


# ---- signing out


def logout_url(provider: OidcClient, id_token: str, back: str) -> str | None:
    """RP-initiated logout at the provider, where it offers that; None where it does not, or is
    away.
    """
    try:
        endpoint = discover(provider.issuer).get("end_session_endpoint")
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
    """A back-channel logout token → (subject, sid, jti); raises TokenRefused.

    Whether jti is new, the caller asks.

    Providers of today leave out `typ` (which is only recommended) and `exp` (which older drafts did
    not have). Neither is needed to bound a token: `iat` must be recent, and what makes it a logout
    token is its event and that it has no nonce.
    """
    header, claims = verify_signature(discover(provider.issuer), raw)
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


# ---- testing a connection


def diagnose(provider: OidcClient) -> list[dict[str, Any]]:
    """Test a connection without signing anyone in: each step with what was found, in words."""
    forget_metadata()
    says = "Discovery document"
    try:
        document = discover(provider.issuer)
    except ProviderFault as fault:
        return [_step(says, ok=False, detail=fault.message)]
    return [
        _step(says, ok=True, detail=provider.issuer),
        _signs(document),
        _keys(document),
        _client_known(provider, document),
        _pkce(document),
    ]


def _step(says: str, *, ok: bool, detail: str) -> dict[str, Any]:
    return {"says": says, "ok": ok, "detail": CONTROL.sub(" ", detail)[:300]}


def _signs(document: Mapping[str, Any]) -> dict[str, Any]:
    ours = [
        a
        for a in ALGORITHMS
        if a in listed_values(document, "id_token_signing_alg_values_supported", ("RS256",))
    ]
    return _step(
        "Signing algorithm",
        ok=bool(ours),
        detail=", ".join(ours) or f"None that Meridian accepts: {', '.join(ALGORITHMS)}.",
    )


def _pkce(document: Mapping[str, Any]) -> dict[str, Any]:
    announced = "S256" in listed_values(document, "code_challenge_methods_supported")
    found = _step(
        "PKCE with S256",
        ok=announced,
        detail="" if announced else "Not announced. Meridian uses it anyway.",
    )
    return found | {"optional": True}


def _keys(document: Mapping[str, Any]) -> dict[str, Any]:
    says = "Signing keys"
    try:
        # checked there
        keys = KeySet.import_key_set(get_json(document["jwks_uri"], "signing keys"))  # type: ignore[arg-type]
    except ProviderFault as fault:
        return _step(says, ok=False, detail=fault.message)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError):
        return _step(says, ok=False, detail="The response isn't a JSON Web Key Set.")
    count = len(keys.keys)
    return _step(says, ok=count > 0, detail="1 key" if count == 1 else f"{count} keys")


def _client_known(provider: OidcClient, document: Mapping[str, Any]) -> dict[str, Any]:
    """Offer a code that cannot exist:

    `invalid_grant` means that the client and its secret are right.
    """
    says = "Client ID and secret"
    body = {
        "grant_type": "authorization_code",
        "code": "connection-test",
        "redirect_uri": provider.redirect_uri,
        "code_verifier": "x" * 43,
    }
    proof: dict[str, Any] = {"auth": (provider.client_id, provider.secret)}
    if client_authentication(document) == "client_secret_post":
        proof, body = {}, body | {"client_id": provider.client_id, "client_secret": provider.secret}
    try:
        reply = send("POST", document["token_endpoint"], "token endpoint", data=body, **proof)
        answer = reply.json().get("error")
    except ProviderFault as fault:
        return _step(says, ok=False, detail=fault.message)
    except (ValueError, AttributeError):
        return _step(
            says, ok=False, detail=f"The token endpoint answered {reply.status_code} without JSON."
        )
    if answer in {
        "invalid_grant",
        "invalid_code",
    }:  # the second is glewlwyd's; a client that it does not know gets another
        return _step(says, ok=True, detail=provider.client_id)
    if answer in {"invalid_client", "unauthorized_client"}:
        return _step(
            says,
            ok=False,
            detail=(
                f"The provider rejected the client ID or secret ({answer}). Copy both from the"
                " provider again."
            ),
        )
    return _step(
        says,
        ok=False,
        detail=f"The token endpoint answered {str(answer or reply.status_code)[:80]}.",
    )
