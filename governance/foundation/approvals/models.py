"""Requests that another person decides, the approvals given to them, and their reminders."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk


class Approval(Tenanted, Model):
    """A request of one kind about one target, bound to the fingerprint of what was requested.

    `requesters` made the request and never decide it; `excluded` are those and the person it is
    about, who never approve it (lists of person ids as text). `approvers` are the only people who
    may decide; empty means everyone whose role may. `roles` may see and close it even when its kind
    no longer exists.
    """

    __tablename__ = "approvals"
    __table_args__ = (
        UniqueConstraint("tenant_id", "number"),
        Index(
            "uq_approvals_open",
            "tenant_id",
            "kind",
            "target_id",
            unique=True,
            postgresql_where="state = 'open'",
        ),
        Index(None, "tenant_id", "kind", "target_id"),
        Index(
            "ix_approvals_open_by_expiry",
            "tenant_id",
            "expires_at",
            postgresql_where="state = 'open'",
        ),
    )

    number: Mapped[int]
    kind: Mapped[str]
    target_id: Mapped[UUID]
    summary: Mapped[str]  # The words to be read after "asks to".
    fingerprint: Mapped[str]
    reason: Mapped[str]
    requested_by: Mapped[UUID | None]
    requested_at: Mapped[datetime]
    requesters: Mapped[list[Any]]
    excluded: Mapped[list[Any]]
    approvers: Mapped[list[Any]]
    roles: Mapped[list[Any]]
    needed: Mapped[int]  # The number of people who have to approve.
    step_up: Mapped[bool]
    is_ready: Mapped[bool]  # Until then it is shown, but it is in nobody's inbox.
    expires_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(
        default="open"
    )  # One of: open approved rejected withdrawn voided expired.
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None]
    note: Mapped[str] = mapped_column(default="")  # The reason why it was rejected or voided.

    @property
    def ref(self) -> str:
        return f"APR-{self.number}"


class ApprovalGiven(Tenanted, Model):
    """One person's approval of exactly what has this fingerprint."""

    __tablename__ = "approvals_given"
    __table_args__ = (
        tenant_fk("approval_id", "approvals"),
        UniqueConstraint("tenant_id", "approval_id", "person_id"),
    )

    approval_id: Mapped[UUID]
    person_id: Mapped[UUID]
    fingerprint: Mapped[str]
    given_at: Mapped[datetime]


class ApprovalReminder(Tenanted, Model):
    """A reminder that the requester sent to one approver on that day; once a day."""

    __tablename__ = "approval_reminders"
    __table_args__ = (
        tenant_fk("approval_id", "approvals"),
        UniqueConstraint("tenant_id", "approval_id", "person_id", "sent_on"),
    )

    approval_id: Mapped[UUID]
    person_id: Mapped[UUID]
    sent_on: Mapped[date]


class ApprovalComment(Tenanted, Model):
    """A question or an answer in the discussion of an approval.

    Erasing a person replaces their name in the text.
    """

    __tablename__ = "approval_comments"
    __table_args__ = (
        tenant_fk("approval_id", "approvals"),
        Index(None, "tenant_id", "approval_id", "created_at"),
    )

    approval_id: Mapped[UUID]
    text: Mapped[str]
    written_by: Mapped[UUID]
