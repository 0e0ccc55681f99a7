"""Keys by which machines are let in: we hold the hash, the machine holds the key."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from governance.kernel.db import Model, Tenanted


class ApiKey(Tenanted, Model):
    """One machine's key: what it may do (`scopes`), until when, and when it was last used."""

    __tablename__ = "api_keys"
    __table_args__ = (UniqueConstraint("tenant_id", "secret_hash"),)

    name: Mapped[str]
    hint: Mapped[str]  # the first characters, to tell keys apart
    secret_hash: Mapped[bytes]
    scopes: Mapped[list[Any]]
    made_by: Mapped[UUID | None]
    expires_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[UUID | None]
