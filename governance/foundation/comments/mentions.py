"""Mentions: a person types @ and an address; the stored text has the person's id.

people(roles)              who can be mentioned where these roles read
resolve(text, roles)       the text to store, and the people mentioned; rejects others
named(text, roles)         the same for discussions that store names in their text
shown(text, ids, names)    escaped markup, with names
typed(text, ids)           the text for editing, with addresses
"""

import re
from collections.abc import Collection, Mapping
from uuid import UUID

from markupsafe import Markup, escape

from governance.foundation.people import queries
from governance.foundation.people.queries import Member
from governance.kernel.errors import Invalid

TYPED = re.compile(
    r"(?<![^\s(\[{,;:>\"'])@([^\s@<>(),;:\"\[\]\\{}]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)"
)
STORED = re.compile(r"@\{([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}")
MAX_MENTIONS = 20
FORMER = "A former member"


def people(roles: Collection[str]) -> list[Member]:
    """Return the members with one of these roles and an address, by name."""
    return [each for each in queries.members() if each.role in roles and each.email]


def resolve(text: str, roles: Collection[str]) -> tuple[str, tuple[UUID, ...]]:
    """Return the text to store, and the ids of the people mentioned.

    Raises Invalid for the address of anyone who can't read it. Non-members and members without
    access get the same answer.
    """
    if not TYPED.search(text):
        return text, ()
    known: dict[str, Member] = {}
    for each in people(roles):
        known.setdefault(each.email.lower(), each)
    found: dict[UUID, None] = {}

    def stored(match: re.Match[str]) -> str:
        member = known.get(match[1].lower())
        if member is None:
            raise Invalid(
                f"Nobody who can read this has the address {match[1]}. Choose a person from the"
                " list, or write the address without @ in front.",
                field="text",
            )
        found[member.person_id] = None
        return f"@{{{member.person_id}}}"

    text = TYPED.sub(stored, text)
    if len(found) > MAX_MENTIONS:
        raise Invalid(f"Mention {MAX_MENTIONS} people or fewer.", field="text")
    return text, tuple(found)


def named(text: str, roles: Collection[str]) -> tuple[str, frozenset[UUID]]:
    """Return the text with "@Ana Ruiz" for the address, and the ids of the people it mentions."""
    text, ids = resolve(text, roles)
    names = queries.names(ids)
    for each in ids:
        text = text.replace(f"@{{{each}}}", f"@{names.get(each, FORMER)}")
    return text, frozenset(ids)


def shown(text: str, ids: Collection[str], names: Mapping[UUID, str]) -> Markup:
    """Return escaped text in which the people of `ids` appear by name."""
    parts, end = [], 0
    for match in STORED.finditer(text):
        if match[1] in ids:
            name = escape(names.get(UUID(match[1]), FORMER))
            parts += [
                escape(text[end : match.start()]),
                Markup('<b class="c-mention">@{}</b>').format(name),
            ]
            end = match.end()
    return Markup("").join([*parts, escape(text[end:])])


def typed(text: str, ids: Collection[str]) -> str:
    """Return the text as its writer typed it. A former member is named as such."""
    addresses = {each.person_id: each.email for each in queries.members() if each.email}

    def address(match: re.Match[str]) -> str:
        if match[1] not in ids:
            return match[0]
        person = UUID(match[1])
        return f"@{addresses[person]}" if person in addresses else FORMER

    return STORED.sub(address, text)
