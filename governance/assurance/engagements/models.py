"""Models of audit engagements: auditors, their requests and evidence packages."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk
from governance.kernel.work.background_work import Generated


class Engagement(Tenanted, Model):
    """An audit of a period by a firm. Auditors have access from `opens_at` to `closes_at`.

    Without a framework, the scope is all controls. With `criteria`, it is those requirements and
    everything below them. Testers of a red team see no controls.
    """

    __tablename__ = "engagements"
    __table_args__ = (
        UniqueConstraint("tenant_id", "ref"),
        Index(None, "tenant_id", "closes_at"),
        CheckConstraint("period_from <= period_to", "period_order"),
        CheckConstraint("fieldwork_from <= fieldwork_to", "fieldwork_order"),
    )

    ref: Mapped[str]
    firm: Mapped[str]
    framework_id: Mapped[UUID | None] = mapped_column(ForeignKey("frameworks.id"))
    criteria: Mapped[list[Any]] = mapped_column(
        default=list
    )  # Refs of requirements. Empty: the whole framework.
    period_from: Mapped[date]
    period_to: Mapped[date]
    fieldwork_from: Mapped[date]
    fieldwork_to: Mapped[date]
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    shows_names: Mapped[bool] = mapped_column(default=False)  # Auditors see names of people.
    freezes_changes: Mapped[bool] = mapped_column(
        default=False
    )  # Evidence and controls are read-only in the window.
    is_red_team: Mapped[bool] = mapped_column(default=False)  # Shows only its red team.
    opened_by: Mapped[UUID | None]
    ended_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)

    def is_open(self, moment: datetime) -> bool:
        return self.opens_at <= moment < self.closes_at and (
            self.ended_at is None or moment < self.ended_at
        )


class EngagementAuditor(Tenanted, Model):
    """An auditor of an engagement. Linked to a person when they first sign in."""

    __tablename__ = "engagement_auditors"
    __table_args__ = (
        tenant_fk("engagement_id", "engagements"),
        tenant_fk("invitation_id", "invitations"),
        Index(
            "uq_engagement_auditors_open",
            "tenant_id",
            "engagement_id",
            "email",
            unique=True,
            postgresql_where="removed_at IS NULL",
        ),
        Index(None, "tenant_id", "person_id"),
        Index(None, "tenant_id", "link_hash"),
    )

    engagement_id: Mapped[UUID]
    name: Mapped[str]
    email: Mapped[str]
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    invitation_id: Mapped[UUID | None]  # Set for single sign-on.
    link_hash: Mapped[bytes | None]  # Set for sign-in with a link and code.
    code_hash: Mapped[bytes | None]
    code_ends_at: Mapped[datetime | None]
    code_tries: Mapped[int] = mapped_column(default=0)
    codes_since: Mapped[datetime | None]  # Start of the hour in which codes_sent is counted.
    codes_sent: Mapped[int] = mapped_column(default=0)
    added_by: Mapped[UUID | None]
    removed_at: Mapped[datetime | None]


class AuditRequest(Tenanted, Model):
    """A request by the auditors (PBC).

    `row` is the digest of the spreadsheet row from which it was imported.
    """

    __tablename__ = "audit_requests"
    __table_args__ = (
        tenant_fk("engagement_id", "engagements"),
        UniqueConstraint("tenant_id", "engagement_id", "ref"),
        Index(None, "tenant_id", "owner_id", "state"),
        Index(None, "tenant_id", "engagement_id", "state", "ref"),
        CheckConstraint("state IN ('open', 'provided', 'accepted', 'returned')", "state"),
    )

    engagement_id: Mapped[UUID]
    ref: Mapped[str]
    title: Mapped[str]
    detail: Mapped[str] = mapped_column(default="")
    criteria: Mapped[list[Any]] = mapped_column(default=list)
    due_on: Mapped[date | None]
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    state: Mapped[str] = mapped_column(default="open")
    state_since: Mapped[datetime]
    requested_by: Mapped[UUID | None]
    row: Mapped[str | None]
    version: Mapped[int] = mapped_column(default=1)


class RequestRemark(Tenanted, Model):
    """A comment on a request, or one that comes with a response or its review. Never changed."""

    __tablename__ = "request_remarks"
    __table_args__ = (
        tenant_fk("request_id", "audit_requests"),
        Index(None, "tenant_id", "request_id", "written_at"),
    )

    request_id: Mapped[UUID]
    kind: Mapped[str]  # comment provided accepted returned
    text: Mapped[str]
    written_by: Mapped[UUID | None]
    written_at: Mapped[datetime]


class RequestAttachment(Tenanted, Model):
    """An evidence version that is attached to a request.

    Once provided, it can't be removed: auditors see exactly these versions.
    """

    __tablename__ = "request_attachments"
    __table_args__ = (
        tenant_fk("request_id", "audit_requests"),
        tenant_fk("version_id", "evidence_versions"),
        UniqueConstraint("tenant_id", "request_id", "version_id"),
        Index(None, "tenant_id", "version_id"),
    )

    request_id: Mapped[UUID]
    version_id: Mapped[UUID]
    attached_by: Mapped[UUID | None]
    provided_at: Mapped[datetime | None]


class RequestImport(Tenanted, Model):
    """An uploaded request list: its requests and problems, before and after the import."""

    __tablename__ = "request_imports"
    __table_args__ = (
        tenant_fk("engagement_id", "engagements"),
        Index(None, "tenant_id", "engagement_id", "created_at"),
    )

    engagement_id: Mapped[UUID]
    filename: Mapped[str]
    sha256: Mapped[str]
    rows: Mapped[list[Any]] = mapped_column(deferred=True)
    problems: Mapped[list[Any]] = mapped_column(default=list)
    found: Mapped[int]
    sent_by: Mapped[UUID | None]
    applied_at: Mapped[datetime | None]
    added: Mapped[int | None]


class EvidencePackage(Generated):
    """All evidence in the scope of an engagement as one BagIt ZIP, generated in the background."""

    __tablename__ = "evidence_packages"
    __table_args__ = (
        tenant_fk("engagement_id", "engagements"),
        Index(None, "tenant_id", "engagement_id", "created_at"),
    )

    engagement_id: Mapped[UUID]
    storage_key: Mapped[str | None]
    sha256: Mapped[str | None]
    size: Mapped[int | None] = mapped_column(BigInteger)
    files: Mapped[int | None]
    checkpoint: Mapped[int | None] = mapped_column(BigInteger)
    finished_at: Mapped[datetime | None]
    has_names: Mapped[bool] = mapped_column(default=False)  # Its reports name people.

    @property
    def is_ready(self) -> bool:
        return self.storage_key is not None
