"""Exports of everything that a tenant has."""

from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import EntryLink, Manifest
from governance.publishing.tenant_exports import actions, jobs, models, views

manifest = Manifest(
    name="tenant_exports",
    models=(models,),
    routes=(views.feature,),
    under=("tenant_settings.settings",),
    work=(jobs.generate,),
    audit=actions_in(actions),
    links={"TenantExport": EntryLink(endpoint="tenant_exports.index", noun="export")},
)
