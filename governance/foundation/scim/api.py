"""`/scim/v2/…`: SCIM 2.0 by scim2-server, over the tenant of the key.

The server reads the protocol, applies PUT and PATCH, and evaluates ETags; storage.py is what it
reads and writes. Every error under /scim/ has SCIM's form (RFC 7644 section 3.12), the kernel's too.
"""

from http import HTTPStatus
from typing import Any
from uuid import UUID

import structlog
from flask import Response, current_app, g, jsonify, make_response, request
from scim2_models import InvalidFilterException, SCIMException
from scim2_server.handler import ScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import SCIM_MEDIA_TYPE, ScimResponse
from scim2_server.service import ScimService
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from governance.foundation.scim import call_actions, permissions
from governance.foundation.scim.schemas import MAX_BODY_BYTES, PROVIDER
from governance.foundation.scim.storage import DirectoryStorage
from governance.kernel import web
from governance.kernel.errors import DomainError, Invalid, KeyNeeded, TooLarge
from governance.kernel.feature import Feature, a_key_is_here
from governance.kernel.web import ResponseReturnValue

feature = Feature("scim_api", __name__, scope="machine")
PREFIX = "/scim/v2"
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
# What the page says of an error that the library found: its own words repeat what was sent.
PROBLEMS = {
    "invalidFilter": "The filter can't be read, or names an attribute that can't be searched.",
    "invalidSyntax": "The body isn't valid JSON or no SCIM message.",
    "invalidPath": "A PATCH names an attribute that doesn't exist.",
    "noTarget": "A PATCH names a value that isn't there.",
    "invalidValue": "A value is missing or has the wrong type.",
    "mutability": "The request changes an attribute that can't be changed.",
    "uniqueness": "The name is taken.",
    404: "There is no such user, group or address.",
    405: "The address doesn't take this method.",
    412: "The resource had changed (ETag).",
    413: "The body or the bulk request is too large.",
    415: "The body isn't JSON.",
    501: "The request uses a part of SCIM that Meridian doesn't offer.",
}
log = structlog.get_logger("scim")


class DirectoryService(ScimService):
    """scim2-server's rules, with unexpected errors in our log: a bulk request only answers 500."""

    def bulk_failure(self, outcome: dict[str, Any], exception: Exception) -> dict[str, Any]:
        if isinstance(exception, SCIMException):
            g.scim_problem = problem_of(exception)
        else:
            log.error("bulk operation failed", exc_info=exception)
            g.scim_problem = "Something went wrong in Meridian."
        return super().bulk_failure(outcome, exception)


SERVICE = DirectoryService(PROVIDER)
HANDLER = ScimHandler(SERVICE, DirectoryStorage())


@feature.url_value_preprocessor
def allow_body(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Only a key that may provision is allowed more bytes than a form has."""
    if request.method not in web.SAFE and a_key_is_here(permissions.PROVISION):
        web.allow_body(MAX_BODY_BYTES)


@feature.before_request
def receive() -> None:
    if request.method not in web.SAFE:
        g.scim_body = request.get_data(cache=False)


def note_call() -> None:
    """What the page of settings shows; the query isn't kept, since its filters name people."""
    call_actions.note(
        request.method, _shown_path(), g.get("scim_status", 500), g.get("scim_problem", "")
    )


def _shown_path() -> str:
    """The path with what is no id of ours left out: somebody may send a name there."""
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
    """Any request of SCIM; a failed one leaves nothing but a line on the page of settings."""
    asked = ScimRequest(
        method=request.method,
        base_url=f"{current_app.config['PUBLIC_URL']}{PREFIX}",
        path=f"/{address.removesuffix('.scim')}",
        query=request.args.to_dict(),
        headers=list(request.headers.items()),
        body=g.get("scim_body", b""),
    )
    try:
        answer = HANDLER.handle(asked)
    except RecursionError:
        g.scim_problem = PROBLEMS["invalidFilter"]
        answer = SERVICE.error_response(InvalidFilterException())
    except SCIMException as refused:
        g.scim_problem = problem_of(refused)
        answer = SERVICE.error_response(refused)
    g.scim_status = answer.status.value
    return _as_flask(answer)


def problem_of(refused: SCIMException) -> str:
    """A sentence of ours: it names nobody."""
    if isinstance(refused.__cause__, DomainError):
        return refused.detail
    error = refused.to_error()
    return PROBLEMS.get(error.scim_type or "") or PROBLEMS.get(
        error.status or 0, "The request was rejected."
    )


def _as_flask(answer: ScimResponse) -> Response:
    response = make_response(jsonify(answer.body) if answer.body is not None else "")
    response.status_code = answer.status.value
    response.headers.update(answer.headers)
    return response


@feature.errorhandler(DomainError)
def refused(error: DomainError) -> Response:
    """Who has no key, or the wrong one, gets SCIM's error too."""
    status = HTTPStatus.BAD_REQUEST if isinstance(error, Invalid) else error.status
    answer = _error(status, error.message)
    if isinstance(error, KeyNeeded):
        answer.headers["WWW-Authenticate"] = 'Bearer realm="SCIM"' + (
            f', error="{error.reason}"' if error.reason else ""
        )
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
    body.headers["Content-Type"] = SCIM_MEDIA_TYPE
    return make_response(body, status)
