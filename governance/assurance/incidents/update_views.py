"""Pages for customer updates of an incident."""

from uuid import UUID

from flask import flash, redirect, url_for

from governance.assurance.incidents import (
    drafts,
    permissions,
    queries,
    update_actions,
    update_approval,
    update_queries,
)
from governance.assurance.incidents.forms import UpdateForm
from governance.assurance.incidents.models import CustomerUpdate, Incident
from governance.assurance.incidents.views import feature
from governance.foundation.approvals import queries as approvals
from governance.kernel.pages.rendering import page
from governance.kernel.web.forms import Form, accepted, counted
from governance.kernel.web.responses import ResponseReturnValue


@feature.post("/incidents/<uuid:incident_id>/updates", needs=permissions.DRAFT)
def draft_update(incident_id: UUID) -> ResponseReturnValue:
    """Create the next update, prefilled, or open the existing draft."""
    found = queries.incident(incident_id)
    made = update_actions.draft(found)
    return redirect(
        url_for("incidents.customer_update", incident_id=incident_id, update_id=made.id), 303
    )


@feature.get("/incidents/<uuid:incident_id>/updates/<uuid:update_id>", needs=permissions.VIEW)
def customer_update(incident_id: UUID, update_id: UUID) -> ResponseReturnValue:
    found = queries.incident(incident_id)
    return _update(found, update_queries.update_of(incident_id, update_id))


def _update(
    found: Incident, update: CustomerUpdate, *, form: Form | None = None, status: int = 200
) -> ResponseReturnValue:
    approval = approvals.open_approval(update_queries.APPROVAL, update.id)
    return page(
        "assurance/incidents/update.html",
        incident=found,
        update=update,
        paragraphs=drafts.paragraphs(update.body),
        unknown=drafts.unknown_lines(update.body),
        approval=approval,
        may_open_approval=approval is not None and approvals.is_visible(approval),
        opened_by=update_queries.opened_by(update) if update.state == "sent" else 0,
        form=form or UpdateForm(obj=update),
        destinations=update_actions.destinations(
            len(update_queries.contacts()), update_approval.endpoints()
        ),
        status=status,
    )


@feature.post("/incidents/<uuid:incident_id>/updates/<uuid:update_id>", needs=permissions.DRAFT)
def edit_update(incident_id: UUID, update_id: UUID) -> ResponseReturnValue:
    found = queries.incident(incident_id)
    update = update_queries.update_of(incident_id, update_id, lock=True)
    form = UpdateForm()
    if not accepted(
        form,
        lambda: update_actions.edit(
            found,
            update,
            version=counted(form.version.data),
            title=form.title.data or "",
            body=form.body.data or "",
        ),
    ):
        if form.stale:
            form.version.data = str(update.version)
        return _update(found, update, form=form, status=form.status)
    flash(f"Customer update {update.number} is saved. Request approval to send it.")
    return redirect(
        url_for("incidents.customer_update", incident_id=incident_id, update_id=update_id), 303
    )


@feature.post(
    "/incidents/<uuid:incident_id>/updates/<uuid:update_id>/request", needs=permissions.DRAFT
)
def request_update(incident_id: UUID, update_id: UUID) -> ResponseReturnValue:
    found = queries.incident(incident_id)
    update = update_queries.update_of(incident_id, update_id, lock=True)
    asked = update_actions.request_approval(found, update)
    flash(f"{asked.ref}: another person approves customer update {update.number}.")
    return redirect(url_for("incidents.incident", incident_id=incident_id), 303)
