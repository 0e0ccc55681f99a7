"""The tenant's own settings, and the operator's list of tenants."""

from flask import redirect, url_for

from governance.kernel import current
from governance.kernel.access import registry
from governance.kernel.errors import DomainError, NotFound
from governance.kernel.feature import Feature
from governance.kernel.forms import accepted
from governance.kernel.pages import page
from governance.kernel.web import ResponseReturnValue
from governance.tenants import actions, permissions, queries
from governance.tenants.forms import FoundForm, SettingsForm
from governance.tenants.models import Tenant

feature = Feature("tenant_settings", __name__)
operator_feature = Feature("operator_tenants", __name__, scope="operator")


def _tenant() -> Tenant:
    tenant = queries.tenant_by_id(current.actor().tenant_id)
    if tenant is None:
        raise NotFound("There is no such tenant.")
    return tenant


@feature.get("/settings/", needs=permissions.SEE)
def settings() -> ResponseReturnValue:
    tenant = _tenant()
    return page("tenants/settings.html", t=tenant, form=SettingsForm(obj=tenant), domains=queries.domains_of(tenant.id), can=registry)


@feature.post("/settings/", needs=permissions.EDIT)
def change_settings() -> ResponseReturnValue:
    tenant, form = _tenant(), SettingsForm()
    if not accepted(form, lambda: actions.change_settings(tenant, **form.data)):
        return page("tenants/settings.html", status=422, t=tenant, form=form, domains=queries.domains_of(tenant.id), can=registry)
    return redirect(url_for("tenant_settings.settings"), 303)


@operator_feature.get("/tenants/new", needs=permissions.FOUND)
def new() -> ResponseReturnValue:
    return page("tenants/new.html", form=FoundForm())


@operator_feature.post("/tenants/", needs=permissions.FOUND, fresh=True)
def found() -> ResponseReturnValue:
    form = FoundForm()
    if form.validate():
        try:
            actions.found(form.slug.data or "", form.name.data or "")
        except DomainError as refused:
            form.refuse(refused)
        else:
            return redirect("/operator/", 303)
    return page("tenants/new.html", form=form, status=422)
