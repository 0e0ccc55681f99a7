"""The operator's pages of an offboarding: request it, follow it, cancel it, view its certificate."""

from flask import Response, flash, redirect, url_for

from governance.foundation.audit import logs
from governance.foundation.tenants import permissions as tenant_permissions
from governance.kernel import current
from governance.kernel.errors import NotFound
from governance.kernel.files.downloads import FILE
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.web.step_up import StepUp
from governance.publishing.operator_desk.queries import desk_tenant
from governance.publishing.tenant_offboarding import actions, permissions, queries
from governance.publishing.tenant_offboarding.certificate_file import TEXT_NAME
from governance.publishing.tenant_offboarding.forms import CancelForm, OffboardForm
from governance.publishing.tenant_offboarding.models import TenantOffboarding
from governance.publishing.tenant_offboarding.waiting import waiting_days

feature = Feature("tenant_offboarding", __name__, scope="operator")
OFFBOARD = StepUp(
    "Request deletion",
    OffboardForm,
    facts=lambda slug: [("Tenant", desk_tenant(slug).name)],
    danger="All of its data is deleted permanently.",
)
CANCEL = StepUp("Cancel deletion", CancelForm, facts=lambda slug: [("Tenant", _row(slug).name)])


@feature.get("/tenants/<slug>/offboarding", needs=tenant_permissions.VIEW)
def offboarding(slug: str) -> ResponseReturnValue:
    return _offboarding(slug, OffboardForm())


def _offboarding(
    slug: str, form: OffboardForm | CancelForm, *, status: int = 200
) -> ResponseReturnValue:
    found = desk_tenant(slug)
    row = queries.newest(found.id)
    if found.status == "offboarding" and isinstance(form, OffboardForm):
        form = CancelForm()
    return page(
        "publishing/tenant_offboarding/offboarding.html",
        status=status,
        t=found,
        row=row,
        form=form,
        has_archive=row is not None and queries.has_archive(row),
        days=waiting_days(),
        keys=[str(logs.verifier(key)) for key in logs.all_keys()],
    )


@feature.post("/tenants/<slug>/offboarding", needs=permissions.OFFBOARD, fresh=OFFBOARD)
def request(slug: str) -> ResponseReturnValue:
    found, form, made = desk_tenant(slug), OffboardForm(), []

    def act() -> None:
        _row, asked = actions.request(
            found,
            typed=form.typed.data or "",
            reason=form.reason.data or "",
            without_export=bool(form.without_export.data),
        )
        made.append(asked.id)

    if not accepted(form, act):
        return _offboarding(slug, form, status=form.status)
    home = current.actor().tenant_slug
    return redirect(url_for("approvals.approval", tenant=home, approval_id=made[0]), 303)


@feature.post("/tenants/<slug>/offboarding/cancel", needs=permissions.OFFBOARD, fresh=CANCEL)
def cancel(slug: str) -> ResponseReturnValue:
    found, form = desk_tenant(slug), CancelForm()
    row = _row(slug)
    if not accepted(form, lambda: actions.cancel(row, reason=form.reason.data or "")):
        return _offboarding(slug, form, status=form.status)
    flash(f"{found.name} will not be deleted. It is still suspended.")
    return redirect(url_for("operator_desk.tenant", slug=slug), 303)


@feature.get("/tenants/<slug>/offboarding/certificate", needs=tenant_permissions.VIEW, answers=FILE)
def certificate(slug: str) -> ResponseReturnValue:
    """Return the ZIP with the PDF, its signature and the signed text."""
    row = _row(slug)
    if row.archive is None:
        raise NotFound("There is no certificate yet.")
    return _file(row.archive, "application/zip", f"{row.slug}-certificate-of-deletion.zip")


@feature.get(
    "/tenants/<slug>/offboarding/certificate.txt", needs=tenant_permissions.VIEW, answers=FILE
)
def certificate_text(slug: str) -> ResponseReturnValue:
    """Return only the signed text."""
    row = _row(slug)
    if row.certificate is None:
        raise NotFound("There is no certificate yet.")
    return _file(row.certificate.encode(), "text/plain", f"{row.slug}-{TEXT_NAME}")


def _file(content: bytes, media_type: str, name: str) -> Response:
    held = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, mimetype=media_type, headers=held)


def _row(slug: str) -> TenantOffboarding:
    row = queries.newest(desk_tenant(slug).id)
    if row is None:
        raise NotFound("This tenant has no offboarding.")
    return row
