"""The tenant's page of the operator's access, and the operator's request for it."""

from uuid import UUID

from flask import flash, redirect, url_for

from governance.foundation.approvals import queries as approvals
from governance.foundation.support_access import actions, approval_kinds, permissions, queries
from governance.foundation.support_access.forms import RequestForm
from governance.foundation.tenants.models import Tenant
from governance.foundation.tenants.queries import any_tenant_by_slug
from governance.kernel.errors import NotFound
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.web.step_up import StepUp

feature = Feature("support_access", __name__)
operator_feature = Feature("operator_support", __name__, scope="operator")


@feature.get("/settings/support-access", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    grants = queries.newest()
    return page(
        "foundation/support_access/index.html",
        grants=grants,
        viewed=queries.pages_viewed(grants) if grants else {},
        asked=approvals.latest(actions.KIND, [each.id for each in grants]),
        scope_words=approval_kinds.scope_words,
        level_words=approval_kinds.level_words,
    )


@feature.post("/settings/support-access/<uuid:support_grant_id>/end", needs=permissions.APPROVE)
def end(support_grant_id: UUID) -> ResponseReturnValue:
    """End it immediately, without a fresh sign-in: ending access never waits."""
    row = queries.grant(support_grant_id)
    actions.end_by_tenant(row)
    flash(f"{row.name} can't open this tenant any more.")
    return redirect(url_for("support_access.index"), 303)


# ---- the operator


def _tenant(slug: str) -> Tenant:
    found = any_tenant_by_slug(slug)
    if found is None or found.kind == "operator":
        raise NotFound("This tenant doesn't exist.")
    return found


REQUEST = StepUp("Request access", RequestForm, facts=lambda slug: [("Tenant", _tenant(slug).name)])


@operator_feature.get("/tenants/<slug>/support", needs=permissions.REQUEST)
def asking(slug: str) -> ResponseReturnValue:
    return _asking(_tenant(slug), RequestForm())


def _asking(tenant: Tenant, form: RequestForm, *, status: int = 200) -> ResponseReturnValue:
    return page("foundation/support_access/request.html", status=status, t=tenant, form=form)


@operator_feature.post("/tenants/<slug>/support", needs=permissions.REQUEST, fresh=REQUEST)
def request_access(slug: str) -> ResponseReturnValue:
    tenant, form = _tenant(slug), RequestForm()

    def act() -> None:
        actions.request_access(
            tenant,
            hours=int(form.hours.data or 0),
            feature=form.feature.data or "",
            may_change=form.level.data == "change",
            reason=form.reason.data or "",
        )

    if not accepted(form, act):
        return _asking(tenant, form, status=form.status)
    flash(f"The admins of {tenant.name} were asked. You get an email when one of them decides.")
    return redirect(f"/operator/tenants/{tenant.slug}", 303)


@operator_feature.post(
    "/tenants/<slug>/support/<uuid:support_grant_id>/end", needs=permissions.REQUEST
)
def end_as_operator(slug: str, support_grant_id: UUID) -> ResponseReturnValue:
    tenant = _tenant(slug)
    actions.end_by_operator(tenant, support_grant_id)
    flash(f"Access to {tenant.name} has ended.")
    return redirect(f"/operator/tenants/{tenant.slug}", 303)
