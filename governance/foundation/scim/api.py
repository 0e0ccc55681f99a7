"""`/scim/v2/…`: SCIM 2.0 over the tenant of the key.

protocol.py answers, and a worker loads it for the first request. Every error under /scim/ has
SCIM's form (RFC 7644 section 3.12), the kernel's too.
"""

from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import Response, current_app, g, jsonify, make_response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from governance.foundation.scim import call_actions, permissions
from governance.foundation.scim.body_size import MAX_BODY_BYTES
from governance.kernel.errors import DomainError, Invalid, KeyNeeded, TooLarge, TooManyRequests
from governance.kernel.web import responses
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue

if TYPE_CHECKING:
    from scim2_server.responses import ScimResponse

feature = Feature("scim_api", __name__, scope="machine")
PREFIX = "/scim/v2"
MEDIA_TYPE = "application/scim+json"
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
COLLECTIONS = {
    each.lower(): each
    for each in (
        "Users",
        "Groups",
        "Bulk",
        "Me",
        "Schemas",
        "ResourceTypes",
        "ServiceProviderConfig",
        ".search",
    )
}


@feature.url_value_preprocessor
def allow_body(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Allow more bytes than a form has; a key that may not provision was denied before."""
    if request.method not in responses.SAFE:
        responses.allow_body(MAX_BODY_BYTES)


@feature.before_request
def receive() -> None:
    if request.method not in responses.SAFE:
        g.scim_body = request.get_data(cache=False)


def note_call() -> None:
    """Record the call for the page of settings, without the query, whose filters name people."""
    call_actions.note(
        request.method, _shown_path(), g.get("scim_status", 500), g.get("scim_problem", "")
    )


def _shown_path() -> str:
    """Return the path without anything but our ids: somebody may send a name there."""
    segments = request.path.removeprefix(PREFIX).strip("/").split("/")
    return "/" + "/".join(_shown(each) for each in segments[:3] if each)


def _shown(segment: str) -> str:
    if (known := COLLECTIONS.get(segment.lower())) is not None:
        return known
    try:
        return str(UUID(segment))
    except ValueError:
        return "…"


@feature.route(
    f"{PREFIX}/<path:address>", methods=METHODS, needs=permissions.PROVISION, leaves=note_call
)
def serve(address: str) -> ResponseReturnValue:
    """Serve any SCIM request; a failed one leaves nothing but a line on the page of settings."""
    return _serve(f"/{address.removesuffix('.scim')}")


@feature.route(
    f"{PREFIX}/",
    methods=METHODS,
    needs=permissions.PROVISION,
    leaves=note_call,
    strict_slashes=False,
)
def search_everything() -> ResponseReturnValue:
    """Search users and groups at once (RFC 7644 section 3.4.2.1)."""
    return _serve("/")


def _serve(path: str) -> ResponseReturnValue:
    from governance.foundation.scim import protocol  # noqa: PLC0415 - loads pydantic and its models

    return _as_flask(
        protocol.answer(
            method=request.method,
            base_url=f"{current_app.config['PUBLIC_URL']}{PREFIX}",
            path=path,
            query=request.args.to_dict(),
            headers=list(request.headers.items()),
            body=g.get("scim_body", b""),
        )
    )


def _as_flask(answer: "ScimResponse") -> Response:
    response = make_response(jsonify(answer.body) if answer.body is not None else "")
    response.status_code = answer.status.value
    response.headers.update(answer.headers)
    return response


@feature.errorhandler(DomainError)
def refused(error: DomainError) -> Response:
    """Answer in SCIM's form of an error, also to a client without a key or with a wrong one."""
    status = HTTPStatus.BAD_REQUEST if isinstance(error, Invalid) else error.status
    answer = _error(status, error.message)
    if isinstance(error, KeyNeeded):
        answer.headers["WWW-Authenticate"] = 'Bearer realm="SCIM"' + (
            f', error="{error.reason}"' if error.reason else ""
        )
    if isinstance(error, TooManyRequests):
        answer.headers["Retry-After"] = str(error.retry_after)
    return answer


@feature.errorhandler(HTTPException)
def unreadable(error: HTTPException) -> Response:
    if isinstance(error, RequestEntityTooLarge):
        error_of_size = TooLarge(f"A body has at most {MAX_BODY_BYTES // 1024**2} MB.")
        return _error(error_of_size.status, error_of_size.message)
    status = error.code or 500
    return _error(status, HTTPStatus(status).phrase)


def _error(status: int, sentence: str) -> Response:
    body = jsonify(
        schemas=["urn:ietf:params:scim:api:messages:2.0:Error"],
        status=str(int(status)),
        detail=sentence,
    )
    body.headers["Content-Type"] = MEDIA_TYPE
    return make_response(body, status)
