"""External witnesses (anchors), and what each of them answered."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk


class Anchor(Tenanted, Model):
    """A receiver of the tenant's checkpoints.

    It is a witness (C2SP tlog-witness), a webhook, or a time-stamp authority (RFC 3161).
    """

    __tablename__ = "anchors"
    __table_args__ = (Index(None, "tenant_id", "removed_at"),)

    kind: Mapped[str]  # One of: witness webhook timestamp.
    name: Mapped[str]
    url: Mapped[str]
    # A witness's verifier key or an authority's certificates (PEM), otherwise empty.
    key: Mapped[str]
    secret: Mapped[bytes | None]  # A webhook's signing secret, wrapped by the installation's key.
    added_by: Mapped[UUID | None]
    removed_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(default="new")  # One of: new agrees away refuses conflict.
    finding: Mapped[str] = mapped_column(default="")
    seen_size: Mapped[int] = mapped_column(
        BigInteger, default=0
    )  # The entries of the largest tree it agreed on.
    seen_at: Mapped[datetime | None]
    tried_at: Mapped[datetime | None]


class Receipt(Tenanted, Model):
    """An anchor's answer for one checkpoint: a cosignature, a time-stamp token, or a status."""

    __tablename__ = "anchor_receipts"
    __table_args__ = (
        tenant_fk("anchor_id", "anchors"),
        tenant_fk("checkpoint_id", "audit_checkpoints"),
        Index(None, "tenant_id", "checkpoint_id"),
        Index(None, "tenant_id", "anchor_id", "created_at"),
    )

    anchor_id: Mapped[UUID]
    checkpoint_id: Mapped[UUID]
    status: Mapped[int]  # HTTP
    outcome: Mapped[str]  # One of: agrees refuses conflict.
    answer: Mapped[bytes]
