"""Answers to SCIM requests, by scim2-server.

The server reads the protocol, applies PUT and PATCH, and evaluates ETags; storage.py is what it
reads and writes. `g` learns the status and, in a sentence of ours, the problem.
"""

from typing import Any

import structlog
from flask import g
from scim2_models import InvalidFilterException, SCIMException
from scim2_server.handler import ScimHandler
from scim2_server.requests import ScimRequest
from scim2_server.responses import ScimResponse
from scim2_server.service import ScimService

from governance.foundation.scim.request_size import check_size
from governance.foundation.scim.schemas import PROVIDER
from governance.foundation.scim.storage import DirectoryStorage
from governance.kernel.errors import DomainError

# Sentences for the page about errors that the library found: its own words repeat what was sent.
PROBLEMS = {
    "invalidFilter": "The filter can't be read, has too many terms, or names an attribute that can't be searched.",
    "invalidSyntax": "The body isn't valid JSON or no SCIM message.",
    "invalidPath": "A PATCH names an attribute that doesn't exist.",
    "noTarget": "A PATCH names a value that isn't there.",
    "invalidValue": "A value is missing or has the wrong type.",
    "mutability": "The request changes an attribute that can't be changed.",
    "uniqueness": "The name is taken.",
    404: "There is no such user, group or address.",
    405: "The address doesn't take this method.",
    412: "The resource had changed (ETag).",
    413: "The body is too large, or has too many operations.",
    415: "The body isn't JSON.",
    501: "The request uses a part of SCIM that Meridian doesn't offer.",
}
log = structlog.get_logger("scim")


class DirectoryService(ScimService):
    """The rules of scim2-server; logs unexpected errors, since a bulk request only answers 500."""

    def bulk_failure(self, outcome: dict[str, Any], exception: Exception) -> dict[str, Any]:
        if isinstance(exception, SCIMException):
            g.scim_problem = problem_of(exception)
        else:
            log.error("bulk operation failed", exc_info=exception)
            g.scim_problem = "Something went wrong in Meridian."
        return super().bulk_failure(outcome, exception)


SERVICE = DirectoryService(PROVIDER)
HANDLER = ScimHandler(SERVICE, DirectoryStorage())


def answer(**asked: Any) -> ScimResponse:
    """Answer a request with the facts of ScimRequest, including a failed one."""
    try:
        check_size(asked["query"], asked["body"])
        answer = HANDLER.handle(ScimRequest(**asked))
    except RecursionError:
        g.scim_problem = PROBLEMS["invalidFilter"]
        answer = SERVICE.error_response(InvalidFilterException())
    except SCIMException as refused:
        g.scim_problem = problem_of(refused)
        answer = SERVICE.error_response(refused)
    g.scim_status = answer.status.value
    return answer


def problem_of(refused: SCIMException) -> str:
    """Return a sentence of ours, which names nobody."""
    if isinstance(refused.__cause__, DomainError):
        return refused.detail
    error = refused.to_error()
    return PROBLEMS.get(error.scim_type or "") or PROBLEMS.get(
        error.status or 0, "The request was rejected."
    )
