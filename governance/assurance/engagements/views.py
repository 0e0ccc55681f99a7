"""Pages of engagements: the list, one engagement, and its auditors."""

from typing import Any
from uuid import UUID

from flask import current_app, flash, redirect, url_for

from governance.assurance.engagements import (
    actions,
    engagement_list,
    permissions,
    queries,
    scope_queries,
)
from governance.assurance.engagements.auditors import access as auditor_access
from governance.assurance.engagements.auditors import queries as auditor_queries
from governance.assurance.engagements.engagement_list import ENGAGEMENTS
from governance.assurance.engagements.forms import (
    AuditorForm,
    EndEngagementForm,
    EngagementForm,
)
from governance.assurance.engagements.models import Engagement
from governance.assurance.engagements.packages import queries as package_queries
from governance.assurance.engagements.requests import queries as request_queries
from governance.assurance.evidence.history import timeline_entries
from governance.kernel import clock, current
from governance.kernel.files.downloads import FILE
from governance.kernel.pages.list_export import csv_file
from governance.kernel.pages.list_pages import one_page
from governance.kernel.pages.rendering import page
from governance.kernel.safety.access import allowed
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import Form, accepted, constraint, counted
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.web.step_up import StepUp

feature = Feature("engagements", __name__)


constraint(
    "uq_engagement_auditors_open",
    "This email address already belongs to an auditor of this engagement.",
    field="email",
)


constraint(
    "uq_audit_requests_tenant_id_engagement_id_ref",
    "This ref is already in the list. Choose another.",
    field="ref",
)


constraint(
    "uq_request_attachments_tenant_id_request_id_version_id", "This version is already attached."
)


@feature.get("/engagements/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    list_request, every = ENGAGEMENTS.read(), engagement_list.all_summaries()
    found = engagement_list.matching_summaries(every, list_request)
    shown = one_page(found, list_request, lambda line: line.engagement.ref)
    return page(
        "assurance/engagements/index.html",
        list_request=list_request,
        summaries=shown.rows,
        next=shown.next,
        matching=len(found),
        total=len(every),
        open=sum(line.phase == "open" for line in every),
    )


@feature.get("/engagements/export.csv", needs=permissions.VIEW, answers=FILE)
def export_engagements() -> ResponseReturnValue:
    """Export the filtered list."""
    asked = ENGAGEMENTS.read()
    found = engagement_list.matching_summaries(engagement_list.all_summaries(), asked)
    return csv_file(
        f"engagements-{clock.today()}",
        engagement_list.CSV_HEADER,
        [map(engagement_list.csv_cells, found)],
        asked,
    )


@feature.get("/engagements/new", needs=permissions.MANAGE)
def opening() -> ResponseReturnValue:
    return page("assurance/engagements/edit.html", form=EngagementForm(), engagement=None)


@feature.post("/engagements/new", needs=permissions.MANAGE)
def open_() -> ResponseReturnValue:
    form, made = EngagementForm(), []
    if not accepted(form, lambda: made.append(actions.open_engagement(**_engagement_fields(form)))):
        return page(
            "assurance/engagements/edit.html", form=form, engagement=None, status=form.status
        )
    flash(f"{made[0].ref} created. Invite its auditors next.")
    return redirect(url_for("engagements.engagement", engagement_id=made[0].id), 303)


def _engagement_fields(form: EngagementForm) -> dict[str, Any]:
    return {
        "firm": form.firm.data or "",
        "framework_id": form.framework_id.data or None,
        "criteria": (form.criteria.data or "").split(","),
        "period_from": form.period_from.data,
        "period_to": form.period_to.data,
        "fieldwork_from": form.fieldwork_from.data,
        "fieldwork_to": form.fieldwork_to.data,
        "freezes_changes": bool(form.freezes_changes.data),
        "shows_names": bool(form.shows_names.data),
    }


@feature.get("/engagements/<uuid:engagement_id>", needs=permissions.VIEW)
def engagement(engagement_id: UUID) -> ResponseReturnValue:
    return _engagement_page(queries.engagement(engagement_id), AuditorForm())


def _engagement_page(
    engagement: Engagement, form: Form, *, status: int = 200
) -> ResponseReturnValue:
    runs = package_queries.packages(engagement.id) if allowed(permissions.PACKAGE) else []
    pending = request_queries.first_requests(
        engagement.id, ("provided",) if allowed(permissions.JUDGE) else ("open", "returned")
    )
    ids = [engagement.id, *(run.row.id for run in runs)]
    return page(
        "assurance/engagements/engagement.html",
        status=status,
        engagement=engagement,
        form=form,
        phase=queries.phase_of(engagement),
        scope=queries.scope_name(engagement),
        counts=request_queries.request_counts([engagement.id])[engagement.id],
        auditors=auditor_queries.auditors(engagement.id),
        runs=runs,
        controls=len(scope_queries.controls_in(engagement)),
        requests=pending,
        timeline=timeline_entries(ids),
    )


@feature.get("/engagements/<uuid:engagement_id>/edit", needs=permissions.MANAGE)
def editing(engagement_id: UUID) -> ResponseReturnValue:
    engagement = queries.engagement(engagement_id)
    form = EngagementForm(obj=engagement)
    form.criteria.data = ", ".join(engagement.criteria)
    return page("assurance/engagements/edit.html", form=form, engagement=engagement)


@feature.post("/engagements/<uuid:engagement_id>/edit", needs=permissions.MANAGE)
def edit(engagement_id: UUID) -> ResponseReturnValue:
    engagement, form = queries.engagement(engagement_id, lock=True), EngagementForm()
    if not accepted(
        form,
        lambda: actions.change_engagement(
            engagement, version=counted(form.version.data), **_engagement_fields(form)
        ),
    ):
        if form.stale:
            form.version.data = str(engagement.version)
        return page(
            "assurance/engagements/edit.html", form=form, engagement=engagement, status=form.status
        )
    return redirect(url_for("engagements.engagement", engagement_id=engagement.id), 303)


@feature.get("/engagements/<uuid:engagement_id>/end", needs=permissions.MANAGE)
def ending(engagement_id: UUID) -> ResponseReturnValue:
    engagement = queries.engagement(engagement_id)
    return page(
        "assurance/engagements/end.html",
        engagement=engagement,
        form=EndEngagementForm(),
        auditors=auditor_queries.auditors(engagement.id),
    )


@feature.post("/engagements/<uuid:engagement_id>/end", needs=permissions.MANAGE)
def end(engagement_id: UUID) -> ResponseReturnValue:
    engagement, form = queries.engagement(engagement_id, lock=True), EndEngagementForm()
    if not accepted(
        form, lambda: actions.end_engagement(engagement, reason=form.reason.data or "")
    ):
        return page(
            "assurance/engagements/end.html",
            engagement=engagement,
            form=form,
            auditors=auditor_queries.auditors(engagement.id),
            status=form.status,
        )
    flash(f"{engagement.ref} ended. Its auditors no longer have access.")
    return redirect(url_for("engagements.engagement", engagement_id=engagement.id), 303)


# The caller passes every argument of the URL, so package_id is accepted and unused.
def engagement_fact(engagement_id: UUID, package_id: UUID | None = None) -> list[tuple[str, str]]:  # noqa: ARG001
    engagement = queries.engagement(engagement_id)
    return [("Engagement", f"{engagement.ref}, {engagement.firm}")]


def _auditor_facts(engagement_id: UUID, auditor_id: UUID) -> list[tuple[str, str]]:
    auditors = (each.auditor for each in auditor_queries.auditors(engagement_id))
    return [
        *engagement_fact(engagement_id),
        *(("Auditor", f"{a.name}, {a.email}") for a in auditors if a.id == auditor_id),
    ]


INVITE_AUDITOR = StepUp("Invite auditor", AuditorForm, facts=engagement_fact)


REMOVE_AUDITOR = StepUp(
    "Remove auditor",
    facts=_auditor_facts,
    danger="This auditor loses access to the engagement immediately.",
)


@feature.post(
    "/engagements/<uuid:engagement_id>/auditors", needs=permissions.MANAGE, fresh=INVITE_AUDITOR
)
def let_in(engagement_id: UUID) -> ResponseReturnValue:
    engagement, form, public = (
        queries.engagement(engagement_id, lock=True),
        AuditorForm(),
        current_app.config["PUBLIC_URL"],
    )
    slug = current.actor().tenant_slug

    def act() -> None:
        auditor_access.add_auditor(
            engagement,
            name=form.name.data or "",
            email=form.email.data or "",
            way=form.way.data or "",
            address=f"{public}/auditor/{slug}",
            sign_in=f"{public}/login?tenant={slug}",
        )

    if not accepted(form, act):
        return _engagement_page(engagement, form, status=form.status)
    flash("Invitation sent by email.")
    return redirect(url_for("engagements.engagement", engagement_id=engagement.id), 303)


@feature.post(
    "/engagements/<uuid:engagement_id>/auditors/<uuid:auditor_id>/remove",
    needs=permissions.MANAGE,
    fresh=REMOVE_AUDITOR,
)
def take_out(engagement_id: UUID, auditor_id: UUID) -> ResponseReturnValue:
    engagement = queries.engagement(engagement_id)
    auditor_access.remove_auditor(engagement, auditor_queries.auditor(engagement.id, auditor_id))
    flash("Auditor removed from the engagement.")
    return redirect(url_for("engagements.engagement", engagement_id=engagement.id), 303)
