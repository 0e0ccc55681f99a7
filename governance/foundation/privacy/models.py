"""Requests that two people decide about a third: erasing, holding, unmasking; and retention."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted
from governance.kernel.work.background_work import Generated


class Erasure(Generated):
    """The erasure of one person: requested by one, approved by another, and irreversible.

    The jobs process carries it out. Carried out again after a restore, it has no requester.
    """

    __tablename__ = "erasures"
    __table_args__ = (
        Index(None, "tenant_id", "state"),
        Index(
            "uq_erasures_open",
            "tenant_id",
            "subject",
            unique=True,
            postgresql_where="state IN ('requested', 'approved')",
        ),
    )

    subject: Mapped[str]  # The person's pseudonym, which stays.
    person_id: Mapped[UUID | None]  # None once it is done.
    state: Mapped[str] = mapped_column(
        default="requested"
    )  # One of: requested (its approval is open) approved done rejected withdrawn.
    done_at: Mapped[datetime | None]
    found: Mapped[dict[str, Any]] = mapped_column(
        default=dict
    )  # Removed rows by kind: counts only.

    @property
    def is_ready(self) -> bool:
        return self.state == "done"


class LegalHold(Tenanted, Model):
    """A legal hold. While it is active, nothing of the person may be erased or shredded.

    Without a subject it covers everybody.
    """

    __tablename__ = "legal_holds"
    __table_args__ = (Index(None, "tenant_id", "released_at"),)

    subject: Mapped[str | None]
    reason: Mapped[str]
    placed_by: Mapped[UUID]
    released_at: Mapped[datetime | None]
    released_by: Mapped[UUID | None]


class Unmasking(Tenanted, Model):
    """A name behind a pseudonym, shown to one person.

    It is shown for an hour once an approval of this row was given.
    """

    __tablename__ = "unmaskings"
    __table_args__ = (Index(None, "tenant_id", "requested_by", "until"),)

    subject: Mapped[str]
    requested_by: Mapped[UUID]
    until: Mapped[datetime | None]  # Counted from the approval.
    used_at: Mapped[datetime | None]  # The time when a page first showed the name.


class RetentionRule(Tenanted, Model):
    """The number of months that encrypted fields of the log stay readable.

    The rest of the entries and the hashes are kept permanently.
    """

    __tablename__ = "retention_rules"
    __table_args__ = (UniqueConstraint("tenant_id"),)

    months: Mapped[int]
    version: Mapped[int] = mapped_column(default=1)
    changed_by: Mapped[UUID]
