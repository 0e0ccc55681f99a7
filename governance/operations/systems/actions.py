"""Register, edit and retire AI systems and their features. Each change is another version.

register, edit, raise_lane, retire       a system; its risk class can only be raised
move                                     its lifecycle stage, by MOVES
recertify                                the end of validity of an agent or MCP server
set_data_sets                            the data sets it uses, for the feature of data sets
assign, assign_all                       its owner, which can be undone
add_feature, retire_feature              a part of it that can be stopped separately
"""

import hashlib
import re
from collections.abc import Collection, Mapping
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import rfc8785
from sqlalchemy import select

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.events import OwnerAssigned
from governance.foundation.people.queries import last_actor, membership_of
from governance.kernel import clock, formatting
from governance.kernel.data import tenant_revision
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.pages import undo
from governance.kernel.pages.undo import Overtaken, UndoStep
from governance.kernel.work.events import publish
from governance.operations.systems import facts as register_facts
from governance.operations.systems import ports, queries
from governance.operations.systems.models import LANES, STAGES, AISystem, SystemFeature
from governance.operations.systems.version_actions import keep_first, keep_next

REGISTERED = action(
    "system.registered",
    "registered an AI system",
    target="AISystem",
    activity="create",
    severity="informational",
    fields="key name lane purpose kind stage since",
    personal="owner",
)
CHANGED = action(
    "system.changed",
    "changed an AI system",
    target="AISystem",
    activity="update",
    severity="informational",
    fields="name purpose kind team autonomy ai_act_class eu_role version changed",
    persons="owner",
)
MOVED = action(
    "system.stage.changed",
    "changed the lifecycle stage of an AI system",
    target="AISystem",
    activity="update",
    severity="low",
    fields="key stage since",
)
RECERTIFIED = action(
    "system.recertified",
    "recertified an AI system",
    target="AISystem",
    activity="update",
    severity="low",
    fields="key valid_until",
    shape="ok",
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
)  # Any format but an id's
RESERVED = {"new", "model-retirements"}
MAX_FEATURES = 100  # Maximum per system: each is a flag in every answer to a bulk request
MAX_VALIDITY = timedelta(days=2 * 366)  # Limit of a recertification
# Possible moves from each stage; retire() leads to the last one.
MOVES: Mapping[str, tuple[str, ...]] = {
    "unstated": ("proposed", "in_review", "live", "restricted"),
    "proposed": ("in_review",),
    "in_review": ("live", "proposed"),
    "live": ("restricted",),
    "restricted": ("live",),
    "retired": (),
}
# Fields that the log records with values; it lists the others only by name.
RECORDED = ("name", "purpose", "kind", "team", "autonomy", "ai_act_class", "eu_role")


class SlugTaken(DomainError):
    pass


class AlreadyRetired(DomainError):
    pass


def register(
    *,
    key: str,
    name: str,
    lane: str,
    purpose: str,
    owner_id: UUID | None,
    stage: str,
    stage_since: date | None = None,
    kind: str = "system",
    facts: Mapping[str, Any] | None = None,
    valid_until: date | None = None,
) -> AISystem:
    """Add a system to the register. `key` is its slug, which never changes.

    `stage` is its lifecycle stage, and `stage_since` the day on which it entered it, by default
    today. `facts` are further fields of facts.FACTS. `valid_until` is the last day on which an
    agent or MCP server may be used.
    """
    if not SLUG.match(key) or key in RESERVED:
        raise Invalid(
            "A slug is 2 to 41 lowercase letters, digits and hyphens, such as claims-triage.",
            field="key",
        )
    if lane not in LANES:
        raise Invalid("Choose a risk class.", field="lane")
    if stage not in MOVES["unstated"]:
        raise Invalid("Choose a lifecycle stage.", field="stage")
    since = _stated_since(stage_since)
    further = register_facts.cleaned({**(facts or {}), "kind": kind})
    _check_classified(further)
    owner = _owner_name(owner_id)
    taken = session().scalars(select(AISystem).where(AISystem.key == key)).one_or_none()
    if taken is not None:
        raise SlugTaken(f"{taken.name} already has the slug {key}. Choose another.", field="key")
    system = AISystem(
        key=key,
        name=name,
        lane=lane,
        purpose=purpose,
        owner_id=owner_id,
        stage=stage,
        stage_since=since,
        created_at=clock.now(),
        law_version=_law_version(further),
        **{name: register_facts.column_value(name, value) for name, value in further.items()},
    )
    if valid_until is not None:
        _check_validity(system, valid_until)
        system.valid_until = valid_until
    session().add(system)
    unusual: dict[str, Any] = {} if kind == "system" else {"kind": kind}
    record(
        REGISTERED,
        system,
        about=owner_id,
        key=key,
        name=name,
        lane=lane,
        purpose=purpose,
        owner=owner,
        stage=stage,
        since=since.isoformat(),
        **unusual,
    )
    keep_first(system)
    tenant_revision.advance()
    return system


def _stated_since(day: date | None, *, after: date | None = None) -> date:
    """Return the stated day of a stage, by default today.

    Raises Invalid for a future day, and for one before `after`, the start of the last stage.
    """
    today = clock.today()
    if day is not None and day > today:
        raise Invalid("Enter today or an earlier day.", field="since")
    if day is not None and after is not None and day < after:
        raise Invalid(
            f"The present stage began on {formatting.long_day(after)}. Enter that day or a later one.",
            field="since",
        )
    return day or today


def _owner_name(owner_id: UUID | None) -> str | None:
    if owner_id is None:
        return None
    membership = membership_of(owner_id)
    if membership is None:
        raise Invalid("Choose a member of this tenant as owner.", field="owner_id")
    return membership.person.name


def editable(system: AISystem) -> dict[str, Any]:
    """Return everything that an edit can change, by field."""
    return {
        **{
            each.name: register_facts.kept(getattr(system, each.name))
            for each in register_facts.FACTS
        },
        "owner": system.owner_id,
    }


def revision(system: AISystem) -> str:
    """Return the digest of everything that an edit can change, which forms carry."""
    content = editable(system) | {"owner": str(system.owner_id)}
    return hashlib.sha256(rfc8785.dumps(content)).hexdigest()[:16]


def edit(
    system: AISystem,
    *,
    seen: str,
    name: str,
    purpose: str,
    owner_id: UUID | None,
    facts: Mapping[str, Any] | None = None,
    reason: str = "",
) -> None:
    """Change the name, purpose, owner and any of facts.FACTS. Other facts stay.

    Raises Stale if someone else did so since the form was opened (`seen`), with the entered and the
    current value of each field that would be overwritten.
    """
    _check_live(system)
    for field, text in (("name", name), ("purpose", purpose)):
        if not text.strip():
            raise Invalid(
                "Enter a name." if field == "name" else "Describe its purpose.", field=field
            )
    before = editable(system)
    given = register_facts.cleaned(facts or {})
    after = before | given | {"name": name.strip(), "purpose": purpose.strip(), "owner": owner_id}
    changed = [each for each in before if before[each] != after[each]]
    if not changed:
        return
    if seen != revision(system):
        raise Stale(
            f"Someone else changed {system.name} while you were editing. Review it, then save"
            " again.",
            {
                register_facts.LABELS[each]: (
                    register_facts.readable(each, after[each]),
                    register_facts.readable(each, before[each]),
                )
                for each in changed
                if each != "owner"
            },
        )
    _check_classified(after)
    _check_kind(system, after)
    if owner_id != system.owner_id:
        _owner_name(owner_id)
    for each in changed:
        column = "owner_id" if each == "owner" else each
        setattr(system, column, register_facts.column_value(each, after[each]))
    if {"ai_act_class", "ai_act_reason"} & {*changed}:
        system.law_version = _law_version(after)
    kept = keep_next(system, reason=reason)
    recorded = {*RECORDED, "owner"} & {*changed}
    others = [each for each in changed if each not in recorded]
    more: dict[str, Any] = {"changed": others} if others else {}
    record(
        CHANGED,
        system,
        before={each: before[each] for each in recorded},
        after={each: after[each] for each in recorded},
        version=kept.number,
        **more,
    )


def _law_version(facts: Mapping[str, Any]) -> str:
    """Return the version of the law for a class that is given now."""
    return ports.law_in_force()() if facts.get("ai_act_class") else ""


def _check_classified(facts: Mapping[str, Any]) -> None:
    if facts.get("ai_act_class") and not facts.get("ai_act_reason"):
        raise Invalid("Enter the reasons for this EU AI Act class.", field="ai_act_reason")


def _check_kind(system: AISystem, facts: Mapping[str, Any]) -> None:
    if system.uses_tools and facts["kind"] == "system" and system.valid_until is not None:
        raise Invalid(
            f"{system.name} is valid until a day, which only agents and MCP servers are."
            " Retire it and register a new system.",
            field="kind",
        )


def set_data_sets(system: AISystem, names: Collection[str], *, reason: str = "") -> None:
    """Replace the data sets that a system uses. Idempotent."""
    _check_live(system)
    given = register_facts.cleaned({"data_sets": list(names)})["data_sets"]
    if given == system.data_sets:
        return
    system.data_sets = given
    kept = keep_next(system, reason=reason)
    record(CHANGED, system, version=kept.number, changed=["data_sets"])


# ---- lifecycle


def move(system: AISystem, stage: str, *, reason: str, since: date | None = None) -> None:
    """Change the lifecycle stage since a day, by default today.

    Raises Invalid for a move that isn't in MOVES.
    """
    _check_live(system)
    _check_reason(reason)
    if stage not in MOVES[system.stage]:
        allowed = " or ".join(STAGES[each].lower() for each in MOVES[system.stage])
        raise Invalid(
            f"{system.name} is {system.stage_name.lower()}. From there it can become {allowed},"
            " or be retired.",
            field="stage",
        )
    before, day = system.stage, _stated_since(since, after=system.stage_since)
    system.stage, system.stage_since = stage, day
    record(
        MOVED,
        system,
        reason=reason.strip(),
        before={"stage": before},
        after={"stage": stage},
        key=system.key,
        since=day.isoformat(),
    )
    keep_next(system)
    tenant_revision.advance()


def recertify(system: AISystem, valid_until: date | None, *, reason: str) -> None:
    """Extend the use of an agent or MCP server until a later day, its last one."""
    _check_live(system)
    _check_reason(reason)
    if valid_until is None:
        raise Invalid("Choose a day in the future.", field="valid_until")
    _check_validity(system, valid_until)
    if system.valid_until is not None and valid_until <= system.valid_until:
        raise Invalid(
            f"{system.name} is valid until {formatting.long_day(system.valid_until)} already."
            " Choose a later day.",
            field="valid_until",
        )
    before = system.valid_until
    system.valid_until = valid_until
    record(
        RECERTIFIED,
        system,
        reason=reason.strip(),
        before={"valid_until": before},
        after={"valid_until": valid_until},
        key=system.key,
    )
    keep_next(system)


def _check_validity(system: AISystem, valid_until: date) -> None:
    if not system.uses_tools:
        raise Invalid("Only agents and MCP servers are recertified.", field="valid_until")
    today = clock.today()
    if valid_until <= today:
        raise Invalid("Choose a day in the future.", field="valid_until")
    if valid_until > today + MAX_VALIDITY:
        raise Invalid("Choose a day within two years.", field="valid_until")


# ---- owner


def assign(system: AISystem, owner_id: UUID | None, *, undoes: UUID | None = None) -> None:
    """Assign an owner, or remove the owner with None. The same owner again changes nothing.

    `undoes` is the id of the audit entry that this reverts.
    """
    _check_live(system)
    if system.owner_id == owner_id:
        return
    _owner_name(owner_id)
    before, after = {"owner": system.owner_id}, {"owner": owner_id}
    system.owner_id = owner_id
    keep_next(system)
    entry = record(ASSIGNED, system, before=before, after=after, undoes=undoes)
    undo.remember("system.owner", system.id, entry.id, before=before, after=after)
    if owner_id is not None:
        publish(OwnerAssigned(owner_id, system.name, f"systems/{system.key}", entry.id))


def assign_all(ids: Collection[UUID], owner_id: UUID | None) -> None:
    """Assign several systems, all or none."""
    for system in queries.find_systems(ids, lock=True):
        assign(system, owner_id)  # record() runs in there.


def why_not(system: AISystem) -> str | None:
    """Return why the system can't be changed any more, or None if it can."""
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
    """Raise the risk class to high. One person is enough, since it only tightens."""
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
    keep_next(system)
    tenant_revision.advance()


def retire(system: AISystem, *, reason: str) -> None:
    """Retire a system. Its history and its assessments stay."""
    _check_live(system)
    _check_reason(reason)
    system.retired_at = clock.now()
    system.stage, system.stage_since = "retired", system.retired_at.date()
    record(RETIRED, system, reason=reason.strip(), key=system.key, name=system.name)
    keep_next(system)
    tenant_revision.advance()


# ---- features


def add_feature(system: AISystem, *, key: str, fallback: str) -> SystemFeature:
    """Add a feature that can be stopped separately, and its fallback while it is stopped.

    The caller has locked the system's row. A retired feature with that slug becomes active again.
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
    keep_next(system)
    tenant_revision.advance()
    return feature


def retire_feature(feature: SystemFeature, system: AISystem, *, reason: str) -> None:
    """Retire a feature. Its flag is removed, unless it is stopped; its record stays."""
    if feature.retired_at is not None:
        raise AlreadyRetired(f"{feature.key} was retired on {_day(feature)}.")
    _check_reason(reason)
    feature.retired_at = clock.now()
    record(FEATURE_RETIRED, system, reason=reason.strip(), key=system.key, feature=feature.key)
    keep_next(system)
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
