"""Snoozes: what a person has put off, until when."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.db import Model, Tenanted


class InboxSnooze(Tenanted, Model):
    """One person's item is out of their inbox until that moment (None: until it changes), or until
    it changes.

    The item is known by its source and its row; `item_since` and `item_due` are what it was when it
    was snoozed, so another value ends the snooze. A deadline ends it too.
    """

    __tablename__ = "inbox_snoozes"
    __table_args__ = (UniqueConstraint("tenant_id", "person_id", "source", "target_id"),)

    person_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    source: Mapped[str]
    target_id: Mapped[UUID]
    until: Mapped[datetime | None]
    item_since: Mapped[datetime]
    item_due: Mapped[datetime | None]
