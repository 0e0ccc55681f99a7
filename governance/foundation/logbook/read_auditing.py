"""What an auditor or an operator looks at is itself an entry of the tenant whose it is, or he does
not get to see it.
"""

import structlog
from flask import Response, current_app, g, request

from governance.foundation.logbook import actions
from governance.kernel import current
from governance.kernel.access import OPERATOR_ROLES
from governance.kernel.current import Actor
from governance.kernel.db import transaction
from governance.kernel.errors import Unavailable
from governance.kernel.identity import OPERATOR_SLUG

LONGEST = 200
log = structlog.get_logger("watch")


def note_reading(response: Response) -> Response:
    """After the request's own transaction, in one of its own; a page that cannot be noted is not
    given.
    """
    who: Actor | None = g.get("actor")
    if who is None or not _is_to_be_noted(who, response):
        return response
    try:
        with current.acting_as(who), transaction():
            actions.note_view(request.endpoint or "", _object())
    except Exception:  # whatever the reason, nobody from outside sees what no entry tells of
        log.exception("reading not noted", page=request.endpoint)
        refusal = Unavailable(
            "What you look at is noted in this tenant's log, and the log cannot be written just"
            " now. Try again in a moment."
        )
        return current_app.make_response(current_app.handle_user_exception(refusal))
    return response


def _is_to_be_noted(who: Actor, response: Response) -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    is_page = (
        request.method == "GET"
        and getattr(view, "scope", "") == "tenant"
        and getattr(view, "attended", True)
    )
    return is_page and response.status_code == 200 and _is_from_outside(who)  # noqa: PLR2004


def _is_from_outside(who: Actor) -> bool:
    return who.role == "auditor" or (
        who.role in OPERATOR_ROLES and who.tenant_slug != OPERATOR_SLUG
    )


def _object() -> str:
    """The id or short name in the address. What was typed into a search never gets here."""
    values = {name: value for name, value in (request.view_args or {}).items() if name != "tenant"}
    return " ".join([*(str(value) for value in values.values()), *g.get("also_read", ())])[:LONGEST]
