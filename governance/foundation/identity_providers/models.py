"""Proposed changes to how a tenant's people sign in."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk


class ConnectionChange(Tenanted, Model):
    """A proposed change to how people sign in.

    Its approval says who requested it, why, until when, and who decided.

    `connection_id` is the proposed connection, or None when only the work domains change; `base_id`
    and `base_domains` are the live ones it was proposed against. `test` is the result of the test
    sign-in.
    """

    __tablename__ = "connection_changes"
    __table_args__ = (
        Index(
            "uq_connection_changes_open",
            "tenant_id",
            unique=True,
            postgresql_where="state = 'requested'",
        ),
        Index(None, "tenant_id", "created_at"),
        tenant_fk("connection_id", "connections"),
        tenant_fk("base_id", "connections"),
    )

    connection_id: Mapped[UUID | None]
    base_id: Mapped[UUID | None]
    domains: Mapped[list[Any]]
    base_domains: Mapped[list[Any]]
    state: Mapped[str] = mapped_column(
        default="requested"
    )  # One of: requested approved rejected withdrawn replaced expired.
    test: Mapped[dict[str, Any] | None]
    tested_by: Mapped[UUID | None]
    tested_at: Mapped[datetime | None]
