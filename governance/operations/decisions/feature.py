"""The decision API: answers from memory about what products may do."""

from governance.foundation.audit.registry import actions_in
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import EntryLink, Manifest
from governance.operations.decisions import actions, glossary, models

manifest = Manifest(
    name="decisions",
    extensions=(GLOSSARY(*glossary.TERMS),),
    models=(models,),
    audit=actions_in(actions),
    links={
        "BundleKey": EntryLink(
            no_page="products download it from the decision API",
            noun="the policy bundles' key",
            single=True,
        )
    },
)
