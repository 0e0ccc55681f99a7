"""Shared code for red-team pages that have a single form."""

from collections.abc import Callable
from typing import Any

from flask import flash, redirect, request

from governance.kernel.pages.rendering import page
from governance.kernel.web.forms import Form, accepted
from governance.kernel.web.responses import ResponseReturnValue

STEP = "assurance/red_teams/step.html"


def form_page(
    template: str, form: Form, act: Callable[[], object], *, done: str, to: str, **context: Any
) -> ResponseReturnValue:
    """Show the form, or run `act` on a POST. If it succeeds, flash `done` and redirect to `to`."""
    is_sent = request.method == "POST"
    if is_sent and accepted(form, act):
        flash(done)
        return redirect(to, 303)
    return page(template, status=form.status if is_sent else 200, form=form, to=to, **context)
