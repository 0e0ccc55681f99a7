"""The deletion of a tenant, as a row of the operator's own tenant: it outlives the tenant's data."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted


class TenantOffboarding(Tenanted, Model):
    """One offboarding of one tenant.

    `export` is the outcome of the export that was offered. `facts` has the certificate's data about
    things that are gone when it is signed: last checkpoint, digests of key ids, and when the keys
    were destroyed. `rows` counts the deleted rows by table. `archive` is the ZIP of the
    certificate. It isn't a stored file, so that neither can be lost without the other. The
    database's function that deletes rows reads state, times and the approval, so it rejects what
    isn't approved and due.
    """

    __tablename__ = "tenant_offboardings"
    __table_args__ = (
        CheckConstraint(
            "state IN ('requested', 'waiting', 'deleting', 'deleted', 'cancelled')", "state"
        ),
        CheckConstraint("waiting_days >= 1", "waits"),
        Index(
            "uq_tenant_offboardings_open",
            "tenant_id",
            "customer_id",
            unique=True,
            postgresql_where="state IN ('requested', 'waiting', 'deleting')",
        ),
        Index(None, "tenant_id", "created_at"),
    )

    customer_id: Mapped[UUID]
    slug: Mapped[str]
    name: Mapped[str]
    state: Mapped[str] = mapped_column(default="requested")
    reason: Mapped[str]
    waiting_days: Mapped[int]
    export: Mapped[str]
    requested_by: Mapped[UUID | None]
    approved_by: Mapped[UUID | None] = mapped_column(default=None)
    approved_at: Mapped[datetime | None] = mapped_column(default=None)
    due_at: Mapped[datetime | None] = mapped_column(default=None)
    work_item_id: Mapped[UUID | None] = mapped_column(default=None)
    facts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    rows: Mapped[dict[str, Any]] = mapped_column(default=dict)
    files: Mapped[int] = mapped_column(default=0)
    certificate: Mapped[str | None] = mapped_column(default=None)
    archive: Mapped[bytes | None] = mapped_column(LargeBinary, default=None, deferred=True)
    finished_at: Mapped[datetime | None] = mapped_column(default=None)
