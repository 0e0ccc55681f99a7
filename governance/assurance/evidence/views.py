"""Pages of an evidence item: view, create, edit, assign, link and retire."""

from typing import Any
from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.assurance.evidence import (
    actions,
    custody,
    deletion_queries,
    item_history,
    link_actions,
    period_labels,
    permissions,
    queries,
    version_queries,
)
from governance.assurance.evidence.forms import (
    AssignOwnerForm,
    ControlLinkForm,
    EvidenceCreateForm,
    EvidenceEditForm,
    RetirementForm,
)
from governance.assurance.evidence.freshness import (
    accepted_version,
    deadline,
)
from governance.assurance.evidence.history import timeline_entries
from governance.assurance.evidence.models import Evidence
from governance.assurance.evidence.visibility import visible_scope
from governance.foundation.people import owners
from governance.kernel import clock, current, formatting
from governance.kernel.pages.rendering import page
from governance.kernel.pages.undo_pages import back_to, say_changed
from governance.kernel.safety.access import allowed
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted, constraint, counted
from governance.kernel.web.redirects import way_back
from governance.kernel.web.responses import ResponseReturnValue

feature = Feature("evidence", __name__)
constraint(
    "uq_evidence_versions_tenant_id_evidence_id_number",
    "Someone else uploaded a version at the same time. Upload yours again.",
)
constraint("uq_evidence_links_open", "This evidence item is already linked to this control.")


# ---- One item


@feature.get("/evidence/new", needs=permissions.MANAGE)
def create_form() -> ResponseReturnValue:
    """Show the form. `control` in the URL (id or ref) preselects a control."""
    asked = request.args.get("control", "")
    chosen = [
        i
        for i, says in queries.control_choices()
        if asked and asked in {str(i), says.split(" ", 1)[0]}
    ]
    form = EvidenceCreateForm(controls=chosen, owner_id=current.actor().person_id)
    return page("assurance/evidence/new.html", form=form)


@feature.post("/evidence/new", needs=permissions.MANAGE)
def create() -> ResponseReturnValue:
    form = EvidenceCreateForm()
    made: list[Evidence] = []
    if not accepted(form, lambda: made.append(_create(form))):
        return page("assurance/evidence/new.html", form=form, status=422)
    flash(f"{made[0].ref} was created. Upload its first version.")
    if back := way_back():
        return redirect(url_for("evidence.upload_form", evidence_id=made[0].id, back=back), 303)
    return redirect(url_for("evidence.item", evidence_id=made[0].id), 303)


def _create(form: EvidenceCreateForm) -> Evidence:
    return actions.create_item(
        form.title.data or "",
        kind=form.kind.data,
        cadence=form.cadence.data,
        confidentiality=form.confidentiality.data,
        due_on=form.due_on.data,
        owner_id=form.owner_id.data or None,
        controls=dict.fromkeys(form.controls.data or (), form.note.data or ""),
    )


@feature.get("/evidence/<uuid:evidence_id>", needs=permissions.VIEW)
def item(evidence_id: UUID) -> ResponseReturnValue:
    return _item_page(queries.find_evidence(evidence_id))


def _item_page(
    evidence: Evidence,
    *,
    link: ControlLinkForm | None = None,
    assign: AssignOwnerForm | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    found, fresh = queries.state_of(evidence)
    versions, links = version_queries.shown_versions(evidence), queries.control_links(evidence)
    whole = visible_scope().holds(evidence.id)
    history = [*([evidence.id] if whole else []), *(v.id for v in versions)]
    refs = None if visible_scope().controls is None else {each.ref for each in links}
    return page(
        "assurance/evidence/item.html",
        status=status,
        e=evidence,
        piece=found,
        fresh=fresh,
        versions=versions,
        links=links,
        whole=whole,
        deadline=deadline(found.at(clock.now()), due_on=evidence.due_on),
        reasons=_reasons(evidence, found, versions),
        may_bring=_may_upload(evidence),
        link=link or ControlLinkForm(),
        assign=assign or AssignOwnerForm(owner_id=evidence.owner_id),
        timeline=timeline_entries(history, controls=refs),
        custody=custody.custody(versions),
        hold=deletion_queries.hold_on(evidence.id),
    )


def _may_upload(evidence: Evidence) -> bool:
    return evidence.retired_at is None and allowed(permissions.UPLOAD, on=evidence)


def _reasons(
    evidence: Evidence,
    found: item_history.EvidenceItem,
    versions: list[version_queries.VersionView],
) -> list[dict[str, Any]]:
    """Return the reasons for the item's state, with the versions that cause them."""
    fresh, held = found.freshness(clock.now()), accepted_version(found.at(clock.now()))
    kinds = {
        "overdue": "bad",
        "rejected": "bad",
        "missing": "warn",
        "in review": "warn",
        "due": "due",
        "fresh": "ok",
    }
    covered = (
        f"Version {held.number} covers"
        f" {period_labels.period_label(held.period_from, held.period_to)} and is"
        f" valid until {formatting.long_day(held.valid_until)}."
        if held
        else "No version has been accepted yet."
    )
    lines = [{"kind": kinds[fresh.state], "lead": f"{fresh.word}.", "text": covered}]
    for v in versions:
        if v.fault is not None:
            what = (
                "is missing" if v.fault == "missing" else "doesn't match the file that was uploaded"
            )
            lines.append(
                {
                    "kind": "bad",
                    "lead": f"Version {v.number} is corrupted.",
                    "text": f"Its stored file {what}, so it doesn't count as evidence.",
                }
            )
        if v.withdrawn is not None:
            lines.append(
                {"kind": "bad", "lead": f"Version {v.number} was withdrawn.", "text": v.withdrawn}
            )
        elif v.review == "pending" and not v.is_gone:
            wait = (clock.now() - v.uploaded_at).days
            lines.append(
                {
                    "kind": "warn",
                    "lead": f"Version {v.number} is in review.",
                    "text": f"Uploaded {_ago(wait)} by {v.collector}.",
                }
            )
        elif v.review == "rejected" and v is versions[0]:
            lines.append(
                {"kind": "bad", "lead": f"Version {v.number} was rejected.", "text": v.reason}
            )
    if evidence.owner_id is None:
        lines.append(
            {"kind": "none", "lead": "No owner.", "text": "No one gets reminders before it's due."}
        )
    return lines


def _ago(days: int) -> str:
    return "today" if not days else "yesterday" if days == 1 else f"{days} days ago"


@feature.get("/evidence/<uuid:evidence_id>/edit", needs=permissions.MANAGE)
def editing(evidence_id: UUID) -> ResponseReturnValue:
    evidence = queries.find_evidence(evidence_id)
    return page("assurance/evidence/edit.html", e=evidence, form=EvidenceEditForm(obj=evidence))


@feature.post("/evidence/<uuid:evidence_id>/edit", needs=permissions.MANAGE)
def edit(evidence_id: UUID) -> ResponseReturnValue:
    evidence, form = queries.find_evidence(evidence_id, lock=True), EvidenceEditForm()
    if not accepted(form, lambda: _edit(evidence, form)):
        if form.stale:
            form.version.data = str(evidence.version)
        return page(
            "assurance/evidence/edit.html",
            e=evidence,
            form=form,
            changes=form.overtaken,
            status=form.status,
        )
    return redirect(url_for("evidence.item", evidence_id=evidence.id), 303)


def _edit(evidence: Evidence, form: EvidenceEditForm) -> None:
    actions.edit(
        evidence,
        version=counted(form.version.data),
        title=form.title.data or "",
        kind=form.kind.data,
        cadence=form.cadence.data,
        confidentiality=form.confidentiality.data,
        due_on=form.due_on.data,
    )


@feature.post("/evidence/<uuid:evidence_id>/owner", needs=permissions.MANAGE)
def assign(evidence_id: UUID) -> ResponseReturnValue:
    evidence, form = queries.find_evidence(evidence_id, lock=True), AssignOwnerForm()
    if not accepted(form, lambda: actions.assign(evidence, owners.chosen(form.owner_id.data))):
        return _item_page(evidence, assign=form, status=422)
    say_changed(owners.assigned_one(evidence.ref, evidence.owner_id))
    return redirect(back_to(url_for("evidence.item", evidence_id=evidence.id)), 303)


@feature.post("/evidence/<uuid:evidence_id>/links", needs=permissions.MANAGE)
def link(evidence_id: UUID) -> ResponseReturnValue:
    evidence, form = queries.find_evidence(evidence_id, lock=True), ControlLinkForm()
    if not accepted(
        form, lambda: link_actions.link(evidence, form.control_id.data, form.note.data or "")
    ):
        return _item_page(evidence, link=form, status=422)
    say_changed(f"{evidence.ref} is linked to {queries.ref_of_control(form.control_id.data)}.")
    return redirect(url_for("evidence.item", evidence_id=evidence.id), 303)


@feature.post(
    "/evidence/<uuid:evidence_id>/links/<uuid:control_id>/remove", needs=permissions.MANAGE
)
def unlink(evidence_id: UUID, control_id: UUID) -> ResponseReturnValue:
    evidence = queries.find_evidence(evidence_id, lock=True)
    link_actions.unlink(evidence, control_id)
    say_changed(f"{evidence.ref} is no longer linked to {queries.ref_of_control(control_id)}.")
    return redirect(url_for("evidence.item", evidence_id=evidence.id), 303)


@feature.get("/evidence/<uuid:evidence_id>/retirement", needs=permissions.MANAGE)
def retirement(evidence_id: UUID) -> ResponseReturnValue:
    evidence = queries.find_evidence(evidence_id)
    return page(
        "assurance/evidence/retire.html",
        e=evidence,
        links=queries.control_links(evidence),
        versions=version_queries.shown_versions(evidence),
        form=RetirementForm(),
    )


@feature.post("/evidence/<uuid:evidence_id>/retirement", needs=permissions.MANAGE)
def retire(evidence_id: UUID) -> ResponseReturnValue:
    evidence, form = queries.find_evidence(evidence_id, lock=True), RetirementForm()
    if not accepted(form, lambda: actions.retire(evidence, reason=form.reason.data or "")):
        return page(
            "assurance/evidence/retire.html",
            e=evidence,
            links=queries.control_links(evidence),
            versions=version_queries.shown_versions(evidence),
            form=form,
            status=422,
        )
    say_changed(f"{evidence.ref} was retired. Its versions and history are kept.")
    return redirect(url_for("evidence.index"), 303)
