"""The first people who joined a tenant, read once: a page names some of them several times.

known()     who they are, cached until a commit; None in a transaction that may write
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ClauseElement, func, select

from governance.foundation.people.models import Membership, Person
from governance.kernel.data import db, tenant_cache
from governance.kernel.data.compiled_select import CompiledSelect

MAX_KNOWN = 200  # Per tenant; people who joined later are read where a page names them.


class KnownPerson(NamedTuple):
    """A member or former member.

    `place` is theirs among all who ever joined, `by_name` among the known ones.
    """

    membership_id: UUID
    person_id: UUID
    pseudonym: str
    role: str
    via: str
    created_at: datetime
    ended_at: datetime | None
    place: int
    name: str
    email: str
    by_name: int


@dataclass(frozen=True, slots=True)
class KnownPeople:
    """The cached people of a tenant. `are_all` is true if nobody else ever joined."""

    by_key: Mapping[str, Mapping[Any, KnownPerson]]  # By "person_id" and by "pseudonym".
    are_all: bool

    def members(self) -> Sequence[KnownPerson]:
        """Return the current members by name."""
        found = [p for p in self.by_key["person_id"].values() if p.ended_at is None]
        return sorted(found, key=lambda each: each.by_name)


def _first() -> ClauseElement:
    m, joined = Membership, (Membership.created_at, Membership.id)
    place = func.row_number().over(order_by=joined).label("place")
    first = (
        select(m.id, m.person_id, m.pseudonym, m.role, m.via, m.created_at, m.ended_at, place)
        .order_by(*joined)
        .limit(MAX_KNOWN + 1)
        .subquery()
    )
    by_name = func.row_number().over(order_by=Person.name)
    people = select(first, Person.name, Person.email, by_name).prefix_with(
        "/* the shell: people */"
    )
    return people.join(Person, Person.id == first.c.person_id)


_FIRST = CompiledSelect(_first, KnownPerson._make)


def known() -> KnownPeople | None:
    if not db.info().get("may_recall"):
        return None
    return tenant_cache.recall("known people", _read, under=tenant_cache.log_number())


def _read() -> KnownPeople:
    rows = _FIRST.rows()
    return KnownPeople(
        {key: {getattr(row, key): row for row in rows} for key in ("person_id", "pseudonym")},
        len(rows) <= MAX_KNOWN,
    )
