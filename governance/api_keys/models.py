"""Keys by which machines are let in: we hold the hash, the machine holds the key."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from governance.kernel.db import Model, Tenanted


class ApiKey(Tenanted, Model):
    """One machine's key: what it may do (`scopes`), until when, and when it was last used."""

    __tablename__ = "api_keys"
    __table_args__ = (
        UniqueConstraint("tenant_id", "secret_hash"),
        Index(None, "tenant_id", "previous_hash"),
        Index(None, "tenant_id", "created_at"),
    )

    name: Mapped[str]
    hint: Mapped[str]  # the first characters, to tell keys apart
    secret_hash: Mapped[bytes]
    previous_hash: Mapped[bytes | None]  # of the secret before the last rotation, good until previous_until
    previous_until: Mapped[datetime | None]
    scopes: Mapped[list[Any]]
    made_by: Mapped[UUID | None]
    expires_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[UUID | None]
