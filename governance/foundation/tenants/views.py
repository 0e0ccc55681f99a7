"""The pages of the tenant's own settings, and of creating a tenant."""

from flask import flash, redirect, url_for

from governance.foundation.tenants import actions, permissions, queries
from governance.foundation.tenants.forms import TenantForm, TenantSettingsForm
from governance.foundation.tenants.models import Tenant
from governance.kernel import current
from governance.kernel.errors import NotFound
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.forms import accepted
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.web.step_up import StepUp

feature = Feature("tenant_settings", __name__)
operator_feature = Feature("operator_tenants", __name__, scope="operator")


def _tenant() -> Tenant:
    tenant = queries.tenant_by_id(current.actor().tenant_id)
    if tenant is None:
        raise NotFound("This tenant doesn't exist.")
    return tenant


@feature.get("/settings/", needs=permissions.SEE)
def settings() -> ResponseReturnValue:
    tenant = _tenant()
    return _settings_page(tenant, TenantSettingsForm(obj=tenant))


def _settings_page(
    tenant: Tenant, form: TenantSettingsForm, *, status: int = 200
) -> ResponseReturnValue:
    return page(
        "foundation/tenants/settings.html",
        status=status,
        t=tenant,
        form=form,
        domains=queries.domains_of(tenant.id),
        stale=form.stale,
    )


@feature.post("/settings/", needs=permissions.EDIT)
def change_settings() -> ResponseReturnValue:
    tenant, form = _tenant(), TenantSettingsForm()
    if accepted(
        form, lambda: actions.change_settings(tenant, seen=form.mark.data or "", **form.settings)
    ):
        flash("Settings saved. New reports use them.")
        return redirect(url_for("tenant_settings.settings"), 303)
    if form.stale:
        form.mark.data = tenant.mark  # A person who saves again has seen what differs.
    return _settings_page(tenant, form, status=form.status)


@operator_feature.get("/tenants/new", needs=permissions.FOUND)
def new() -> ResponseReturnValue:
    return page("foundation/tenants/new.html", form=TenantForm())


@operator_feature.post(
    "/tenants/", needs=permissions.FOUND, fresh=StepUp("Create tenant", TenantForm)
)
def found() -> ResponseReturnValue:
    form = TenantForm()

    def act() -> None:
        actions.create_tenant(form.slug.data or "", form.name.data or "", by=current.person_id())

    if not accepted(form, act):
        return page("foundation/tenants/new.html", form=form, status=form.status)
    return redirect(f"/operator/tenants/{form.slug.data}/first-admin", 303)
