"""Data sets: versions with their licence, consent and age, and the AI systems that use them."""

from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Command, EntryLink, Manifest, PortAnswer
from governance.operations.datasets import (
    actions,
    gates,
    glossary,
    import_views,  # noqa: F401 - adds the routes of the import to the feature
    inbox,
    models,
    named,
    palette,
    permissions,
    version_views,  # noqa: F401 - adds the routes of versions to the feature
    views,
)
from governance.operations.gates.gates import GATES
from governance.operations.systems.ports import data_sets_named

manifest = Manifest(
    name="datasets",
    models=(models,),
    routes=(views.feature,),
    under=("systems.index",),
    inbox=inbox.SOURCES,
    extensions=(GLOSSARY(*glossary.TERMS), GATES(gates.DATA_SETS)),
    palette=(
        Command("View data sets", "datasets.index", permissions.VIEW),
        Command("New data set", "datasets.new", permissions.EDIT, also="add register"),
        Command(
            "Import a Croissant file",
            "datasets.choose_file",
            permissions.EDIT,
            also="data set JSON-LD",
        ),
    ),
    search=(palette.data_sets,),
    audit=actions_in(actions),
    answers=(PortAnswer(data_sets_named, named.data_sets_named),),
    links={
        "DataSet": EntryLink(endpoint="datasets.data_set", argument="data_set_id", noun="data set"),
    },
)
