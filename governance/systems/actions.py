"""Registering an AI system and retiring it."""

import re
from uuid import UUID

from sqlalchemy import select

from governance.audit.record import record
from governance.audit.registry import action
from governance.kernel import clock
from governance.kernel.db import session
from governance.kernel.errors import DomainError, Invalid
from governance.people.queries import membership_of
from governance.systems.models import LANES, AISystem

REGISTERED = action("system.registered", "registered the AI system", fields="key name lane purpose", personal="owner")
RETIRED = action("system.retired", "retired the AI system", fields="key name")

KEY = re.compile(r"(?![0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\Z)[a-z][a-z0-9-]{1,40}\Z")  # and nothing that reads as an id
RESERVED = {"new"}


class KeyTaken(DomainError):
    pass


class AlreadyRetired(DomainError):
    pass


def register(*, key: str, name: str, lane: str, purpose: str, owner_id: UUID | None) -> AISystem:
    """Add a system to the register. `key` is its short name in addresses and never changes."""
    if not KEY.match(key) or key in RESERVED:
        raise Invalid("A short name is 2 to 41 small letters, digits and hyphens, such as claims-triage.", field="key")
    if lane not in LANES:
        raise Invalid("That lane is not a choice here.", field="lane")
    owner = _owner_name(owner_id)
    taken = session().scalars(select(AISystem).where(AISystem.key == key)).one_or_none()
    if taken is not None:
        raise KeyTaken(f"{taken.name} has the short name {key} already.", field="key")
    system = AISystem(key=key, name=name, lane=lane, purpose=purpose, owner_id=owner_id, created_at=clock.now())
    session().add(system)
    record(REGISTERED, system, about=owner_id, key=key, name=name, lane=lane, purpose=purpose, owner=owner)
    return system


def _owner_name(owner_id: UUID | None) -> str | None:
    if owner_id is None:
        return None
    membership = membership_of(owner_id)
    if membership is None:
        raise Invalid("That person is not a choice here: the owner must be a member.", field="owner_id")
    return membership.person.name


def retire(system: AISystem, *, because: str) -> None:
    """Take a system off the register's live list. Its history and what was assessed of it stay."""
    if system.retired_at is not None:
        day = system.retired_at
        raise AlreadyRetired(f"{system.name} was retired on {day.day} {day:%B %Y}.")
    if not because.strip():
        raise Invalid("Say why: the reason is kept with the change.", field="because")
    system.retired_at = clock.now()
    record(RETIRED, system, because=because.strip(), key=system.key, name=system.name)
