"""The append-only log, its tree and checkpoints, and the keys that encrypt personal fields."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted


class AuditEntry(Tenanted, Model):
    """One recorded action: the actor's pseudonym, the target, the network, and what changed.

    Never updated.
    """

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index(None, "tenant_id", "target_id", "at"),
        Index(None, "tenant_id", "target_type", "at"),
        Index(None, "tenant_id", "at"),
        Index(None, "tenant_id", "actor", "at"),
        Index(None, "tenant_id", "action", "at"),
        # Other outcomes are few.
        Index("ix_audit_entries_not_done", "tenant_id", "at", postgresql_where="outcome <> 'done'"),
    )

    at: Mapped[datetime]
    # In byte order, a prefix is a range, independent of the database's collation.
    actor: Mapped[str] = mapped_column(String(collation="C"))
    actor_kind: Mapped[str]
    action: Mapped[str] = mapped_column(String(collation="C"))
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
    """The key of one data subject, tenant and month; deleting it erases what it encrypted."""

    __tablename__ = "data_keys"
    __table_args__ = (UniqueConstraint("tenant_id", "subject", "period"),)

    subject: Mapped[str]
    period: Mapped[str]  # Such as "2026-11". Retention destroys keys by the month.
    wrapped: Mapped[bytes]


# ---- the tree over the entries


class PendingEntry(Tenanted, Model):
    """An entry (same id) that has no place in the tree yet.

    A trigger writes it with the entry; the sequencer removes it. `created_at` is the database's
    clock, so that the age of a pending entry doesn't depend on another clock.
    """

    __tablename__ = "audit_pending"
    __table_args__ = (Index(None, "tenant_id", "number"),)

    number: Mapped[int] = mapped_column(BigInteger, Identity())


class Leaf(Tenanted, Model):
    """The place of an entry (same id) in its tenant's tree: contiguous from 0, given once."""

    __tablename__ = "audit_leaves"
    __table_args__ = (UniqueConstraint("tenant_id", "index"),)

    index: Mapped[int] = mapped_column(BigInteger)


class Tile(Tenanted, Model):
    """A full tile (C2SP tlog-tiles): 256 hashes of 32 bytes, of the nodes at height 8 * level.

    Never changes.
    """

    __tablename__ = "audit_tiles"
    __table_args__ = (UniqueConstraint("tenant_id", "level", "index"),)

    level: Mapped[int] = mapped_column(SmallInteger)
    index: Mapped[int] = mapped_column(BigInteger)
    hashes: Mapped[bytes]


class LogHead(Tenanted, Model):
    """The head of a tenant's log: how far its tree has grown. One per tenant.

    `edge` has the hashes of the tiles that are not full, level by level.
    """

    __tablename__ = "audit_logs"
    __table_args__ = (UniqueConstraint("tenant_id"),)

    origin: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    edge: Mapped[bytes] = mapped_column(default=b"")
    number: Mapped[int] = mapped_column(BigInteger, default=0)  # Number of the last checkpoint.
    signed_at: Mapped[datetime | None]
    # Set while the log is halted because a witness saw a rollback.
    trouble: Mapped[dict[str, Any] | None]


class Checkpoint(Tenanted, Model):
    """A signed statement of the tree's size and root. Kept permanently."""

    __tablename__ = "audit_checkpoints"
    __table_args__ = (UniqueConstraint("tenant_id", "number"), Index(None, "tenant_id", "size"))

    number: Mapped[int] = mapped_column(BigInteger)
    origin: Mapped[str]
    size: Mapped[int] = mapped_column(BigInteger)
    root: Mapped[bytes]
    at: Mapped[datetime]
    key_id: Mapped[str]
    note: Mapped[str]


class LogKey(Tenanted, Model):
    """A key that signs a tenant's checkpoints: Ed25519, wrapped by the installation's key.

    Retired keys stay, to verify what they signed.
    """

    __tablename__ = "audit_log_keys"
    __table_args__ = (UniqueConstraint("tenant_id", "public"),)

    name: Mapped[str]
    public: Mapped[bytes]
    wrapped: Mapped[bytes]
    retired_at: Mapped[datetime | None]
