"""Notifications about rollouts: automatic steps, and steps to approve.

    tell_stopped(row, step_id, …)    to owners, the planner, and people who may approve its steps
    tell_requested(approval)         to people who may approve the step, except the requester

Contributors may resume, too, but everybody who owns a control is one: only those who own or planned
the rollout are notified, as in the inbox.
"""

from uuid import UUID

from governance.foundation.approvals.models import Approval
from governance.foundation.notifications.actions import Happening, notify
from governance.foundation.people.queries import members
from governance.operations.rollouts import permissions, queries
from governance.operations.rollouts.models import Rollout

KIND = "rollout"


def tell_stopped(row: Rollout, step_id: UUID, *, done: str, cause: str) -> None:
    """Notify people of an automatic halt, pause or rollback; `done` is a word such as "halted"."""
    system, _feature = queries.about(row)
    where = f", {row.stage.where}" if row.stage else ""
    what = Happening(
        KIND,
        step_id,
        done,
        f"{row.ref} of {system.key}, release {row.release}{where}: {cause}",
        f"rollouts/{row.id}",
    )
    own = {system.owner_id, row.owner_id, row.planned_by}
    notify({each for each in own if each is not None} | _approvers(), what)


def tell_requested(approval: Approval) -> None:
    what = Happening(
        KIND, approval.id, "asks you to approve:", approval.summary, f"approvals/{approval.id}"
    )
    notify({each for each in _approvers() if each != approval.requested_by}, what)


def _approvers() -> set[UUID]:
    return {each.person_id for each in members() if each.role in permissions.APPROVE.roles}
