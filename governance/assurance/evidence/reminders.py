"""Remind owners of late or due evidence: one email per owner, once per item and due date."""

from collections.abc import Collection
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

from governance.assurance.evidence import queries, review_queue
from governance.assurance.evidence.models import EvidenceReminder
from governance.assurance.evidence.queries import EvidenceSummary
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.queries import membership_of
from governance.kernel import current
from governance.kernel.config import public_address
from governance.kernel.data.db import among, session
from governance.kernel.formatting import long_day, plural
from governance.kernel.work import outbox

REMINDED = action(
    "evidence.reminder.sent",
    "reminded the owner of an evidence item",
    target="Evidence",
    activity="update",
    severity="informational",
    fields="due_on",
    persons="owner",
)


def to_remind() -> list[EvidenceSummary]:
    """List late or due items whose owner wasn't reminded of this due date yet."""
    r = EvidenceReminder
    already = {
        tuple(row) for row in session().execute(select(r.evidence_id, r.due_on, r.person_id))
    }
    return [
        row
        for row in review_queue.late_evidence().rows
        if row.piece.owner_id
        and row.deadline
        and (row.piece.id, row.deadline, row.piece.owner_id) not in already
    ]


def last_reminded(ids: Collection[UUID]) -> dict[UUID, datetime]:
    """Return the time of the last reminder about each item, by item id."""
    query = select(EvidenceReminder.evidence_id, EvidenceReminder.created_at).where(
        among(EvidenceReminder.evidence_id, ids)
    )
    rows = session().execute(query.order_by(EvidenceReminder.created_at))
    return {row.evidence_id: row.created_at for row in rows}


def remind() -> int:
    """Send one email to each owner with late or due items. Return the number of emails."""
    letters: dict[UUID, list[EvidenceSummary]] = {}
    for row in to_remind():
        if row.piece.owner_id is not None:
            letters.setdefault(row.piece.owner_id, []).append(row)
    return sum(_send(owner, rows) for owner, rows in letters.items())


def _send(owner: UUID, rows: list[EvidenceSummary]) -> bool:
    """Email an owner. Return False, without an email or a record, for a former member."""
    member = membership_of(owner)
    if member is None:
        return False
    listed = [
        _record_reminder(row, row.deadline, owner) for row in rows if row.deadline is not None
    ]
    needs = "needs" if len(listed) == 1 else "need"
    subject = f"{plural(len(listed), 'evidence item')} {needs} you in {current.actor().tenant_name}"
    items = "\n\n".join(listed)
    outbox.send_mail(
        member.person.email,
        subject,
        f"{subject}. Upload a new version of each:\n\n{items}\n\n"
        "Meridian reminds you once for each due date.\n",
    )
    return True


def _record_reminder(row: EvidenceSummary, due: date, owner: UUID) -> str:
    evidence = queries.find_evidence(row.piece.id)
    session().add(EvidenceReminder(evidence_id=evidence.id, due_on=due, person_id=owner))
    record(REMINDED, evidence, due_on=due, owner=owner)
    link = f"{public_address()}/t/{current.actor().tenant_slug}/evidence/{evidence.id}"
    return f"{evidence.ref} {evidence.title}: {_status(row, due)}\n{link}"


def _status(row: EvidenceSummary, due: date) -> str:
    if row.fresh.state == "overdue":
        return f"{row.fresh.says}, was due {long_day(due)}"
    state = f"{row.fresh.state}, " if row.fresh.state in {"missing", "rejected"} else ""
    return f"{state}due {long_day(due)}"
