"""Parts of every response, such as security headers, and checks of unsafe requests."""

import hashlib
import hmac
import ipaddress
import json
import re
import secrets
import time
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import structlog
from flask import Flask, Request, Response, current_app, g, request
from flask.typing import ResponseReturnValue as FlaskReturn
from prometheus_client import Counter, Histogram
from werkzeug.routing import IntegerConverter

from governance.kernel import current
from governance.kernel.errors import Forbidden, Invalid, NotFound, Unavailable
from governance.kernel.web import request_bodies
from governance.kernel.web.request_bodies import InterruptedBody

type ResponseReturnValue = FlaskReturn

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src"
    " 'self'; connect-src 'self'; form-action 'self'{idp}; base-uri 'none'; frame-ancestors {framed_by};"
    " object-src 'none'; report-uri /csp-report"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=()",
}
STRICT_TRANSPORT_SECURITY = "max-age=63072000; includeSubDomains"
REQUEST_ID = re.compile(r"[A-Za-z0-9-]{8,64}")
ANONYMOUS = "anonymous"
IS_FORGED = "is_forged"  # In g: the form of this request was not sent by one of our pages.
SAFE = {"GET", "HEAD", "OPTIONS"}
METHODS = SAFE | {"POST", "PUT", "PATCH", "DELETE"}
MAX_BODY_BYTES = 12 * 1024 * 1024
KEY_BYTES = 32  # Bytes of the key that a form token masks.
MAX_FORM_BYTES = (
    512 * 1024
)  # Limit for a form without files: beyond it there are only field names by the million.

requests_total = Counter(
    "governance_requests_total", "Requests answered", ["method", "endpoint", "status"]
)
request_seconds = Histogram(
    "governance_request_seconds",
    "Time to answer",
    ["endpoint"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
)
csp_reports = Counter(
    "governance_csp_reports_total", "Content-Security-Policy violations that browsers reported"
)
log = structlog.get_logger("web")


class ColumnInteger(IntegerConverter):
    """An integer in an address that fits a column of the database; others match nothing."""

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **{"max": 2**31 - 1, **options})


def install_hooks(app: Flask) -> None:
    """Install the request's start, its end, and the CSP report address."""
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_BODY_BYTES, MAX_FORM_MEMORY_SIZE=2 * 1024 * 1024, MAX_FORM_PARTS=2000
    )
    app.url_value_preprocessor(_arrive)  # The first function that Flask calls.
    app.before_request(_readable)
    app.before_request(_same_site)
    app.after_request(_leave)
    app.teardown_request(_gone)
    app.add_url_rule("/csp-report", "csp_report", _csp_report, methods=["POST"])


def _arrive(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    g.started = time.perf_counter()
    given = request.headers.get("X-Request-Id", "")
    number = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)
    structlog.contextvars.bind_contextvars(request_id=number)
    origin = current.coming_from(current.Origin(number, network_of(request.remote_addr or "")))
    origin.__enter__()
    g.request_id, g.origin = number, origin


def _gone(_error: BaseException | None) -> None:
    origin = g.pop("origin", None)
    if origin is not None:
        origin.__exit__(None, None, None)
    structlog.contextvars.clear_contextvars()


@lru_cache(1024)
def network_of(address: str) -> str:
    """Return the address as coarse as the log stores it: IPv4 /24 (also inside IPv6), IPv6 /48."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    ip = getattr(ip, "ipv4_mapped", None) or ip
    return str(ipaddress.ip_network(f"{ip}/{24 if ip.version == 4 else 48}", strict=False))  # noqa: PLR2004


def _readable() -> None:
    """Reject a NUL before a view gets it: no person types one, and PostgreSQL can't store one."""
    if (refused := request.environ.get(request_bodies.REFUSED)) is not None:
        raise refused
    if "\0" in request.path:
        raise NotFound("This page doesn't exist.")
    given = [*request.args.items(multi=True)]
    if request.method not in SAFE:
        if request.mimetype != "multipart/form-data":
            is_form = request.mimetype == "application/x-www-form-urlencoded"
            limit: int = MAX_FORM_BYTES if is_form else g.get("body_limit", MAX_FORM_BYTES)
            request.max_content_length = limit
        given += _form_items()
    if any("\0" in name or "\0" in value for name, value in given):
        raise Invalid(
            "The request contains a NUL character, which isn't allowed. Nothing was changed."
        )


def allow_body(limit: int) -> None:
    """Let the body of this request have so many bytes, unless it is a form.

    A feature's `url_value_preprocessor` calls it, for senders that may.
    """
    g.body_limit = limit


def _form_items() -> list[tuple[str, str]]:
    """Return the form's texts; its files go to temporary files, for which there must be room."""
    try:
        items = [*request.form.items(multi=True)]
    except OSError as error:
        raise Unavailable(
            f"The upload couldn't be stored ({error.strerror}). Nothing was saved."
        ) from error
    if (
        not items
        and not request.files
        and request.mimetype == "multipart/form-data"
        and request.content_length
    ):
        # Werkzeug returns an empty form for a body that it cannot parse.
        raise request_bodies.interrupted()
    if None in request.form or None in request.files:
        raise InterruptedBody(
            "A field of the form has no name. Nothing was saved; name every field and upload it"
            " again."
        )
    return items


def _same_site() -> None:
    """Reject a forged request: another site's page, or a form without the token of this session."""
    if request.method in SAFE or request.endpoint in {"csp_report", None} or _by_key():
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    if site == "cross-site" or (origin and origin != "null" and _host(origin) != request.host):
        setattr(g, IS_FORGED, True)
        raise Forbidden("This form was sent from another site. Nothing was changed.")
    sent = request.headers.get("X-CSRF-Token") or request.form.get("csrf_token", "")
    if not hmac.compare_digest(_unmasked(sent), _form_key()):
        setattr(g, IS_FORGED, True)
        raise Forbidden(
            "This form is from an earlier session. Nothing was changed; reload the page and try"
            " again."
        )


def _host(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _by_key() -> bool:
    """Return whether the request proves itself by a key or token, not by a cookie.

    Machines use a bearer key; the back channel and the link of a digest use an encrypted token.
    """
    return is_for_machines() or request.path.startswith(
        ("/auth/back-channel/", "/digest/unsubscribe/")
    )


def is_for_machines() -> bool:
    """Return whether the address accepts only keys and reads no cookie."""
    return getattr(current_app.view_functions.get(request.endpoint or ""), "scope", "") == "machine"


def csrf_token() -> str:
    """Return the form token, bound to the session's cookie, or before sign-in to a random one.

    Each answer masks it differently, so that the length of a compressed one reveals nothing about
    it.
    """
    if "csrf_token" not in g:
        mask, key = secrets.token_bytes(KEY_BYTES), _form_key()
        g.csrf_token = (mask + _xor(mask, key)).hex()
    token: str = g.csrf_token
    return token


def _form_key() -> bytes:
    cookie = request.cookies.get(cookie_name("session")) or anonymous_token()
    key: bytes = current_app.config["CSRF_KEY"]
    return hmac.new(key, cookie.encode(), hashlib.sha256).digest()


def _unmasked(token: str) -> bytes:
    """Unmask a form token; return b"" if it is malformed."""
    try:
        sent = bytes.fromhex(token)
    except ValueError:
        return b""
    return _xor(sent[:KEY_BYTES], sent[KEY_BYTES:]) if len(sent) == 2 * KEY_BYTES else b""


def _xor(one: bytes, other: bytes) -> bytes:
    if len(one) != len(other):
        raise ValueError("a mask is as long as what it hides")
    mixed = int.from_bytes(one) ^ int.from_bytes(other)
    return mixed.to_bytes(len(one))


def anonymous_token() -> str:
    """Return the browser's random token, which binds a sign-in to the browser that started it."""
    if "anonymous" not in g:
        g.anonymous = request.cookies.get(cookie_name(ANONYMOUS)) or secrets.token_urlsafe(24)
    token: str = g.anonymous
    return token


def cookie_name(name: str) -> str:
    """Return the cookie's full name.

    `__Host-` binds a cookie to this host over TLS; plain loopback (the demo) has no TLS.
    """
    return f"__Host-{name}" if current_app.config["SECURE"] else name


def set_cookie(response: Response, name: str, value: str, *, max_age: int | None = None) -> None:
    response.set_cookie(
        cookie_name(name),
        value,
        max_age=max_age,
        path="/",
        secure=current_app.config["SECURE"],
        httponly=True,
        samesite="Lax",
    )


def _leave(response: Response) -> Response:
    asked, headers = _present_request(), response.headers
    given = {name.lower() for name, _value in headers}
    for name, value in HEADERS.items():
        if name.lower() not in given:
            headers.add(name, value)
    headers["Content-Security-Policy"] = CSP.format(
        idp=g.get("form_targets", ""),
        # A public page names the sites that may embed it.
        framed_by=g.get("frame_ancestors") or "'none'",
    )
    if current_app.config["SECURE"]:
        headers["Strict-Transport-Security"] = STRICT_TRANSPORT_SECURITY
    if asked.endpoint == "static":
        headers["Cache-Control"] = (
            "public, max-age=31536000, immutable" if "v" in asked.args else "no-cache"
        )
    else:
        headers.setdefault("Cache-Control", "no-store")
        headers.add("Vary", "Authorization" if is_for_machines() else "Cookie")
    if "anonymous" in g and cookie_name(ANONYMOUS) not in asked.cookies:
        set_cookie(response, ANONYMOUS, g.anonymous, max_age=3600)
    headers["X-Request-Id"] = g.get("request_id", "")
    _account(asked, response)
    return response


def _present_request() -> Request:
    """Return the request itself: each access through Flask's proxy takes as long as the read."""
    found: Request = request._get_current_object()  # type: ignore[attr-defined] # noqa: SLF001 - as Flask's docs
    return found


def _account(asked: Request, response: Response) -> None:
    seconds = time.perf_counter() - g.get("started", time.perf_counter())
    endpoint = asked.endpoint or "none"
    method = asked.method if asked.method in METHODS else "other"
    requests_total.labels(method, endpoint, response.status_code).inc()
    request_seconds.labels(endpoint).observe(seconds)
    if endpoint not in {"static", "health.healthz"}:
        log.info(
            "answered",
            method=asked.method,
            path=logged_path(),
            status=response.status_code,
            milliseconds=round(seconds * 1000, 1),
        )


def logged_path() -> str:
    """Return the route of this request, for the operator's log: a path may contain a token."""
    rule, tenant = request.url_rule, (request.view_args or {}).get("tenant")
    if rule is None:
        return "no route"
    return rule.rule.replace("<tenant>", tenant) if tenant else rule.rule


def _csp_report() -> FlaskReturn:
    """Count and log what a browser blocked on a page of ours, and store nothing."""
    csp_reports.inc()
    body = request.get_data(cache=False)[:4000]
    try:
        report: Any = json.loads(body)
    except (ValueError, RecursionError):
        report = {"unreadable": True}
    log.warning("csp report", report=report)
    return "", 204
