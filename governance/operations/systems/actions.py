"""Register, edit and retire AI systems and their features.

register, edit, raise_lane, retire       a system; its risk class can only be raised
assign, assign_all                       its owner, which can be undone
add_feature, retire_feature              a part of it that can be stopped by itself
"""

import hashlib
import re
from collections.abc import Collection
from uuid import UUID

from sqlalchemy import select

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.events import OwnerAssigned
from governance.foundation.people.queries import last_actor, membership_of
from governance.kernel import clock, formatting, tenant_revision, undo
from governance.kernel.db import session
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.events import publish
from governance.kernel.undo import Overtaken, UndoStep
from governance.operations.systems import queries
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
ASSIGNED = action(
    "system.assigned",
    "assigned an AI system",
    target="AISystem",
    activity="update",
    severity="informational",
    fields="undoes",
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

SLUG = re.compile(
    r"(?![0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\Z)[a-z][a-z0-9-]{1,40}\Z"
)  # but never an id
RESERVED = {"new"}
MAX_FEATURES = 100  # of one system: each is a flag in every answer to a bulk request


class SlugTaken(DomainError):
    pass


class AlreadyRetired(DomainError):
    pass


def register(*, key: str, name: str, lane: str, purpose: str, owner_id: UUID | None) -> AISystem:
    """Add a system to the register. `key` is its slug, which never changes."""
    if not SLUG.match(key) or key in RESERVED:
        raise Invalid(
            "A slug is 2 to 41 lowercase letters, digits and hyphens, such as claims-triage.",
            field="key",
        )
    if lane not in LANES:
        raise Invalid("Choose a risk class.", field="lane")
    owner = _owner_name(owner_id)
    taken = session().scalars(select(AISystem).where(AISystem.key == key)).one_or_none()
    if taken is not None:
        raise SlugTaken(f"{taken.name} already has the slug {key}. Choose another.", field="key")
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
        raise Invalid("Choose a member of this tenant as owner.", field="owner_id")
    return membership.person.name


def revision(system: AISystem) -> str:
    """Return the digest of everything that an edit can change; forms carry it."""
    content = (system.name, system.purpose, str(system.owner_id))
    return hashlib.sha256("\0".join(content).encode()).hexdigest()[:16]


def edit(system: AISystem, *, seen: str, name: str, purpose: str, owner_id: UUID | None) -> None:
    """Change the name, purpose or owner.

    Raises Stale when someone else did so since the form was opened (`seen`).
    """
    _check_live(system)
    for field, text in (("name", name), ("purpose", purpose)):
        if not text.strip():
            raise Invalid(
                "Enter a name." if field == "name" else "Describe its purpose.", field=field
            )
    before = {"name": system.name, "purpose": system.purpose, "owner": system.owner_id}
    after = {"name": name.strip(), "purpose": purpose.strip(), "owner": owner_id}
    if after == before:
        return
    if seen != revision(system):
        changed = {n: (after[n], before[n]) for n in ("name", "purpose") if after[n] != before[n]}
        raise Stale(
            f"Someone else changed {system.name} while you were editing. Review it, then save"
            " again.",
            changed,
        )
    if owner_id != system.owner_id:
        _owner_name(owner_id)
    system.name, system.purpose, system.owner_id = name.strip(), purpose.strip(), owner_id
    record(CHANGED, system, before=before, after=after)


def assign(system: AISystem, owner_id: UUID | None, *, undoes: UUID | None = None) -> None:
    """Assign an owner, or remove the owner with None. The same owner again changes nothing.

    `undoes` is the id of the audit entry that this undoes.
    """
    _check_live(system)
    if system.owner_id == owner_id:
        return
    _owner_name(owner_id)
    before, after = {"owner": system.owner_id}, {"owner": owner_id}
    system.owner_id = owner_id
    entry = record(ASSIGNED, system, before=before, after=after, undoes=undoes)
    undo.remember("system.owner", system.id, entry.id, before=before, after=after)
    if owner_id is not None:
        publish(OwnerAssigned(owner_id, system.name, f"systems/{system.key}", entry.id))


def assign_all(ids: Collection[UUID], owner_id: UUID | None) -> None:
    """Assign several systems, all or none."""
    for system in queries.find_systems(ids, lock=True):
        assign(system, owner_id)  # record() is in there


def why_not(system: AISystem) -> str | None:
    """Return why the system can't be changed any more; None if it can."""
    return f"{system.name} was retired on {_day(system)}." if system.is_retired else None


UNDOABLE = {"system.owner"}


@undo.restores("system.owner")
def _restore_owner(step: UndoStep) -> None:
    system = queries.system(step.target_id, lock=True)
    if undo.plain(system.owner_id) != step.after["owner"]:
        who = last_actor(system.id, ASSIGNED, CHANGED)
        raise Overtaken(f"{system.name} was reassigned by {who}.")
    assign(system, undo.id_or_none(step.before["owner"]), undoes=step.entry_id)


def raise_lane(system: AISystem, lane: str, *, reason: str) -> None:
    """Raise the risk class to high, which one person can do, since it only tightens."""
    _check_live(system)
    if lane not in LANES:
        raise Invalid("Choose a risk class.", field="lane")
    if lane == system.lane:
        return
    if lane == "standard":
        raise Invalid(
            f"A risk class can't be lowered, because that would loosen the policy of {system.name}."
            " Retire the system and register a new one.",
            field="lane",
        )
    _check_reason(reason)
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
    """Retire a system. Its history and its assessments stay."""
    _check_live(system)
    _check_reason(reason)
    system.retired_at = clock.now()
    record(RETIRED, system, reason=reason.strip(), key=system.key, name=system.name)
    tenant_revision.advance()


# ---- features


def add_feature(system: AISystem, *, key: str, fallback: str) -> SystemFeature:
    """Add a feature that can be stopped by itself, and its fallback while it is stopped.

    The caller has locked the system's row. A retired feature with that slug becomes live again.
    """
    _check_live(system)
    if not SLUG.match(key) or key in RESERVED:
        raise Invalid(
            "A slug is 2 to 41 lowercase letters, digits and hyphens, such as auto-approve.",
            field="key",
        )
    fallback = " ".join(fallback.split())
    if not fallback or len(fallback) > 200:  # noqa: PLR2004 - a line
        raise Invalid("Describe in one line what happens while it is stopped.", field="fallback")
    known = {
        f.key: f
        for f in session().scalars(
            select(SystemFeature).where(SystemFeature.system_id == system.id)
        )
    }
    feature = known.get(key)
    if feature is not None and feature.retired_at is None:
        raise SlugTaken(
            f"{system.name} already has a feature {key}. Choose another slug.", field="key"
        )
    if sum(f.retired_at is None for f in known.values()) >= MAX_FEATURES:
        raise Invalid(
            f"{system.name} has {MAX_FEATURES} features already. Retire one first.", field="key"
        )
    if feature is None:
        feature = SystemFeature(system_id=system.id, key=key, created_at=clock.now())
        session().add(feature)
    feature.fallback, feature.retired_at = fallback, None
    record(FEATURE_ADDED, system, key=system.key, feature=key, fallback=fallback)
    tenant_revision.advance()
    return feature


def retire_feature(feature: SystemFeature, system: AISystem, *, reason: str) -> None:
    """Retire a feature. Its flag is gone, except while it is stopped; its record stays."""
    if feature.retired_at is not None:
        raise AlreadyRetired(f"{feature.key} was retired on {_day(feature)}.")
    _check_reason(reason)
    feature.retired_at = clock.now()
    record(FEATURE_RETIRED, system, reason=reason.strip(), key=system.key, feature=feature.key)
    tenant_revision.advance()


# ---- rules that several share


def _check_live(system: AISystem) -> None:
    if (reason := why_not(system)) is not None:
        raise AlreadyRetired(reason)


def _day(what: AISystem | SystemFeature) -> str:
    at = what.retired_at or clock.now()
    return formatting.long_day(at)


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise Invalid("Enter a reason. It is kept in the audit log.", field="reason")
