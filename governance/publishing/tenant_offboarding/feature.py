"""Offboarding: two operators delete a tenant, and a signed certificate says so."""

from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import EntryLink, Hourly, Manifest
from governance.publishing.tenant_offboarding import (
    actions,
    approval_kinds,
    deletion,
    jobs,
    models,
    views,
)

manifest = Manifest(
    name="tenant_offboarding",
    models=(models,),
    routes=(views.feature,),
    under=("operator_overview.overview",),
    work=(jobs.carry_out,),
    schedule=(Hourly("delete tenants that are due", jobs.start_due, 25),),
    approvals=approval_kinds.KINDS,
    audit=actions_in(actions, deletion),
    links={
        "TenantOffboarding": EntryLink(
            no_page="The operator keeps it on the tenant's page.", noun="the deletion of a tenant"
        )
    },
)
