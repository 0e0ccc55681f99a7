"""The glossary: what the product's terms mean, one sentence each."""

from governance.foundation.glossary import palette, terms, views
from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Manifest

manifest = Manifest(
    name="glossary",
    routes=(views.feature,),
    palette=(palette.glossary_terms,),
    extensions=(GLOSSARY(*terms.TERMS),),
)
