"""The pages for signing in again without losing a form.

One page asks for the sign-in, one shows the form again, and one submits it.

The page that shows the form posts to the form's own address and names the kept form; the route
there checks all that it always checks, and then reads the kept fields in place of those that were
sent. So nothing is submitted that was not shown.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

import structlog
from flask import Response, current_app, g, make_response, request, url_for
from sqlalchemy.exc import DBAPIError
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.exceptions import HTTPException

from governance.foundation.people import permissions, saved_forms
from governance.foundation.people.models import SavedForm
from governance.foundation.people.ports import reauthentication_address
from governance.foundation.people.saved_forms import SubmittedForm
from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.data.db import transaction
from governance.kernel.errors import DomainError, Invalid, NotFound, TooLarge
from governance.kernel.formatting import plural
from governance.kernel.pages.rendering import page
from governance.kernel.safety import access
from governance.kernel.web.feature import Feature, recently_signed_in
from governance.kernel.web.forms import Submission, describing, uuid_or_none
from governance.kernel.web.redirects import referring_page
from governance.kernel.web.responses import SAFE, ResponseReturnValue
from governance.kernel.web.step_up import KEPT_FORM, StepUp

feature = Feature("step_up", __name__)
log = structlog.get_logger("people")


# ---- asking for the sign-in


def ask() -> ResponseReturnValue:
    """Answer a request that needs a recent sign-in; keep a form that came with it.

    No transaction is open.
    """
    who: Actor = g.actor
    step_up: StepUp = vars(current_app.view_functions[request.endpoint or ""])["fresh"]
    if request.method in SAFE:
        return _asking(who, step_up, _address())
    if saved_form_id := uuid_or_none(request.form.get(KEPT_FORM)):
        return _asking(who, step_up, _continuing(who, saved_form_id))
    try:
        with current.acting_as(who), transaction():
            row = saved_forms.keep(_submitted())
            return _asking(who, step_up, _continuing(who, row.id), kept=row, files=_filenames())
    except TooLarge as refused:
        return _asking(who, step_up, _back(), lost=refused.message)
    except (DomainError, DBAPIError) as away:
        log.warning("form not kept", reason=str(away))
        return _asking(who, step_up, _back(), lost="Meridian can't reach its database right now.")


def _asking(
    who: Actor,
    step_up: StepUp,
    onward: str,
    *,
    kept: SavedForm | None = None,
    lost: str = "",
    files: list[str] | None = None,
) -> ResponseReturnValue:
    return page(
        "foundation/people/step_up.html",
        status=401,
        verb=step_up.label(),
        onward=sign_in_again_address(who, onward),
        kept=kept,
        lost=lost,
        files=files or [],
        opens=request.method in SAFE,
        minutes=saved_forms.KEPT_MINUTES,
    )


def sign_in_again_address(who: Actor, onward: str) -> str:
    """Return the address where this person signs in again, before `onward` opens."""
    own = reauthentication_address()(who, onward)
    return own or f"/login?tenant={quote(who.tenant_slug)}&fresh=1&next={quote(onward)}"


def _continuing(who: Actor, saved_form_id: object) -> str:
    return url_for("step_up.continuing", tenant=who.tenant_slug, saved_form_id=saved_form_id)


def _submitted() -> SubmittedForm:
    fields = [
        (name, value) for name, value in request.form.items(multi=True) if name != "csrf_token"
    ]
    files = [
        (name, file.filename) for name, file in request.files.items(multi=True) if file.filename
    ]
    return SubmittedForm(_address(), _back(), fields, files)


def _filenames() -> list[str]:
    return [file.filename for _name, file in request.files.items(multi=True) if file.filename]


def _address() -> str:
    """Return path and query of the request, as a link can carry them."""
    query = request.query_string.decode("latin-1")
    return quote(request.path) + (f"?{query}" if query else "")


def _back() -> str:
    """Return the page of ours that the form was on; the start page if the browser doesn't say."""
    return referring_page() or "/"


# ---- after it


@feature.get("/continue/<uuid:saved_form_id>", needs=permissions.OWN, while_suspended=True)
def continuing(saved_form_id: Any) -> ResponseReturnValue:
    """Show what was submitted before the sign-in, and the button that submits it."""
    row = saved_forms.own(saved_form_id)
    form = saved_forms.opened(row)
    view, values, kept = _behind(form)
    access.require(view["needs"])
    step_up: StepUp = view["fresh"]
    with describing(kept):
        verb, warning, rows = step_up.label(), step_up.warning(), step_up.rows(**values)
    who = current.actor()
    again = (
        None if recently_signed_in(who) else sign_in_again_address(who, _continuing(who, row.id))
    )
    return page(
        "foundation/people/continue.html",
        row=row,
        form=form,
        verb=verb,
        warning=warning,
        rows=rows,
        again=again,
        field=KEPT_FORM,
        minutes=_minutes(row),
    )


def _behind(form: SubmittedForm) -> tuple[dict[str, Any], dict[str, Any], Submission]:
    """Return the declarations of a kept form's route, its address's values, and what was sent."""
    parts = urlsplit(form.address)
    try:
        endpoint, values = current_app.url_map.bind(request.host).match(
            unquote(parts.path), method="POST"
        )
    except HTTPException as gone:
        raise NotFound("The page of this form no longer exists.") from gone
    query = MultiDict(parse_qsl(parts.query, keep_blank_values=True))
    told = {name: value for name, value in values.items() if name != "tenant"}
    return (
        vars(current_app.view_functions[endpoint]),
        told,
        Submission(MultiDict(form.fields), query),
    )


def resubmit(saved_form_id: str, act: Callable[[], ResponseReturnValue]) -> Response:
    """Let the view read the kept fields.

    A form that fails stays, so that its person can try again.
    """
    row = saved_forms.own(uuid_or_none(saved_form_id), lock=True)
    form = saved_forms.opened(row)
    if form.address != _address():
        raise Invalid("This form belongs to another page. Nothing was submitted.")
    request.form = ImmutableMultiDict(form.fields)
    vars(request).pop("values", None)
    answer: Response = make_response(act())
    if answer.status_code < 400:  # noqa: PLR2004 - from there on nothing was done
        saved_forms.use(row)
    return answer


def unfinished(who: Actor | None) -> dict[str, str]:
    """Return what became of the form that waits for a failed sign-in, and the way back to it.

    It is for the page of that sign-in.
    """
    if who is None:
        return {}
    with current.acting_as(who), transaction(read_only=True):
        row = saved_forms.waiting()
        if row is None:
            return {}
        remedy = (
            "Your form wasn't submitted. Meridian keeps it for"
            f" {plural(_minutes(row), 'more minute')}."
        )
        return {
            "remedy": remedy,
            "back": _continuing(who, row.id),
            "back_label": "Back to your form",
        }


def _minutes(row: SavedForm) -> int:
    """Return the minutes until it expires, rounded up."""
    return -((clock.now() - row.expires_at) // timedelta(minutes=1))
