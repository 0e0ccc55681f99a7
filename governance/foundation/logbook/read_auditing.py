"""Record every page of a tenant that an auditor or an operator views in that tenant's log.

If the entry can't be recorded, the page is not shown.
"""

import structlog
from flask import Response, current_app, g, request

from governance.foundation.logbook import actions
from governance.kernel import current
from governance.kernel.current import Actor
from governance.kernel.data.db import transaction
from governance.kernel.errors import Unavailable
from governance.kernel.safety.access import OPERATOR_ROLES
from governance.kernel.web.identity import OPERATOR_SLUG

MAX_IDS_LENGTH = 200
READ = {200, 409, 422}  # Answers that show content; a rejected form is shown again.
log = structlog.get_logger("read_auditing")


def record_reading(response: Response) -> Response:
    """Record the page view after the request's own transaction, in a separate one.

    Returns the response, or an error if the view can't be recorded.
    """
    who: Actor | None = g.get("actor")
    if who is None or not _is_recorded(who, response):
        return response
    try:
        with current.acting_as(who), transaction():
            actions.record_page_view(request.endpoint or "", _object_ids())
    except Exception:  # No outsider sees a page that no entry records, for any error.
        log.exception("page view not recorded", page=request.endpoint)
        refusal = Unavailable(
            "Your page views are recorded in this tenant's audit log, and the log cannot be written"
            " right now. Try again in a moment."
        )
        return current_app.make_response(current_app.handle_user_exception(refusal))
    return response


def _is_recorded(who: Actor, response: Response) -> bool:
    view = current_app.view_functions.get(request.endpoint or "")
    if who.support is not None:
        return getattr(view, "scope", "") == "tenant" and response.status_code in READ
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


def _object_ids() -> str:
    """Return the ids or slugs in the address, never what was typed into a search."""
    values = {name: value for name, value in (request.view_args or {}).items() if name != "tenant"}
    return " ".join([*(str(value) for value in values.values()), *g.get("also_read", ())])[
        :MAX_IDS_LENGTH
    ]
