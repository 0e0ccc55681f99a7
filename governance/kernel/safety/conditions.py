"""Object conditions: a person's relation to one object ("its owner", "its uploader").

A condition is a pure function of (actor, object), with its words. Features declare theirs next to
the permissions that name them, in `permissions.py`; `kernel/safety/access.py` evaluates them.
Called with a mapped class in the object's place, the same function returns the SQL condition for
lists; one that can't do both has a separate SQL function.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, literal

from governance.kernel.current import Actor

type Predicate = Callable[[Any, Any], Any]


@dataclass(frozen=True, slots=True)
class Whoever:
    """A replacement for the actor in a statement that is written once for everyone.

    `person_id` is an SQL expression for their id.
    """

    person_id: Any


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition and its words.

    `means` completes "only if …" and "not if …" for the person, as "they"; `refusal` is the
    sentence if it forbids.

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
        """Return the rows of `model` for which it is true of `who`.

        Raises TypeError if the predicate has no SQL.
        """
        found = self.sql_predicate(who, model) if who.person_id is not None else False
        if isinstance(found, bool) and who.person_id is not None:
            raise TypeError(f"{self.name} can't be asked in SQL: give it `sql`")
        return literal(found) if isinstance(found, bool) else found


def condition(
    means: str, refusal: str, *, sql: Predicate | None = None, hides: bool = False
) -> Callable[[Predicate], Condition]:
    """Give a predicate its words.

    Give `sql` if the predicate itself can't be called with a mapped class.
    """
    return lambda predicate: Condition(means, refusal, predicate, sql or predicate, hides)


@condition("they own it", "You don't own {object.ref}. Only its owner{others} can {means}.")
def is_owner(who: Actor, thing: Any) -> Any:
    """Return whether the object is assigned to the person; without an owner, it is nobody's."""
    return who.person_id is not None and thing.owner_id == who.person_id
