"""Names of people as a reader sees them: real names, or role and letter if names are hidden.

An auditor reads "Officer B" wherever that person acts: on pages, in histories, in packages. The
letter is the person's place among all who ever joined the tenant, so it never changes and nobody
else gets it; the word is their role. An engagement can show its auditors names, each with the
letter. Readers always see their own name.

    shown_names(ids)              as this reader may see them: what every page and file shows
    names_by_pseudonym(…)         the same for actors of log entries
    aliases(ids)                  role and letter alone, for what leaves the tenant
    label(column)                 the same in SQL, for lists that search and sort by it
    who_did(shown, id)            one of those; Meridian if no person acted
    read_by(member)               as that member may see them: in mail, whose reader isn't acting
    sender_name(member)           what that member calls the acting person
    reading()                     the key of cached names that are shared between readers
    without_names()               read as somebody who sees no name: for files that auditors open

Pages call `people.queries.names`, which is `shown_names`. Nothing else reads a name to show it;
tests/foundation/people/test_names_in_one_place.py lists the modules that need one for any reader.
"""

from collections.abc import Callable, Collection, Generator, Hashable, Iterable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, case, cast, func, select

from governance.foundation.people import known_people, permissions
from governance.foundation.people.models import ERASED, ERASED_NAME, Membership, Person
from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.safety.access import allowed
from governance.kernel.safety.visibility_scope import scope

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
MAX_LETTERS = 5
# These roles see names in addition to those of permissions.NAMES, which also opens the reasons of
# log entries.
NAMED_ROLES = frozenset({"operator_finance", "operator_support", "api_key"})
FORMER_MEMBER, MERIDIAN = "a former member", "Meridian"
OUTSIDER = "Meridian operator"  # Never a member here; the name that readers without names see.
_without_names: ContextVar[bool] = ContextVar("without names", default=False)


def letter(place: int) -> str:
    """Return A for 1, Z for 26, AA for 27."""
    text = ""
    while place > 0:
        place, rest = divmod(place - 1, LETTERS)
        text = chr(ord("A") + rest) + text
    return text


@contextmanager
def without_names() -> Generator[None]:
    """Show everybody by role and letter, including the acting person, for text in a file.

    Don't use it in a read-only transaction, where a query may have cached what it read with names.
    """
    token = _without_names.set(True)
    try:
        yield
    finally:
        _without_names.reset(token)


@contextmanager
def read_by(member: Membership) -> Generator[None]:
    """Show people as this member sees them, since the reader of a mail isn't the acting person."""
    reader = replace(
        current.actor(),
        kind="person",
        person_id=member.person_id,
        role=member.role,
        key_id=None,
        scopes=frozenset(),
        support=None,
    )
    with current.acting_as(reader):
        yield


def sender_name(member: Membership) -> str:
    """Return the name of the acting person as this member sees it, for mail to them."""
    who = current.actor()
    with read_by(member):
        if has_unlimited_names():
            return who.name
        return who_did(shown_names([who.person_id]), who.person_id, OUTSIDER)


def may_see_names() -> bool:
    """Return whether the reader sees names. Auditors do if all of their engagements show them."""
    if has_unlimited_names():
        return True
    if _without_names.get():
        return False
    seen = scope()
    return seen is not None and seen.shows_names


def has_unlimited_names() -> bool:
    """Return whether the reader sees names without letters: anyone but auditors."""
    return not _without_names.get() and _has_named_role()


def _has_named_role() -> bool:
    return allowed(permissions.NAMES) or current.actor().role in NAMED_ROLES


@cache
def _statement() -> Select[Any]:
    m = Membership
    place = func.row_number().over(order_by=(m.created_at, m.id)).label("place")
    every = select(m.person_id, m.pseudonym, m.role, m.via, place).subquery()
    return select(every, Person.name).join(Person, Person.id == every.c.person_id)


def shown_names(ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Return the names of these people as this reader sees them, including former members.

    Takes one statement, or none if they are cached; two if somebody was never a member here.
    """
    wanted = {i for i in ids if i}
    found = _read("person_id", wanted, _namer()) if wanted else {}
    missing = wanted - found.keys()
    return found | _outsiders(missing) if missing else found


def _outsiders(wanted: Collection[UUID]) -> dict[UUID, str]:
    rows = session().execute(select(Person.id, Person.name).where(Person.id.in_(wanted)))
    return {row.id: row.name if may_see_names() else OUTSIDER for row in rows}


def reading() -> Hashable:
    """Return a key for names: two readers with the same key see the same ones."""
    if has_unlimited_names():
        return "names"
    return "names and letters" if may_see_names() else ("letters", _own_id())


def _own_id() -> UUID | None:
    """Return the reader's id: they see their own name, except in a file for others."""
    return None if _without_names.get() else current.actor().person_id


def label(person: Any) -> ColumnElement[str]:
    """Return the name of the person in that column as this reader sees it, in SQL; NULL for none.

    The result of a statement with it depends on the reader: add `reading()` to its cache key.
    """
    real = select(Person.name).where(Person.id == person).scalar_subquery()
    erased = select(Membership.id).where(Membership.person_id == person, Membership.via == ERASED)
    name = case((erased.exists(), ERASED_NAME), else_=real)
    if has_unlimited_names():
        return name
    m, joined = Membership, (Membership.created_at, Membership.id)
    place = func.row_number().over(order_by=joined).label("place")
    placed = select(m.person_id, m.role, place).cte("joined").prefix_with("MATERIALIZED")
    words = case(WORDS, value=placed.c.role, else_="Person")
    called = func.concat(words, " ", letter_sql(placed.c.place))
    found = select(called).where(placed.c.person_id == person).scalar_subquery()
    alias = case((person.is_not(None), func.coalesce(found, OUTSIDER)))
    if may_see_names():
        return case((person.is_not(None), func.concat(name, " (", alias, ")")))
    own = _own_id()
    return alias if own is None else case((person == own, name), else_=alias)


def letter_sql(place: Any) -> ColumnElement[str]:
    """Return `letter` of a number up to 12 million in SQL."""
    widths, first = [], 1
    for width in range(1, MAX_LETTERS + 1):
        rest = place - first
        letters = [
            func.chr(ord("A") + cast(func.div(rest, LETTERS**at) % LETTERS, Integer))
            for at in reversed(range(width))
        ]
        first += LETTERS**width
        widths.append((place < first, func.concat(*letters)))
    return case(*widths)


def who_did(shown: Mapping[UUID, str], person: UUID | None, former: str = FORMER_MEMBER) -> str:
    """Return the name of the actor, from `shown_names`; Meridian if no person acted."""
    return shown.get(person, former) if person else MERIDIAN


def aliases(ids: Iterable[UUID | None]) -> dict[UUID, str]:
    """Return role and letter of these people, for any reader."""
    wanted = {i for i in ids if i}
    return _read("person_id", wanted, _alias) if wanted else {}


def names_by_pseudonym(pseudonyms: Collection[str]) -> dict[str, str]:
    """Return the names of people behind these pseudonyms of the log, as this reader sees them."""
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
    """Return the name of a person; an erased person has none."""
    return ERASED_NAME if row.via == ERASED else str(row.name)


def _namer() -> Callable[[Any], str]:
    if has_unlimited_names():
        return real_name
    if may_see_names():
        return lambda row: f"{real_name(row)} ({_alias(row)})"
    own = _own_id()
    return lambda row: real_name(row) if own and row.person_id == own else _alias(row)
