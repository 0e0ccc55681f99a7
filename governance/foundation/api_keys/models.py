"""Keys that give machines access (only their hashes are stored), and what machines sent with them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk

DEFAULT_RATE = 60_000  # Requests/min.


class ApiKey(Tenanted, Model):
    """The key of one machine: its scopes, its expiry, and when it was last used."""

    __tablename__ = "api_keys"
    __table_args__ = (
        UniqueConstraint("tenant_id", "secret_hash"),
        Index(None, "tenant_id", "previous_hash"),
        Index(None, "tenant_id", "created_at"),
        tenant_fk("system_id", "ai_systems"),
        Index(None, "tenant_id", "system_id"),
    )

    name: Mapped[str]
    hint: Mapped[str]  # The first characters, to tell keys apart.
    secret_hash: Mapped[bytes]
    previous_hash: Mapped[bytes | None]  # Hash of the secret before the last rotation.
    previous_until: Mapped[datetime | None]
    scopes: Mapped[list[Any]]
    system_id: Mapped[UUID | None]  # The AI system it is limited to; None = all of them.
    rate: Mapped[int] = mapped_column(default=DEFAULT_RATE)  # Requests/min.
    made_by: Mapped[UUID | None]
    # Ids of the people who saw one of its secrets, by creating or rotating it.
    hands: Mapped[list[Any]] = mapped_column(default=list)
    expires_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[UUID | None]


class ReceivedBatch(Tenanted, Model):
    """A machine's batch, sent with an Idempotency-Key, and the answer that a repetition gets."""

    __tablename__ = "received_batches"
    __table_args__ = (
        tenant_fk("key_id", "api_keys"),
        UniqueConstraint("tenant_id", "key_id", "endpoint", "idempotency_key"),
        Index(None, "tenant_id", "created_at"),
    )

    key_id: Mapped[UUID]
    endpoint: Mapped[str]  # "indicators"
    idempotency_key: Mapped[str]
    digest: Mapped[str]  # SHA-256 of the body
    answer: Mapped[dict[str, Any]]
