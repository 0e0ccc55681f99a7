"""Checks of authorization and token requests (OpenID Connect Core 1.0 §3.1.2, RFC 7636)."""

import re

from werkzeug.datastructures import MultiDict

from governance.demo.idp.directory import Client
from governance.demo.idp.provider import OAuthError, Provider, Request, Session
from governance.demo.idp.token_store import now_seconds

SCOPES = ["openid", "profile", "email", "groups"]
UNREGISTERED = "The application asked to return to an address that is not registered."


def read_client(provider: Provider, given: MultiDict[str, str]) -> tuple[Client, str]:
    """Return the client and its redirect_uri.

    Raises OAuthError if either is wrong. The person then sees why, and nothing is redirected.
    """
    ids, uris = given.getlist("client_id"), given.getlist("redirect_uri")
    client = provider.clients.get(ids[0]) if len(ids) == 1 else None
    if client is None:
        raise OAuthError(
            "invalid_client", "This identity provider doesn't know the application that sent you."
        )
    if len(uris) != 1 or uris[0] not in client.redirect_uris:
        raise OAuthError("invalid_request", UNREGISTERED)
    return client, uris[0]


def read_request(
    provider: Provider, given: MultiDict[str, str], client: Client, redirect_uri: str
) -> Request:
    _check_supported(given)
    prompt = frozenset(given.get("prompt", "").split())
    if prompt - {"none", "login", "select_account", "consent"} or (
        "none" in prompt and len(prompt) > 1
    ):
        raise OAuthError(
            "invalid_request", "prompt may be none, or some of login, select_account, consent."
        )
    return Request(
        client,
        redirect_uri,
        given.get("state"),
        given.get("nonce"),
        _challenge(given),
        _scope(given),
        prompt,
        _max_age(given),
        given.get("login_hint"),
        _hinted_subject(provider, given),
    )


def _check_no_duplicates(given: MultiDict[str, str]) -> None:
    if any(len(values) > 1 for _, values in given.lists()):
        raise OAuthError("invalid_request", "A parameter appears twice.")


def read_code_grant(given: MultiDict[str, str]) -> tuple[str, str, str]:
    """Read code, redirect_uri and code_verifier of a token request."""
    _check_no_duplicates(given)
    if given.get("grant_type") != "authorization_code":
        raise OAuthError("unsupported_grant_type", "Only authorization_code is supported.")
    return given.get("code", ""), given.get("redirect_uri", ""), given.get("code_verifier", "")


def _check_supported(given: MultiDict[str, str]) -> None:
    _check_no_duplicates(given)
    for name in ("request", "request_uri"):
        if name in given:
            raise OAuthError(f"{name}_not_supported", f"{name} is not supported.")
    if given.get("response_type") != "code":
        raise OAuthError("unsupported_response_type", "Only response_type=code is supported.")
    if given.get("response_mode", "query") != "query":
        raise OAuthError("invalid_request", "Only response_mode=query is supported.")


def _challenge(given: MultiDict[str, str]) -> str:
    challenge = given.get("code_challenge", "")
    if given.get("code_challenge_method") != "S256" or not re.fullmatch(
        r"[A-Za-z0-9_-]{43}", challenge
    ):
        raise OAuthError(
            "invalid_request", "PKCE is required: code_challenge with code_challenge_method=S256."
        )
    return challenge


def _scope(given: MultiDict[str, str]) -> str:
    asked = given.get("scope", "").split()
    if "openid" not in asked:
        raise OAuthError("invalid_scope", "scope must contain openid.")
    return " ".join(scope for scope in SCOPES if scope in asked)


def _max_age(given: MultiDict[str, str]) -> int | None:
    value = given.get("max_age")
    if value is not None and not re.fullmatch(r"[0-9]{1,9}", value):
        raise OAuthError("invalid_request", "max_age is a number of seconds.")
    return None if value is None else int(value)


def _hinted_subject(provider: Provider, given: MultiDict[str, str]) -> str | None:
    if "id_token_hint" not in given:
        return None
    claims = provider.verified(given["id_token_hint"])
    if claims is None:
        raise OAuthError("invalid_request", "id_token_hint wasn't issued here.")
    return str(claims["sub"])


def suffices(request: Request, session: Session | None) -> bool:
    """Return whether the session answers the request without showing a page."""
    if session is None or request.prompt & {"login", "select_account"} or request.max_age == 0:
        return False
    fresh = request.max_age is None or now_seconds() - session.auth_time <= request.max_age
    person = session.person
    hinted = request.login_hint is None or request.login_hint.lower() == person.email.lower()
    return fresh and hinted and request.subject in {None, person.sub}
