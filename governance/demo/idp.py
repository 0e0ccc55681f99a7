"""The demo's identity provider: real OpenID Connect, on loopback only, several issuers in one
process.

In order: who may sign in (Person, Client, PEOPLE), what is remembered (Session, Request, Grant,
Shelf), the protocol without HTTP (Provider), how an authorization request is read, the endpoints
(Idp), serving and the command line (create_idp, together, serve, main), the pages. Authorization
code with PKCE S256 only; nobody of one issuer exists in another.
"""

import argparse
import hashlib
import hmac
import json
import os
import re
import secrets
import socket
import sys
import threading
from base64 import urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote_plus, urlencode, urlsplit

import requests
from flask import Flask, make_response, redirect, render_template_string
from flask import request as http
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from governance.kernel import clock

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from flask.typing import ResponseReturnValue
    from werkzeug.wrappers import Response

LOOPBACK = {"127.0.0.1", "::1"}
CODE_SECONDS, TOKEN_SECONDS, LOGOUT_SECONDS, FORM_SECONDS, SESSION_SECONDS = (
    60,
    300,
    120,
    900,
    8 * 3600,
)
BACKCHANNEL_EVENT = "http://schemas.openid.net/event/backchannel-logout"
SCOPES = ["openid", "profile", "email", "groups"]
POLICY = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action"
    " 'self'"
)
UNREGISTERED = "The application asked to return to an address that is not registered."
SHOWN = 12  # more people than this get an address field instead of buttons

type Key = RSAKey | ECKey
type Claims = dict[str, Any]
type Mint = Callable[[dict[str, Any], Claims, Key], str]
type Deliver = Callable[[str, str], None]


# Who may sign in


@dataclass(frozen=True, slots=True)
class Person:
    """Someone an issuer knows.

    With no password, choosing the name is enough; `title` stands beside it.
    """

    sub: str
    email: str
    name: str
    groups: tuple[str, ...] = ()
    password: str | None = field(default=None, repr=False)
    title: str = ""
    email_verified: bool = True


@dataclass(frozen=True, slots=True)
class Client:
    """A console connected to the issuer. Every address is compared letter by letter."""

    id: str
    secret: str = field(repr=False)
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    name: str = ""
    alg: str = "RS256"


def _person(sub: str, email: str, name: str, group: str, title: str) -> Person:
    return Person(sub, email, name, (f"governance-{group}",), title=title)


PEOPLE: dict[str, tuple[Person, ...]] = {
    "acme": (
        _person("acme-1001", "admin@acme.example", "Sanjay Patel", "admins", "admin"),
        _person(
            "acme-1002", "officer@acme.example", "Ines Duarte", "officers", "compliance officer"
        ),
        _person(
            "acme-1003", "contributor@acme.example", "Anna Rossi", "contributors", "contributor"
        ),
        _person("acme-1004", "viewer@acme.example", "Maya Okafor", "viewers", "viewer"),
        _person("acme-1005", "jun.chen@acme.example", "Jun Chen", "officers", "compliance officer"),
        _person("acme-1007", "rosa.meyer@acme.example", "Rosa Meyer", "admins", "admin"),
    ),
    "audit": (
        _person(
            "audit-2001",
            "auditor@audit.example",
            "Harriet Lowe",
            "auditors",
            "auditor, Halden & Co",
        ),
    ),
    "globex": (
        _person("globex-3001", "admin@globex.example", "Tomas Lindqvist", "admins", "admin"),
        _person(
            "globex-3002", "officer@globex.example", "Priya Nair", "officers", "compliance officer"
        ),
    ),
    "console": (
        _person("console-4001", "operator@console.example", "Eva Brandt", "operators", "operator"),
        _person(
            "console-4002", "finance@console.example", "Leo Moreau", "finance", "operator finance"
        ),
    ),
}


# What is remembered, in memory only


@dataclass(slots=True, eq=False)
class Session:
    """One browser signed in at this issuer; `sid` stays the same when the person signs in
    afresh.
    """

    sid: str
    person: Person
    auth_time: int
    amr: list[str]
    clients: set[str] = field(default_factory=set)
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """An authorization request that passed every check. `max_age` in seconds."""

    client: Client
    redirect_uri: str
    state: str | None
    nonce: str | None
    challenge: str
    scope: str
    prompt: frozenset[str]
    max_age: int | None
    login_hint: str | None
    subject: str | None


@dataclass(slots=True, eq=False)
class Grant:
    """What a code stands for.

    Kept after use, so that a second use can revoke what the first one got.
    """

    request: Request
    session: Session
    auth_time: int
    amr: list[str]
    until: int
    spent: bool = False
    revoked: bool = False


@dataclass(frozen=True, slots=True)
class Logout:
    """A request to end the session, checked: where to go afterwards and whose token came with
    it.
    """

    redirect_uri: str | None
    state: str | None
    sid: str | None


@dataclass(frozen=True, slots=True)
class Pending:
    """A page waiting for an answer of one browser; its key is the page's CSRF token."""

    browser: str
    asks: Request | Logout


class TokenStore[T]:
    """Random token → value, for so many seconds; the oldest fall off when there are too many."""

    def __init__(self, seconds: int, most: int = 5000) -> None:
        self._seconds, self._most = seconds, most
        self._lock = threading.Lock()
        self._held: OrderedDict[str, tuple[int, T]] = OrderedDict()

    def put(self, value: T) -> str:
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._held[token] = (_seconds() + self._seconds, value)
            while len(self._held) > self._most:
                self._held.popitem(last=False)
        return token

    def see(self, token: str | None) -> T | None:
        with self._lock:
            return self._live(self._held.get(token or ""))

    def take(self, token: str | None) -> T | None:
        """The value, once."""
        with self._lock:
            return self._live(self._held.pop(token or "", None))

    def values(self) -> list[T]:
        with self._lock:
            return [value for until, value in self._held.values() if _seconds() < until]

    def _live(self, entry: tuple[int, T] | None) -> T | None:
        return entry[1] if entry and _seconds() < entry[0] else None


# The protocol, without HTTP


class OAuthError(Exception):
    """An OAuth error: its code, and a sentence for the developer or the person."""

    def __init__(self, error: str, why: str, status: int = 400) -> None:
        super().__init__(why)
        self.error, self.why, self.status = error, why, status


class NotLocal(Exception):
    """The provider was asked to serve something other than this machine."""


class Provider:
    """One issuer: its keys, people, clients, sessions, codes and tokens."""

    def __init__(
        self,
        issuer: str,
        people: Iterable[Person],
        clients: Iterable[Client],
        key: RSAKey | None,
        mint: Mint | None,
        deliver: Deliver | None,
    ) -> None:
        self.issuer = issuer
        self.people = {person.email.lower(): person for person in people}
        self.clients = {client.id: client for client in clients}
        self.keys = _new_keys(key)
        self.retired: list[Key] = []
        self.mint, self.deliver = mint or _sign, deliver or _post_logout_token
        self.sessions: TokenStore[Session] = TokenStore(SESSION_SECONDS)
        self.pending: TokenStore[Pending] = TokenStore(FORM_SECONDS)
        self.grants: TokenStore[Grant] = TokenStore(CODE_SECONDS + TOKEN_SECONDS)
        self.access: TokenStore[Grant] = TokenStore(TOKEN_SECONDS)
        self._redeeming = threading.Lock()

    # keys

    def rotate(self, *, keep: bool = True) -> None:
        """Sign with new keys from now on; the old public ones stay published unless `keep` is
        false.
        """
        self.retired = [*self.keys.values()] if keep else []
        self.keys = _new_keys(None)

    def jwks(self) -> Claims:
        return {
            "keys": [key.as_dict(private=False) for key in (*self.keys.values(), *self.retired)]
        }

    def verified(self, token: str) -> Claims | None:
        """The claims of an ID token this issuer once signed, expired or not; None for anything
        else.
        """
        try:
            keys = KeySet([*self.keys.values(), *self.retired])
            found = jwt.decode(token, keys, algorithms=["RS256", "ES256"])
        except (JoseError, ValueError):
            return None
        issued = found.header.get("typ") == "JWT" and found.claims.get("iss") == self.issuer
        return found.claims if issued else None

    # signing in

    def sign_in(self, person: Person, before: Session | None) -> tuple[str, Session]:
        """A new cookie value and the session it names.

        Somebody else's session in this browser ends.
        """
        same = before is not None and before.person == person and not before.ended
        if before is not None and not same:
            self.end(before)
        amr = ["pwd"] if person.password else ["user"]
        session = (
            before
            if same and before
            else Session(secrets.token_urlsafe(16), person, _seconds(), amr)
        )
        session.auth_time = _seconds()
        return self.sessions.put(session), session

    def code(self, request: Request, session: Session) -> str:
        session.clients.add(request.client.id)
        until = _seconds() + CODE_SECONDS
        return self.grants.put(Grant(request, session, session.auth_time, session.amr, until))

    # tokens

    def redeem(self, client: Client, code: str, redirect_uri: str, verifier: str) -> Claims:
        """The token response for a code; every attempt by its own client spends it."""
        grant = self.grants.see(code)
        if grant is None or grant.request.client.id != client.id:
            raise OAuthError("invalid_grant", "The code is unknown or has expired.")
        with self._redeeming:
            again, grant.spent = grant.spent, True
            grant.revoked = grant.revoked or again
        if again:
            raise OAuthError("invalid_grant", "The code was used before; what it gave is revoked.")
        if _seconds() >= grant.until or grant.session.ended:
            raise OAuthError("invalid_grant", "The code has expired.")
        asked = grant.request
        if not _same(redirect_uri, asked.redirect_uri) or not _same(
            _s256(verifier), asked.challenge
        ):
            raise OAuthError(
                "invalid_grant", "The redirect_uri or code_verifier is not that of the request."
            )
        return self._tokens(grant)

    def _tokens(self, grant: Grant) -> Claims:
        access = self.access.put(grant)
        return {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": TOKEN_SECONDS,
            "scope": grant.request.scope,
            "id_token": self._id_token(grant, access),
        }

    def _id_token(self, grant: Grant, access: str) -> str:
        client, now = grant.request.client, _seconds()
        nonce = {} if grant.request.nonce is None else {"nonce": grant.request.nonce}
        claims = {
            "iss": self.issuer,
            "aud": client.id,
            "azp": client.id,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "auth_time": grant.auth_time,
            "amr": grant.amr,
            "sid": grant.session.sid,
            "at_hash": _b64(hashlib.sha256(access.encode()).digest()[:16]),
            **nonce,
            **about(grant.session.person),
        }
        return self._signed(client, claims, "JWT")

    def _signed(self, client: Client, claims: Claims, typ: str) -> str:
        key = self.keys[client.alg]
        return self.mint({"alg": client.alg, "kid": key.kid, "typ": typ}, claims, key)

    def userinfo(self, token: str) -> Claims:
        grant = self.access.see(token)
        if grant is None or grant.revoked or grant.session.ended:
            raise OAuthError(
                "invalid_token", "The access token is unknown, expired or revoked.", 401
            )
        return about(grant.session.person)

    # signing out

    def end(self, session: Session) -> None:
        """End the session and tell every client that took part in it, over the back channel."""
        already, session.ended = session.ended, True
        for client in [] if already else [self.clients[name] for name in sorted(session.clients)]:
            if client.backchannel_logout_uri:
                self.deliver(client.backchannel_logout_uri, self.logout_token(client, session))

    def end_all(self, email: str) -> int:
        """End every session of a person, as an administrator of the issuer would; returns how
        many.
        """
        live = {
            s.sid: s
            for s in self.sessions.values()
            if s.person.email == email.lower() and not s.ended
        }
        for session in live.values():
            self.end(session)
        return len(live)

    def logout_token(self, client: Client, session: Session) -> str:
        now = _seconds()
        claims = {
            "iss": self.issuer,
            "aud": client.id,
            "iat": now,
            "exp": now + LOGOUT_SECONDS,
            "sub": session.person.sub,
            "sid": session.sid,
            "jti": secrets.token_urlsafe(16),
            "events": {BACKCHANNEL_EVENT: {}},
        }
        return self._signed(client, claims, "logout+jwt")


def about(person: Person) -> Claims:
    """What the issuer says of a person, in the ID token and at userinfo alike."""
    return {
        "sub": person.sub,
        "email": person.email,
        "email_verified": person.email_verified,
        "name": person.name,
        "groups": list(person.groups),
    }


def _new_keys(key: RSAKey | None) -> dict[str, Key]:
    rsa = key or RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)
    rsa.ensure_kid()
    return {
        "RS256": rsa,
        "ES256": ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True),
    }


def _sign(header: dict[str, Any], claims: Claims, key: Key) -> str:
    return jwt.encode(header, claims, key, algorithms=["RS256", "ES256"])


def _post_logout_token(uri: str, token: str) -> None:
    with requests.Session() as outside:
        outside.trust_env = False
        try:
            outside.post(uri, data={"logout_token": token}, timeout=2, allow_redirects=False)
        except requests.RequestException as failure:
            print(  # noqa: T201
                f"demo idp: no back-channel logout at {uri}: {type(failure).__name__}",
                file=sys.stderr,
            )


def _seconds() -> int:
    return int(clock.now().timestamp())


def _b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _s256(verifier: str) -> str:
    well_formed = re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", verifier)
    return _b64(hashlib.sha256(verifier.encode()).digest()) if well_formed else ""


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


# How an authorization request is read


def _client(provider: Provider, given: MultiDict[str, str]) -> tuple[Client, str]:
    """Client and redirect_uri; when they are wrong nothing is sent anywhere, the person reads
    why.
    """
    ids, uris = given.getlist("client_id"), given.getlist("redirect_uri")
    client = provider.clients.get(ids[0]) if len(ids) == 1 else None
    if client is None:
        raise OAuthError(
            "invalid_client", "This identity provider does not know the application that sent you."
        )
    if len(uris) != 1 or uris[0] not in client.redirect_uris:
        raise OAuthError("invalid_request", UNREGISTERED)
    return client, uris[0]


def _request(
    provider: Provider, given: MultiDict[str, str], client: Client, redirect_uri: str
) -> Request:
    _refuse_unsupported(given)
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


def _refuse_doubles(given: MultiDict[str, str]) -> None:
    if any(len(values) > 1 for _, values in given.lists()):
        raise OAuthError("invalid_request", "A parameter is given twice.")


def _code_grant(given: MultiDict[str, str]) -> tuple[str, str, str]:
    """Read code, redirect_uri and code_verifier of a token request."""
    _refuse_doubles(given)
    if given.get("grant_type") != "authorization_code":
        raise OAuthError("unsupported_grant_type", "Only authorization_code is supported.")
    return given.get("code", ""), given.get("redirect_uri", ""), given.get("code_verifier", "")


def _refuse_unsupported(given: MultiDict[str, str]) -> None:
    _refuse_doubles(given)
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
        raise OAuthError("invalid_request", "id_token_hint was not issued here.")
    return str(claims["sub"])


def _suffices(request: Request, session: Session | None) -> bool:
    """Whether the session answers the request without showing a page."""
    if session is None or request.prompt & {"login", "select_account"} or request.max_age == 0:
        return False
    fresh = request.max_age is None or _seconds() - session.auth_time <= request.max_age
    person = session.person
    hinted = request.login_hint is None or request.login_hint.lower() == person.email.lower()
    return fresh and hinted and request.subject in {None, person.sub}


# The endpoints


class Idp(Flask):
    """One issuer as a WSGI application; its routes begin with the issuer's path.

    State is in `provider`.
    """

    def __init__(self, provider: Provider) -> None:
        super().__init__("governance.demo.idp", static_folder=None, template_folder=None)
        self.provider = provider
        self.origin = "{0.scheme}://{0.netloc}".format(urlsplit(provider.issuer))
        self.base = urlsplit(provider.issuer).path
        self.config.update(MAX_CONTENT_LENGTH=64 * 1024, MAX_FORM_MEMORY_SIZE=64 * 1024)
        self.before_request(self._own_host_only)
        self.after_request(self._headers)
        self.register_error_handler(OAuthError, self._refused)
        self.register_error_handler(HTTPException, self._not_served)
        for path, view, methods in self._routes():
            self.add_url_rule(self.base + path, view.__name__, view, methods=methods)

    def _routes(self) -> list[tuple[str, Callable[[], "ResponseReturnValue"], list[str]]]:
        return [
            ("/.well-known/openid-configuration", self.metadata, ["GET"]),
            ("/jwks", self.provider.jwks, ["GET"]),
            ("/authorize", self.authorize, ["GET", "POST"]),
            ("/login", self.login, ["POST"]),
            ("/cancel", self.cancel, ["GET"]),
            ("/token", self.token, ["POST"]),
            ("/userinfo", self.userinfo, ["GET", "POST"]),
            ("/logout", self.logout, ["GET", "POST"]),
            ("/logout/confirm", self.confirm_logout, ["POST"]),
            ("/idp.css", self.stylesheet, ["GET"]),
        ]

    def metadata(self) -> "ResponseReturnValue":
        issuer = self.provider.issuer
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/authorize",
            "token_endpoint": f"{issuer}/token",
            "userinfo_endpoint": f"{issuer}/userinfo",
            "jwks_uri": f"{issuer}/jwks",
            "end_session_endpoint": f"{issuer}/logout",
            **CAPABILITIES,
        }

    # sign-in

    def authorize(self) -> "ResponseReturnValue":
        given = http.form if http.method == "POST" else http.args
        client, redirect_uri = _client(self.provider, given)
        try:
            request = _request(self.provider, given, client, redirect_uri)
            return self._answer(request)
        except OAuthError as refusal:
            problem = {"error": refusal.error, "error_description": refusal.why}
            return self._back(redirect_uri, given.get("state"), problem)

    def _answer(self, request: Request) -> "ResponseReturnValue":
        session = self._session()
        if session is not None and _suffices(request, session):
            return self._granted(request, session)
        if "none" in request.prompt:
            raise OAuthError("login_required", "No session answers the request.")
        return self._ask(request)

    def login(self) -> "ResponseReturnValue":
        token = http.form.get("csrf")
        request = self._asked(token, Request)
        email = http.form.get("email", "").strip().lower()
        person = self.provider.people.get(email)
        if person is None or not _same(http.form.get("password", ""), person.password or ""):
            wrong = "address with this password" if self._passwords else "address"
            return self._ask(request, token, problem=f"Nobody here has this {wrong}."), 403
        self.provider.pending.take(token)
        cookie, session = self.provider.sign_in(person, self._session())
        self.provider.sessions.take(http.cookies.get(SESSION_COOKIE))
        answer = self._granted(request, session)
        answer.set_cookie(SESSION_COOKIE, cookie, **self._cookie)
        return answer

    def cancel(self) -> "ResponseReturnValue":
        request = self._asked(http.args.get("csrf"), Request)
        self.provider.pending.take(http.args.get("csrf"))
        problem = {"error": "access_denied", "error_description": "The person did not sign in."}
        return self._back(request.redirect_uri, request.state, problem)

    def _granted(self, request: Request, session: Session) -> "Response":
        return self._back(
            request.redirect_uri, request.state, {"code": self.provider.code(request, session)}
        )

    def _back(self, redirect_uri: str, state: str | None, answer: Mapping[str, str]) -> "Response":
        """To the application's registered address, naming the issuer (RFC 9207)."""
        query = urlencode(
            {**answer, **({} if state is None else {"state": state}), "iss": self.provider.issuer}
        )
        return redirect(f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{query}", 303)

    def _ask(self, request: Request, token: str | None = None, problem: str = "") -> "Response":
        browser = http.cookies.get(BROWSER_COOKIE) or secrets.token_urlsafe(24)
        csrf = token or self.provider.pending.put(Pending(browser, request))
        hinted = self.provider.people.get((request.login_hint or "").lower())
        listed = (
            [hinted] if hinted else [p for p in self.provider.people.values() if not p.password]
        )
        unknown = (
            request.login_hint
            and not hinted
            and f"Nobody here has the address {request.login_hint}."
        )
        page = self._page(
            "login",
            csrf=csrf,
            client=request.client,
            hinted=hinted,
            problem=problem or unknown,
            people=listed if len(listed) <= SHOWN else [],
            cancel=f"{self.base}/cancel?{urlencode({'csrf': csrf})}",
            by_address=not hinted and (len(listed) > SHOWN or self._passwords),
            passwords=self._passwords,
        )
        page.set_cookie(BROWSER_COOKIE, browser, **self._cookie)
        return page

    def _asked[A: (Request, Logout)](self, csrf: str | None, kind: type[A]) -> A:
        """What the answered page was about; refuses an answer from another browser or another
        site.
        """
        pending = self.provider.pending.see(csrf)
        browser = http.cookies.get(BROWSER_COOKIE, "")
        own = http.headers.get("Origin", self.origin) == self.origin
        if own and pending and _same(browser, pending.browser) and isinstance(pending.asks, kind):
            return pending.asks
        raise OAuthError(
            "invalid_request", "This page expired or belongs to another browser. Start again.", 403
        )

    def _session(self) -> Session | None:
        session = self.provider.sessions.see(http.cookies.get(SESSION_COOKIE))
        return None if session is None or session.ended else session

    @property
    def _passwords(self) -> bool:
        return any(person.password for person in self.provider.people.values())

    @property
    def _cookie(self) -> dict[str, Any]:
        return {"path": self.base or "/", "httponly": True, "samesite": "Lax"}

    # tokens

    def token(self) -> "ResponseReturnValue":
        try:
            client = self._authenticated()
            return self.provider.redeem(client, *_code_grant(http.form))
        except OAuthError as refusal:
            return _json_refusal(refusal, "Basic")

    def userinfo(self) -> "ResponseReturnValue":
        scheme, _, token = http.headers.get("Authorization", "").partition(" ")
        try:
            return self.provider.userinfo(token if scheme.lower() == "bearer" else "")
        except OAuthError as refusal:
            return _json_refusal(refusal, "Bearer")

    def _authenticated(self) -> Client:
        basic, posted = http.authorization, http.form.get("client_secret")
        if basic is not None and posted is not None:
            raise OAuthError("invalid_request", "Two ways of client authentication at once.")
        if basic is not None and basic.type == "basic":
            name, secret = unquote_plus(basic.username or ""), unquote_plus(basic.password or "")
        else:
            name, secret = http.form.get("client_id", ""), posted or ""
        client = self.provider.clients.get(name)
        known = _same(secret, client.secret if client else secrets.token_urlsafe())
        if client is None or not known:
            raise OAuthError("invalid_client", "Client id or secret is wrong.", 401)
        return client

    # sign-out

    def logout(self) -> "ResponseReturnValue":
        asks = self._logout(http.form if http.method == "POST" else http.args)
        session = self._session()
        if session is None or session.sid == asks.sid:
            return self._signed_out(asks, session)
        browser = http.cookies.get(BROWSER_COOKIE) or secrets.token_urlsafe(24)
        csrf = self.provider.pending.put(Pending(browser, asks))
        page = self._page("logout", csrf=csrf, person=session.person)
        page.set_cookie(BROWSER_COOKIE, browser, **self._cookie)
        return page

    def confirm_logout(self) -> "ResponseReturnValue":
        token = http.form.get("csrf")
        asks = self._asked(token, Logout)
        self.provider.pending.take(token)
        return self._signed_out(asks, self._session())

    def _logout(self, given: MultiDict[str, str]) -> Logout:
        claims = self.provider.verified(given["id_token_hint"]) if "id_token_hint" in given else {}
        if claims is None:
            raise OAuthError("invalid_request", "id_token_hint was not issued here.")
        names = [str(name) for name in (claims.get("aud"), given.get("client_id")) if name]
        client = self.provider.clients.get(names[0]) if len({*names}) == 1 else None
        uri = given.get("post_logout_redirect_uri")
        registered = client.post_logout_redirect_uris if client else ()
        if len({*names}) > 1 or (uri is not None and uri not in registered):
            raise OAuthError("invalid_request", UNREGISTERED)
        return Logout(uri, given.get("state"), claims.get("sid"))

    def _signed_out(self, asks: Logout, session: Session | None) -> "Response":
        if session is not None:
            self.provider.end(session)
        query = "" if asks.state is None else urlencode({"state": asks.state})
        uri = asks.redirect_uri or ""
        glue = "" if not query else "&" if "?" in uri else "?"
        answer = redirect(uri + glue + query, 303) if uri else self._page("signed_out")
        answer.delete_cookie(SESSION_COOKIE, path=self.base or "/")
        return answer

    # everything else

    def stylesheet(self) -> "ResponseReturnValue":
        return CSS, {"Content-Type": "text/css; charset=utf-8"}

    def _page(self, name: str, status: int = 200, **context: Any) -> "Response":
        issuer = self.base.strip("/") or "demo"
        return make_response(
            render_template_string(PAGES[name], base=self.base, issuer=issuer, **context), status
        )

    def _refused(self, refusal: OAuthError) -> "Response":
        return self._page("refused", refusal.status, why=refusal.why)

    def _not_served(self, error: HTTPException) -> "Response":
        return self._page("refused", error.code or 500, why=f"{error.code} {error.name}")

    def _own_host_only(self) -> "ResponseReturnValue | None":
        """A name that someone rebound to loopback is not us."""
        return None if http.host == urlsplit(self.origin).netloc else ("Unknown host", 421)

    def _headers(self, response: "Response") -> "Response":
        clients = self.provider.clients.values()
        uris = {uri for c in clients for uri in (*c.redirect_uris, *c.post_logout_redirect_uris)}
        origins = sorted({"{0.scheme}://{0.netloc}".format(urlsplit(uri)) for uri in uris})
        response.headers.update(
            {
                "Content-Security-Policy": f"{POLICY} {' '.join(origins)}",
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
                "Referrer-Policy": "same-origin",
            }
        )
        return response


def _json_refusal(refusal: OAuthError, scheme: str) -> "ResponseReturnValue":
    challenge = f'{scheme} realm="demo", error="{refusal.error}"'
    headers = {"WWW-Authenticate": challenge} if refusal.status == HTTPStatus.UNAUTHORIZED else {}
    return {"error": refusal.error, "error_description": refusal.why}, refusal.status, headers


BROWSER_COOKIE, SESSION_COOKIE = "demo_idp_browser", "demo_idp_session"
CAPABILITIES: dict[str, Any] = {
    "response_types_supported": ["code"],
    "response_modes_supported": ["query"],
    "grant_types_supported": ["authorization_code"],
    "subject_types_supported": ["public"],
    "id_token_signing_alg_values_supported": ["RS256", "ES256"],
    "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
    "code_challenge_methods_supported": ["S256"],
    "scopes_supported": SCOPES,
    "claims_supported": [
        "iss",
        "sub",
        "aud",
        "azp",
        "exp",
        "iat",
        "auth_time",
        "nonce",
        "sid",
        "amr",
        "email",
        "email_verified",
        "name",
        "groups",
    ],
    "prompt_values_supported": ["none", "login", "select_account", "consent"],
    "authorization_response_iss_parameter_supported": True,
    "backchannel_logout_supported": True,
    "backchannel_logout_session_supported": True,
    "request_parameter_supported": False,
    "request_uri_parameter_supported": False,
    "claims_parameter_supported": False,
}


# Serving and the command line


def create_idp(
    issuer: str,
    people: Sequence[Person],
    clients: Sequence[Client],
    key: RSAKey | None = None,
    *,
    mint: Mint | None = None,
    deliver: Deliver | None = None,
) -> Idp:
    """Make the application of an issuer such as http://127.0.0.1:4400/acme; NotLocal if not on
    loopback.

    For tests, `mint(header, claims, key)` replaces signing and `deliver(uri, logout_token)` the
    back channel.
    """
    if urlsplit(issuer).hostname not in LOOPBACK or issuer.endswith("/"):
        raise NotLocal(f"The demo identity provider serves 127.0.0.1 or ::1 only, not {issuer}")
    _refuse_public_console()
    return Idp(Provider(issuer, people, clients, key, mint, deliver))


def rotate_keys(idp: Idp, *, keep: bool = True) -> None:
    """Sign with new keys from now on (see Provider.rotate)."""
    idp.provider.rotate(keep=keep)


def together(*idps: Idp) -> "WSGIApplication":
    """Several issuers as one WSGI application, told apart by the first part of the path."""
    by_path = {idp.base: idp for idp in idps}

    def dispatch(environ: "WSGIEnvironment", start: "StartResponse") -> Iterable[bytes]:
        idp = by_path.get("/" + environ.get("PATH_INFO", "").lstrip("/").split("/")[0])
        if idp is not None:
            return idp(environ, start)
        start("404 Not Found", [("Content-Type", "text/plain")])
        return [b"No issuer has this path"]

    return dispatch


@dataclass(frozen=True, slots=True)
class RunningProvider:
    """A provider that answers at `base` (http://127.0.0.1:PORT) until closed."""

    base: str
    server: BaseWSGIServer
    thread: threading.Thread

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join(5)
        self.server.server_close()


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Addresses carry codes and hints: nothing is logged."""


def listen(host: str = "127.0.0.1", port: int = 0) -> socket.socket:
    """A listening socket on loopback; port 0 takes a free one. NotLocal for any other address."""
    if host not in LOOPBACK:
        raise NotLocal(f"The demo identity provider serves 127.0.0.1 or ::1 only, not {host}")
    _refuse_public_console()
    return socket.create_server(
        (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET
    )


def base_of(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(
    app: "WSGIApplication",
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    on: socket.socket | None = None,
) -> RunningProvider:
    """Serve in a thread of this process; `on` is a socket from `listen`, closed at the end."""
    listening = on or listen(host, port)
    base = base_of(listening)
    address, number = listening.getsockname()[:2]
    if address not in LOOPBACK:
        raise NotLocal(f"The demo identity provider serves 127.0.0.1 or ::1 only, not {address}")
    server = make_server(
        address, number, app, threaded=True, request_handler=_Quiet, fd=listening.fileno()
    )
    listening.close()
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    return RunningProvider(base, server, thread)


def _refuse_public_console() -> None:
    public = os.environ.get("GOVERNANCE_PUBLIC_URL", "")
    if public and urlsplit(public).hostname not in {*LOOPBACK, "localhost"}:
        raise NotLocal(
            f"The demo identity provider does not start beside a public console ({public})"
        )


def configuration(clients: Mapping[str, Sequence[Client]]) -> dict[str, Any]:
    """Build the content of a configuration file for `main`: issuers of PEOPLE with these
    clients.
    """
    return {name: {"clients": [asdict(client) for client in own]} for name, own in clients.items()}


def configured(base: str, config: Mapping[str, Mapping[str, Any]]) -> "WSGIApplication":
    """All issuers of a configuration under `base`; an issuer without "people" has those of
    PEOPLE.
    """
    return together(
        *(
            create_idp(
                f"{base}/{name}", _people(name, parts), [_read(Client, c) for c in parts["clients"]]
            )
            for name, parts in config.items()
        )
    )


def _people(name: str, parts: Mapping[str, Any]) -> Sequence[Person]:
    return (
        [_read(Person, person) for person in parts["people"]] if "people" in parts else PEOPLE[name]
    )


def _read[R: (Person, Client)](kind: type[R], given: Mapping[str, Any]) -> R:
    parts: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in given.items()
    }
    return kind(**parts)


def main(argv: Sequence[str] | None = None) -> int:
    """`python -m governance.demo.idp --config FILE --port N`: prints its address as one line, then
    serves.
    """
    parser = argparse.ArgumentParser(
        prog="governance.demo.idp", description="The demo's identity provider"
    )
    parser.add_argument(
        "--config", type=Path, required=True, help="JSON: issuer → people and clients"
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args(argv)
    try:
        listening = listen(options.host, options.port)
        app = configured(base_of(listening), json.loads(options.config.read_text()))
    except (NotLocal, OSError) as refusal:
        print(refusal, file=sys.stderr)  # noqa: T201
        return 2
    serving = serve(app, on=listening)
    print(serving.base, flush=True)  # noqa: T201
    try:
        serving.thread.join()
    except KeyboardInterrupt:
        serving.close()
    return 0


# The pages

_FRAME = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>%(title)s</title><link rel="stylesheet" href="{{ base }}/idp.css"></head>
<body><main><p class="meta">Demo identity provider of {{ issuer }}</p>%(body)s
<p class="meta">Runs on this machine only. Every person here is made up.</p></main></body></html>"""

_LOGIN = """
<h1>{% if hinted %}Sign in as {{ hinted.name }}{% else %}Who signs in?{% endif %}</h1>
<p>{{ client.name or client.id }} learns name, address and groups.</p>
{% if problem %}<p class="problem" role="alert">{{ problem }}</p>{% endif %}
{% if people %}<form method="post" action="{{ base }}/login">
<input type="hidden" name="csrf" value="{{ csrf }}">
{% if hinted and hinted.password %}<label for="password">Password of {{ hinted.email }}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>{% endif %}
<ul>{% for person in people %}
<li><button name="email" value="{{ person.email }}">
{%- if hinted %}Continue as {{ person.name }}
{%- else %}{{ person.name }}{% if person.title %} — {{ person.title }}{% endif %}{% endif %}</button></li>
{% endfor %}
</ul></form>{% endif %}
{% if by_address %}<form method="post" action="{{ base }}/login">
<input type="hidden" name="csrf" value="{{ csrf }}">
<label for="email">Work address</label>
<input id="email" name="email" type="email" autocomplete="username" required>
{% if passwords %}<label for="secret">Password, if you have one</label>
<input id="secret" name="password" type="password" autocomplete="current-password">{% endif %}
<button>Sign in</button></form>{% endif %}
<p><a href="{{ cancel }}">Go back without signing in</a></p>"""

_LOGOUT = """<h1>Sign out {{ person.name }}?</h1>
<p>Every application that {{ person.name }} entered from this browser is told.</p>
<form method="post" action="{{ base }}/logout/confirm"><input type="hidden" name="csrf" value="{{ csrf }}">
<button>Sign out</button></form>"""

PAGES = {
    "login": _FRAME % {"title": "Sign in", "body": _LOGIN},
    "logout": _FRAME % {"title": "Sign out", "body": _LOGOUT},
    "signed_out": _FRAME % {"title": "Signed out", "body": "<h1>You are signed out</h1>"},
    "refused": (
        _FRAME
        % {
            "title": "Not signed in",
            "body": '<h1>Not signed in</h1><p role="alert">{{ why }}</p>',
        }
    ),
}

CSS = """:root { color-scheme: light dark; --ink: #12191f; --meta: #5f6b75; --sheet: #fff; --desk: #f1f3f5;
  --line: #d5dbe0; --control: #7c8791; --accent: #0b5a78; --bad: #a1201a; --bad-soft: #fce9e7; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6ecf0; --meta: #8c99a3; --sheet: #151b20;
  --desk: #0d1114;
  --line: #2b343b; --control: #74808a; --accent: #74c3e1; --bad: #f8a49c; --bad-soft: #361715; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 40px 16px; background: var(--desk); color: var(--ink);
  font: 14px/1.5 Inter, system-ui, sans-serif; }
main { max-width: 420px; margin: 0 auto; padding: 24px; background: var(--sheet);
  border: 1px solid var(--line); border-radius: 10px; }
h1 { margin: 4px 0 8px; font-size: 21px; font-weight: 600; letter-spacing: -0.02em; line-height: 1.25; }
p { margin: 0 0 16px; }
.meta { margin: 0; font-size: 12px; color: var(--meta); }
.problem { padding: 8px 12px; border-radius: 6px; background: var(--bad-soft); color: var(--bad); }
ul { list-style: none; margin: 0 0 16px; padding: 0; }
li { margin-bottom: 8px; }
button, input { width: 100%; min-height: 40px; padding: 8px 12px; font: inherit; color: inherit;
  text-align: left; background: transparent; border: 1px solid var(--control); border-radius: 6px; }
button { cursor: pointer; font-weight: 500; }
button:hover { border-color: var(--accent); color: var(--accent); }
label { display: block; margin: 8px 0 4px; font-size: 13px; font-weight: 500; }
input { margin-bottom: 12px; }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
"""


if __name__ == "__main__":
    sys.exit(main(cast("Sequence[str]", sys.argv[1:])))
