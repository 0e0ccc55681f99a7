"""Actions on claims on vendors: prepare, approve (another person), send, and settle."""

import io
import json
import zipfile
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from governance.foundation.approvals import actions as approvals
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.files.spreadsheet_writer import csv_bytes
from governance.kernel.work.background_work import GeneratedFile
from governance.operations.agreements.money import money
from governance.publishing.statements import claim_queries, figures
from governance.publishing.statements.closing import EARLIEST
from governance.publishing.statements.models import Statement, VendorClaim
from governance.publishing.statements.vendor_side import VendorSide

FIELDS = "number vendor month amount currency"
PREPARED = action(
    "claim.prepared",
    "prepared a claim on a vendor",
    target="VendorClaim",
    activity="create",
    severity="low",
    fields=f"{FIELDS} revision periods errors deadline",
)
APPROVED = action(
    "claim.approved",
    "approved a claim on a vendor",
    target="VendorClaim",
    activity="update",
    severity="low",
    fields=FIELDS,
)
DECLINED = action(
    "claim.declined",
    "declined a claim on a vendor",
    target="VendorClaim",
    activity="update",
    severity="low",
    fields=FIELDS,
)
SENT = action(
    "claim.sent",
    "sent a claim to a vendor",
    target="VendorClaim",
    activity="update",
    severity="low",
    fields=f"{FIELDS} reference",
)
PAID = action(
    "claim.paid",
    "recorded the payment of a claim",
    target="VendorClaim",
    activity="update",
    severity="low",
    fields=f"{FIELDS} paid",
    shape="ok",
)
REJECTED = action(
    "claim.rejected",
    "recorded that a vendor rejected a claim",
    target="VendorClaim",
    activity="update",
    severity="low",
    fields=FIELDS,
    shape="bad",
)
EXPIRED = action(
    "claim.expired",
    "let a claim expire",
    target="VendorClaim",
    activity="update",
    severity="medium",
    fields=f"{FIELDS} deadline",
    shape="bad",
)
DOWNLOADED = action(
    "claim.downloaded",
    "downloaded a claim file",
    target="VendorClaim",
    activity="read",
    severity="low",
    fields=FIELDS,
)
MAX_REQUEST_IDS = 20_000
MAX_NOTE_LENGTH = 2000


class NotInState(DomainError):
    pass


class DeadlinePassed(DomainError):
    pass


def prepare(
    customer_id: UUID,
    statement: Statement,
    side: VendorSide,
    *,
    bill: int | None = None,
    request_ids: Sequence[str] = (),
) -> VendorClaim:
    """Freeze what a vendor owes for a tenant's closed month, and request another person's approval."""
    _check_deadline(side)
    if side.amount <= 0:
        raise Invalid(f"{side.vendor} owes no credit for this month.")
    if len(request_ids) > MAX_REQUEST_IDS:
        raise Invalid(f"Enter up to {MAX_REQUEST_IDS:,} request IDs.", field="request_ids")
    lock_tenant("vendor claims")
    there = claim_queries.open_claim(side.agreement.id, customer_id, statement.month)
    if there is not None:
        return there
    made = VendorClaim(
        number=claim_queries.next_number(),
        agreement_id=side.agreement.id,
        customer_id=customer_id,
        customer_statement_id=statement.id,
        month=statement.month,
        revision=statement.revision,
        vendor=side.vendor,
        amount=side.amount,
        currency=side.result["currency"],
        bill=bill,
        facts={
            "facts": dict(side.facts),
            "result": dict(side.result),
            "periods": list(side.periods),
            "request_ids": list(request_ids),
        },
        deadline=side.deadline,
        prepared_by=current.person_id(),
        approved_by=None,
        sent_by=None,
        sent_at=None,
        paid_amount=None,
        ended_at=None,
    )
    session().add(made)
    session().flush()
    record(
        PREPARED,
        made,
        **_named(made),
        revision=made.revision,
        periods=len(side.periods),
        errors=side.errors,
        deadline=made.deadline,
    )
    _request_approval(made)
    return made


def _request_approval(claim: VendorClaim) -> None:
    approvals.request(
        claim_queries.CLAIM,
        claim.id,
        summary=f"claim {money(claim.amount, claim.currency)} from {claim.vendor}",
        reason=f"{figures.month_title(claim.month)}, {claim.ref}",
        expires_at=claim.deadline,
    )


def _named(claim: VendorClaim) -> dict[str, Any]:
    return {
        "number": claim.number,
        "vendor": claim.vendor,
        "month": claim.month,
        "amount": claim.amount,
        "currency": claim.currency,
    }


def approve(claim: VendorClaim) -> None:
    """Approve a prepared claim, in the approver's transaction."""
    if claim.state == "prepared":
        claim.state, claim.approved_by = "approved", current.person_id()


def decline(claim: VendorClaim) -> None:
    """End a claim whose approval was rejected, withdrawn or expired."""
    if claim.state == "prepared":
        claim.state, claim.ended_at = "expired", clock.now()


def send(claim: VendorClaim, *, reference: str) -> None:
    """Record that the acting person sent the claim file to the vendor."""
    session().refresh(claim, with_for_update=True)
    _check_state(claim, "approved", "sent")
    _check_deadline(claim)
    claim.state, claim.sent_by, claim.sent_at = "sent", current.person_id(), clock.now()
    claim.vendor_reference = reference.strip()[:200]
    record(SENT, claim, **_named(claim), reference=claim.vendor_reference or None)


def settle(claim: VendorClaim, *, paid: int | None, note: str = "") -> None:
    """Record the vendor's answer: the amount paid in minor units, or None for a rejection."""
    session().refresh(claim, with_for_update=True)
    _check_state(claim, "sent", "settled")
    if paid is not None and paid <= 0:
        raise Invalid("Enter the amount that the vendor paid.", field="paid")
    claim.state = "rejected" if paid is None else "paid"
    claim.paid_amount, claim.ended_at = paid, clock.now()
    claim.note = note.strip()[:MAX_NOTE_LENGTH]
    if paid is None:
        record(REJECTED, claim, reason=claim.note or None, **_named(claim))
    else:
        record(PAID, claim, reason=claim.note or None, **_named(claim), paid=paid)


def expire_overdue() -> int:
    """End claims that weren't sent before their deadline."""
    found = claim_queries.overdue(clock.now())
    for each in found:
        each.state, each.ended_at = "expired", clock.now()
        record(EXPIRED, each, **_named(each), deadline=each.deadline)
    return len(found)


def _check_deadline(of: VendorSide | VendorClaim) -> None:
    if clock.now() >= of.deadline:
        raise DeadlinePassed(f"The deadline to claim from {of.vendor} has passed.")


def _check_state(claim: VendorClaim, wanted: str, done: str) -> None:
    if claim.state != wanted:
        raise NotInState(f"{claim.ref} can't be {done}: it is {claim.state}.")


COLUMNS = ("indicator", "from (UTC)", "to (UTC)", "minutes", "requests", "errors")
NAMES = ("indicator", "from", "to", "minutes", "requests", "errors")


def claim_file(claim: VendorClaim) -> GeneratedFile:
    """Return the file that vendors require, as CSV and JSON.

    It has periods in UTC, error counts and request IDs.
    """
    record(DOWNLOADED, claim, **_named(claim))
    rows = [[each[name] for name in NAMES] for each in claim.facts["periods"]]
    content = {
        "claim": claim.ref,
        "vendor": claim.vendor,
        "agreement": claim.facts["facts"]["agreement"]["ref"],
        "month": claim.month,
        "amount": claim.amount,
        "currency": claim.currency,
        "result": claim.facts["result"],
        "periods": claim.facts["periods"],
        "request_ids": claim.facts["request_ids"],
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (
            ("claim.json", json.dumps(content, indent=1, sort_keys=True).encode()),
            ("periods.csv", csv_bytes(COLUMNS, rows)),
            ("request-ids.csv", csv_bytes(("request id",), [[i] for i in content["request_ids"]])),
        ):
            archive.writestr(zipfile.ZipInfo(name, EARLIEST), data)
    return GeneratedFile(
        f"{claim.ref.lower()}-{claim.month}.zip", "application/zip", content=packed.getvalue()
    )
