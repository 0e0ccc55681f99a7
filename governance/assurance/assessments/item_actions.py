"""Set the target, owner and due date of a requirement, and undo that."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from governance.assurance.assessments import assessment_queries
from governance.assurance.assessments.assessment_state import (
    require_open,
    requirement_path,
    requirement_ref,
)
from governance.assurance.assessments.coverage import HIGHEST_LEVEL
from governance.assurance.assessments.models import (
    AssessmentItem,
)
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.events import OwnerAssigned
from governance.foundation.people.owners import check_may_own
from governance.foundation.people.queries import last_actor
from governance.kernel.errors import Invalid, Stale
from governance.kernel.pages import undo
from governance.kernel.pages.undo import Overtaken, UndoStep
from governance.kernel.work.events import publish

TARGETED = action(
    "assessment.target.set",
    "set a target level for a requirement",
    target="AssessmentItem",
    activity="update",
    severity="informational",
    fields="target requirement undoes",
)
ASSIGNED = action(
    "assessment.item.assigned",
    "assigned a requirement",
    target="AssessmentItem",
    activity="update",
    severity="informational",
    fields="due_on requirement undoes",
    persons="owner",
)


def set_target(
    item: AssessmentItem, target: int, *, version: int, undoes: UUID | None = None
) -> None:
    """Set the level that the requirement should reach. Raise Stale if `version` is outdated."""
    require_open(item)
    if not 0 <= target <= HIGHEST_LEVEL:
        raise Invalid("Choose a target level from 0 to 4.", field="target")
    if target == item.target:
        return
    if version != item.version:
        raise Stale(
            "Someone else changed the target while you were editing. Review it, then save again.",
            {"target": (target, item.target)},
        )
    before, after = {"target": item.target}, {"target": target}
    item.target, item.version = target, item.version + 1
    entry = record(
        TARGETED, item, before=before, after=after, requirement=requirement_ref(item), undoes=undoes
    )
    undo.remember("assessment.target", item.id, entry.id, before=before, after=after)


def assign(
    item: AssessmentItem, owner_id: UUID | None, due_on: date | None, *, undoes: UUID | None = None
) -> None:
    """Set the owner and due date of a requirement. Unchanged values record nothing.

    `undoes` is the id of the audit entry that this change undoes.
    """
    require_open(item)
    before, after = (
        {"owner": item.owner_id, "due_on": item.due_on},
        {"owner": owner_id, "due_on": due_on},
    )
    changed = [name for name in after if after[name] != before[name]]
    if not changed:
        return
    if "owner" in changed:
        check_may_own(owner_id)
    item.owner_id, item.due_on = owner_id, due_on
    entry = record(
        ASSIGNED, item, before=before, after=after, requirement=requirement_ref(item), undoes=undoes
    )
    undo.remember(
        "assessment.item",
        item.id,
        entry.id,
        before={name: before[name] for name in changed},
        after={name: after[name] for name in changed},
    )
    if "owner" in changed and owner_id is not None:
        publish(OwnerAssigned(owner_id, requirement_ref(item), requirement_path(item), entry.id))


def assign_all(changes: Sequence[tuple[UUID, UUID | None, date | None]]) -> None:
    """Assign items by (item id, owner id, due date), all or none."""
    for item_id, owner_id, due_on in changes:
        assign(
            assessment_queries.item(item_id, lock=True), owner_id, due_on
        )  # `assign()` calls record().


UNDOABLE = {"assessment.target", "assessment.item"}


@undo.restores("assessment.target")
def _restore_target(step: UndoStep) -> None:
    item = assessment_queries.item(step.target_id, lock=True)
    if item.target != step.after["target"]:
        raise Overtaken(
            f"{last_actor(item.id, TARGETED)} has changed the target of {requirement_ref(item)}"
            " since then."
        )
    set_target(item, step.before["target"], version=item.version, undoes=step.entry_id)


@undo.restores("assessment.item")
def _restore_item(step: UndoStep) -> None:
    """Restore only the fields that the step changed."""
    item = assessment_queries.item(step.target_id, lock=True)
    present = {"owner": item.owner_id, "due_on": item.due_on}
    if any(undo.plain(present[name]) != value for name, value in step.after.items()):
        raise Overtaken(
            f"{last_actor(item.id, ASSIGNED)} has reassigned {requirement_ref(item)} since then."
        )
    owner_id = undo.id_or_none(step.before["owner"]) if "owner" in step.before else item.owner_id
    due_on = undo.day_or_none(step.before["due_on"]) if "due_on" in step.before else item.due_on
    assign(item, owner_id, due_on, undoes=step.entry_id)
