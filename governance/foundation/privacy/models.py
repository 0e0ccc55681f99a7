"""What two persons decide together about a third: erasing, holding, unmasking; and how long sealed
parts are kept.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted
from governance.kernel.work.background_work import Generated


class Erasure(Generated):
    """The erasing of one person: requested by one, approved by another, carried out by the jobs
    process, for good.

    Carried out again after a restore, it has no requester.
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

    subject: Mapped[str]  # the person's pseudonym: what stays of them
    person_id: Mapped[UUID | None]  # until it is done
    state: Mapped[str] = mapped_column(
        default="requested"
    )  # asked (its approval is open) approved done refused withdrawn
    done_at: Mapped[datetime | None]
    found: Mapped[dict[str, Any]] = mapped_column(
        default=dict
    )  # what was removed, by kind: counts only

    @property
    def is_ready(self) -> bool:
        return self.state == "done"


class LegalHold(Tenanted, Model):
    """Nothing of this person (or, without a subject, of anybody) may be erased or shredded while it
    is active.
    """

    __tablename__ = "legal_holds"
    __table_args__ = (Index(None, "tenant_id", "released_at"),)

    subject: Mapped[str | None]
    reason: Mapped[str]
    placed_by: Mapped[UUID]
    released_at: Mapped[datetime | None]
    released_by: Mapped[UUID | None]


class Unmasking(Tenanted, Model):
    """Who a pseudonym is, shown to one person for an hour once an approval of this row was
    given.
    """

    __tablename__ = "unmaskings"
    __table_args__ = (Index(None, "tenant_id", "requested_by", "until"),)

    subject: Mapped[str]
    requested_by: Mapped[UUID]
    until: Mapped[datetime | None]  # from the approval on
    used_at: Mapped[datetime | None]  # when a page first showed the name


class RetentionRule(Tenanted, Model):
    """How many months sealed parts of the log stay readable.

    The skeleton and the hashes stay for good.
    """

    __tablename__ = "retention_rules"
    __table_args__ = (UniqueConstraint("tenant_id"),)

    months: Mapped[int]
    version: Mapped[int] = mapped_column(default=1)
    changed_by: Mapped[UUID]
