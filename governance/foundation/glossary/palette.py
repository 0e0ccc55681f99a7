"""Terms of the glossary in search, by their name."""

from collections.abc import Iterator

from flask import url_for

from governance.kernel.glossary import GLOSSARY
from governance.kernel.manifest import Hit
from governance.kernel.pages.search_words import found_in, typed


def glossary_terms(text: str) -> Iterator[Hit]:
    """Yield the terms whose name has the typed words."""
    what = typed(text)
    for term in GLOSSARY.parts():
        if found_in(what, term.name):
            yield Hit(term.name, "term", url_for("glossary.index", _anchor=term.slug))
