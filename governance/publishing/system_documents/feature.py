"""Documents of AI systems: the technical file and the impact assessment."""

from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Daily, EntryLink, Manifest, PortAnswer
from governance.operations.intake.ports import document_points
from governance.operations.systems.parts import SYSTEM_PARTS, OutdatedRecords, SystemTab
from governance.publishing.system_documents import (
    actions,
    file_actions,
    file_views,
    glossary,
    jobs,
    models,
    permissions,
    queries,
    views,
)

# Importing each module adds its routes to the same feature.
VIEW_MODULES = (views, file_views)

manifest = Manifest(
    name="system_documents",
    models=(models,),
    routes=tuple({module.feature: None for module in VIEW_MODULES}),
    schedule=(Daily("tidy system documents", jobs.remove_unreferenced_files, at="03:41"),),
    work=(jobs.make_document_file,),
    under=("systems.index",),
    extensions=(
        GLOSSARY(*glossary.TERMS),
        SYSTEM_PARTS(
            SystemTab(
                label="Documents",
                endpoint="system_documents.index",
                argument="system_key",
                permission=permissions.VIEW,
                order=90,
                counts_everything=True,
            ),
            OutdatedRecords(
                select=queries.outdated,
                verb="Open",
                endpoint="system_documents.by_id",
                argument="document_id",
                permission=permissions.VIEW,
                confirming=permissions.COMPLETE,
                counts_everything=True,
            ),
        ),
    ),
    audit=actions_in(actions, file_actions),
    answers=(PortAnswer(document_points, queries.points_of_duties),),
    links={
        "SystemDocument": EntryLink(
            endpoint="system_documents.by_id", argument="document_id", noun="document"
        ),
        "DocumentFile": EntryLink(no_page="its version is on the pages of the AI system"),
    },
)
