"""The demo's identity provider made hostile: real keys sign whatever the test wants.

    with HostileIdP.serving() as idp:                 # people of acme; idp.issuer, idp.client
        idp.attack("audience of another client")      # or idp.tamper = lambda claims, header: (…)
        callback = sign_in(authorization_url, "officer@acme.example")

ATTACKS: name → what it does to the provider. Meridian must reject every one.
"""

import hashlib
import hmac
import json
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import requests
from bs4 import BeautifulSoup
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from governance.demo.idp.directory import PEOPLE, Client, Person
from governance.demo.idp.endpoints import Idp
from governance.demo.idp.serving import RunningProvider, base_of, create_idp, listen, serve
from governance.kernel import clock

type Claims = dict[str, Any]
type Key = RSAKey | ECKey | str | None
type Tamper = Callable[[Claims, Claims], tuple[Claims, Claims, Key]]

CALLBACKS = tuple(
    f"http://localhost/auth/callback/{slug}" for slug in ("acme", "globex", "console", "initech")
)
CALLBACKS += tuple(f"{callback}/{number}" for callback in CALLBACKS for number in range(2, 6))
CLIENT = Client(
    "governance-console",
    "demo-client-secret-of-32-characters",
    CALLBACKS,
    ("http://localhost/login",),
    None,
)
BACK_CHANNEL = "http://schemas.openid.net/event/backchannel-logout"
SIGNING_KEY = RSAKey.generate_key(
    2048, {"use": "sig", "alg": "RS256"}, auto_kid=True
)  # Keys are slow to make, so there is one per test process.


class HostileIdP:
    """An issuer whose tokens, documents, redirects and availability a test can change.

    Hooks start harmless.

    - tamper(claims, header) -> (claims, header, key): ID tokens; key None = the real one, str =
      HMAC secret
    - tamper_logout: the same for logout tokens
    - documents[path suffix](json) -> json: discovery, jwks, token, userinfo responses
    - answer(query) -> query: the authorization response on its way to the callback
    - delay: seconds before every response; down: every response is a 503; stop(): the port refuses
    - logouts: (uri, logout_token) of every back-channel call; `deliver` also sends them if set
    """

    def __init__(self, issuer: str, people: Sequence[Person], clients: Sequence[Client]) -> None:
        self.issuer, self.client = issuer, clients[0]
        self.tamper: Tamper | None = None
        self.tamper_logout: Tamper | None = None
        self.documents: dict[str, Callable[[Claims], Claims]] = {}
        self.answer: Callable[[dict[str, str]], dict[str, str]] | None = None
        self.delay = 0.0
        self.down = False
        self.logouts: list[tuple[str, str]] = []
        self.deliver: Callable[[str, str], object] | None = None
        self.calls: list[str] = []
        self.idp: Idp = create_idp(
            issuer, people, clients, SIGNING_KEY, mint=self._mint, deliver=self._deliver
        )
        self._serving: RunningProvider | None = None

    @classmethod
    @contextmanager
    def serving(
        cls,
        name: str = "acme",
        people: Sequence[Person] | None = None,
        clients: Sequence[Client] = (CLIENT,),
    ) -> Generator["HostileIdP"]:
        """Yield a running provider with the demo's people of that name."""
        listening = listen()
        hostile = cls(
            f"{base_of(listening)}/{name}", PEOPLE[name] if people is None else people, clients
        )
        hostile._serving = serve(hostile, on=listening)
        try:
            yield hostile
        finally:
            hostile.stop()

    def attack(self, name: str) -> None:
        ATTACKS[name](self)

    def calm(self) -> None:
        """Make it honest again."""
        self.tamper = self.tamper_logout = self.answer = None
        self.documents.clear()
        self.delay, self.down = 0.0, False

    def stop(self) -> None:
        """Refuse connections from now on."""
        if self._serving is not None:
            self._serving.close()
        self._serving = None

    def rotate_keys(self, *, keep: bool = True) -> None:
        self.idp.provider.rotate(keep=keep)

    def end_all(self, email: str) -> int:
        """End a person's sessions as the issuer's administrator, which sends logout tokens."""
        return self.idp.provider.end_all(email)

    def logout_token(self, sid: str | None, sub: str = "acme-1002", **changes: Any) -> str:
        """Return a logout token signed by the real key. A change to None removes a claim."""
        event = {BACK_CHANNEL: {}}
        now = int(clock.now().timestamp())
        claims = {
            "iss": self.issuer,
            "aud": self.client.id,
            "iat": now,
            "exp": now + 120,
            "sub": sub,
            "sid": sid,
            "jti": secrets.token_urlsafe(),
            "events": event,
            **changes,
        }
        present = {name: value for name, value in claims.items() if value is not None}
        key = self.idp.provider.keys["RS256"]
        return forge_token(present, {"alg": "RS256", "kid": key.kid, "typ": "logout+jwt"}, key)

    def _mint(self, header: Claims, claims: Claims, key: RSAKey | ECKey) -> str:
        tamper = self.tamper_logout if header["typ"] == "logout+jwt" else self.tamper
        if tamper is None:
            return forge_token(claims, header, key)
        claims, header, other = tamper(dict(claims), dict(header))
        return forge_token(claims, header, key if other is None else other)

    def _deliver(self, uri: str, token: str) -> None:
        self.logouts.append((uri, token))
        if self.deliver is not None:
            self.deliver(uri, token)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        self.calls.append(path)
        time.sleep(self.delay)
        if self.down:
            start("503 Service Unavailable", [("Content-Type", "text/plain")])
            return [b"down"]
        seen: list[Any] = []
        body = b"".join(
            self.idp(environ, lambda status, headers, exc=None: seen.extend([status, headers]))
        )
        status, pairs = seen
        for suffix, change in self.documents.items():
            if path.endswith(suffix):
                body = json.dumps(change(json.loads(body))).encode()
                pairs = [(k, str(len(body)) if k == "Content-Length" else v) for k, v in pairs]
        start(status, [(k, self._bent(v) if k == "Location" else v) for k, v in pairs])
        return [body]

    def _bent(self, location: str) -> str:
        parts = urlsplit(location)
        if self.answer is None or parts.path == "/login":
            return location
        return parts._replace(query=urlencode(self.answer(dict(parse_qsl(parts.query))))).geturl()


# Driving the sign-in page, as a script or a browser without JavaScript would


def sign_in(
    url: str, email: str, browser: requests.Session | None = None, password: str = ""
) -> str:
    """Sign in from the authorization URL. Return the callback URL, not fetched.

    `browser` keeps the issuer's session.
    """
    browser = browser or requests.Session()
    page = browser.get(url, allow_redirects=False, timeout=60)
    if page.is_redirect:
        return page.headers["Location"]
    assert page.status_code == 200, page.text
    answer = browser.post(
        form_action(page),
        data={**hidden_fields_of(page), "email": email, "password": password},
        allow_redirects=False,
        timeout=60,
    )
    assert answer.is_redirect, answer.text
    return answer.headers["Location"]


def hidden_fields_of(page: requests.Response) -> dict[str, str]:
    form = BeautifulSoup(page.text, "html.parser").form
    return {str(i["name"]): str(i["value"]) for i in form.select("input[type=hidden]")}


def form_action(page: requests.Response) -> str:
    return urljoin(page.url, str(BeautifulSoup(page.text, "html.parser").form["action"]))


# Tokens nobody should accept


def forge_token(claims: Claims, header: Claims, key: RSAKey | ECKey | str) -> str:
    """Return a compact JWT with any header: alg none is unsigned, HS256 takes a str secret."""
    if header["alg"] == "none":
        return f"{_part(header)}.{_part(claims)}."
    if isinstance(key, str):
        signed = f"{_part(header)}.{_part(claims)}"
        return f"{signed}.{_b64(hmac.digest(key.encode(), signed.encode(), 'sha256'))}"
    return jwt.encode(header, claims, key, algorithms=["RS256", "ES256", "PS256"])


def half_hash(value: str) -> str:
    """Return `at_hash` or `c_hash` of a value, for a token signed by RS256."""
    return _b64(hashlib.sha256(value.encode()).digest()[:16])


def _part(data: Claims) -> str:
    return _b64(json.dumps(data).encode())


def _b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def change_claims(**changes: Any) -> Callable[[HostileIdP], None]:
    """Change claims. None removes one; a callable gets the honest value."""

    def tamper(honest: Claims, header: Claims) -> tuple[Claims, Claims, Key]:
        new = {k: v(honest.get(k)) if callable(v) else v for k, v in changes.items()}
        return {k: v for k, v in {**honest, **new}.items() if v is not None}, header, None

    return lambda idp: setattr(idp, "tamper", tamper)


def change_header(
    key: Callable[[HostileIdP], Key] = lambda _: None, **changes: Any
) -> Callable[[HostileIdP], None]:
    """Change the header, and optionally the key."""

    def arm(idp: HostileIdP) -> None:
        idp.tamper = lambda honest, old: (honest, {**old, **changes}, key(idp))

    return arm


def change_document(suffix: str, **changes: Any) -> Callable[[HostileIdP], None]:
    """Change members of a JSON response. None removes one."""

    def change(honest: Claims) -> Claims:
        return {k: v for k, v in {**honest, **changes}.items() if v is not None}

    return lambda idp: idp.documents.__setitem__(suffix, change)


def change_answer(**changes: str | None) -> Callable[[HostileIdP], None]:
    """Change the authorization response. None removes a parameter."""
    return lambda idp: setattr(
        idp,
        "answer",
        lambda honest: {k: v for k, v in {**honest, **changes}.items() if v is not None},
    )


def all_hooks(*attacks: Callable[[HostileIdP], None]) -> Callable[[HostileIdP], None]:
    return lambda idp: [attack(idp) for attack in attacks] and None


DISCOVERY = "/.well-known/openid-configuration"
EVIL = "https://evil.example"
STRANGER = RSAKey.generate_key(2048, auto_kid=True)


def _public_pem(idp: HostileIdP) -> str:
    return idp.idp.provider.keys["RS256"].as_pem(private=False).decode()


ATTACKS: dict[str, Callable[[HostileIdP], None]] = {
    "alg none": change_header(alg="none"),
    "a logout token's type": change_header(typ="logout+jwt"),
    "an access token's type": change_header(typ="at+jwt"),
    "at_hash of another access token": change_claims(at_hash=half_hash("another")),
    "at_hash that is none": change_claims(at_hash=5),
    "c_hash of another code": change_claims(c_hash=half_hash("another")),
    "c_hash that is empty": change_claims(c_hash=""),
    "alg none, advertised": all_hooks(
        change_header(alg="none"),
        change_document(DISCOVERY, id_token_signing_alg_values_supported=["RS256", "none"]),
    ),
    "HS256 with the public key": change_header(_public_pem, alg="HS256"),
    "HS256 with the public key, advertised": all_hooks(
        change_header(_public_pem, alg="HS256"),
        change_document(DISCOVERY, id_token_signing_alg_values_supported=["RS256", "HS256"]),
    ),
    "HS256 with the client secret": change_header(lambda idp: idp.client.secret, alg="HS256"),
    "unknown kid": change_header(lambda _: STRANGER, kid="unknown"),
    "known kid, foreign key": change_header(lambda _: STRANGER),
    "key in the header": change_header(
        lambda _: STRANGER, jwk=STRANGER.as_dict(private=False), kid=STRANGER.kid
    ),
    "audience of another client": change_claims(aud="other"),
    "audience of another client, azp ours": change_claims(aud="other", azp=CLIENT.id),
    "extra audience": change_claims(aud=[CLIENT.id, "other"]),
    "no audience": change_claims(aud=None),
    "azp of another client": change_claims(azp="other"),
    "wrong issuer": change_claims(iss=EVIL),
    "no issuer": change_claims(iss=None),
    "issuer of another tenant": change_claims(
        iss=lambda honest: str(honest).replace("/acme", "/globex")
    ),
    "metadata issuer wrong": change_document(DISCOVERY, issuer=EVIL),
    "nonce missing": change_claims(nonce=None),
    "nonce wrong": change_claims(nonce="wrong"),
    "no subject": change_claims(sub=None),
    "expired 100 seconds ago": change_claims(
        exp=lambda _: int(clock.now().timestamp()) - 100,
        iat=lambda _: int(clock.now().timestamp()) - 400,
    ),
    "no expiry": change_claims(exp=None),
    "issued in an hour": change_claims(
        iat=lambda _: int(clock.now().timestamp()) + 3600,
        exp=lambda _: int(clock.now().timestamp()) + 3900,
    ),
    "no ID token": change_document("/token", id_token=None),
    "userinfo of somebody else": change_document(
        "/userinfo", sub="acme-1001", email="admin@acme.example"
    ),
    "answer without issuer": change_answer(iss=None),
    "answer of another issuer": change_answer(iss=EVIL),
    "answer without state": change_answer(state=None),
    "answer with another state": change_answer(state="other"),
    "answer with an error": change_answer(code=None, error="server_error"),
    "down": lambda idp: setattr(idp, "down", True),
    "refuses connections": lambda idp: idp.stop(),
}
"""Attacks that are always rejected.

("userinfo of somebody else" matters only to a client that calls userinfo.)
"""

STEP_UP_ATTACKS: dict[str, Callable[[HostileIdP], None]] = {
    "stale auth_time": change_claims(auth_time=lambda _: int(clock.now().timestamp()) - 3600),
    "no auth_time": change_claims(auth_time=None),
    "auth_time in an hour": change_claims(auth_time=lambda _: int(clock.now().timestamp()) + 3600),
    "auth_time is text": change_claims(auth_time="now"),
    "auth_time is 0": change_claims(auth_time=0),
    "another person": change_claims(sub="acme-1001", email="admin@acme.example"),
}
"""Attacks that are rejected after a request for fresh authentication (max_age, prompt=login)."""
