"""The change log that customers read.

ChangeLog         the tenant's public page: its address, and whether it is on
CustomerChange    one change for customers, from draft to published
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk
from governance.kernel.web.forms import constraint

KINDS = {
    "release": "New release",
    "rollback": "Release rolled back",
    "model": "Change to an AI system",
    "policy": "Policy",
    "fix": "Fix",
    "other": "Other",
}
STATES = {
    "draft": "Draft",
    "requested": "Awaiting approval",
    "published": "Published",
    "withdrawn": "Withdrawn",
    "discarded": "Discarded",
}
EDITABLE = ("draft", "requested")
PUBLIC = ("published", "withdrawn")


def _one_of(column: str, values: Iterable[str]) -> CheckConstraint:
    return CheckConstraint(f"{column} IN ({', '.join(f"'{each}'" for each in values)})", column)


class ChangeLog(Tenanted, Model):
    """The public page. Anyone with its address, which contains `token`, reads what is published.

    The record is read up to `drafted_until`. Later events become drafts.
    """

    __tablename__ = "change_logs"
    __table_args__ = (UniqueConstraint("tenant_id"),)

    token: Mapped[str]
    is_public: Mapped[bool] = mapped_column(default=True)
    drafted_until: Mapped[datetime]


class CustomerChange(Tenanted, Model):
    """One change. Once it is published, only its withdrawal changes it.

    `cause` and `cause_id` name the record that it was drafted from, once. A change that a person
    started has neither.
    """

    __tablename__ = "customer_changes"
    __table_args__ = (
        tenant_fk("system_id", "ai_systems"),
        UniqueConstraint("tenant_id", "number"),
        Index(
            "uq_customer_changes_cause",
            "tenant_id",
            "cause",
            "cause_id",
            unique=True,
            postgresql_where=text("cause_id IS NOT NULL"),
        ),
        Index(None, "tenant_id", "state", "published_at"),
        Index(None, "tenant_id", "system_id"),
        _one_of("kind", KINDS),
        _one_of("state", STATES),
        CheckConstraint("(cause = '') = (cause_id IS NULL)", "cause"),
        CheckConstraint(
            "(published_at IS NOT NULL) = (state IN ('published', 'withdrawn'))", "published_at"
        ),
        CheckConstraint("(withdrawn_at IS NOT NULL) = (state = 'withdrawn')", "withdrawn_at"),
    )

    number: Mapped[int]
    kind: Mapped[str]
    system_id: Mapped[UUID | None]
    cause: Mapped[str] = mapped_column(default="")  # One of record.SOURCES.
    cause_id: Mapped[UUID | None]
    happened_at: Mapped[datetime]
    title: Mapped[str]
    body: Mapped[str]  # What changed.
    effect: Mapped[str]  # What it means for customers. May be empty.
    state: Mapped[str] = mapped_column(default="draft")
    revision: Mapped[int] = mapped_column(default=1)  # Incremented by every edit.
    comment: Mapped[str] = mapped_column(default="")  # By the approver who returned it.
    edited_by: Mapped[UUID | None]
    edited_at: Mapped[datetime | None]
    approved_by: Mapped[UUID | None]
    published_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    # The withdrawal's reason, as customers read it.
    withdrawal: Mapped[str] = mapped_column(default="")

    @property
    def ref(self) -> str:
        return f"CH-{self.number}"

    @property
    def kind_name(self) -> str:
        return KINDS[self.kind]

    @property
    def state_name(self) -> str:
        return STATES[self.state]

    @property
    def is_editable(self) -> bool:
        return self.state in EDITABLE

    @property
    def updated_at(self) -> datetime:
        """The last time that the change looked different to customers."""
        return self.withdrawn_at or self.published_at or self.created_at


constraint("pk_customer_changes", "This form was already sent. Open the change from the list.")
