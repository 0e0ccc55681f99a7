"""Documents of AI systems: the technical file and the impact assessment."""

from governance.foundation.audit.registry import actions_in
from governance.kernel.manifest import EntryLink, Manifest
from governance.operations.systems.parts import OutdatedRecords, SystemTab
from governance.publishing.system_documents import actions, models, permissions, queries, views

manifest = Manifest(
    name="system_documents",
    models=(models,),
    routes=(views.feature,),
    under=("systems.index",),
    systems=(
        SystemTab(
            label="Documents",
            endpoint="system_documents.index",
            argument="system_key",
            permission=permissions.VIEW,
            order=90,
        ),
        OutdatedRecords(
            select=queries.outdated,
            verb="Open",
            endpoint="system_documents.by_id",
            argument="document_id",
            permission=permissions.VIEW,
        ),
    ),
    audit=actions_in(actions),
    links={
        "SystemDocument": EntryLink(
            endpoint="system_documents.by_id", argument="document_id", noun="document"
        )
    },
)
