"""“Why am I seeing this?”, a public page that explains an AI system to anyone."""

from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import EntryLink, Manifest
from governance.operations.systems.parts import SYSTEM_PARTS
from governance.publishing.explanations import (
    actions,
    glossary,
    models,
    public_views,
    system_parts,
    views,
)

manifest = Manifest(
    name="explanations",
    models=(models,),
    routes=(views.feature, public_views.public),
    under=("systems.index",),
    extensions=(GLOSSARY(*glossary.TERMS), SYSTEM_PARTS(system_parts.TAB)),
    audit=actions_in(actions),
    links={
        "SystemExplanation": EntryLink(
            no_page="it is a tab of the AI system", noun="public explanation"
        ),
    },
)
