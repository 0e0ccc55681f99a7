"""The closed list of actions that the log knows, and which of their fields are personal.

A feature declares each of its actions beside the verb that performs it. What is not declared is refused
when it is written, so nothing personal reaches the log in the clear by accident.
"""

import re
from dataclasses import dataclass

GRAMMAR = re.compile(r"[a-z_]+(\.[a-z_]+)+")


@dataclass(frozen=True, slots=True)
class Action:
    """`name` is noun.verb-past, `says` reads after a person's name, `personal` fields are sealed, `persons` hold people's ids."""

    name: str
    says: str
    fields: frozenset[str]
    personal: frozenset[str]
    persons: frozenset[str] = frozenset()


registry: dict[str, Action] = {}


def action(name: str, says: str, *, fields: str = "", personal: str = "", persons: str = "") -> Action:
    """Declare one. `because` (the reason, free text that may name people) is always personal.

    A person in `persons` is written by his pseudonym: his id is the same in every tenant and cannot be erased from a log.
    """
    if name in registry:
        raise ValueError(f"the action {name} is declared twice")
    if not GRAMMAR.fullmatch(name):
        raise ValueError(f"{name} is not of the form noun.verb-past")
    if "owner" in fields.split():
        raise ValueError(f"{name}: an owner is a person")
    people = frozenset(persons.split())
    registry[name] = Action(name, says, frozenset(fields.split()) | people, frozenset(personal.split()) | {"because"}, people)
    return registry[name]
