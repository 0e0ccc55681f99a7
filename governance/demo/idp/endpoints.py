"""The HTTP endpoints of one issuer."""

import secrets
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus, urlencode, urlsplit

from flask import Flask, make_response, redirect, render_template_string
from flask import request as http
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException

from governance.demo.idp.authorization_request import (
    SCOPES,
    UNREGISTERED,
    read_client,
    read_code_grant,
    read_request,
    suffices,
)
from governance.demo.idp.directory import Client
from governance.demo.idp.pages import CSS, PAGES
from governance.demo.idp.provider import (
    Logout,
    OAuthError,
    Pending,
    Provider,
    Request,
    Session,
    is_same,
)

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue
    from werkzeug.wrappers import Response

MAX_LISTED_PEOPLE = 12  # With more people than this, the page asks for an address instead.
POLICY = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action"
    " 'self'"
)
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


class Idp(Flask):
    """One issuer as a WSGI application. Its routes begin with the issuer's path.

    Its state is in `provider`.
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
        client, redirect_uri = read_client(self.provider, given)
        try:
            request = read_request(self.provider, given, client, redirect_uri)
            return self._answer(request)
        except OAuthError as refusal:
            problem = {"error": refusal.error, "error_description": refusal.why}
            return self._back(redirect_uri, given.get("state"), problem)

    def _answer(self, request: Request) -> "ResponseReturnValue":
        session = self._session()
        if session is not None and suffices(request, session):
            return self._granted(request, session)
        if "none" in request.prompt:
            raise OAuthError("login_required", "No session answers the request.")
        return self._ask(request)

    def login(self) -> "ResponseReturnValue":
        token = http.form.get("csrf")
        request = self._asked(token, Request)
        email = http.form.get("email", "").strip().lower()
        person = self.provider.people.get(email)
        if person is None or not is_same(http.form.get("password", ""), person.password or ""):
            wrong = "address with this password" if self._passwords else "address"
            return self._ask(request, token, problem=f"No account has this {wrong}."), 403
        self.provider.pending.take(token)
        cookie, session = self.provider.sign_in(person, self._session())
        self.provider.sessions.take(http.cookies.get(SESSION_COOKIE))
        answer = self._granted(request, session)
        answer.set_cookie(SESSION_COOKIE, cookie, **self._cookie)
        return answer

    def cancel(self) -> "ResponseReturnValue":
        request = self._asked(http.args.get("csrf"), Request)
        self.provider.pending.take(http.args.get("csrf"))
        problem = {"error": "access_denied", "error_description": "The sign-in was cancelled."}
        return self._back(request.redirect_uri, request.state, problem)

    def _granted(self, request: Request, session: Session) -> "Response":
        return self._back(
            request.redirect_uri, request.state, {"code": self.provider.code(request, session)}
        )

    def _back(self, redirect_uri: str, state: str | None, answer: Mapping[str, str]) -> "Response":
        """Redirect to the application's registered address, naming the issuer (RFC 9207)."""
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
            and f"No account has the address {request.login_hint}."
        )
        page = self._page(
            "login",
            csrf=csrf,
            client=request.client,
            hinted=hinted,
            problem=problem or unknown,
            people=listed if len(listed) <= MAX_LISTED_PEOPLE else [],
            cancel=f"{self.base}/cancel?{urlencode({'csrf': csrf})}",
            by_address=not hinted and (len(listed) > MAX_LISTED_PEOPLE or self._passwords),
            passwords=self._passwords,
        )
        page.set_cookie(BROWSER_COOKIE, browser, **self._cookie)
        return page

    def _asked[A: (Request, Logout)](self, csrf: str | None, kind: type[A]) -> A:
        """Return the request that the submitted page was for.

        Raises OAuthError if the page expired, or if another browser or site submits it.
        """
        pending = self.provider.pending.see(csrf)
        browser = http.cookies.get(BROWSER_COOKIE, "")
        own = http.headers.get("Origin", self.origin) == self.origin
        if own and pending and is_same(browser, pending.browser) and isinstance(pending.asks, kind):
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
            return self.provider.redeem(client, *read_code_grant(http.form))
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
            raise OAuthError("invalid_request", "The request authenticates the client in two ways.")
        if basic is not None and basic.type == "basic":
            name, secret = unquote_plus(basic.username or ""), unquote_plus(basic.password or "")
        else:
            name, secret = http.form.get("client_id", ""), posted or ""
        client = self.provider.clients.get(name)
        known = is_same(secret, client.secret if client else secrets.token_urlsafe())
        if client is None or not known:
            raise OAuthError("invalid_client", "The client id or secret is wrong.", 401)
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
            raise OAuthError("invalid_request", "id_token_hint wasn't issued here.")
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
        return self._page("rejected", refusal.status, why=refusal.why)

    def _not_served(self, error: HTTPException) -> "Response":
        return self._page("rejected", error.code or 500, why=f"{error.code} {error.name}")

    def _own_host_only(self) -> "ResponseReturnValue | None":
        """Reject other host names, which protects against DNS rebinding to loopback."""
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
