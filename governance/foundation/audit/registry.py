"""The closed list of actions in the audit log, their OCSF classes, and their personal fields.

A feature declares each of its actions next to the function that performs it, and lists them in its
manifest. Recording an undeclared action or field raises an error, so nothing personal is recorded
unencrypted by accident. Names are frozen (tests/snapshots/audit_actions.txt): other people's SIEM
rules name them.

Severity follows one rule: everyday work and reading is informational; what leaves the tenant, or
changes what others rely on, is low; access, keys, retention, deletion and unmasking are medium;
stops, failed drills, corrupted files and loosened limits are high; a damaged or rolled-back log is
critical.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

GRAMMAR = re.compile(r"[a-z_]+(\.[a-z_]+)+")

type EventClass = Literal["api_activity", "entity_management", "authentication"]
type Activity = Literal["create", "read", "update", "delete", "logon", "logoff"]
type Severity = Literal["informational", "low", "medium", "high", "critical"]
type Shape = Literal["ok", "bad", "open", "up", "down", "stop", "dot"]


@dataclass(frozen=True, slots=True)
class Action:
    """An action that the log can record.

    `name` is noun.verb-past; `says` follows a person's name in a sentence. `personal` fields are
    encrypted; `persons` are fields with people's ids. `targets` are the classes of rows that it is
    recorded on; `event_class`, `activity` and `severity` are those of OCSF. Timelines draw it as
    `shape`, or as bad where the entry's fact `failed_by` is set. One that `is_former` names entries
    of earlier versions, and can't be recorded.
    """

    name: str
    says: str
    fields: frozenset[str]
    personal: frozenset[str]
    persons: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()
    activity: Activity = "update"
    severity: Severity = "informational"
    event_class: EventClass = "api_activity"
    shape: Shape = "dot"
    failed_by: str = ""
    is_former: bool = False


registry: dict[str, Action] = {}


def action(
    name: str,
    says: str,
    *,
    target: str,
    activity: Activity,
    severity: Severity,
    event_class: EventClass = "api_activity",
    fields: str = "",
    personal: str = "",
    persons: str = "",
    shape: Shape = "dot",
    failed_by: str = "",
) -> Action:
    """Declare an action.

    `target`, `fields`, `personal` and `persons` are names separated by spaces. A logon or logoff is
    always of the class "authentication". `because` (the reason, free text that may name people) is
    always personal. People in `persons` are recorded by pseudonym: their id is the same in every
    tenant and can't be erased from a log. Raises ValueError for an incomplete declaration; a name
    declared twice stops the start (kernel/manifest_checks.py).
    """
    if not GRAMMAR.fullmatch(name):
        raise ValueError(f"{name} is not of the form noun.verb-past")
    if not target.split():
        raise ValueError(f"{name} must name the class of the rows that it is recorded on")
    if "owner" in fields.split():
        raise ValueError(f"{name}: an owner is a person")
    people = frozenset(persons.split())
    declared = Action(
        name,
        says,
        frozenset(fields.split()) | people,
        frozenset(personal.split()) | {"reason"},
        people,
        frozenset(target.split()),
        activity,
        severity,
        "authentication" if activity in {"logon", "logoff"} else event_class,
        shape,
        failed_by,
    )
    registry.setdefault(name, declared)
    return declared


def former_action(name: str, says: str, *, activity: Activity, severity: Severity) -> Action:
    """Keep the name and the words of an action that this version no longer performs."""
    kept = Action(
        name,
        says,
        frozenset(),
        frozenset(),
        activity=activity,
        severity=severity,
        is_former=True,
    )
    registry.setdefault(name, kept)
    return kept


def shape_of(name: str, facts: Mapping[str, Any]) -> Shape:
    """Return what a timeline draws for an entry of this action."""
    declared = registry.get(name)
    if declared is None:
        return "dot"
    return "bad" if declared.failed_by and facts.get(declared.failed_by) else declared.shape


def actions_in(*modules: ModuleType) -> tuple[Action, ...]:
    """Return the actions that modules declare, as constants or in mappings, for a manifest."""
    return tuple(
        declared
        for module in modules
        for value in vars(module).values()
        for declared in _actions(value)
    )


def _actions(value: object) -> Iterator[Action]:
    if isinstance(value, Action):
        yield value
    elif isinstance(value, Mapping):
        yield from (each for each in value.values() if isinstance(each, Action))
