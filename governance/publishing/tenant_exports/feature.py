"""Exports of everything that a tenant has."""

from governance.foundation.audit.registry import actions_in
from governance.foundation.privacy.events import PersonErased
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import EntryLink, Manifest, Subscription
from governance.publishing.tenant_exports import actions, glossary, jobs, models, views

manifest = Manifest(
    name="tenant_exports",
    extensions=(GLOSSARY(*glossary.TERMS),),
    models=(models,),
    routes=(views.feature,),
    under=("tenant_settings.settings",),
    work=(jobs.generate,),
    audit=actions_in(actions),
    subscribes=(Subscription(PersonErased, actions.delete_archives, order=38),),
    links={"TenantExport": EntryLink(endpoint="tenant_exports.index", noun="export")},
)
