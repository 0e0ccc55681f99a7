"""Agreements, their versions, commitments, support terms and acceptances.

An agreement to a tenant is a row of that tenant. An agreement from a vendor is a row of the
operator's own tenant, so row-level security hides it from every customer.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Index,
    Numeric,
    SmallInteger,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk
from governance.kernel.web.forms import constraint
from governance.kernel.work.background_work import Generated

type Direction = Literal["to_tenant", "from_vendor"]
type Side = Literal["provider", "customer", "vendor"]

TO_TENANT, FROM_VENDOR = "to_tenant", "from_vendor"
SHARE = Numeric(12, 10)  # Exact share of 1; 10 decimals hold 99.99999999%
OPEN_STATES = ("draft", "proposed")


class Agreement(Tenanted, Model):
    """An SLA between two parties. Its terms are in its versions."""

    __tablename__ = "agreements"
    __table_args__ = (
        UniqueConstraint("tenant_id", "direction", "number"),
        CheckConstraint("direction IN ('to_tenant', 'from_vendor')", "direction"),
    )

    direction: Mapped[str]  # to_tenant | from_vendor
    number: Mapped[int]
    name: Mapped[str]
    # The customer's name, or the vendor's name as in indicators.
    counterparty: Mapped[str]
    created_by: Mapped[UUID | None]
    ended_at: Mapped[datetime | None]  # End of all commitments; may be in the future
    ended_by: Mapped[UUID | None]
    end_reason: Mapped[str] = mapped_column(default="")

    @property
    def ref(self) -> str:
        return f"{'VEN' if self.direction == FROM_VENDOR else 'AGR'}-{self.number}"


class AgreementVersion(Tenanted, Model):
    """The terms from an instant. A draft can be edited; an accepted version never changes."""

    __tablename__ = "agreement_versions"
    __table_args__ = (
        tenant_fk("agreement_id", "agreements"),
        UniqueConstraint("tenant_id", "agreement_id", "number"),
        Index(
            "uq_agreement_versions_open",
            "tenant_id",
            "agreement_id",
            unique=True,
            postgresql_where=text("state IN ('draft', 'proposed')"),
        ),
        Index(
            "uq_agreement_versions_effective",
            "tenant_id",
            "agreement_id",
            "effective_from",
            unique=True,
            postgresql_where=text("state = 'accepted'"),
        ),
        CheckConstraint("state IN ('draft', 'proposed', 'accepted', 'withdrawn')", "state"),
        CheckConstraint("credit_cap BETWEEN 0 AND 1", "cap"),
        CheckConstraint("minimum_coverage BETWEEN 0 AND 1", "coverage"),
        CheckConstraint("monthly_fee >= 0", "fee"),
    )

    agreement_id: Mapped[UUID]
    number: Mapped[int]
    state: Mapped[str]  # draft | proposed | accepted | withdrawn
    side: Mapped[str]  # provider | customer drafts it; the other sees proposals
    edited: Mapped[int] = mapped_column(default=1)  # Number of edits so far; a form carries it
    effective_from: Mapped[datetime]
    ends_on: Mapped[date | None]  # Last day of the term, in `time_zone`
    time_zone: Mapped[str]  # Applies to months, effective dates and business hours
    currency: Mapped[str]  # ISO 4217
    monthly_fee: Mapped[int] = mapped_column(BigInteger)  # minor units
    credit_cap: Mapped[Decimal] = mapped_column(SHARE)  # Share of the month's fee
    minimum_coverage: Mapped[Decimal] = mapped_column(SHARE)
    close_day: Mapped[int] = mapped_column(SmallInteger)  # Day of the following month
    maintenance_notice_hours: Mapped[int]
    # Categories of exclusions that count: maintenance, customer_caused, force_majeure.
    excluded_categories: Mapped[list[Any]]
    claim_days: Mapped[int]  # Days to claim a credit after the month ends
    business_hours: Mapped[dict[str, Any]]  # business_time.Calendar.as_json()
    reason: Mapped[str]  # Why this version exists
    drafted_by: Mapped[UUID | None]
    proposed_by: Mapped[UUID | None]
    proposed_at: Mapped[datetime | None]
    terms: Mapped[dict[str, Any] | None] = mapped_column(
        JSONB(none_as_null=True)
    )  # Frozen by the proposal: terms.terms_of()
    fingerprint: Mapped[str] = mapped_column(default="")  # SHA-256 of the terms as proposed
    accepted_at: Mapped[datetime | None]


class Commitment(Tenanted, Model):
    """One promised quantity, with its credit bands and the fee part that they apply to.

    A commitment to a tenant names an objective or an indicator. A vendor's names neither: it covers
    every indicator that counts this vendor's errors, or those of one kind.
    """

    __tablename__ = "agreement_commitments"
    __table_args__ = (
        tenant_fk("version_id", "agreement_versions"),
        tenant_fk("objective_id", "objectives"),
        tenant_fk("indicator_id", "indicators"),
        UniqueConstraint("tenant_id", "version_id", "clause"),
        Index(None, "tenant_id", "objective_id"),
        Index(None, "tenant_id", "indicator_id"),
        CheckConstraint("target > 0 AND target <= 1", "target"),
        CheckConstraint("fee_part >= 0", "fee_part"),
    )

    version_id: Mapped[UUID]
    clause: Mapped[int] = mapped_column(SmallInteger)  # 1, 2, … in the order of the agreement
    objective_id: Mapped[UUID | None]
    indicator_id: Mapped[UUID | None]
    vendor_kind: Mapped[str | None]  # Kind of vendor indicators: downtime | ratio | threshold
    target: Mapped[Decimal] = mapped_column(SHARE)
    bands: Mapped[list[Any]]  # [["0.999", "0.1"], …]: attained below → share of the fee part
    fee_part: Mapped[int] = mapped_column(BigInteger)  # minor units a month


class SupportTerm(Tenanted, Model):
    """Response and resolution times of one incident severity, and the credit for missing them."""

    __tablename__ = "agreement_support_terms"
    __table_args__ = (
        tenant_fk("version_id", "agreement_versions"),
        UniqueConstraint("tenant_id", "version_id", "severity"),
        CheckConstraint("severity BETWEEN 1 AND 4", "severity"),
        CheckConstraint("clock IN ('business_hours', '24x7')", "clock"),
    )

    version_id: Mapped[UUID]
    severity: Mapped[int] = mapped_column(SmallInteger)
    response_minutes: Mapped[int]
    resolution_minutes: Mapped[int | None]
    clock: Mapped[str]  # business_hours | 24x7
    target: Mapped[Decimal] = mapped_column(SHARE)  # Share of the month's incidents handled in time
    bands: Mapped[list[Any]]
    fee_part: Mapped[int] = mapped_column(BigInteger)


class AgreementContact(Tenanted, Model):
    """A contact of the agreement; can change without a new version."""

    __tablename__ = "agreement_contacts"
    __table_args__ = (
        tenant_fk("agreement_id", "agreements"),
        Index(None, "tenant_id", "agreement_id"),
    )

    agreement_id: Mapped[UUID]
    side: Mapped[str]  # provider | customer | vendor
    purpose: Mapped[str]  # Such as "service credits"
    name: Mapped[str]
    email: Mapped[str]


class Acceptance(Tenanted, Model):
    """One person's acceptance of the terms with this fingerprint, for one side."""

    __tablename__ = "agreement_acceptances"
    __table_args__ = (
        tenant_fk("version_id", "agreement_versions"),
        UniqueConstraint("tenant_id", "version_id", "side"),
        CheckConstraint("side IN ('provider', 'customer', 'vendor')", "side"),
    )

    version_id: Mapped[UUID]
    side: Mapped[str]
    accepted_by: Mapped[UUID | None]  # Acceptor, or recorder of a vendor's signature
    name: Mapped[str]  # Name of the person who accepted; a vendor's person has no account
    title: Mapped[str] = mapped_column(default="")
    document: Mapped[str] = mapped_column(default="")  # Location of the vendor's signed copy
    fingerprint: Mapped[str]
    accepted_at: Mapped[datetime]


class AgreementRehearsal(Generated):
    """A rehearsal over all tenants, stored in the operator's tenant; the job fills `result`."""

    __tablename__ = "agreement_rehearsals"
    __table_args__ = (Index(None, "tenant_id", "created_at"),)

    terms: Mapped[str]  # "own" for each agreement's terms, or a set of starting terms
    result: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))

    @property
    def is_ready(self) -> bool:
        return self.result is not None


constraint(
    "uq_agreement_versions_open",
    "This agreement has an open draft already. Edit that one, or withdraw it first.",
)
constraint(
    "uq_agreement_versions_effective",
    "Another accepted version takes effect at that moment. Choose another effective date.",
    field="effective_from",
)
