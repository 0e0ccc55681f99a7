"""Create, edit, assign and close risks.

See also mitigation_actions.py (controls), acceptance_actions.py (acceptance by a second person),
scale_actions.py (the tenant's scale) and score_actions.py. Contributors edit the risks they own.
Assigning and closing can be undone.
"""

from collections.abc import Collection
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
from governance.assurance.risks.risk_record import RISK, RiskContent
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.events import OwnerAssigned
from governance.foundation.people.owners import check_may_own
from governance.foundation.people.queries import last_actor
from governance.kernel import clock, formatting
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.pages import undo
from governance.kernel.pages.undo import Overtaken, UndoStep
from governance.kernel.safety.access import require
from governance.kernel.work.events import publish
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
    fields=RISK.audited("ref"),
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

NOT_COLUMNS = ("system_ids",)  # These are rows of risk_systems.


class RiskExists(DomainError):
    pass


class RiskClosed(DomainError):
    pass


def create(content: RiskContent, *, owner_id: UUID | None = None) -> Risk:
    """Create a risk on the scale in use. A second click returns the same risk.

    Raise RiskExists if another open risk has the title.
    """
    lock_tenant("risks")
    scale = queries.scale()
    content = _checked(content, scale)
    _check_systems(content.system_ids)
    _check_due(content.due_on)
    if (there := queries.open_risk_called(content.title)) is not None:
        if _content_of(there) == content:
            return there
        raise RiskExists(
            f"{there.ref} already has this title. Open it, or choose another title.", field="title"
        )
    check_may_own(owner_id)
    risk = Risk(
        **RISK.values(content, without=NOT_COLUMNS),
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
    _link_systems(risk, set(content.system_ids), set())
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
    """Change a risk and score it on the scale in use.

    Raise Stale, with the differences, if it changed since `version`.
    """
    require(permissions.WORK, on=risk)
    check_is_open(risk)
    known = queries.scales()
    scale = queries.newest(known)
    before, after = _content_of(risk), _checked(content, scale)
    changed = RISK.changes(after, before)
    if not changed and queries.is_comparable(risk, known):
        return
    if version != risk.version:
        raise Stale(
            f"Someone else changed {risk.ref} while you were editing. Your entries differ in:"
            f" {RISK.named(changed)}. Review it, then save again.",
            _shown(changed),
        )
    _check_systems(set(after.system_ids) - set(before.system_ids))
    if "due_on" in changed:
        _check_due(content.due_on)
    acceptance_actions.void_request(risk, f"{risk.ref} was edited.")
    for name, value in RISK.values(after, without=NOT_COLUMNS).items():
        setattr(risk, name, value)
    risk.scale_number, risk.rescore_since = scale.number, None
    risk.version += 1
    _link_systems(risk, set(after.system_ids), set(before.system_ids))
    keys = _keys_by_id({*before.system_ids, *after.system_ids})
    record(
        EDITED,
        risk,
        before=_recorded(before, keys),
        after=_recorded(after, keys),
        ref=risk.ref,
    )
    score_actions.keep_score(risk, score_actions.SCORED_AGAIN)


def assign(risk: Risk, owner_id: UUID | None, *, undoes: UUID | None = None) -> None:
    """Assign an owner, or remove the owner with None. Idempotent.

    `undoes` is the id of the audit entry that this change undoes.
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
        assign(risk, owner_id)  # This calls record().


def _tell_owner(risk: Risk, entry_id: UUID) -> None:
    if risk.owner_id is not None:
        title, path = f"{risk.ref} {risk.title}", f"risks/{risk.id}"
        publish(OwnerAssigned(risk.owner_id, title, path, entry_id))


def why_not(risk: Risk) -> str | None:
    """Return why the risk can't be changed any more, or None if it can."""
    if risk.closed_at is None:
        return None
    return f"{risk.ref} was closed on {formatting.long_day(risk.closed_at)}."


def close(risk: Risk, *, reason: str) -> None:
    """Close a risk that no longer exists. Its scores and acceptances stay."""
    check_is_open(risk)
    if not reason.strip():
        raise Invalid("Enter a reason. It is stored with the risk.", field="reason")
    acceptance_actions.void_request(risk, f"{risk.ref} was closed.")
    risk.closed_at, risk.close_reason = clock.now(), reason.strip()[:2000]
    entry = record(CLOSED, risk, reason=risk.close_reason, ref=risk.ref)
    undo.remember("risk.closed", risk.id, entry.id, before={}, after={"closed_at": risk.closed_at})


def reopen(risk: Risk, *, undoes: UUID) -> None:
    """Undo a closing. `undoes` is the id of its audit entry."""
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


def _checked(content: RiskContent, scale: scales.Scale) -> RiskContent:
    content = RISK.checked(content)
    scales.check_score(scale, likelihood=content.likelihood, impact=content.impact)
    return content


def _content_of(risk: Risk) -> RiskContent:
    return RISK.content_of(risk, system_ids=sorted(queries.system_ids(risk.id)))


def _check_systems(ids: Collection[UUID]) -> None:
    """Reject systems of another tenant and retired systems."""
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


def _recorded(content: RiskContent, known: dict[UUID, str]) -> dict[str, Any]:
    return RISK.recorded(content, systems=sorted(known[each] for each in content.system_ids))


def _shown(changed: dict[str, tuple[Any, Any]]) -> dict[str, tuple[Any, Any]]:
    """Return the differences, with system names in place of ids."""
    if "system_ids" not in changed:
        return changed
    mine, theirs = changed["system_ids"]
    known = _keys_by_id({*mine, *theirs})

    def words(ids: Collection[UUID]) -> str:
        return ", ".join(known.get(each, "unknown") for each in ids) or "all"

    return changed | {"system_ids": (words(mine), words(theirs))}
