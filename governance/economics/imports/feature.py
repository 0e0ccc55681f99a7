"""Imports of the operator's files: usage, prices, bills, revenue."""

from governance.economics.imports import (
    actions,
    file_work,
    glossary,
    jobs,
    models,
    permissions,
    views,
)
from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Command, Daily, EntryLink, Manifest, NavItem

manifest = Manifest(
    name="imports",
    extensions=(GLOSSARY(*glossary.TERMS),),
    models=(models,),
    routes=(views.feature,),
    navigation=(
        NavItem(
            label="Imports",
            icon="file-import",
            endpoint="imports.index",
            permission=permissions.VIEW,
            order=78,
            group="economics",
            audience="operator",
        ),
    ),
    schedule=(Daily("remove import files", jobs.remove_files, at="03:47"),),
    work=(file_work.handle,),
    palette=(Command("Import a file", "imports.index", permissions.IMPORT),),
    audit=actions_in(actions),
    links={
        "FileImport": EntryLink(
            endpoint="imports.file_import", argument="import_id", noun="imported file"
        )
    },
)
