"""Actions that create, edit, assign, retire and restore controls.

See also mapping_actions.py (requirements), control_test_actions.py (tests) and
adoption_actions.py (the starter pack). Contributors edit the controls they own. Assigning, mapping
and retiring can be undone.
"""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import select

from governance.assurance.controls import permissions, queries
from governance.assurance.controls.control_record import CONTROL, ControlContent
from governance.assurance.controls.models import Control
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

CREATED = action(
    "control.created",
    "created a control",
    target="Control",
    activity="create",
    severity="informational",
    fields="ref title kind automation cadence rests_on source mappings",
    persons="owner",
    shape="up",
)
EDITED = action(
    "control.changed",
    "changed a control",
    target="Control",
    activity="update",
    severity="informational",
    fields=CONTROL.audited(),
)
ASSIGNED = action(
    "control.assigned",
    "assigned a control",
    target="Control",
    activity="update",
    severity="informational",
    fields="undoes",
    persons="owner",
)
RETIRED = action(
    "control.retired",
    "retired a control",
    target="Control",
    activity="delete",
    severity="low",
    fields="ref",
    shape="stop",
)
RESTORED = action(
    "control.restored",
    "restored a retired control",
    target="Control",
    activity="update",
    severity="low",
    fields="ref undoes",
    shape="ok",
)


class ControlExists(DomainError):
    pass


class ControlRetired(DomainError):
    pass


def create(ref: str, content: ControlContent, *, owner_id: UUID | None = None) -> Control:
    """Create a control of the tenant. Its ref never changes. Raise ControlExists."""
    ref = ref.strip().upper()
    lock_tenant("controls")
    if session().scalar(select(Control.id).where(Control.ref == ref)):
        raise ControlExists(
            f"{ref} is already used, maybe by a retired control. Choose another ref.", field="ref"
        )
    check_may_own(owner_id)
    control = add_control(ref, content, owner_id=owner_id)
    entry = record(CREATED, control, owner=owner_id, **created_facts(control))
    _tell_owner(control, entry.id)
    return control


def created_facts(control: Control) -> dict[str, Any]:
    """Return the details that the audit log keeps of a new control, without its description."""
    names = ("ref", "title", "kind", "automation", "cadence", "rests_on")
    return {name: getattr(control, name) for name in names}


def edit(control: Control, content: ControlContent, *, version: int) -> None:
    """Change a control. Raise Stale with the differences if it changed since `version`."""
    _require_editable(control)
    before, after = CONTROL.content_of(control), CONTROL.checked(content)
    changed = CONTROL.changes(after, before)
    if not changed:
        return
    if version != control.version:
        raise Stale(
            f"Someone else changed {control.ref} while you were editing. Review it, then save"
            " again.",
            changed,
        )
    for name, value in CONTROL.values(after).items():
        setattr(control, name, value)
    control.version += 1
    record(EDITED, control, before=CONTROL.recorded(before), after=CONTROL.recorded(after))


def assign(control: Control, owner_id: UUID | None, *, undoes: UUID | None = None) -> None:
    """Assign an owner, or remove the owner with None. Idempotent.

    `undoes` is the id of the audit entry that this change undoes.
    """
    check_is_live(control)
    if control.owner_id == owner_id:
        return
    check_may_own(owner_id)
    before, after = {"owner": control.owner_id}, {"owner": owner_id}
    control.owner_id = owner_id
    entry = record(ASSIGNED, control, before=before, after=after, undoes=undoes)
    undo.remember("control.owner", control.id, entry.id, before=before, after=after)
    _tell_owner(control, entry.id)


def assign_all(ids: Collection[UUID], owner_id: UUID | None) -> None:
    """Assign several controls, all or none."""
    for control in queries.find_controls(ids, lock=True):
        assign(control, owner_id)  # This calls record().


def _tell_owner(control: Control, entry_id: UUID) -> None:
    if control.owner_id is not None:
        title, path = f"{control.ref} {control.title}", f"controls/{control.id}"
        publish(OwnerAssigned(control.owner_id, title, path, entry_id))


def why_not(control: Control) -> str | None:
    """Return why the control can't be changed any more, or None if it can."""
    if control.retired_at is None:
        return None
    return f"{control.ref} was retired on {formatting.long_day(control.retired_at)}."


def retire(control: Control, *, reason: str) -> None:
    """Retire a control. It satisfies no requirement from now on. Its history stays."""
    check_is_live(control)
    if not reason.strip():
        raise Invalid("Enter a reason. It is stored with the control.", field="reason")
    control.retired_at, control.retirement_reason = clock.now(), reason.strip()[:2000]
    entry = record(RETIRED, control, reason=control.retirement_reason, ref=control.ref)
    undo.remember(
        "control.retired", control.id, entry.id, before={}, after={"retired_at": control.retired_at}
    )


def restore(control: Control, *, undoes: UUID) -> None:
    """Undo a retirement; `undoes` is the id of its audit entry."""
    control.retired_at = control.retirement_reason = None
    record(RESTORED, control, ref=control.ref, undoes=undoes)


# ---- undoing


UNDOABLE = {"control.owner", "control.mapping", "control.retired"}


@undo.restores("control.owner")
def _restore_owner(step: UndoStep) -> None:
    control = queries.find_control(step.target_id, lock=True)
    if undo.plain(control.owner_id) != step.after["owner"]:
        raise Overtaken(
            f"{control.ref} {control.title} was reassigned by {last_actor(control.id, ASSIGNED)}."
        )
    assign(control, undo.id_or_none(step.before["owner"]), undoes=step.entry_id)


@undo.restores("control.retired")
def _restore_retired(step: UndoStep) -> None:
    control = queries.find_control(step.target_id, lock=True)
    if undo.plain(control.retired_at) != step.after["retired_at"]:
        raise Overtaken(
            f"{control.ref} {control.title} was restored by {last_actor(control.id, RESTORED)}."
        )
    restore(control, undoes=step.entry_id)


# ---- rules


def add_control(ref: str, content: ControlContent, *, owner_id: UUID | None) -> Control:
    control = Control(
        **CONTROL.values(CONTROL.checked(content)),
        ref=ref,
        owner_id=owner_id,
        retired_at=None,
        retirement_reason=None,
        created_at=clock.now(),
        version=1,
    )
    session().add(control)
    session().flush()
    return control


def check_is_live(control: Control) -> None:
    if (why := why_not(control)) is not None:
        raise ControlRetired(why)


def _require_editable(control: Control) -> None:
    check_is_live(control)
    require(permissions.WORK, on=control)
