"""The inbox items of statements.

They are new statements to check, claims to send before their deadline, closes that failed, and
disputes whose answer is overdue.

An operator's inbox reads the operator's own tenant. An open dispute is a row of its customer's
tenant, so it isn't in it: the operator's list of statements shows it.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import Interval, Select, String, cast, func, literal, select

from governance.foundation.people.own_entries import own_entries, own_items
from governance.kernel.work.inbox import (
    NOW,
    TODAY,
    InboxDone,
    InboxRow,
    InboxSource,
    end_of,
    item_select,
)
from governance.kernel.work.jobs import WorkItem
from governance.operations.agreements.money import money
from governance.publishing.statements import actions, claim_actions, permissions
from governance.publishing.statements.figures import month_title
from governance.publishing.statements.models import (
    Dispute,
    Statement,
    StatementRevision,
    VendorClaim,
)

# How long after its close a revision that you haven't downloaded is listed.
NEW_FOR = timedelta(days=30)


def _to_check() -> Select[Any]:
    """Select each statement's newest revision, until you download it or anyone disputes it."""
    r, s, d, entry = StatementRevision, Statement, Dispute, own_entries(actions.DOWNLOADED)
    query = item_select(
        r,
        parent=s.id,
        about=s.month,
        place=cast(r.number, String),
        detail=func.concat(cast(r.credit, String), " ", r.currency),
        since=r.closed_at,
    ).join(s, (s.id == r.statement_id) & (s.tenant_id == r.tenant_id) & (s.revision == r.number))
    downloaded = select(entry.c.id).where(entry.c.target_id == s.id, entry.c.at >= r.closed_at)
    disputed = select(d.id).where(
        d.tenant_id == r.tenant_id, d.statement_id == s.id, d.revision == r.number
    )
    return query.where(
        r.closed_at > NOW - literal(NEW_FOR, Interval()), ~downloaded.exists(), ~disputed.exists()
    )


def _checked() -> Select[Any]:
    s = Statement
    month = func.to_char(func.to_date(s.month, "YYYY-MM"), "FMMonth YYYY")
    return own_items(s, actions.DOWNLOADED, about=func.concat("Statement of ", month))


def _credit(row: InboxRow) -> str:
    amount, currency = row.detail.split()
    credit = f"Credit: {money(int(amount), currency)}" if int(amount) else "No credit is due"
    return f"{credit}. Download it to check it, or dispute it"


def _to_send() -> Select[Any]:
    v = VendorClaim
    query = item_select(v, about=v.vendor, detail=v.month, since=v.created_at, due=v.deadline)
    return query.where(v.state == "approved")


def _sent() -> Select[Any]:
    return own_items(VendorClaim, claim_actions.SENT, about=VendorClaim.vendor)


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
        name="statements-to-check",
        group="reviews",
        needs=permissions.DISPUTE,
        select=_to_check,
        icon="receipt",
        verb="Open",
        title=lambda row: (
            f"Check the statement of {month_title(row.about)}"
            + (f", revision {row.place}" if row.place != "1" else "")
        ),
        detail=_credit,
        why="you can dispute statements, and you haven't downloaded this one",
        endpoint="statements.statement",
        values=lambda row: {"statement_id": row.parent},
        done=(
            InboxDone(
                name="statements-downloaded",
                icon="receipt",
                select=_checked,
                endpoint="statements.statement",
                values=lambda row: {"statement_id": row.parent},
            ),
        ),
    ),
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
