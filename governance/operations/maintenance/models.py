"""Exclusions from attainment, and the calendar feed of a tenant."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk

CATEGORIES = {
    "maintenance": "Maintenance",
    "customer_caused": "Customer-caused",
    "force_majeure": "Force majeure",
}
# A proposed exclusion needs another person's approval. Only approved ones count.
STATES = ("proposed", "approved", "rejected", "withdrawn")


class Exclusion(Tenanted, Model):
    """A time span, once or recurring, whose minutes attainment leaves out.

    It hides minutes and never changes counts. Its times recur in `time_zone`, the tenant's at the
    announcement, so a later change of the tenant's zone doesn't shift announced times.
    """

    __tablename__ = "exclusions"
    __table_args__ = (
        tenant_fk("system_id", "ai_systems"),
        tenant_fk("indicator_id", "indicators"),
        UniqueConstraint("tenant_id", "number"),
        CheckConstraint("ends_at > starts_at", "positive"),
        CheckConstraint("last_end >= ends_at", "last_end"),
        Index(None, "tenant_id", "last_end", "starts_at"),
        Index(None, "tenant_id", "starts_at", "id"),
    )

    number: Mapped[int]
    title: Mapped[str]
    category: Mapped[str]  # One of CATEGORIES
    system_id: Mapped[UUID | None]  # None: all systems
    indicator_id: Mapped[UUID | None]  # None: all indicators of the system
    starts_at: Mapped[datetime]  # Start of the first occurrence
    ends_at: Mapped[datetime]
    time_zone: Mapped[str]
    rrule: Mapped[str | None]  # Rule without UNTIL
    repeat_until: Mapped[datetime | None]  # Latest start of an occurrence
    last_end: Mapped[datetime]  # End of the last occurrence
    announced_at: Mapped[datetime]
    reason: Mapped[str]
    is_customer_visible: Mapped[bool]
    state: Mapped[str]  # One of STATES
    requested_by: Mapped[UUID | None]
    approved_by: Mapped[UUID | None]  # None if no approval was needed
    approved_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by: Mapped[UUID | None]
    revision: Mapped[int] = mapped_column(default=1)

    @property
    def ref(self) -> str:
        return f"MNT-{self.number}"

    @property
    def notice(self) -> timedelta:
        """Time from the announcement to the first start; negative for after the fact."""
        return self.starts_at - self.announced_at

    @property
    def category_name(self) -> str:
        return CATEGORIES.get(self.category, self.category)


class MaintenanceFeed(Tenanted, Model):
    """The address of the tenant's maintenance calendar. Only its token's hash is stored."""

    __tablename__ = "maintenance_feeds"
    __table_args__ = (UniqueConstraint("tenant_id"),)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    hint: Mapped[str]  # End of the token
    created_by: Mapped[UUID | None]
