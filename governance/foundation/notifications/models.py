"""Notifications: what happened and concerns one person."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted


class Notification(Tenanted, Model):
    """One event that one person is notified of, once.

    `awaits_mail` until it was in a digest. Deleted after 90 days.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        UniqueConstraint("tenant_id", "person_id", "kind", "source_id"),
        Index(None, "tenant_id", "person_id", "created_at", "id"),
        Index(
            "ix_notifications_awaiting_mail",
            "tenant_id",
            "person_id",
            postgresql_where="awaits_mail",
        ),
    )

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    kind: Mapped[str]
    source_id: Mapped[UUID]  # The comment, the approval, or the entry of the log.
    caused_by: Mapped[UUID | None]
    says: Mapped[str]  # Words between the name of the person who caused it and the title.
    title: Mapped[str]
    path: Mapped[str]  # Address below the tenant's.
    awaits_mail: Mapped[bool] = mapped_column(default=False)
    mailed_at: Mapped[datetime | None]
    read_at: Mapped[datetime | None]
