"""Settings of incidents: severity names, and the contacts who may read the status page."""

from uuid import UUID

from flask import flash, redirect, url_for

from governance.assurance.incidents import (
    contact_actions,
    permissions,
    severity_actions,
    update_actions,
    update_queries,
)
from governance.assurance.incidents.forms import ContactForm, SeverityForm
from governance.assurance.incidents.models import StatusContact
from governance.assurance.incidents.severities import LEVELS
from governance.assurance.incidents.severity_queries import severity_names
from governance.assurance.incidents.views import feature
from governance.kernel.data.db import find
from governance.kernel.pages.rendering import page
from governance.kernel.web.forms import Form, accepted
from governance.kernel.web.responses import ResponseReturnValue


@feature.get("/incidents/settings", needs=permissions.SETTINGS)
def settings() -> ResponseReturnValue:
    return _settings()


def _settings(
    *, severities: Form | None = None, contact: Form | None = None, status: int = 200
) -> ResponseReturnValue:
    form = severities or _severity_form()
    return page(
        "assurance/incidents/settings.html",
        form=form,
        levels=LEVELS,
        contact_form=contact or ContactForm(),
        contacts=update_queries.contacts(),
        status_address=update_actions.status_address(),
        status=status,
    )


def _severity_form() -> SeverityForm:
    names = severity_names()
    filled = {f"name_{n}": names[n].name for n in LEVELS}
    return SeverityForm(**filled, **{f"meaning_{n}": names[n].meaning for n in LEVELS})


@feature.post("/incidents/settings/severities", needs=permissions.SETTINGS)
def rename_severities() -> ResponseReturnValue:
    form = SeverityForm()
    if not accepted(form, lambda: _rename(form)):
        return _settings(severities=form, status=form.status)
    flash("The severities are saved.")
    return redirect(url_for("incidents.settings"), 303)


def _rename(form: SeverityForm) -> None:
    for level in LEVELS:
        severity_actions.rename(
            level, form[f"name_{level}"].data or "", form[f"meaning_{level}"].data or ""
        )


@feature.post("/incidents/settings/contacts", needs=permissions.SETTINGS)
def add_contact() -> ResponseReturnValue:
    form = ContactForm()
    if not accepted(
        form, lambda: contact_actions.add_contact(form.name.data or "", form.email.data or "")
    ):
        return _settings(contact=form, status=form.status)
    flash("The contact gets a personal link by email.")
    return redirect(url_for("incidents.settings") + "#contacts", 303)


@feature.post("/incidents/settings/contacts/<uuid:contact_id>/link", needs=permissions.SETTINGS)
def send_contact_link(contact_id: UUID) -> ResponseReturnValue:
    found = find(StatusContact, contact_id, what="contact", lock=True)
    contact_actions.send_link_again(found)
    flash(f"{found.name} gets a new link. The earlier one no longer works.")
    return redirect(url_for("incidents.settings") + "#contacts", 303)


@feature.post("/incidents/settings/contacts/<uuid:contact_id>/remove", needs=permissions.SETTINGS)
def remove_contact(contact_id: UUID) -> ResponseReturnValue:
    found = find(StatusContact, contact_id, what="contact", lock=True)
    contact_actions.remove_contact(found)
    flash(f"{found.name} no longer has access to the status page.")
    return redirect(url_for("incidents.settings") + "#contacts", 303)
