"""Offboarding: two operators delete a tenant, and a signed certificate states it."""

from governance.foundation.approvals.kinds import APPROVAL_KINDS
from governance.foundation.audit.registry import actions_in
from governance.kernel.feature_settings import SETTINGS
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import EntryLink, Hourly, Manifest
from governance.publishing.tenant_offboarding import (
    actions,
    approval_kinds,
    deletion,
    glossary,
    jobs,
    models,
    views,
    waiting,
)

manifest = Manifest(
    name="tenant_offboarding",
    models=(models,),
    routes=(views.feature,),
    under=("operator_overview.overview",),
    work=(jobs.carry_out,),
    schedule=(Hourly("delete tenants that are due", jobs.start_due, 25),),
    extensions=(
        GLOSSARY(*glossary.TERMS),
        SETTINGS(waiting.SETTING),
        APPROVAL_KINDS(*approval_kinds.KINDS),
    ),
    audit=actions_in(actions, deletion),
    links={
        "TenantOffboarding": EntryLink(
            no_page="The operator keeps it on the tenant's page.", noun="the deletion of a tenant"
        )
    },
)
