"""Keys by which machines are let in: we hold the hash, the machine holds the key."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.db import Model, Tenanted, tenant_fk

RATE = 60_000  # requests a minute, where nothing else is asked for


class ApiKey(Tenanted, Model):
    """One machine's key: what it may do (`scopes`), until when, and when it was last used."""

    __tablename__ = "api_keys"
    __table_args__ = (
        UniqueConstraint("tenant_id", "secret_hash"),
        Index(None, "tenant_id", "previous_hash"),
        Index(None, "tenant_id", "created_at"),
        tenant_fk("system_id", "ai_systems"),
        Index(None, "tenant_id", "system_id"),
    )

    name: Mapped[str]
    hint: Mapped[str]  # the first characters, to tell keys apart
    secret_hash: Mapped[bytes]
    previous_hash: Mapped[
        bytes | None
    ]  # of the secret before the last rotation, good until previous_until
    previous_until: Mapped[datetime | None]
    scopes: Mapped[list[Any]]
    system_id: Mapped[UUID | None]  # the one AI system that it may ask for; None: all of them
    rate: Mapped[int] = mapped_column(default=RATE)  # requests a minute
    made_by: Mapped[UUID | None]
    hands: Mapped[list[Any]] = mapped_column(
        default=list
    )  # ids of all who were shown one of its secrets, by making or rotating it
    expires_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[UUID | None]
