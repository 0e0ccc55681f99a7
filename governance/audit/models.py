"""The append-only record, and the keys that seal what is personal in it."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.db import Model, Tenanted


class AuditEntry(Tenanted, Model):
    """One deed: who (a pseudonym), what, on which object, from where, and what changed. Never updated."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index(None, "tenant_id", "target_type", "target_id", "at"),
        Index(None, "tenant_id", "at"),
        Index(None, "tenant_id", "actor", "at"),
    )

    at: Mapped[datetime]
    actor: Mapped[str]
    actor_kind: Mapped[str]
    action: Mapped[str]
    target_type: Mapped[str]
    target_id: Mapped[UUID]
    outcome: Mapped[str]
    request_id: Mapped[str]
    origin: Mapped[str]
    changes: Mapped[dict[str, Any]]
    facts: Mapped[dict[str, Any]]
    sealed: Mapped[dict[str, Any]]
    body: Mapped[bytes]


class TenantKey(Tenanted, Model):
    """A tenant's key for one purpose (`pseudonym`, `seal`), wrapped by the installation's key."""

    __tablename__ = "tenant_keys"
    __table_args__ = (UniqueConstraint("tenant_id", "purpose"),)

    purpose: Mapped[str]
    wrapped: Mapped[bytes]


class DataKey(Tenanted, Model):
    """The key of one data subject inside one tenant. Destroying it erases what it sealed."""

    __tablename__ = "data_keys"
    __table_args__ = (UniqueConstraint("tenant_id", "subject"),)

    subject: Mapped[str] = mapped_column()
    wrapped: Mapped[bytes]
