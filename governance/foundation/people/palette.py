"""Members in search, for those who may open the list of members."""

from typing import Any
from uuid import UUID

from sqlalchemy import Select, literal, select

from governance.foundation.people.models import Membership, Person
from governance.kernel import current
from governance.kernel.manifest import ObjectSearch
from governance.kernel.pages.search_words import has_words, typed


def _find(text: str) -> Select[UUID, str, str] | None:
    query = select(Membership.id, Person.email, Person.name + literal(" ") + Person.email)
    query = query.join(Person, Person.id == Membership.person_id)
    mine = Membership.tenant_id == current.actor().tenant_id, Membership.ended_at.is_(None)
    named = has_words(typed(text), Person.name, Person.email)
    return query.where(*mine, named).order_by(Person.name)


def _address(_membership_id: UUID, email: str) -> dict[str, Any]:
    return {"q": email}


members = ObjectSearch("person", _find, "people.members", _address, many="people")
