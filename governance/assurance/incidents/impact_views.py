"""Pages for the impact windows and figures of an incident."""

from uuid import UUID

from flask import redirect, request, url_for

from governance.assurance.incidents import impact_actions, permissions, queries
from governance.assurance.incidents.forms import FigureForm, ImpactForm, local
from governance.assurance.incidents.models import Impact, Incident
from governance.assurance.incidents.views import feature
from governance.kernel.pages.rendering import page
from governance.kernel.web.forms import Form, accepted, instant_of
from governance.kernel.web.responses import ResponseReturnValue
from governance.operations.systems import queries as systems


@feature.get("/incidents/<uuid:incident_id>/impact", needs=permissions.VIEW)
def impact(incident_id: UUID) -> ResponseReturnValue:
    return _impact(queries.incident(incident_id))


def _impact(
    found: Incident,
    *,
    form: Form | None = None,
    figure: Form | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    windows = queries.impacts_of([found.id])[found.id]
    return page(
        "assurance/incidents/impact.html",
        incident=found,
        windows=windows,
        minutes=queries.impact_minutes(windows),
        figures=queries.figures(found.id),
        form=form or ImpactForm(),
        figure_form=figure or FigureForm(),
        max_figures=impact_actions.MAX_FIGURES,
        status=status,
    )


@feature.post("/incidents/<uuid:incident_id>/impact", needs=permissions.MANAGE)
def add_impact(incident_id: UUID) -> ResponseReturnValue:
    found, form = queries.incident(incident_id), ImpactForm()
    if not accepted(form, lambda: _add(found, form)):
        return _impact(found, form=form, status=form.status)
    return redirect(url_for("incidents.impact", incident_id=incident_id), 303)


def _add(found: Incident, form: ImpactForm) -> None:
    starts_at = instant_of(form.starts_at.data)
    assert starts_at is not None
    impact_actions.add_window(
        found,
        form.system_id.data,
        starts_at=starts_at,
        ends_at=instant_of(form.ends_at.data),
        note=form.note.data or "",
    )


@feature.route(
    "/incidents/<uuid:incident_id>/impact/<uuid:impact_id>",
    methods=["GET", "POST"],
    needs=permissions.MANAGE,
)
def edit_impact(incident_id: UUID, impact_id: UUID) -> ResponseReturnValue:
    found = queries.incident(incident_id)
    window = queries.impact_of(found.id, impact_id)
    form = ImpactForm(obj=window)
    choices = systems.choices()
    if window.system_id not in {each for each, _name in choices}:
        system = systems.system(window.system_id)
        choices.append((system.id, system.name))
    form.system_id.choices = choices
    if request.method == "GET":
        form.starts_at.data, form.ends_at.data = local(window.starts_at), local(window.ends_at)
    elif accepted(form, lambda: _change(found, window, form)):
        return redirect(url_for("incidents.impact", incident_id=incident_id), 303)
    return page(
        "assurance/incidents/impact_window.html",
        incident=found,
        window=window,
        form=form,
        status=form.status if request.method == "POST" else 200,
    )


def _change(found: Incident, window: Impact, form: ImpactForm) -> None:
    starts_at = instant_of(form.starts_at.data)
    assert starts_at is not None
    impact_actions.change_window(
        found,
        window,
        starts_at=starts_at,
        ends_at=instant_of(form.ends_at.data),
        note=form.note.data or "",
    )


@feature.post(
    "/incidents/<uuid:incident_id>/impact/<uuid:impact_id>/remove", needs=permissions.MANAGE
)
def remove_impact(incident_id: UUID, impact_id: UUID) -> ResponseReturnValue:
    found = queries.incident(incident_id)
    impact_actions.remove_window(found, queries.impact_of(found.id, impact_id))
    return redirect(url_for("incidents.impact", incident_id=incident_id), 303)


@feature.post("/incidents/<uuid:incident_id>/figures", needs=permissions.NOTE)
def add_figure(incident_id: UUID) -> ResponseReturnValue:
    found, form = queries.incident(incident_id), FigureForm()
    if not accepted(
        form,
        lambda: impact_actions.add_figure(found, form.figure.data or "", form.meaning.data or ""),
    ):
        return _impact(found, figure=form, status=form.status)
    return redirect(url_for("incidents.impact", incident_id=incident_id), 303)


@feature.post(
    "/incidents/<uuid:incident_id>/figures/<uuid:figure_id>/remove", needs=permissions.MANAGE
)
def remove_figure(incident_id: UUID, figure_id: UUID) -> ResponseReturnValue:
    impact_actions.remove_figure(queries.incident(incident_id), figure_id)
    return redirect(url_for("incidents.impact", incident_id=incident_id), 303)
