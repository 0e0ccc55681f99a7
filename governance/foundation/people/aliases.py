"""What a reader calls people: by name, or where names are hidden by role and letter.

An auditor reads "Officer B" wherever that person acts: on pages, in histories, in packages. The
letter is the person's place among all who ever joined the tenant, so it never changes and is never
another's; the word is their role. An engagement can show its auditors names, with the letter beside
each. Readers are always called by their own name.

    shown_names(ids)              as this reader may see them
    aliases(ids)                  role and letter alone, for what leaves the tenant
    names_by_pseudonym(…)         the same for entries of the log
"""

from collections.abc import Callable, Collection, Iterable
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from governance.foundation.people import known_people, permissions
from governance.foundation.people.models import ERASED, ERASED_NAME, Membership, Person
from governance.kernel import current
from governance.kernel.access import allowed
from governance.kernel.db import session
from governance.kernel.visibility_scope import scope

WORDS = {
    "admin": "Admin",
    "compliance_officer": "Officer",
    "contributor": "Contributor",
    "auditor": "Auditor",
    "viewer": "Viewer",
    "operator_admin": "Operator",
    "operator_finance": "Operator finance",
    "operator_support": "Operator support",
}
LETTERS = 26


def letter(place: int) -> str:
    """Return A for 1, Z for 26, AA for 27."""
    text = ""
    while place > 0:
        place, rest = divmod(place - 1, LETTERS)
        text = chr(ord("A") + rest) + text
    return text


def may_see_names() -> bool:
    """Whether the reader sees names: members do, auditors where all their engagements show them."""
    if allowed(permissions.NAMES):
        return True
    seen = scope()
    return seen is not None and seen.shows_names


@cache
def _statement() -> Select[Any]:
    m = Membership
    place = func.row_number().over(order_by=(m.created_at, m.id)).label("place")
    every = select(m.person_id, m.pseudonym, m.role, m.via, place).subquery()
    return select(every, Person.name).join(Person, Person.id == every.c.person_id)


def shown_names(ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Return what this reader calls these people; one statement, or none where they are known."""
    wanted = {i for i in ids if i}
    return _read("person_id", wanted, _namer()) if wanted else {}


def aliases(ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Return role and letter of these people, for any reader."""
    wanted = {i for i in ids if i}
    return _read("person_id", wanted, _alias) if wanted else {}


def names_by_pseudonym(pseudonyms: Collection[str]) -> dict[str, str]:
    """Return what this reader calls the people behind these pseudonyms of the log."""
    return _read("pseudonym", pseudonyms, _namer()) if pseudonyms else {}


def _read(column: str, wanted: Collection[Any], name: Callable[[Any], str]) -> dict[Any, str]:
    known = known_people.known()
    if known is None:
        return _asked(column, wanted, name)
    people = known.by_key[column]
    found = {each: name(people[each]) for each in wanted if each in people}
    missing = [] if known.are_all else [each for each in wanted if each not in found]
    return found | _asked(column, missing, name) if missing else found


def _asked(column: str, wanted: Collection[Any], name: Callable[[Any], str]) -> dict[Any, str]:
    query = _statement()
    chosen = query.selected_columns[column]
    return {
        getattr(row, column): name(row)
        for row in session().execute(query.where(chosen.in_(wanted)))
    }


def _alias(row: Any) -> str:
    return f"{WORDS.get(row.role, 'Person')} {letter(row.place)}"


def real_name(row: Any) -> str:
    """Return the name of a person; who was erased has none."""
    return ERASED_NAME if row.via == ERASED else str(row.name)


def _namer() -> Callable[[Any], str]:
    reader = current.actor()
    if allowed(permissions.NAMES):
        return real_name
    if may_see_names():
        return lambda row: f"{real_name(row)} ({_alias(row)})"
    return lambda row: real_name(row) if row.person_id == reader.person_id else _alias(row)
