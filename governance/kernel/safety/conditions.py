"""Object conditions: who somebody is to one object ("its owner", "its uploader").

A condition is a pure function of (actor, object), with its words. Features declare theirs beside
the permissions that name them, in `permissions.py`; `kernel/safety/access.py` asks them. Called with a
mapped class in the object's place, the same function gives the SQL condition for lists; one that
can't do both has its SQL stated apart.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, literal

from governance.kernel.current import Actor

type Predicate = Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True)
class Whoever:
    """Replaces the actor in a statement that is written once for everyone: an SQL expression
    is their id.
    """

    person_id: Any


@dataclass(frozen=True, slots=True)
class Condition:
    """`means` completes "only if …" and "not if …" for the person, as "they"; `refusal` is the
    sentence where it forbids.

    In `refusal`, {object} is the object, {means} what the permission is for, and {others} ", a
    tenant admin or …", the roles that may always. `hides`: the object is hidden from people it
    excludes (404 rather than 403).
    """

    means: str
    refusal: str
    predicate: Predicate
    sql_predicate: Predicate
    hides: bool = False

    @property
    def name(self) -> str:
        return self.predicate.__name__

    def __call__(self, who: Actor, thing: Any) -> bool:
        return bool(self.predicate(who, thing))

    def sql(self, who: Actor | Whoever, model: Any) -> ColumnElement[bool]:
        """The rows of `model` for which it is true of `who`; TypeError where the predicate has no
        SQL.
        """
        found = self.sql_predicate(who, model) if who.person_id is not None else False
        if isinstance(found, bool) and who.person_id is not None:
            raise TypeError(f"{self.name} can't be asked in SQL: give it `sql`")
        return literal(found) if isinstance(found, bool) else found


def condition(
    means: str, refusal: str, *, sql: Predicate | None = None, hides: bool = False
) -> Callable[[Predicate], Condition]:
    """Give a predicate its words; `sql` where the predicate itself can't be called with a mapped
    class.
    """
    return lambda predicate: Condition(means, refusal, predicate, sql or predicate, hides)


@condition("they own it", "You don't own {object.ref}. Only its owner{others} can {means}.")
def is_owner(who: Actor, thing: Any) -> Any:
    """The person the object is assigned to; an object that nobody owns has no owner."""
    return who.person_id is not None and thing.owner_id == who.person_id
