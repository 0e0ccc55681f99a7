"""Pages of incidents: the list, declaring one, its page, state, roles and notes."""

from collections.abc import Collection
from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.assurance.incidents import (
    actions,
    from_alert,
    incident_list,
    incident_page,
    permissions,
    queries,
    states,
    suggestions,
)
from governance.assurance.incidents.forms import (
    AssignLeadForm,
    DeclareForm,
    IncidentReasonForm,
    NoteForm,
    RolesForm,
    StateForm,
    SummaryForm,
    lead_choices,
    local,
)
from governance.assurance.incidents.incident_list import INCIDENTS
from governance.assurance.incidents.models import Incident
from governance.assurance.incidents.states import STATE_KINDS
from governance.assurance.playbooks import permissions as playbook_permissions
from governance.assurance.playbooks import queries as playbook_queries
from governance.assurance.playbooks import run_actions
from governance.foundation.people import assigning
from governance.foundation.people.owners import OWNER, owner_choices
from governance.kernel import clock, current
from governance.kernel.data.db import find
from governance.kernel.data.ids import uuid7
from governance.kernel.files.downloads import FILE
from governance.kernel.pages.list_export import ROWS_PER_READ, csv_file, every_page
from governance.kernel.pages.rendering import page
from governance.kernel.pages.undo_pages import say_changed, undo_offer
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import Form, accepted, counted, instant_of, uuid_or_none
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.work.bulk import BulkItem
from governance.operations.alerts import queries as alerts
from governance.operations.alerts.models import Alert
from governance.operations.switches.models import Stop

feature = Feature("incidents", __name__, counts_everything=True)


@feature.get("/incidents/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    asked = INCIDENTS.read(choices={"severity": incident_list.severity_choices()})
    leads = lead_choices() if asked.may_select else []
    shown = incident_list.incidents_page(
        asked.criteria,
        newest_first=asked.is_descending,
        after=asked.after,
        size=INCIDENTS.size,
        leads=leads,
    )
    return page(
        "assurance/incidents/index.html",
        asked=asked,
        shown=shown,
        total=incident_list.count({}),
        matching=incident_list.count(asked.criteria),
        open=queries.count_open(),
        state_kinds=STATE_KINDS,
        state_names=states.NAMES,
        leads=leads,
    )


@feature.post("/incidents/assign", needs=permissions.MANAGE)
def assign_selected() -> ResponseReturnValue:
    """Assign a lead to the selected incidents. Other roles stay the same."""
    home = url_for("incidents.index")
    rows = assigning.Assignable(
        "incident",
        "Assign incidents",
        _selected,
        lambda changes: actions.assign_leads(
            [(each.item.id, each.after["owner_id"]) for each in changes]
        ),
        columns=(replace(OWNER, label="Lead"),),
    )
    return assigning.assign_selected(
        rows, AssignLeadForm(), home=home, crumbs=[("Incidents", home)]
    )


# The signature that BulkAction expects.
def _selected(ids: Collection[UUID], lock: bool) -> list[BulkItem]:  # noqa: FBT001 - the pages' form
    return [
        BulkItem(
            each.id,
            each.ref,
            each.title,
            url_for("incidents.incident", incident_id=each.id),
            {"owner_id": each.lead_id},
            actions.why_not_assigned(each),
        )
        for each in queries.find_incidents(ids, lock=lock)
    ]


@feature.post("/incidents/undo/<uuid:undo_offer_id>", needs=permissions.MANAGE)
def undo_change(undo_offer_id: UUID) -> ResponseReturnValue:
    return undo_offer(undo_offer_id, actions.UNDOABLE, url_for("incidents.index"))


@feature.get("/incidents/export.csv", needs=permissions.VIEW, answers=FILE)
def export() -> ResponseReturnValue:
    """Download all incidents that match the filters."""
    asked = INCIDENTS.read(choices={"severity": incident_list.severity_choices()})
    pages = every_page(
        lambda after: incident_list.incidents_page(
            asked.criteria, newest_first=asked.is_descending, after=after, size=ROWS_PER_READ
        )
    )
    return csv_file(
        f"incidents-{current.actor().tenant_slug}-{clock.today()}",
        incident_list.CSV_HEAD,
        (map(incident_list.csv_cells, rows) for rows in pages),
        asked,
    )


# ---- declaring


@feature.get("/incidents/new", needs=permissions.DECLARE)
def new() -> ResponseReturnValue:
    """Show the form, prefilled from an alert if the URL has `alert`."""
    alert = _alert()
    if alert is not None and (there := queries.incident_of_alert(alert.id)) is not None:
        return redirect(url_for("incidents.incident", incident_id=there.id), 303)
    form = DeclareForm(severity="2", once=str(uuid7()))
    if alert is not None:
        form.title.data = f"{alerts.objective_name(alert)} is missed"
        form.severity.data = "2" if alert.severity == "page" else "3"
        form.systems.data = [from_alert.system_of(alert)]
        form.aware_at.data = form.impact_from.data = local(alert.fired_at)
    return page("assurance/incidents/new.html", form=form, alert=alert)


def _alert() -> Alert | None:
    alert_id = uuid_or_none(request.args.get("alert"))
    return alerts.alert(alert_id) if alert_id else None


@feature.post("/incidents/new", needs=permissions.DECLARE)
def declare() -> ResponseReturnValue:
    form, alert, made = DeclareForm(), _alert(), list[Incident]()
    if not accepted(form, lambda: made.append(_declare(form, alert))):
        return page("assurance/incidents/new.html", form=form, alert=alert, status=form.status)
    flash(f"{made[0].ref} is declared.")
    return redirect(url_for("incidents.incident", incident_id=made[0].id), 303)


def _declare(form: DeclareForm, alert: Alert | None) -> Incident:
    common: dict[str, Any] = {
        "severity": int(form.severity.data),
        "summary": form.summary.data or "",
        "impact_from": instant_of(form.impact_from.data),
        "lead_id": form.lead_id.data,
    }
    if alert is not None:
        return from_alert.declare_from_alert(alert.id, form.title.data or "", **common)
    return actions.declare(
        form.title.data or "",
        systems=form.systems.data or (),
        aware_at=instant_of(form.aware_at.data),
        incident_id=form.incident_id,
        **common,
    )


@feature.get("/incidents/suggestions/<uuid:stop_id>", needs=permissions.VIEW)
def suggestion(stop_id: UUID) -> ResponseReturnValue:
    return _suggestion(stop_id, IncidentReasonForm())


def _suggestion(stop_id: UUID, form: Form, *, status: int = 200) -> ResponseReturnValue:
    stop = find(Stop, stop_id, what="stop")
    found = queries.suggestion(stop_id)
    there = queries.incident_of_stop(stop_id)
    if there is not None:
        return redirect(url_for("incidents.incident", incident_id=there.id), 303)
    return page(
        "assurance/incidents/suggestion.html", stop=stop, found=found, form=form, status=status
    )


@feature.post("/incidents/suggestions/<uuid:stop_id>", needs=permissions.DECLARE)
def declare_from_stop(stop_id: UUID) -> ResponseReturnValue:
    """Declare with one click. A second click opens the same incident."""
    made = suggestions.declare_from_stop(stop_id)
    flash(f"{made.ref} is declared. Check its severity.")
    return redirect(url_for("incidents.incident", incident_id=made.id), 303)


@feature.post("/incidents/suggestions/<uuid:stop_id>/dismiss", needs=permissions.DECLARE)
def dismiss(stop_id: UUID) -> ResponseReturnValue:
    form = IncidentReasonForm()
    if not accepted(form, lambda: suggestions.dismiss(stop_id, reason=form.reason.data or "")):
        return _suggestion(stop_id, form, status=form.status)
    flash("The suggestion is dismissed.")
    return redirect(url_for("incidents.index"), 303)


# ---- one incident


@feature.get("/incidents/<uuid:incident_id>", needs=permissions.VIEW)
def incident(incident_id: UUID) -> ResponseReturnValue:
    return incident_view(incident_id)


def incident_view(
    incident_id: UUID, *, note: Form | None = None, status: int = 200
) -> ResponseReturnValue:
    """Show the page. `note` is the form of a note that was rejected."""
    show = request.args.get("show", "")
    found = incident_page.read(incident_id)
    return page(
        "assurance/incidents/incident.html",
        status=status,
        note_form=note or NoteForm(),
        **incident_page.context(found, show=show if show in {"automatic", "notes"} else ""),
    )


@feature.post("/incidents/<uuid:incident_id>/notes", needs=permissions.NOTE)
def add_note(incident_id: UUID) -> ResponseReturnValue:
    found, form = queries.incident(incident_id), NoteForm()
    if not accepted(form, lambda: actions.add_note(found, form.text.data or "")):
        return incident_view(incident_id, note=form, status=form.status)
    return redirect(url_for("incidents.incident", incident_id=incident_id) + "#timeline", 303)


@feature.get("/incidents/<uuid:incident_id>/edit", needs=permissions.MANAGE)
def editing(incident_id: UUID) -> ResponseReturnValue:
    found = queries.incident(incident_id)
    form = SummaryForm(obj=found)
    form.aware_at.data = local(found.aware_at)
    form.severity.data = str(found.severity)
    return page("assurance/incidents/edit.html", form=form, incident=found)


@feature.post("/incidents/<uuid:incident_id>/edit", needs=permissions.MANAGE)
def edit(incident_id: UUID) -> ResponseReturnValue:
    found, form = queries.incident(incident_id, lock=True), SummaryForm()
    if not accepted(
        form,
        lambda: actions.change(
            found,
            version=counted(form.version.data),
            title=form.title.data or "",
            summary=form.summary.data or "",
            severity=int(form.severity.data),
            aware_at=instant_of(form.aware_at.data),
        ),
    ):
        if form.stale:
            form.version.data = str(found.version)
        return page("assurance/incidents/edit.html", form=form, incident=found, status=form.status)
    return redirect(url_for("incidents.incident", incident_id=incident_id), 303)


@feature.get("/incidents/<uuid:incident_id>/roles", needs=permissions.MANAGE)
def roles(incident_id: UUID) -> ResponseReturnValue:
    found = queries.incident(incident_id)
    return page(
        "assurance/incidents/roles.html", form=_roles_form(found, obj=found), incident=found
    )


def _roles_form(found: Incident, **options: Any) -> RolesForm:
    form = RolesForm(**options)
    form.lead_id.offer(owner_choices(found.lead_id))
    form.communications_id.offer(owner_choices(found.communications_id))
    form.scribe_id.offer(owner_choices(found.scribe_id))
    return form


@feature.post("/incidents/<uuid:incident_id>/roles", needs=permissions.MANAGE)
def assign_roles(incident_id: UUID) -> ResponseReturnValue:
    found = queries.incident(incident_id, lock=True)
    form = _roles_form(found)
    if not accepted(
        form,
        lambda: actions.assign_roles(
            found,
            version=counted(form.version.data),
            lead_id=form.lead_id.data,
            communications_id=form.communications_id.data,
            scribe_id=form.scribe_id.data,
        ),
    ):
        if form.stale:
            form.version.data = str(found.version)
        return page("assurance/incidents/roles.html", form=form, incident=found, status=form.status)
    say_changed(f"Roles of {found.ref} saved.")
    return redirect(url_for("incidents.incident", incident_id=incident_id), 303)


@feature.get("/incidents/<uuid:incident_id>/state", needs=permissions.MANAGE)
def moving(incident_id: UUID) -> ResponseReturnValue:
    """Show the form to change state. `to` in the URL is the state, by default the next one."""
    return _state_page(queries.incident(incident_id), StateForm())


def _state_page(found: Incident, form: StateForm, *, status: int = 200) -> ResponseReturnValue:
    wanted = form.state.data or request.args.get("to") or states.NEXT.get(found.state, "")
    known = wanted if wanted in states.STATES else states.NEXT.get(found.state, "")
    form.state.data = known
    return page(
        "assurance/incidents/state.html",
        incident=found,
        form=form,
        to=known,
        name=states.NAMES.get(known, ""),
        meaning=states.MEANINGS.get(known, ""),
        goes_back=states.may_return(found.state, known) if known else False,
        earlier=[each for each in states.OPEN if states.may_return(found.state, each)],
        names=states.NAMES,
        status=status,
    )


@feature.post("/incidents/<uuid:incident_id>/state", needs=permissions.MANAGE)
def move(incident_id: UUID) -> ResponseReturnValue:
    found, form = queries.incident(incident_id, lock=True), StateForm()
    if not accepted(
        form, lambda: actions.go_to(found, form.state.data or "", reason=form.reason.data or "")
    ):
        return _state_page(found, form, status=form.status)
    flash(f"{found.ref} is {states.NAMES[found.state].lower()}.")
    return redirect(url_for("incidents.incident", incident_id=incident_id), 303)


@feature.post("/incidents/<uuid:incident_id>/playbooks", needs=playbook_permissions.RUN)
def start_playbook(incident_id: UUID) -> ResponseReturnValue:
    """Start the form's `playbook` in this incident."""
    found = queries.incident(incident_id)
    actions.check_not_closed(found)
    book_id = uuid_or_none(request.form.get("playbook"))
    if book_id is None:
        flash("Choose a playbook to run.", "error")
        return redirect(url_for("incidents.incident", incident_id=incident_id), 303)
    version = playbook_queries.present_version(playbook_queries.playbook(book_id))
    made = run_actions.start_run(version.id, incident_id=found.id, incident_ref=found.ref)
    return redirect(url_for("playbooks.run", playbook_run_id=made.id), 303)
