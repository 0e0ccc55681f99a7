"""The grant of a tenant to one operator."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel import clock
from governance.kernel.data.db import Model, Tenanted


class SupportGrant(Tenanted, Model):
    """Access of one operator to this tenant, in the role that they had when they requested it.

    The tenant never has the operator's person, so their name and address are kept here. `feature`
    is the name of the only feature that it opens; empty for all. It works from `starts_at`, when an
    admin approved it, until `ends_at`, or until it was ended.
    """

    __tablename__ = "support_grants"
    __table_args__ = (
        Index(None, "tenant_id", "person_id", "state"),
        Index(None, "tenant_id", "created_at"),
        CheckConstraint("state IN ('requested', 'approved', 'closed', 'ended')", "state"),
        CheckConstraint("(state IN ('approved', 'ended')) = (ends_at IS NOT NULL)", "ends"),
    )

    person_id: Mapped[UUID]
    pseudonym: Mapped[str]  # The operator's, in this tenant's log.
    name: Mapped[str]
    email: Mapped[str]
    role: Mapped[str]
    reason: Mapped[str]
    feature: Mapped[str] = mapped_column(default="")
    may_change: Mapped[bool] = mapped_column(default=False)
    minutes: Mapped[int]
    state: Mapped[str] = mapped_column(default="requested")
    starts_at: Mapped[datetime | None] = mapped_column(default=None)
    ends_at: Mapped[datetime | None] = mapped_column(default=None)
    ended_by: Mapped[UUID | None] = mapped_column(default=None)

    @property
    def is_active(self) -> bool:
        return self.state == "approved" and self.ends_at is not None and clock.now() < self.ends_at

    @property
    def status(self) -> str:
        """The status: requested, active, over (by time), ended (early) or closed (never began)."""
        if self.state != "approved":
            return self.state
        return "active" if self.is_active else "over"
