"""Claims that have to be sent before their deadline, closes that failed, and disputes whose answer is
overdue.

An operator's inbox reads the operator's own tenant, so an open dispute, which is a row of its
customer's tenant, isn't in it: the operator's list of statements shows it.
"""

from typing import Any

from sqlalchemy import Select, String, cast, select

from governance.foundation.people.own_entries import own_entries
from governance.kernel.inbox import TODAY, InboxDone, InboxSource, end_of, item_select
from governance.kernel.jobs import WorkItem
from governance.publishing.statements import claim_actions, permissions
from governance.publishing.statements.figures import month_title
from governance.publishing.statements.models import Dispute, Statement, VendorClaim


def _to_send() -> Select[Any]:
    v = VendorClaim
    query = item_select(v, about=v.vendor, detail=v.month, since=v.created_at, due=v.deadline)
    return query.where(v.state == "approved")


def _sent() -> Select[Any]:
    v, entry = VendorClaim, own_entries(claim_actions.SENT)
    query = item_select(
        v, row_id=entry.c.id, parent=v.id, about=v.vendor, detail=entry.c.says, since=entry.c.at
    )
    return query.join(entry, entry.c.target_id == v.id)


def _failed() -> Select[Any]:
    s = Statement
    failed = select(WorkItem.id).where(
        WorkItem.id == s.work_item_id, WorkItem.tenant_id == s.tenant_id, WorkItem.state == "failed"
    )
    return item_select(s, about=s.month, since=s.created_at).where(failed.exists())


def _unanswered() -> Select[Any]:
    d, s = Dispute, Statement
    query = item_select(
        d,
        about="DSP-" + cast(d.number, String),
        parent=s.id,
        detail=s.month,
        since=d.created_at,
        due=end_of(d.due_on),
    ).join(s, (s.id == d.statement_id) & (s.tenant_id == d.tenant_id))
    return query.where(d.state == "open", d.due_on < TODAY)


SOURCES = (
    InboxSource(
        name="claims-to-send",
        group="incidents",
        needs=permissions.CLAIM,
        select=_to_send,
        icon="send",
        verb="Send",
        title=lambda row: f"Send the claim on {row.about} for {month_title(row.detail)}",
        detail=lambda row: f"It is approved. {row.about} takes no claim after the deadline.",
        why="you send vendor claims",
        endpoint="operator_statements.claim",
        values=lambda row: {"claim_id": row.id},
        done=(
            InboxDone(
                name="claims-sent",
                icon="send",
                select=_sent,
                endpoint="operator_statements.claim",
                values=lambda row: {"claim_id": row.parent},
            ),
        ),
    ),
    InboxSource(
        name="failed-closes",
        group="incidents",
        needs=permissions.CLOSE,
        select=_failed,
        icon="receipt",
        verb="View",
        title=lambda row: f"The close of {month_title(row.about)} failed",
        detail=lambda _row: "Open it to see why, then retry. It is also retried every hour.",
        why="you close months",
        endpoint="statements.statement",
        values=lambda row: {"statement_id": row.id},
    ),
    InboxSource(
        name="disputes-unanswered",
        group="reviews",
        needs=permissions.DISPUTE,
        select=_unanswered,
        icon="message",
        verb="Open",
        title=lambda row: f"Follow up on dispute {row.about}: no answer yet",
        detail=lambda row: (
            f"Statement of {month_title(row.detail)}. Ask your provider, or withdraw the dispute"
        ),
        why="you can dispute statements, and this answer is overdue",
        endpoint="statements.dispute",
        values=lambda row: {"dispute_id": row.id},
    ),
)
