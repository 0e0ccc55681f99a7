"""Remind an approver of a request, once a day."""

from uuid import UUID

from governance.foundation.approvals import kinds, queries
from governance.foundation.approvals.actions import NOT_READY, check_open, lock_approval
from governance.foundation.approvals.models import Approval, ApprovalReminder
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Forbidden, Invalid
from governance.kernel.work import outbox

REMINDED = action(
    "approval.reminder.sent",
    "reminded an approver",
    target="Approval",
    activity="update",
    severity="informational",
    fields="number",
    persons="approver",
)
MAX_REMINDERS_A_DAY = 5  # From one requester to one person, over all requests.


def remind(approval: Approval, person_id: UUID, *, link: str) -> None:
    """Remind one person who can approve it.

    Each gets one reminder a day, however often it is requested again.
    """
    lock_approval(approval)
    check_open(approval)
    if str(current.person_id()) not in approval.requesters:
        raise Forbidden("Only the person who requested this can send reminders.")
    if not approval.is_ready:
        raise DomainError(NOT_READY)
    who = next((each for each in queries.approvers(approval) if each.person_id == person_id), None)
    if who is None:
        raise Invalid("Choose one of the people who can approve this.", field="person")
    if who.reminded:
        raise DomainError(f"You reminded {who.name} today. You can remind them again tomorrow.")
    if queries.count_reminders_today(approval.requested_by, person_id) >= MAX_REMINDERS_A_DAY:
        raise DomainError(
            f"You reminded {who.name} {MAX_REMINDERS_A_DAY} times today. You can remind them again"
            " tomorrow."
        )
    session().add(
        ApprovalReminder(approval_id=approval.id, person_id=person_id, sent_on=clock.today())
    )
    asks = f"{current.actor().name} asks {kinds.mail_words(approval)}"
    outbox.send_mail(
        who.email,
        f"{approval.ref} awaits your approval",
        f"{asks}.\n\nReview the request: {link}\n",
    )
    record(REMINDED, approval, number=approval.number, approver=person_id)
