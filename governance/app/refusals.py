"""Error pages, and RFC 9457 problem JSON for programs."""

from urllib.parse import quote

import structlog
from flask import (
    Flask,
    Response,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from sqlalchemy.exc import DataError, DBAPIError
from werkzeug.exceptions import HTTPException

from governance.foundation.people import step_up
from governance.foundation.people.session_views import SignedInElsewhere
from governance.kernel.data import db
from governance.kernel.errors import (
    DomainError,
    Invalid,
    KeyNeeded,
    SignInNeeded,
    Stale,
    StepUpNeeded,
    TenantSuspended,
    TooManyRequests,
    Unavailable,
)
from governance.kernel.web import responses

log = structlog.get_logger("refusals")

REMEDIES = {
    404: "Check the address, or go back.",
    413: "Send a smaller file, or add a link to the large one.",
    429: "Wait a second, then reload the page.",
    500: "Nothing was changed. If it happens again, send the operator the request number.",
    503: "Try again in a few minutes.",
}


def install(app: Flask) -> None:
    """Answer every error of the application here."""
    for error in (DomainError, HTTPException, DBAPIError, Exception):
        app.register_error_handler(error, _refused)


def _refused(error: Exception) -> Response:
    status, sentence = _status_of(error)
    if isinstance(error, SignInNeeded) and _wants_page():
        return _to_sign_in(error)
    if isinstance(error, StepUpNeeded) and _wants_page():
        return make_response(step_up.ask())
    if not _wants_page():
        return _with_headers(error, _problem(error, status, sentence))
    changes = (
        [(n, then, now) for n, (then, now) in error.changes.items()]
        if isinstance(error, Stale)
        else []
    )
    context = {
        "status": status,
        "title": getattr(error, "title", None),
        "sentence": sentence,
        "changes": changes,
        "remedy": REMEDIES.get(status),
    }
    if isinstance(error, TenantSuspended):
        context |= _way_to_exports(error.slug)
    return _with_headers(error, make_response(render_template("refused.html", **context), status))


def _way_to_exports(slug: str) -> dict[str, str]:
    """Return the link to exports, the only page that admins of a suspended tenant can still use."""
    onward = url_for("tenant_exports.index", tenant=slug)
    return {
        "back": f"/login?tenant={quote(slug)}&next={quote(onward)}",
        "back_label": "Admins: download an export",
    }


def _with_headers(error: Exception, answer: Response) -> Response:
    """Add the error's own headers: `Allow` with 405, `Retry-After` where the error has one."""
    if isinstance(error, TooManyRequests):
        answer.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, HTTPException):
        answer.headers.update(
            {name: value for name, value in error.get_headers() if name != "Content-Type"}
        )
    return answer


def _problem(error: Exception, status: int, sentence: str) -> Response:
    """Return the problem JSON (RFC 9457); a missing API key gets the challenge of RFC 6750."""
    field = getattr(error, "field", None)
    body = jsonify(
        type="about:blank",
        title=sentence,
        status=status,
        request_id=g.get("request_id"),
        **({"field": field} if field else {}),
    )
    body.headers["Content-Type"] = "application/problem+json"
    if isinstance(error, KeyNeeded):
        body.headers["WWW-Authenticate"] = 'Bearer realm="console"' + (
            f', error="{error.reason}"' if error.reason else ""
        )
    return make_response(body, status)


def _status_of(error: Exception) -> tuple[int, str]:
    if isinstance(error, DomainError):
        return error.status, error.message
    if isinstance(error, HTTPException):
        return error.code or 500, SENTENCES.get(
            error.code or 500, error.description or "The request was rejected."
        )
    if isinstance(error, DBAPIError) and (
        error.connection_invalidated or "OperationalError" in type(error).__name__
    ):
        db.engine().dispose()
        return (
            Unavailable.status,
            (
                "Meridian lost the connection to its database. Nothing was changed; try again in a"
                " moment."
            ),
        )
    if isinstance(error, DataError):
        return Invalid.status, "A number or date in this request is too large."
    log.error("unhandled", exc_info=error, path=responses.logged_path())
    return 500, "Something went wrong in Meridian."


SENTENCES = {
    404: "This page doesn't exist, or you don't have access to it.",
    405: "This address doesn't accept this kind of request.",
    413: "This is too large to upload here. Nothing was saved.",
    400: "Meridian can't read this request.",
}


def _wants_page() -> bool:
    if responses.is_for_machines() or request.path.startswith(
        ("/api/", "/audit/", "/ofrep/", "/policy/", "/scim/")
    ):
        return False
    best = request.accept_mimetypes.best_match(
        ["text/html", "application/json"], default="text/html"
    )
    return best == "text/html"


def _to_sign_in(error: SignInNeeded) -> Response:
    slug = (request.view_args or {}).get("tenant")
    target = request.full_path.rstrip("?") if request.method == "GET" else "/"
    where = f"/login?next={quote(target)}"
    if isinstance(error, SignedInElsewhere) and slug:
        where = f"/login?tenant={quote(slug)}&next={quote(target)}"
    return make_response(redirect(where, 302))
