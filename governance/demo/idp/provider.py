"""The protocol without HTTP: one issuer's keys, sessions, codes and tokens."""

import hashlib
import hmac
import re
import secrets
import sys
import threading
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import requests
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from governance.demo.idp.directory import Client, Person
from governance.demo.idp.token_store import TokenStore, now_seconds

CODE_SECONDS = 60
TOKEN_SECONDS = 300
LOGOUT_SECONDS = 120
FORM_SECONDS = 900
SESSION_SECONDS = 8 * 3600
BACKCHANNEL_EVENT = "http://schemas.openid.net/event/backchannel-logout"

type Key = RSAKey | ECKey
type Claims = dict[str, Any]
type Mint = Callable[[dict[str, Any], Claims, Key], str]
type Deliver = Callable[[str, str], None]


@dataclass(slots=True, eq=False)
class Session:
    """A browser session at this issuer. `sid` stays the same when the person signs in again."""

    sid: str
    person: Person
    auth_time: int
    amr: list[str]
    clients: set[str] = field(default_factory=set)
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """An authorization request that passed every check. `max_age` is in seconds."""

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
    """The grant that an authorization code represents.

    It is kept after use, so that a second use can revoke the tokens of the first.
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
    """A checked request to end the session: the address to return to, and the session of its token."""

    redirect_uri: str | None
    state: str | None
    sid: str | None


@dataclass(frozen=True, slots=True)
class Pending:
    """A page that awaits an answer from one browser. Its key is the page's CSRF token."""

    browser: str
    asks: Request | Logout


class OAuthError(Exception):
    """An OAuth error: its code, and a sentence for the developer or the person."""

    def __init__(self, error: str, why: str, status: int = 400) -> None:
        super().__init__(why)
        self.error, self.why, self.status = error, why, status


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
        """Sign with new keys from now on. Old public keys stay published unless `keep` is false."""
        self.retired = [*self.keys.values()] if keep else []
        self.keys = _new_keys(None)

    def jwks(self) -> Claims:
        return {
            "keys": [key.as_dict(private=False) for key in (*self.keys.values(), *self.retired)]
        }

    def verified(self, token: str) -> Claims | None:
        """Return the claims of an ID token that this issuer signed, even if it has expired.

        Returns None for anything else.
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
        """Return a new cookie value and its session.

        Another person's session in this browser ends.
        """
        same = before is not None and before.person == person and not before.ended
        if before is not None and not same:
            self.end(before)
        amr = ["pwd"] if person.password else ["user"]
        session = (
            before
            if same and before
            else Session(secrets.token_urlsafe(16), person, now_seconds(), amr)
        )
        session.auth_time = now_seconds()
        return self.sessions.put(session), session

    def code(self, request: Request, session: Session) -> str:
        session.clients.add(request.client.id)
        until = now_seconds() + CODE_SECONDS
        return self.grants.put(Grant(request, session, session.auth_time, session.amr, until))

    # tokens

    def redeem(self, client: Client, code: str, redirect_uri: str, verifier: str) -> Claims:
        """Return the token response for a code. Any attempt by the code's client uses it up."""
        grant = self.grants.see(code)
        if grant is None or grant.request.client.id != client.id:
            raise OAuthError("invalid_grant", "The code is unknown or has expired.")
        with self._redeeming:
            again, grant.spent = grant.spent, True
            grant.revoked = grant.revoked or again
        if again:
            raise OAuthError(
                "invalid_grant", "The code was used before, so its tokens are revoked."
            )
        if now_seconds() >= grant.until or grant.session.ended:
            raise OAuthError("invalid_grant", "The code has expired.")
        asked = grant.request
        if not is_same(redirect_uri, asked.redirect_uri) or not is_same(
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
        client, now = grant.request.client, now_seconds()
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
        """End the session, and notify every client that took part in it over the back channel."""
        already, session.ended = session.ended, True
        for client in [] if already else [self.clients[name] for name in sorted(session.clients)]:
            if client.backchannel_logout_uri:
                self.deliver(client.backchannel_logout_uri, self.logout_token(client, session))

    def end_all(self, email: str) -> int:
        """End every session of a person, as the issuer's administrator would. Return how many."""
        live = {
            s.sid: s
            for s in self.sessions.values()
            if s.person.email == email.lower() and not s.ended
        }
        for session in live.values():
            self.end(session)
        return len(live)

    def logout_token(self, client: Client, session: Session) -> str:
        now = now_seconds()
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
    """Return the claims about a person, for the ID token and the userinfo endpoint."""
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


def _b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _s256(verifier: str) -> str:
    well_formed = re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", verifier)
    return _b64(hashlib.sha256(verifier.encode()).digest()) if well_formed else ""


def is_same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())
