"""Two accounts of one human are one person: nobody reviews their own work with a second account.

own_accounts(who)      ids of the acting person and of everyone with the same email address
has_address_of(who)    the same as an SQL condition on Person
"""

from uuid import UUID

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import aliased

from governance.foundation.people.models import Person
from governance.kernel.current import Actor
from governance.kernel.data.db import session
from governance.kernel.safety.conditions import Whoever

CACHE = "own accounts"


def own_accounts(who: Actor) -> frozenset[UUID]:
    """Return the ids of the person's accounts, read once a transaction; a job has none."""
    if who.person_id is None:
        return frozenset()
    known: dict[UUID, frozenset[UUID]] = session().info.setdefault(CACHE, {})
    if who.person_id not in known:
        found = session().scalars(select(Person.id).where(has_address_of(who)))
        known[who.person_id] = frozenset(found) | {who.person_id}
    return known[who.person_id]


def has_address_of(who: Actor | Whoever) -> ColumnElement[bool]:
    mine = aliased(Person)
    address = select(func.lower(mine.email)).where(mine.id == who.person_id).scalar_subquery()
    return and_(func.lower(Person.email) == address, Person.email != "")
