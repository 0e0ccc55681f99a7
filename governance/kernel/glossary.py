"""The terms of the glossary that features add, each with one plain sentence.

The page, docs/glossary.md and the help are drawn from them.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from governance.kernel.extension_points import ExtensionPoint


@dataclass(frozen=True)
class Term:
    """A term and its meaning.

    `covers` lists, separated by spaces, the nouns of audit actions and permissions that this term
    explains ("anchor" is the external witness).
    """

    name: str
    meaning: str
    covers: str = ""

    @cached_property
    def slug(self) -> str:
        """The anchor on the glossary page: "External witness" is `external-witness`."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


GLOSSARY: ExtensionPoint[Term] = ExtensionPoint("term", key=lambda term: term.slug)


def find_term(slug: str) -> Term:
    """Return the term that a help text links to.

    Raises LookupError for a slug that the glossary doesn't have.
    """
    for each in GLOSSARY.parts():
        if each.slug == slug:
            return each
    raise LookupError(slug)
