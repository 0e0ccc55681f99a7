"""OpenID Connect as a strict relying party: code flow, PKCE S256, state, nonce, and nothing taken on trust.

Authlib makes the requests and joserfc checks the signature; what Authlib's defaults would let through
(`alg: none` when discovery lists it, `aud` skipped when `azp` matches, `max_age` ignored, a discovery
document of another issuer) is checked here. See reference/security-and-reliability §3.3 and §8.1.
"""

import ipaddress
import os
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from governance.kernel import clock
from governance.kernel.errors import DomainError

ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]
LEEWAY = 30
TIMEOUT = (3, 5)
REMEMBER_SECONDS = 300
MAX_ANSWER = 512 * 1024


class ProviderFault(DomainError):
    """The identity provider is away, slow, or answered nonsense. The sentence says which."""

    status = 503


class TokenRefused(DomainError):
    """What came back does not prove who is signing in."""

    status = 403


@dataclass(frozen=True, slots=True)
class Provider:
    """One tenant's client at one issuer."""

    issuer: str
    client_id: str
    secret: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Identity:
    """What the provider vouches for."""

    issuer: str
    subject: str
    email: str
    email_verified: bool
    name: str
    groups: tuple[str, ...]
    sid: str | None
    authenticated_at: float
    id_token: str


_remembered: dict[str, tuple[float, dict[str, Any]]] = {}
_lock = threading.Lock()


def forget() -> None:
    """Drop what is remembered of discovery documents and keys (tests, and "Test this connection")."""
    with _lock:
        _remembered.clear()


def safe_url(url: str) -> str:
    """https to a public address; plain http only to loopback, and only in the demo (no SSRF by settings)."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "http" and host in {"127.0.0.1", "localhost"} and os.environ.get("GOVERNANCE_DEMO") == "1":
        return url
    if parts.scheme != "https" or not host or parts.username:
        raise ProviderFault(f"{url[:80]} is not an https address.", field="issuer")
    try:
        addresses = {info[4][0] for info in socket.getaddrinfo(host, parts.port or 443, type=socket.SOCK_STREAM)}
    except OSError as error:
        raise ProviderFault(f"No server has the name {host}.", field="issuer") from error
    if any(not ipaddress.ip_address(str(a).split("%")[0]).is_global for a in addresses):
        raise ProviderFault(f"{host} leads to a private network, which the console does not call.", field="issuer")
    return url


def _get(url: str, what: str) -> dict[str, Any]:
    with _lock:
        held = _remembered.get(url)
    if held and time.monotonic() - held[0] < REMEMBER_SECONDS:
        return held[1]
    answer = _ask("GET", safe_url(url), what)
    with _lock:
        _remembered[url] = (time.monotonic(), answer)
    return answer


def _ask(method: str, url: str, what: str, **options: Any) -> dict[str, Any]:
    try:
        reply = requests.request(method, url, timeout=TIMEOUT, allow_redirects=False, stream=True, **options)
        content = reply.raw.read(MAX_ANSWER + 1, decode_content=True)
    except requests.Timeout as error:
        raise ProviderFault(f"The identity provider did not answer in time ({what}). Try again in a minute.") from error
    except (requests.RequestException, OSError) as error:
        raise ProviderFault(f"The identity provider cannot be reached ({what}). Try again, or ask your administrator.") from error
    if reply.status_code != 200 or len(content) > MAX_ANSWER:  # noqa: PLR2004
        raise ProviderFault(f"The identity provider answered {reply.status_code} to {what}.")
    try:
        answer = requests.models.complexjson.loads(content)
    except ValueError as error:
        raise ProviderFault(f"The identity provider's {what} is not JSON.") from error
    if not isinstance(answer, dict):
        raise ProviderFault(f"The identity provider's {what} has the wrong form.")
    return answer


def discover(issuer: str) -> dict[str, Any]:
    """The discovery document, whose issuer must be exactly the configured one (ASVS 10.5.3)."""
    document = _get(issuer.rstrip("/") + "/.well-known/openid-configuration", "its discovery document")
    if document.get("issuer") != issuer:
        raise ProviderFault(f"The discovery document names the issuer {str(document.get('issuer'))[:80]}, not {issuer}.", field="issuer")
    for needed in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        if not isinstance(document.get(needed), str):
            raise ProviderFault(f"The discovery document lacks {needed}.", field="issuer")
    return document


def authorization_url(
    provider: Provider, *, state: str, nonce: str, verifier: str, fresh: bool, login_hint: str = ""
) -> str:
    """Where the browser goes to sign in."""
    endpoint = discover(provider.issuer)["authorization_endpoint"]
    query = {
        "response_type": "code", "client_id": provider.client_id, "redirect_uri": provider.redirect_uri,
        "scope": "openid email profile", "state": state, "nonce": nonce,
        "code_challenge": create_s256_code_challenge(verifier), "code_challenge_method": "S256",
    }  # fmt: skip
    query |= {"login_hint": login_hint} if login_hint else {}
    query |= {"prompt": "login", "max_age": "0"} if fresh else {}
    return f"{safe_url(endpoint)}{'&' if '?' in endpoint else '?'}{urlencode(query)}"


def redeem(
    provider: Provider, answer: Mapping[str, str], *, nonce: str, verifier: str, max_age: int | None = None
) -> Identity:
    """Exchange the code and check the ID token; raises TokenRefused or ProviderFault."""
    document = discover(provider.issuer)
    named = answer.get("iss")
    if document.get("authorization_response_iss_parameter_supported") and named != provider.issuer:
        raise TokenRefused("The answer came from another identity provider than the one that was asked.")
    tokens = _exchange(provider, document, answer["code"], verifier)
    raw = tokens.get("id_token")
    if not isinstance(raw, str):
        raise TokenRefused("The identity provider sent no ID token.")
    claims = check(provider, document, raw, nonce=nonce, max_age=max_age)
    return _identity(provider, document, claims, raw, tokens)


def _exchange(provider: Provider, document: Mapping[str, Any], code: str, verifier: str) -> dict[str, Any]:
    url = safe_url(document["token_endpoint"])
    supported = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    method = "client_secret_basic" if "client_secret_basic" in supported else "client_secret_post"
    client = OAuth2Session(provider.client_id, provider.secret, token_endpoint_auth_method=method, redirect_uri=provider.redirect_uri)
    try:
        return dict(client.fetch_token(url, code=code, code_verifier=verifier, timeout=TIMEOUT, allow_redirects=False))
    except requests.Timeout as error:
        raise ProviderFault("The identity provider did not answer in time. Try again in a minute.") from error
    except (requests.RequestException, OSError) as error:
        raise ProviderFault("The identity provider cannot be reached. Try again, or ask your administrator.") from error
    except Exception as error:  # Authlib raises its own family, and plain ValueError for nonsense
        raise TokenRefused("The identity provider refused the sign-in code. Begin again from the sign-in page.") from error


def check(
    provider: Provider, document: Mapping[str, Any], raw: str, *, nonce: str, max_age: int | None = None
) -> dict[str, Any]:
    """Signature by a key of the configured issuer, then each claim that binds the token to this sign-in."""
    claims = _verified(document, raw)
    now = clock.now().timestamp()
    audience = claims.get("aud")
    audience = audience if isinstance(audience, list) else [audience]
    auth_time = claims.get("auth_time")
    refusals = {
        "it names another issuer": claims.get("iss") != provider.issuer,
        "it is meant for another application": audience != [provider.client_id],
        "it was given to another application": claims.get("azp", provider.client_id) != provider.client_id,
        "it does not belong to this sign-in": not nonce or claims.get("nonce") != nonce,
        "it names nobody": not isinstance(claims.get("sub"), str) or not claims.get("sub"),
        "it has expired": not isinstance(claims.get("exp"), int | float) or claims["exp"] + LEEWAY < now,
        "it is not valid yet": claims.get("nbf", claims.get("iat", 0)) > now + LEEWAY,
        "it is too old": not isinstance(claims.get("iat"), int | float) or claims["iat"] + 600 < now,
        "it does not say when the person signed in": max_age is not None and not isinstance(auth_time, int | float),
        "the person signed in too long ago": max_age is not None and isinstance(auth_time, int | float) and auth_time + max_age + LEEWAY < now,
    }  # fmt: skip
    for reason, is_so in refusals.items():
        if is_so:
            raise TokenRefused(f"The ID token was refused: {reason}.")
    return claims


def _verified(document: Mapping[str, Any], raw: str) -> dict[str, Any]:
    advertised = set(document.get("id_token_signing_alg_values_supported") or ["RS256"])
    algorithms = [name for name in ALGORITHMS if name in advertised]
    url = document["jwks_uri"]
    for last_try in (False, True):
        try:
            keys = KeySet.import_key_set(_get(url, "its signing keys"))  # type: ignore[arg-type]  # joserfc checks the form
            return dict(jwt.decode(raw, keys, algorithms=algorithms).claims)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            if last_try:
                raise TokenRefused("The ID token was refused: its signature does not prove who made it.") from error
            with _lock:  # the provider may have rotated its keys: ask once more
                _remembered.pop(url, None)
    raise AssertionError("unreachable")


def _identity(
    provider: Provider, document: Mapping[str, Any], claims: dict[str, Any], raw: str, tokens: Mapping[str, Any]
) -> Identity:
    facts = dict(claims)
    if "email" not in facts and document.get("userinfo_endpoint"):
        bearer = {"Authorization": f"Bearer {tokens.get('access_token')}"}
        told = _ask("GET", safe_url(document["userinfo_endpoint"]), "its user information", headers=bearer)
        if told.get("sub") != claims["sub"]:
            raise TokenRefused("The user information is about somebody else.")
        facts |= told
    email = str(facts.get("email", "")).lower()[:254]
    groups = facts.get("groups") if isinstance(facts.get("groups"), list) else []
    return Identity(
        issuer=provider.issuer, subject=str(claims["sub"])[:255], email=email,
        email_verified=facts.get("email_verified") is True, name=str(facts.get("name") or email or claims["sub"])[:200],
        groups=tuple(str(g)[:200] for g in groups or [])[:200], sid=str(claims["sid"])[:255] if claims.get("sid") else None,
        authenticated_at=float(claims.get("auth_time") or claims["iat"]), id_token=raw,
    )  # fmt: skip


def logout_url(provider: Provider, id_token: str, back: str) -> str | None:
    """RP-initiated logout at the provider, where it offers that."""
    try:
        endpoint = discover(provider.issuer).get("end_session_endpoint")
    except ProviderFault:
        return None
    if not isinstance(endpoint, str):
        return None
    query = {"id_token_hint": id_token, "client_id": provider.client_id, "post_logout_redirect_uri": back}
    return f"{endpoint}?{urlencode(query)}"


def check_logout_token(provider: Provider, raw: str) -> tuple[str | None, str | None, str]:
    """A back-channel logout token → (subject, sid, jti); raises TokenRefused."""
    claims = _verified(discover(provider.issuer), raw)
    audience = claims.get("aud")
    fit = (
        claims.get("iss") == provider.issuer
        and (audience == provider.client_id or audience == [provider.client_id])
        and "http://schemas.openid.net/event/backchannel-logout" in (claims.get("events") or {})
        and "nonce" not in claims
        and isinstance(claims.get("jti"), str)
        and abs(float(claims.get("iat", 0)) - clock.now().timestamp()) <= 120 + LEEWAY
        and (claims.get("sub") or claims.get("sid"))
    )
    if not fit:
        raise TokenRefused("The logout token was refused.")
    return claims.get("sub"), claims.get("sid"), str(claims["jti"])


def diagnose(provider: Provider) -> list[dict[str, Any]]:
    """Test a connection without signing anyone in: each step with what was found, in words."""
    forget()
    steps: list[dict[str, Any]] = []

    def step(says: str, ok: bool, detail: str = "") -> None:  # noqa: FBT001 - private
        steps.append({"says": says, "ok": ok, "detail": detail})

    try:
        document = discover(provider.issuer)
    except ProviderFault as fault:
        step("The issuer answers with its discovery document", ok=False, detail=fault.message)
        return steps
    step("The issuer answers with its discovery document", ok=True, detail=provider.issuer)
    algorithms = [a for a in ALGORITHMS if a in (document.get("id_token_signing_alg_values_supported") or [])]
    step("It signs with an algorithm that we accept", ok=bool(algorithms), detail=", ".join(algorithms) or "none of ours")
    pkce = "S256" in (document.get("code_challenge_methods_supported") or [])
    step("It announces PKCE with S256", ok=pkce, detail="" if pkce else "not announced; sign-in sends it all the same")
    try:
        keys = KeySet.import_key_set(_get(document["jwks_uri"], "its signing keys"))  # type: ignore[arg-type]  # checked there
        step("Its signing keys can be read", ok=len(keys.keys) > 0, detail=f"{len(keys.keys)} keys")
    except (ProviderFault, JoseError, ValueError, KeyError, TypeError) as fault:
        step("Its signing keys can be read", ok=False, detail=str(fault)[:200])
    step(*_client_known(provider, document))
    return steps


def _client_known(provider: Provider, document: Mapping[str, Any]) -> tuple[str, bool, str]:
    """Offer a code that cannot exist: `invalid_grant` means that the client and its secret are right."""
    says = "It knows this client and its secret"
    body = {"grant_type": "authorization_code", "code": "connection-test", "redirect_uri": provider.redirect_uri, "code_verifier": "x" * 43}
    try:
        reply = requests.post(safe_url(document["token_endpoint"]), data=body, auth=(provider.client_id, provider.secret),
                              timeout=TIMEOUT, allow_redirects=False)  # fmt: skip
        answer = reply.json().get("error", "")
    except (ProviderFault, requests.RequestException, ValueError):
        return says, False, "The token endpoint does not answer"
    if answer == "invalid_grant":
        return says, True, provider.client_id
    return says, False, f"The token endpoint answered {answer or reply.status_code}: check client id and secret"
