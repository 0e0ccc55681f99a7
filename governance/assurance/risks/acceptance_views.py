"""Pages to request an acceptance and to change the scale."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.assurance.risks import acceptance_actions, heat_map, permissions, queries
from governance.assurance.risks.forms import RiskAcceptanceForm, RiskScaleForm, scale_values
from governance.assurance.risks.scale_actions import change_scale
from governance.assurance.risks.views import feature
from governance.foundation.people.aliases import shown_names
from governance.kernel.pages.rendering import page
from governance.kernel.web.forms import accepted, counted
from governance.kernel.web.responses import ResponseReturnValue


@feature.route("/risks/<uuid:risk_id>/acceptance", methods=["GET", "POST"], needs=permissions.WORK)
def request_acceptance(risk_id: UUID) -> ResponseReturnValue:
    """Request that another person accepts the risk at its current score."""
    row = queries.find_risk(risk_id, lock=request.method == "POST")
    found, form = queries.posture_of(row), RiskAcceptanceForm()

    def act() -> None:
        assert form.expires_on.data is not None
        acceptance_actions.request(
            row,
            reason=form.reason.data or "",
            expires_on=form.expires_on.data,
            seen=_pair(form.seen.data),
        )

    if request.method == "POST" and accepted(form, act):
        flash(f"Another person can now accept {row.ref}. Neither you nor its owner can.")
        return redirect(url_for("risks.risk", risk_id=row.id), 303)
    return page(
        "assurance/risks/request_acceptance.html",
        status=form.status if request.method == "POST" else 200,
        risk=row,
        found=found,
        seen=f"{found.residual.likelihood}x{found.residual.impact}",
        mark=heat_map.shape_of(found.scale.band(found.residual.score)),
        latest=acceptance_actions.latest_day(queries.scale().max_acceptance_days),
        form=form,
    )


def _pair(text: Any) -> tuple[int, int]:
    """Parse "4x4". Invalid text gives a score that no risk has."""
    likelihood, _, impact = str(text or "").partition("x")
    return counted(likelihood), counted(impact)


@feature.route("/risks/scale", methods=["GET", "POST"], needs=permissions.MANAGE)
def scale() -> ResponseReturnValue:
    """Show the scale and its versions, or save a new version."""
    present = queries.scale()
    form = RiskScaleForm(**scale_values(present))
    if request.method == "POST" and accepted(
        form,
        lambda: change_scale(
            form.scale(), version=counted(form.version.data), reason=form.reason.data or ""
        ),
    ):
        flash(f"Version {queries.scale().number} of the scale is in use.")
        return redirect(url_for("risks.scale"), 303)
    if request.method == "GET" or form.stale:
        form.version.data = str(present.number)
    rows = queries.scale_rows()
    return page(
        "assurance/risks/scale.html",
        status=form.status if request.method == "POST" else 200,
        scale=present,
        legend=heat_map.legend(present),
        form=form,
        versions=rows,
        names=shown_names(each.changed_by for each in rows),
        scored=len(queries.open_risks()),
    )
