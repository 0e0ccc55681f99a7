"""Pages for legal holds, retention periods and the permanent deletion of files."""

from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.assurance.evidence import (
    actions,
    deletion,
    deletion_queries,
    permissions,
    queries,
    stored_files,
)
from governance.assurance.evidence.forms import (
    DeletionForm,
    EvidenceRetentionForm,
    LegalHoldForm,
)
from governance.assurance.evidence.freshness_sql import DECIDED
from governance.assurance.evidence.models import Evidence, EvidenceVersion
from governance.assurance.evidence.views import feature
from governance.foundation.approvals.queries import open_approval
from governance.foundation.people import aliases
from governance.kernel.pages.rendering import page
from governance.kernel.web.forms import accepted, counted
from governance.kernel.web.responses import ResponseReturnValue


@feature.get("/evidence/<uuid:evidence_id>/hold", needs=permissions.KEEP)
def holding(evidence_id: UUID) -> ResponseReturnValue:
    return _hold_page(queries.find_evidence(evidence_id), LegalHoldForm())


def _hold_page(
    evidence: Evidence, form: LegalHoldForm, *, status: int = 200
) -> ResponseReturnValue:
    hold = deletion_queries.hold_on(evidence.id)
    placed_by = (
        aliases.shown_names([hold.placed_by]).get(hold.placed_by, aliases.FORMER_MEMBER)
        if hold
        else None
    )
    return page(
        "assurance/evidence/hold.html",
        e=evidence,
        hold=hold,
        placed_by=placed_by,
        form=form,
        status=status,
    )


@feature.post("/evidence/<uuid:evidence_id>/hold", needs=permissions.KEEP)
def hold(evidence_id: UUID) -> ResponseReturnValue:
    """Place a legal hold, or release it, depending on the button."""
    evidence, form = queries.find_evidence(evidence_id, lock=True), LegalHoldForm()
    releases = request.form.get("verb") == "release"
    act = deletion.release_hold if releases else deletion.place_hold
    if not accepted(form, lambda: act(evidence, reason=form.reason.data or "")):
        return _hold_page(evidence, form, status=form.status)
    flash(
        f"The legal hold on {evidence.ref} was released."
        if releases
        else f"The legal hold on {evidence.ref} is active."
    )
    return redirect(url_for("evidence.item", evidence_id=evidence.id), 303)


@feature.get("/evidence/retention", needs=permissions.KEEP)
def retention() -> ResponseReturnValue:
    return _retention_page()


def _retention_page(
    form: EvidenceRetentionForm | None = None, *, status: int = 200
) -> ResponseReturnValue:
    """Show the rules. A rejected form keeps its input in the row of its kind."""
    rules = deletion_queries.retention_rules()
    lines = [
        (kind, rules.get(kind), form if form is not None and form.kind.data == kind else None)
        for kind in actions.KINDS
    ]
    people = aliases.shown_names(rule.changed_by for rule in rules.values())
    return page(
        "assurance/evidence/retention.html",
        lines=lines,
        rules=rules,
        people=people,
        refused=form,
        status=status,
    )


@feature.post("/evidence/retention", needs=permissions.KEEP)
def set_retention() -> ResponseReturnValue:
    form = EvidenceRetentionForm()
    kind = form.kind.data or ""
    if not accepted(
        form,
        lambda: deletion.set_retention(kind, form.months.data, version=counted(form.version.data)),
    ):
        return _retention_page(form, status=form.status)
    flash(
        f"{kind.capitalize()} files are kept for {form.months.data} months after validity ends."
        if form.months.data
        else f"{kind.capitalize()} files are kept indefinitely."
    )
    return redirect(url_for("evidence.retention"), 303)


@feature.get("/evidence/versions/<uuid:version_id>/deletion", needs=permissions.DELETE)
def deletion_request(version_id: UUID) -> ResponseReturnValue:
    """Show the request form, the open approval, or the deletion record."""
    version, evidence = queries.find_version(version_id)
    existing = deletion_queries.deletion_of(version, "requested")
    approval = open_approval(deletion_queries.DELETION, existing.id) if existing else None
    if approval is not None:
        return redirect(url_for("approvals.approval", approval_id=approval.id), 303)
    return _destruction_page(version, evidence, DeletionForm())


def _destruction_page(
    version: EvidenceVersion, evidence: Evidence, form: DeletionForm, *, status: int = 200
) -> ResponseReturnValue:
    existing = deletion_queries.deletion_of(version, *DECIDED)
    return page(
        "assurance/evidence/deletion.html",
        e=evidence,
        v=version,
        asked=existing,
        people=aliases.shown_names(
            [existing.requested_by, existing.decided_by] if existing else []
        ),
        kept=None if existing else deletion.reason_to_keep(version, evidence),
        shared=stored_files.others_with(version),
        form=form,
        status=status,
    )


@feature.post("/evidence/versions/<uuid:version_id>/deletion", needs=permissions.DELETE)
def request_deletion(version_id: UUID) -> ResponseReturnValue:
    (version, evidence), form = (
        queries.find_version(version_id, lock=True),
        DeletionForm(),
    )
    if not accepted(
        form,
        lambda: deletion.request_deletion(version, evidence, reason=form.reason.data or ""),
    ):
        return _destruction_page(version, evidence, form, status=form.status)
    flash("Deletion requested. Another person must approve it.")
    return redirect(url_for("evidence.deletion_request", version_id=version.id), 303)
