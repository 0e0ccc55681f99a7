"""Names of people as the reader may see them: pseudonyms where names are hidden."""

from collections.abc import Collection, Iterable, Mapping
from uuid import UUID

from sqlalchemy import select

from governance.foundation.people import permissions as people
from governance.foundation.people.models import Membership, Person
from governance.kernel.access import allowed
from governance.kernel.db import session

FORMER_MEMBER, MERIDIAN = "a former member", "Meridian"


def person_names(ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Return the names of these people, or pseudonyms if the reader may not see names."""
    known_ids: Collection[UUID] = {i for i in ids if i}
    if not known_ids:
        return {}
    query = select(Membership.person_id, Membership.pseudonym, Person.name).join(
        Person, Person.id == Membership.person_id
    )
    rows = session().execute(query.where(Membership.person_id.in_(known_ids)))
    named = allowed(people.NAMES)
    return {row.person_id: row.name if named else f"person {row.pseudonym[:8]}" for row in rows}


def name_or_former(person: UUID | None, shown: Mapping[UUID, str]) -> str:
    return shown.get(person, FORMER_MEMBER) if person else MERIDIAN
