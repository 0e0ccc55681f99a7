"""Snoozed items."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted


class InboxSnooze(Tenanted, Model):
    """An item that a person snoozed, until a time, or with None until it changes.

    The item is identified by its source and row. The snooze ends if the item's values differ from
    `item_since` and `item_due`, which were saved with it. A deadline ends it too.
    """

    __tablename__ = "inbox_snoozes"
    __table_args__ = (UniqueConstraint("tenant_id", "person_id", "source", "target_id"),)

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    source: Mapped[str]
    target_id: Mapped[UUID]
    until: Mapped[datetime | None]
    item_since: Mapped[datetime]
    item_due: Mapped[datetime | None]
