"""Statements and their revisions, disputes, the ledger of credits, and claims on vendors.

A claim is a row of the operator's own tenant, so row-level security hides it from every customer.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk
from governance.kernel.intervals import Span
from governance.kernel.months import Month
from governance.kernel.work.background_work import Generated

CAUSES = {
    "close": "The month was closed.",
    "late_data": "Data arrived after the close.",
    "exclusion": "An exclusion changed after the close.",
    "dispute": "A dispute was accepted.",
}
CLAIM_STATES = {
    "prepared": "Awaiting approval",
    "approved": "Ready to send",
    "sent": "Sent",
    "paid": "Paid",
    "rejected": "Rejected",
    "expired": "Expired",
}
OPEN_CLAIMS = ("prepared", "approved", "sent")


class Statement(Generated):
    """The statement of one agreement and month. Its figures are in its revisions.

    `marks` grows with each late change of the month's minutes or exclusions. `marks_seen` is the
    value that the newest revision, or the check that found no difference, has included.
    """

    __tablename__ = "statements"
    __table_args__ = (
        tenant_fk("agreement_id", "agreements"),
        UniqueConstraint("tenant_id", "agreement_id", "month"),
        CheckConstraint("month ~ '^[0-9]{4}-[0-9]{2}$'", "month_form"),
        Index(None, "tenant_id", "ends_at"),
        Index("ix_statements_due", "tenant_id", postgresql_where=text("marks > marks_seen")),
    )

    agreement_id: Mapped[UUID]
    month: Mapped[str]  # For example 2026-10.
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    revision: Mapped[int] = mapped_column(default=0)  # The newest. 0 while the month is closing.
    marks: Mapped[int] = mapped_column(default=0)
    marks_seen: Mapped[int] = mapped_column(default=0)
    marked_at: Mapped[datetime | None]
    # One of CAUSES, for the revision under way.
    cause: Mapped[str] = mapped_column(default="close")

    @property
    def is_ready(self) -> bool:
        return self.revision > 0 and not self.is_revision_due

    @property
    def is_closed(self) -> bool:
        return self.revision > 0

    @property
    def is_revision_due(self) -> bool:
        return self.marks > self.marks_seen

    @property
    def span(self) -> Span:
        return Span(self.starts_at, self.ends_at)

    @property
    def its_month(self) -> Month:
        return Month.parse(self.month)


class StatementRevision(Tenanted, Model):
    """The figures of a closed month. Append-only: later changes make another revision.

    `facts` and `result` are those of the data file without minute counts. `changes` lists the
    differences from the previous revision. The file is a zip: signed PDF and signed data file.
    """

    __tablename__ = "statement_revisions"
    __table_args__ = (
        tenant_fk("statement_id", "statements"),
        UniqueConstraint("tenant_id", "statement_id", "number"),
    )

    statement_id: Mapped[UUID]
    number: Mapped[int]
    closed_at: Mapped[datetime]
    closed_by: Mapped[UUID | None]
    cause: Mapped[str]  # One of CAUSES.
    input_digest: Mapped[str]  # Of facts and minute counts. Equal inputs make no revision.
    data_digest: Mapped[str]  # The digest that both signatures confirm.
    facts: Mapped[dict[str, Any]]
    result: Mapped[dict[str, Any]]
    changes: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    credit: Mapped[int] = mapped_column(BigInteger)  # Minor units.
    currency: Mapped[str]
    checkpoint: Mapped[int | None] = mapped_column(BigInteger)  # Size of the audit log's tree.
    file_name: Mapped[str]
    file_key: Mapped[str]
    file_sha256: Mapped[str]
    file_size: Mapped[int]
    pages: Mapped[int]


class Dispute(Tenanted, Model):
    """Minutes or an exclusion that the tenant disputes, and the operator's answer."""

    __tablename__ = "statement_disputes"
    __table_args__ = (
        tenant_fk("statement_id", "statements"),
        UniqueConstraint("tenant_id", "number"),
        CheckConstraint("kind IN ('minutes', 'exclusion')", "kind"),
        CheckConstraint("state IN ('open', 'accepted', 'rejected', 'withdrawn')", "state"),
        CheckConstraint("ends_at > starts_at", "positive"),
        Index(None, "tenant_id", "statement_id"),
        Index("ix_statement_disputes_open", "tenant_id", postgresql_where=text("state = 'open'")),
    )

    statement_id: Mapped[UUID]
    number: Mapped[int]
    revision: Mapped[int]  # Of the statement, as disputed.
    kind: Mapped[str]  # One of: minutes, exclusion.
    indicator: Mapped[str | None]  # Slug, for minutes.
    exclusion: Mapped[str | None]  # Reference, for an exclusion.
    starts_at: Mapped[datetime]  # Of the minutes, or of the exclusion's occurrence.
    ends_at: Mapped[datetime]
    reason: Mapped[str]
    effect: Mapped[dict[str, Any]]  # If accepted, as both sides saw it when it was raised.
    # One of: open, accepted, rejected, withdrawn.
    state: Mapped[str] = mapped_column(default="open")
    raised_by: Mapped[UUID | None]
    due_on: Mapped[date]
    answer: Mapped[str] = mapped_column(default="")
    answered_by: Mapped[UUID | None]
    answered_at: Mapped[datetime | None]

    @property
    def ref(self) -> str:
        return f"DSP-{self.number}"

    @property
    def span(self) -> Span:
        return Span(self.starts_at, self.ends_at)


class CreditEntry(Tenanted, Model):
    """One entry of the credits that the operator owes a tenant.

    Append-only: the balance is the sum.
    """

    __tablename__ = "statement_credits"
    __table_args__ = (
        tenant_fk("statement_id", "statements"),
        CheckConstraint("kind IN ('owed', 'paid')", "kind"),
        Index(None, "tenant_id", "statement_id", "created_at"),
    )

    statement_id: Mapped[UUID]
    kind: Mapped[str]  # One of: owed (by a revision; negative if it lowers the credit), paid.
    revision: Mapped[int | None]
    amount: Mapped[int] = mapped_column(BigInteger)  # Minor units. Paid ones are negative.
    currency: Mapped[str]
    note: Mapped[str] = mapped_column(default="")  # Such as the number of the credit note.
    recorded_by: Mapped[UUID | None]


class VendorClaim(Tenanted, Model):
    """A claim of the operator on a vendor, for the minutes of one tenant's month."""

    __tablename__ = "vendor_claims"
    __table_args__ = (
        tenant_fk("agreement_id", "agreements"),
        UniqueConstraint("tenant_id", "number"),
        Index(
            "uq_vendor_claims_open",
            "tenant_id",
            "agreement_id",
            "customer_id",
            "month",
            unique=True,
            postgresql_where=text("state IN ('prepared', 'approved', 'sent')"),
        ),
        CheckConstraint(
            "state IN ('prepared', 'approved', 'sent', 'paid', 'rejected', 'expired')", "state"
        ),
        Index(None, "tenant_id", "customer_id", "month"),
        Index(None, "tenant_id", "state", "deadline"),
    )

    number: Mapped[int]
    agreement_id: Mapped[UUID]  # From the vendor.
    customer_id: Mapped[UUID]  # The tenant that the minutes belong to.
    customer_statement_id: Mapped[UUID]
    month: Mapped[str]
    revision: Mapped[int]
    vendor: Mapped[str]
    amount: Mapped[int] = mapped_column(BigInteger)  # Minor units.
    currency: Mapped[str]
    bill: Mapped[int | None] = mapped_column(BigInteger)  # Of the month, if it was entered.
    facts: Mapped[dict[str, Any]]  # The vendor side, its periods and error counts, frozen.
    state: Mapped[str] = mapped_column(default="prepared")  # One of CLAIM_STATES.
    deadline: Mapped[datetime]
    prepared_by: Mapped[UUID | None]
    approved_by: Mapped[UUID | None]
    sent_by: Mapped[UUID | None]
    sent_at: Mapped[datetime | None]
    vendor_reference: Mapped[str] = mapped_column(default="")
    paid_amount: Mapped[int | None] = mapped_column(BigInteger)
    ended_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(default="")

    @property
    def ref(self) -> str:
        return f"CLM-{self.number}"
