"""Create, edit, assign and close risks.

Beside it: mitigation_actions.py (controls), acceptance_actions.py (acceptance by a second person),
scale_actions.py (the tenant's scale) and score_actions.py. Contributors edit the risks they own.
Assigning and closing can be undone.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from governance.assurance.risks import (
    acceptance_actions,
    permissions,
    queries,
    scales,
    score_actions,
)
from governance.assurance.risks.models import Risk, RiskSystem
from governance.assurance.risks.source_lists import SOURCES
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.events import OwnerAssigned
from governance.foundation.people.owners import check_may_own
from governance.foundation.people.queries import last_actor
from governance.kernel import clock, formatting, undo
from governance.kernel.access import require
from governance.kernel.db import lock_tenant, session
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.events import publish
from governance.kernel.undo import Overtaken, UndoStep
from governance.operations.systems import queries as systems

CREATED = action(
    "risk.created",
    "created a risk",
    target="Risk",
    activity="create",
    severity="informational",
    fields="ref title sources systems treatment",
    persons="owner",
    shape="up",
)
EDITED = action(
    "risk.changed",
    "changed a risk",
    target="Risk",
    activity="update",
    severity="informational",
    fields="ref title description sources systems likelihood impact treatment plan due_on",
)
ASSIGNED = action(
    "risk.assigned",
    "assigned a risk",
    target="Risk",
    activity="update",
    severity="informational",
    fields="undoes",
    persons="owner",
)
CLOSED = action(
    "risk.closed",
    "closed a risk",
    target="Risk",
    activity="update",
    severity="low",
    fields="ref",
    shape="stop",
)
REOPENED = action(
    "risk.reopened",
    "reopened a risk",
    target="Risk",
    activity="update",
    severity="low",
    fields="ref undoes",
    shape="ok",
)

TREATMENTS = {
    "avoid": "Avoid",
    "reduce": "Reduce",
    "transfer": "Transfer",
    "accept": "Accept",
}
MAX_TITLE_LENGTH, MAX_TEXT_LENGTH = 160, 4000
MAX_SOURCES, MAX_SYSTEMS = 12, 50
NAMES = {
    "title": "title",
    "description": "description",
    "sources": "sources",
    "systems": "AI systems",
    "likelihood": "likelihood",
    "impact": "impact",
    "treatment": "treatment",
    "plan": "plan",
    "due_on": "due date",
}


class RiskExists(DomainError):
    pass


class RiskClosed(DomainError):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskContent:
    """What people enter of a risk. Without systems it concerns all of them; without sources it is
    the tenant's own.
    """

    title: str
    description: str
    likelihood: int
    impact: int
    treatment: str
    sources: Sequence[str] = ()
    system_ids: Collection[UUID] = ()
    plan: str = ""
    due_on: date | None = None


def create(content: RiskContent, *, owner_id: UUID | None = None) -> Risk:
    """Create a risk on the scale in use. The second of two clicks returns what the first created.

    Raises RiskExists where another open risk has the title.
    """
    lock_tenant("risks")
    scale = queries.scale()
    values = _check_content(content, scale)
    _check_systems(content.system_ids)
    _check_due(content.due_on)
    if (there := queries.open_risk_called(values["title"])) is not None:
        if _content_of(there) == values:
            return there
        raise RiskExists(
            f"{there.ref} already has this title. Open it, or choose another title.", field="title"
        )
    check_may_own(owner_id)
    system_ids = values.pop("systems")
    risk = Risk(
        **values,
        number=queries.next_number(),
        scale_number=scale.number,
        rescore_since=None,
        owner_id=owner_id,
        closed_at=None,
        close_reason=None,
        created_at=clock.now(),
        version=1,
    )
    session().add(risk)
    session().flush()
    _link_systems(risk, set(system_ids), set())
    entry = record(
        CREATED,
        risk,
        ref=risk.ref,
        title=risk.title,
        sources=risk.sources,
        systems=_keys(content.system_ids),
        treatment=risk.treatment,
        owner=owner_id,
    )
    score_actions.keep_score(risk, score_actions.FIRST)
    _tell_owner(risk, entry.id)
    return risk


def edit(risk: Risk, content: RiskContent, *, version: int) -> None:
    """Change a risk, and score it on the scale in use.

    Raises Stale with the differences if it changed since `version`.
    """
    require(permissions.WORK, on=risk)
    check_is_open(risk)
    known = queries.scales()
    scale = queries.newest(known)
    before = _content_of(risk)
    after = _check_content(content, scale)
    changed = {name: (after[name], before[name]) for name in after if after[name] != before[name]}
    if not changed and queries.is_comparable(risk, known):
        return
    if version != risk.version:
        raise Stale(_overtaken(risk, changed), _shown(changed))
    _check_systems(set(after["systems"]) - set(before["systems"]))
    if "due_on" in changed:
        _check_due(content.due_on)
    acceptance_actions.void_request(risk, f"{risk.ref} was edited.")
    for name, value in after.items():
        if name != "systems":
            setattr(risk, name, value)
    risk.scale_number, risk.rescore_since = scale.number, None
    risk.version += 1
    _link_systems(risk, set(after["systems"]), set(before["systems"]))
    keys = _keys_by_id({*before["systems"], *after["systems"]})
    record(
        EDITED,
        risk,
        before=_recorded(before, keys),
        after=_recorded(after, keys),
        ref=risk.ref,
    )
    score_actions.keep_score(risk, score_actions.SCORED_AGAIN)


def assign(risk: Risk, owner_id: UUID | None, *, undoes: UUID | None = None) -> None:
    """Assign an owner, or remove the owner with None. The same owner again changes nothing.

    `undoes` is the id of the audit entry that this undoes.
    """
    check_is_open(risk)
    if risk.owner_id == owner_id:
        return
    check_may_own(owner_id)
    acceptance_actions.void_request(risk, f"{risk.ref} has another owner.")
    before, after = {"owner": risk.owner_id}, {"owner": owner_id}
    risk.owner_id = owner_id
    entry = record(ASSIGNED, risk, before=before, after=after, undoes=undoes)
    undo.remember("risk.owner", risk.id, entry.id, before=before, after=after)
    _tell_owner(risk, entry.id)


def assign_all(ids: Collection[UUID], owner_id: UUID | None) -> None:
    """Assign several risks, all or none."""
    for risk in queries.find_risks(ids, lock=True):
        assign(risk, owner_id)  # record() is in there


def _tell_owner(risk: Risk, entry_id: UUID) -> None:
    if risk.owner_id is not None:
        title, path = f"{risk.ref} {risk.title}", f"risks/{risk.id}"
        publish(OwnerAssigned(risk.owner_id, title, path, entry_id))


def why_not(risk: Risk) -> str | None:
    """Return why the risk can't be changed any more; None if it can."""
    if risk.closed_at is None:
        return None
    return f"{risk.ref} was closed on {formatting.long_day(risk.closed_at)}."


def close(risk: Risk, *, reason: str) -> None:
    """Close a risk that no longer exists. Its scores and acceptances are kept."""
    check_is_open(risk)
    if not reason.strip():
        raise Invalid("Enter a reason. It is stored with the risk.", field="reason")
    acceptance_actions.void_request(risk, f"{risk.ref} was closed.")
    risk.closed_at, risk.close_reason = clock.now(), reason.strip()[:2000]
    entry = record(CLOSED, risk, reason=risk.close_reason, ref=risk.ref)
    undo.remember("risk.closed", risk.id, entry.id, before={}, after={"closed_at": risk.closed_at})


def reopen(risk: Risk, *, undoes: UUID) -> None:
    """Undo a closing; `undoes` is the id of its audit entry."""
    risk.closed_at = risk.close_reason = None
    if not queries.is_comparable(risk, queries.scales()):
        risk.rescore_since = risk.rescore_since or clock.now()
    record(REOPENED, risk, ref=risk.ref, undoes=undoes)


# ---- undoing


UNDOABLE = {"risk.owner", "risk.closed"}


@undo.restores("risk.owner")
def _restore_owner(step: UndoStep) -> None:
    risk = queries.find_risk(step.target_id, lock=True)
    if undo.plain(risk.owner_id) != step.after["owner"]:
        raise Overtaken(f"{risk.ref} was reassigned by {last_actor(risk.id, ASSIGNED)}.")
    assign(risk, undo.id_or_none(step.before["owner"]), undoes=step.entry_id)


@undo.restores("risk.closed")
def _restore_closed(step: UndoStep) -> None:
    risk = queries.find_risk(step.target_id, lock=True)
    if undo.plain(risk.closed_at) != step.after["closed_at"]:
        raise Overtaken(f"{risk.ref} was reopened by {last_actor(risk.id, REOPENED)}.")
    reopen(risk, undoes=step.entry_id)


# ---- rules


def check_is_open(risk: Risk) -> None:
    if (why := why_not(risk)) is not None:
        raise RiskClosed(why)


def _check_content(content: RiskContent, scale: scales.Scale) -> dict[str, Any]:
    title, description = " ".join(content.title.split()), content.description.strip()
    if not 1 <= len(title) <= MAX_TITLE_LENGTH:
        raise Invalid(f"Enter a title of 1 to {MAX_TITLE_LENGTH} characters.", field="title")
    for field, text in (("description", description), ("plan", content.plan)):
        if len(text) > MAX_TEXT_LENGTH:
            raise Invalid(f"Use up to {MAX_TEXT_LENGTH:,} characters.", field=field)
    if unknown := [each for each in content.sources if each not in SOURCES]:
        raise Invalid(f"“{unknown[0][:40]}” isn't on any of the lists.", field="sources")
    if len(set(content.sources)) > MAX_SOURCES:
        raise Invalid(f"Choose up to {MAX_SOURCES} sources.", field="sources")
    if len(set(content.system_ids)) > MAX_SYSTEMS:
        raise Invalid(
            f"Choose up to {MAX_SYSTEMS} AI systems, or none for all of them.", field="system_ids"
        )
    if content.treatment not in TREATMENTS:
        raise Invalid("Choose a treatment.", field="treatment")
    scales.check_score(scale, likelihood=content.likelihood, impact=content.impact)
    return {
        "title": title,
        "description": description,
        "sources": [each for each in SOURCES if each in content.sources],
        "systems": sorted(set(content.system_ids)),
        "likelihood": content.likelihood,
        "impact": content.impact,
        "treatment": content.treatment,
        "plan": content.plan.strip(),
        "due_on": content.due_on,
    }


def _content_of(risk: Risk) -> dict[str, Any]:
    return {
        **{name: getattr(risk, name) for name in NAMES if name != "systems"},
        "systems": sorted(queries.system_ids(risk.id)),
    }


def _check_systems(ids: Collection[UUID]) -> None:
    """Refuse systems of another tenant, and retired ones."""
    found = {each.id: each for each in systems.find_systems(ids)} if ids else {}
    if found.keys() != set(ids):
        raise Invalid("Choose AI systems of the register.", field="system_ids")
    for each in found.values():
        if each.is_retired:
            raise Invalid(
                f"{each.name} was retired. Choose a system that is in use.", field="system_ids"
            )


def _check_due(day: date | None) -> None:
    if day is not None and day < clock.today():
        raise Invalid("Enter a due date of today or later.", field="due_on")


def _link_systems(risk: Risk, after: set[UUID], before: set[UUID]) -> None:
    for gone in queries.system_links(risk.id, before - after):
        session().delete(gone)
    session().add_all(RiskSystem(risk_id=risk.id, system_id=each) for each in after - before)
    session().flush()


def _keys_by_id(ids: Collection[UUID]) -> dict[UUID, str]:
    return {each.id: each.key for each in systems.find_systems(ids)} if ids else {}


def _keys(ids: Collection[UUID]) -> list[str]:
    return sorted(_keys_by_id(ids).values())


def _recorded(content: dict[str, Any], known: dict[UUID, str]) -> dict[str, Any]:
    return content | {"systems": sorted(known[each] for each in content["systems"])}


def _overtaken(risk: Risk, changed: Collection[str]) -> str:
    named = ", ".join(NAMES[name] for name in changed)
    return (
        f"Someone else changed {risk.ref} while you were editing. Your entries differ in: {named}."
        " Review it, then save again."
    )


FIELDS = {"systems": "system_ids"}


def _shown(changed: dict[str, tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
    """Return the differences by the fields of the form, with the names of systems."""
    known = _keys_by_id({each for pair in (changed.get("systems") or ()) for each in pair})

    def words(name: str, value: Any) -> Any:
        if name != "systems":
            return value
        return ", ".join(known.get(each, "unknown") for each in value) or "all"

    return {
        FIELDS.get(name, name): (words(name, mine), words(name, theirs))
        for name, (mine, theirs) in changed.items()
    }
