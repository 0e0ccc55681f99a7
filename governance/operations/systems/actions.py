"""Registering an AI system, changing what is said of it, what it does, and retiring it.

register, edit, raise_lane, retire       a system; its lane can only be raised
add_feature, retire_feature              what it does, each of which can be stopped by itself
"""

import hashlib
import re
from uuid import UUID

from sqlalchemy import select

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.queries import membership_of
from governance.kernel import clock, tenant_revision
from governance.kernel.db import session
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.operations.systems.models import LANES, AISystem, SystemFeature

REGISTERED = action(
    "system.registered",
    "registered an AI system",
    target="AISystem",
    activity="create",
    severity="informational",
    fields="key name lane purpose",
    personal="owner",
)
CHANGED = action(
    "system.changed",
    "changed an AI system",
    target="AISystem",
    activity="update",
    severity="informational",
    fields="name purpose",
    persons="owner",
)
RAISED = action(
    "system.risk_class.raised",
    "raised an AI system's risk class to high",
    target="AISystem",
    activity="update",
    severity="low",
    fields="key lane",
)
RETIRED = action(
    "system.retired",
    "retired an AI system",
    target="AISystem",
    activity="delete",
    severity="low",
    fields="key name",
    shape="stop",
)
FEATURE_ADDED = action(
    "system.feature.added",
    "added a feature to an AI system",
    target="AISystem",
    activity="update",
    severity="informational",
    fields="key feature fallback",
)
FEATURE_RETIRED = action(
    "system.feature.retired",
    "retired a feature of an AI system",
    target="AISystem",
    activity="update",
    severity="low",
    fields="key feature",
)

KEY = re.compile(
    r"(?![0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\Z)[a-z][a-z0-9-]{1,40}\Z"
)  # and nothing that reads as an id
RESERVED = {"new"}
MOST_FEATURES = 100  # of one system: each is a flag in every answer to a bulk request


class KeyTaken(DomainError):
    pass


class AlreadyRetired(DomainError):
    pass


def register(*, key: str, name: str, lane: str, purpose: str, owner_id: UUID | None) -> AISystem:
    """Add a system to the register. `key` is its short name in addresses and never changes."""
    if not KEY.match(key) or key in RESERVED:
        raise Invalid(
            "A short name is 2 to 41 small letters, digits and hyphens, such as claims-triage.",
            field="key",
        )
    if lane not in LANES:
        raise Invalid("That lane is not a choice here.", field="lane")
    owner = _owner_name(owner_id)
    taken = session().scalars(select(AISystem).where(AISystem.key == key)).one_or_none()
    if taken is not None:
        raise KeyTaken(f"{taken.name} has the short name {key} already.", field="key")
    system = AISystem(
        key=key, name=name, lane=lane, purpose=purpose, owner_id=owner_id, created_at=clock.now()
    )
    session().add(system)
    record(
        REGISTERED,
        system,
        about=owner_id,
        key=key,
        name=name,
        lane=lane,
        purpose=purpose,
        owner=owner,
    )
    tenant_revision.advance()
    return system


def _owner_name(owner_id: UUID | None) -> str | None:
    if owner_id is None:
        return None
    membership = membership_of(owner_id)
    if membership is None:
        raise Invalid(
            "That person is not a choice here: the owner must be a member.", field="owner_id"
        )
    return membership.person.name


def mark(system: AISystem) -> str:
    """Of what an edit can change: a form carries it, so that a stale one is known."""
    said = (system.name, system.purpose, str(system.owner_id))
    return hashlib.sha256("\0".join(said).encode()).hexdigest()[:16]


def edit(system: AISystem, *, seen: str, name: str, purpose: str, owner_id: UUID | None) -> None:
    """Change what is said of it; refused as stale when somebody else did so since the form was
    opened.
    """
    _live(system)
    for field, text in (("name", name), ("purpose", purpose)):
        if not text.strip():
            raise Invalid(
                "It needs a name." if field == "name" else "Say what it is for.", field=field
            )
    before = {"name": system.name, "purpose": system.purpose, "owner": system.owner_id}
    after = {"name": name.strip(), "purpose": purpose.strip(), "owner": owner_id}
    if after == before:
        return
    if seen != mark(system):
        changed = {n: (after[n], before[n]) for n in ("name", "purpose") if after[n] != before[n]}
        raise Stale(
            f"{system.name} was changed by somebody else since you opened this page.", changed
        )
    if owner_id != system.owner_id:
        _owner_name(owner_id)
    system.name, system.purpose, system.owner_id = name.strip(), purpose.strip(), owner_id
    record(CHANGED, system, before=before, after=after)


def raise_lane(system: AISystem, lane: str, *, reason: str) -> None:
    """To the high-risk lane, by one person and at once: it tightens.

    Lowering would loosen and is refused.
    """
    _live(system)
    if lane not in LANES:
        raise Invalid("That lane is not a choice here.", field="lane")
    if lane == system.lane:
        return
    if lane == "standard":
        raise Invalid(
            f"A lane is never lowered: it would loosen every policy of {system.name}. "
            "Retire it, and register what it has become.",
            field="lane",
        )
    _needs_reason(reason)
    before = system.lane
    system.lane = lane
    record(
        RAISED,
        system,
        reason=reason.strip(),
        before={"lane": before},
        after={"lane": lane},
        key=system.key,
    )
    tenant_revision.advance()


def retire(system: AISystem, *, reason: str) -> None:
    """Take a system off the register's live list. Its history and what was assessed of it stay."""
    _live(system)
    _needs_reason(reason)
    system.retired_at = clock.now()
    record(RETIRED, system, reason=reason.strip(), key=system.key, name=system.name)
    tenant_revision.advance()


# ---- features


def add_feature(system: AISystem, *, key: str, fallback: str) -> SystemFeature:
    """One thing that it does, under a short name that never changes, and what happens instead while
    it is stopped.

    The system's row is to be locked. A retired feature of that short name comes back, since its
    flag still names it.
    """
    _live(system)
    if not KEY.match(key) or key in RESERVED:
        raise Invalid(
            "A short name is 2 to 41 small letters, digits and hyphens, such as auto-approve.",
            field="key",
        )
    instead = " ".join(fallback.split())
    if not instead or len(instead) > 200:  # noqa: PLR2004 - a line
        raise Invalid("Say in a line what happens instead while it is stopped.", field="fallback")
    held = {
        f.key: f
        for f in session().scalars(
            select(SystemFeature).where(SystemFeature.system_id == system.id)
        )
    }
    feature = held.get(key)
    if feature is not None and feature.retired_at is None:
        raise KeyTaken(f"{system.name} has a feature {key} already.", field="key")
    if sum(f.retired_at is None for f in held.values()) >= MOST_FEATURES:
        raise Invalid(
            f"{system.name} has {MOST_FEATURES} features, which is the most.", field="key"
        )
    if feature is None:
        feature = SystemFeature(system_id=system.id, key=key, created_at=clock.now())
        session().add(feature)
    feature.fallback, feature.retired_at = instead, None
    record(FEATURE_ADDED, system, key=system.key, feature=key, fallback=instead)
    tenant_revision.advance()
    return feature


def retire_feature(feature: SystemFeature, system: AISystem, *, reason: str) -> None:
    """Its flag is known no longer, unless it is stopped: that stands until somebody restarts it.

    Its record stays.
    """
    if feature.retired_at is not None:
        raise AlreadyRetired(f"{feature.key} was retired on {_day(feature)}.")
    _needs_reason(reason)
    feature.retired_at = clock.now()
    record(FEATURE_RETIRED, system, reason=reason.strip(), key=system.key, feature=feature.key)
    tenant_revision.advance()


# ---- rules that several share


def _live(system: AISystem) -> None:
    if system.retired_at is not None:
        raise AlreadyRetired(f"{system.name} was retired on {_day(system)}.")


def _day(what: AISystem | SystemFeature) -> str:
    at = what.retired_at or clock.now()
    return f"{at.day} {at:%B %Y}"


def _needs_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid("Say why: the reason is kept with the change.", field="reason")
