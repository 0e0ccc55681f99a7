"""The form that states which release an AI system serves."""

from typing import Any

from flask import redirect, request, url_for
from wtforms import StringField, TextAreaField
from wtforms.validators import DataRequired, Length

from governance.foundation.people import queries as people
from governance.foundation.tenants.forms import one_line
from governance.kernel.days import DayField
from governance.kernel.pages.rendering import page
from governance.kernel.web.forms import Form, accepted, stripped
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.evaluations import permissions
from governance.operations.evaluations.releases import actions as release_actions
from governance.operations.evaluations.releases import promotion, served_releases
from governance.operations.evaluations.runs.actions import MAX_RELEASE_LENGTH
from governance.operations.evaluations.views import feature
from governance.operations.systems import queries as systems


class ServedReleaseForm(Form):
    release = StringField(
        "Release",
        [DataRequired("Enter the release that is served."), Length(max=MAX_RELEASE_LENGTH)],
        filters=[one_line],
        description="As your runs name it, such as 2026.11.2.",
    )
    since = DayField("Served since", required=False, description="Today, if you leave it empty.")
    reason = TextAreaField(
        "How you know it, kept in the audit log",
        [DataRequired("Enter how you know it."), Length(max=2000)],
        filters=[stripped],
    )


@feature.route(
    "/evaluations/systems/<system_key>/release",
    methods=["GET", "POST"],
    needs=permissions.RELEASE,
)
def served_release(system_key: str) -> ResponseReturnValue:
    """State which release an AI system serves if no rollout shows it."""
    system = systems.system(system_key, lock=request.method == "POST")
    form = ServedReleaseForm()

    def act() -> Any:
        return release_actions.state_release(
            system,
            form.release.data or "",
            since=form.since.data,
            reason=form.reason.data or "",
        )

    if request.method == "POST" and accepted(form, act):
        return redirect(url_for("evaluations.trend", system_key=system.key), 303)
    known = served_releases.stated(system.id)
    if request.method == "GET" and known is None:
        form.release.data = promotion.newest_release(system.id) or ""
    return page(
        "operations/evaluations/served_release.html",
        status=form.status if request.method == "POST" else 200,
        system=system,
        form=form,
        known=known,
        by=people.names([known.stated_by]).get(known.stated_by)
        if known and known.stated_by
        else None,
        has_rollouts=served_releases.has_rollouts(system.id),
    )
