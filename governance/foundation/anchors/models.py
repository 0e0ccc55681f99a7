"""Where checkpoints are kept outside this console, and what each of those places answered."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.db import Model, Tenanted, tenant_fk


class Anchor(Tenanted, Model):
    """A witness (C2SP tlog-witness), a webhook, or a time-stamp authority (RFC 3161) that gets the
    tenant's checkpoints.
    """

    __tablename__ = "anchors"
    __table_args__ = (Index(None, "tenant_id", "removed_at"),)

    kind: Mapped[str]  # witness webhook timestamp
    name: Mapped[str]
    url: Mapped[str]
    key: Mapped[
        str
    ]  # a witness' verifier key, an authority's certificate (PEM); a webhook has none
    secret: Mapped[bytes | None]  # a webhook's signing secret, wrapped by the installation's key
    added_by: Mapped[UUID | None]
    removed_at: Mapped[datetime | None]
    state: Mapped[str] = mapped_column(default="new")  # new agrees away refuses conflict
    finding: Mapped[str] = mapped_column(default="")
    seen_size: Mapped[int] = mapped_column(BigInteger, default=0)  # the largest tree that it holds
    seen_at: Mapped[datetime | None]
    tried_at: Mapped[datetime | None]


class Receipt(Tenanted, Model):
    """What an anchor answered for one checkpoint: a cosignature, a time-stamp token, a status."""

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
    outcome: Mapped[str]  # agrees refuses conflict
    answer: Mapped[bytes]
