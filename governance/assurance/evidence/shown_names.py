"""Names of people as the reader may see them: pseudonyms where names are hidden."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from governance.foundation.people import aliases

FORMER_MEMBER, MERIDIAN = "a former member", "Meridian"


def person_names(ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Return the names of these people, or role and letter if the reader may not see names."""
    return aliases.shown_names(ids)


def name_or_former(person: UUID | None, shown: Mapping[UUID, str]) -> str:
    return shown.get(person, FORMER_MEMBER) if person else MERIDIAN
