"""Actions that close months, file revisions, and mark closed months that changed later.

start_close         one statement per agreement and month, however often it is called
close_now           close a month that is over, before its day
mark_late           minutes or exclusions of closed months changed: revisions are due
request_revision    queue the work that finds out whether figures differ
file_revision       freeze the figures; only this function closes anything
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people import queries as people
from governance.foundation.webhooks.actions import send
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError
from governance.kernel.files.storage import Blob
from governance.kernel.months import Month
from governance.kernel.work import background_work, jobs, outbox
from governance.kernel.work.background_work import GeneratedFile
from governance.operations.agreements import queries as agreements
from governance.operations.agreements.models import Agreement
from governance.operations.agreements.money import money
from governance.publishing.statements import figures, permissions, queries
from governance.publishing.statements.models import (
    CAUSES,
    CreditEntry,
    Statement,
    StatementRevision,
)
from governance.publishing.statements.statement_facts import span_of

STARTED = action(
    "statement.close.started",
    "started the close of a month",
    target="Statement",
    activity="create",
    severity="informational",
    fields="agreement month",
)
CLOSED = action(
    "statement.closed",
    "closed a month",
    target="Statement",
    activity="update",
    severity="low",
    fields="agreement month revision credit currency fingerprint sha256",
    shape="ok",
)
REVISED = action(
    "statement.revised",
    "revised a closed month",
    target="Statement",
    activity="update",
    severity="low",
    fields="agreement month revision credit credit_before currency cause fingerprint sha256",
)
UNCHANGED = action(
    "statement.checked",
    "checked a closed month after late changes; its figures stay",
    target="Statement",
    activity="update",
    severity="informational",
    fields="month revision cause",
)
MARKED = action(
    "statement.revision.due",
    "marked a closed month for revision",
    target="Statement",
    activity="update",
    severity="informational",
    fields="month cause first last",
)
DOWNLOADED = action(
    "statement.downloaded",
    "downloaded a statement",
    target="Statement",
    activity="read",
    severity="low",
    fields="month revision sha256",
)

MAX_FILE_BYTES = 128 * 1024 * 1024
PREFIX = "statements"
MAX_ADDRESSES = 20  # Recipients of one email about a statement.


class NotOver(DomainError):
    pass


def start_close(agreement: Agreement, month: Month, *, cause: str = "close") -> Statement | None:
    """Start the statement of an agreement and month. Return None if there is one already."""
    lock_tenant("month close")
    if queries.statement_of(agreement.id, month) is not None:
        return None
    span = span_of(month)
    made = Statement(
        agreement_id=agreement.id,
        month=str(month),
        starts_at=span.start,
        ends_at=span.end,
        cause=cause,
        requested_by=current.actor().person_id,
        work_item_id=None,
        marked_at=None,
    )
    return background_work.start(made)


def close_now(agreement: Agreement, month: Month) -> Statement:
    """Close a month that is over, before the agreed day. Idempotent."""
    if span_of(month).end > clock.now():
        raise NotOver(f"{figures.month_title(str(month))} isn't over yet. Close it when it is.")
    if not agreements.versions_in(agreement.id, span_of(month)):
        raise NotOver(f"No version of {agreement.ref} was in force in that month.")
    made = start_close(agreement, month) or queries.statement_of(agreement.id, month)
    if made is None:
        raise RuntimeError("a statement that exists is found")
    return made


def _requested(row: Statement) -> None:
    ref = queries.agreement_of(row).ref
    if not row.is_closed:
        record(STARTED, row, agreement=ref, month=row.month)


CLOSING = background_work.WorkKind(
    name="statement",
    noun="statement",
    model=Statement,
    view=permissions.VIEW,
    permission=permissions.CLOSE,
    find=queries.statement,
    title=lambda row: f"Statement of {figures.month_title(row.month)}",
    page=lambda row: ("statements.statement", {"statement_id": row.id}),
    address=lambda row: {"statement_id": row.id},
    requested=_requested,
    cancelled=None,
    stored=StatementRevision.file_key,
    prefix=PREFIX,
    max_bytes=MAX_FILE_BYTES,
    icon="receipt",
    result_label="Open the statement",
)


def mark_late(found: Sequence[Statement], cause: str, first: datetime, last: datetime) -> None:
    """Record that minutes or exclusions of these months changed. Figures stay until a revision."""
    for each in found:
        each.marks += 1
        each.marked_at = clock.now()
        if each.is_closed and each.marks == each.marks_seen + 1:
            each.cause = cause
            record(MARKED, each, month=each.month, cause=cause, first=first, last=last)
    session().flush()


def request_revision(statement: Statement) -> None:
    """Queue the work again. It files a revision only if figures or counts differ."""
    statement.work_item_id = jobs.enqueue(CLOSING.name, statement.id).id
    session().flush()


def note_unchanged(statement: Statement, marks: int) -> None:
    """Record that late changes made no difference, so there is no revision."""
    record(
        UNCHANGED,
        statement,
        month=statement.month,
        revision=statement.revision,
        cause=statement.cause,
    )
    statement.marks_seen = max(statement.marks_seen, marks)


def file_revision(statement: Statement, made: Mapping[str, Any], blob: Blob, *, marks: int) -> bool:
    """File one revision with its data, credit and notifications. Return False if it exists already.

    `made` has the values of the row. `marks` are the late changes that its figures include.
    """
    if statement.revision != made["number"] - 1:
        return False
    before = queries.revision_numbered(statement.id, statement.revision)
    row = StatementRevision(
        statement_id=statement.id,
        closed_by=current.actor().person_id,
        file_key=blob.key,
        file_sha256=blob.sha256,
        file_size=blob.size,
        **made,
    )
    session().add(row)
    statement.revision = row.number
    statement.marks_seen = max(statement.marks_seen, marks)
    _owe(statement, row, before)
    agreement = queries.agreement_of(statement)
    facts: dict[str, Any] = {
        "agreement": agreement.ref,
        "month": statement.month,
        "revision": row.number,
        "credit": row.credit,
        "currency": row.currency,
        "fingerprint": row.data_digest,
        "sha256": row.file_sha256,
    }
    if before is None:
        record(CLOSED, statement, **facts)
    else:
        record(REVISED, statement, **facts, credit_before=before.credit, cause=row.cause)
    _tell(statement, agreement, row, before)
    return True


def _owe(statement: Statement, row: StatementRevision, before: StatementRevision | None) -> None:
    difference = row.credit - (before.credit if before else 0)
    if difference:
        session().add(
            CreditEntry(
                statement_id=statement.id,
                kind="owed",
                revision=row.number,
                amount=difference,
                currency=row.currency,
                recorded_by=None,
            )
        )


def _tell(
    statement: Statement,
    agreement: Agreement,
    row: StatementRevision,
    before: StatementRevision | None,
) -> None:
    send(
        "statement.closed" if before is None else "statement.revised",
        {
            "id": statement.id,
            "agreement": agreement.ref,
            "month": statement.month,
            "revision": row.number,
            "credit": row.credit,
            "credit_before": before.credit if before else None,
            "currency": row.currency,
            "missed": row.result["missed"],
            "commitments": row.result["commitments"],
            "closed_at": row.closed_at,
        },
    )
    subject, body = letter(statement, agreement, row, before)
    for address in addresses(agreement.id):
        outbox.send_mail(address, subject, body)


def addresses(agreement_id: UUID) -> list[str]:
    """Return the emails of the customer's contacts in the agreement, or else the tenant's admins."""
    found = [each.email for each in agreements.contacts(agreement_id) if each.side == "customer"]
    if not found:
        found = [each.email for each in people.members() if each.role == "admin"]
    return list(dict.fromkeys(found))[:MAX_ADDRESSES]


def letter(
    statement: Statement,
    agreement: Agreement,
    row: StatementRevision,
    before: StatementRevision | None,
) -> tuple[str, str]:
    """Return the subject and text of the email."""
    month = figures.month_title(statement.month)
    credit = money(row.credit, row.currency)
    result = row.result
    lines = [
        f"{each['commitment']}: {figures.attained(each)}, promised {figures.promised(each)}:"
        f" {each['result']}"
        for each in result["lines"]
    ]
    if before is None:
        subject = f"Statement of {month}: credit {credit}"
        first = f"The statement of {month} under {agreement.ref} is closed."
    else:
        subject = f"Statement of {month}, revision {row.number}: credit {credit}"
        first = (
            f"The statement of {month} under {agreement.ref} has revision {row.number}."
            f" {CAUSES[row.cause]} The credit was {money(before.credit, row.currency)} before."
        )
    body = [first, "", *lines, "", f"Credit: {credit}", "", "Open Meridian to see every figure."]
    return subject, "\n".join(body)


def download(statement: Statement, row: StatementRevision) -> GeneratedFile:
    """Record the download of a revision's file, and return it."""
    record(
        DOWNLOADED,
        statement,
        month=statement.month,
        revision=row.number,
        sha256=row.file_sha256,
    )
    return GeneratedFile(row.file_name, "application/zip", key=row.file_key, size=row.file_size)
