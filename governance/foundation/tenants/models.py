"""The directory of tenants, and the history of each one's time zone.

The directory is installation-wide: it has no tenant's content, so it has no row-level security.
"""

import hashlib
from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted


class Tenant(Model):
    """A customer, or a division of one; the operator's own is of kind `operator`."""

    __tablename__ = "tenants"
    __table_args__ = (
        UniqueConstraint("slug"),
        CheckConstraint("slug ~ '^[a-z][a-z0-9-]{1,40}$'", "slug_form"),
    )

    slug: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(default="customer")
    region: Mapped[str] = mapped_column(default="Frankfurt")
    time_zone: Mapped[str] = mapped_column(default="Europe/Berlin")
    fiscal_year_start: Mapped[int] = mapped_column(default=1)
    tier: Mapped[str] = mapped_column(default="standard")
    # One of: active suspended offboarding deleting deleted.
    status: Mapped[str] = mapped_column(default="active")
    suspended_at: Mapped[datetime | None] = mapped_column(default=None)
    # Set while it is offboarding.
    deletes_at: Mapped[datetime | None] = mapped_column(default=None)
    classification: Mapped[str] = mapped_column(default="Confidential")
    unit: Mapped[str] = mapped_column(default="Model Risk and Compliance")
    audience: Mapped[str] = mapped_column(default="Risk Committee and auditors")

    @property
    def mark(self) -> str:
        """The fingerprint of the current settings, which a form carries to detect a stale one."""
        held = (
            self.name,
            self.region,
            self.time_zone,
            self.unit,
            self.classification,
            self.audience,
        )
        return hashlib.sha256("\0".join(held).encode()).hexdigest()[:16]


class EmailDomain(Model):
    """A work domain and the tenant whose identity provider it leads to.

    Routing for the sign-in page; read by everyone.
    """

    __tablename__ = "email_domains"
    __table_args__ = (UniqueConstraint("domain"),)

    domain: Mapped[str]
    for_tenant: Mapped[UUID]


class TenantTimeZone(Tenanted, Model):
    """The tenant's time zone from an instant on; the first one also covers all time before."""

    __tablename__ = "tenant_time_zones"
    __table_args__ = (UniqueConstraint("tenant_id", "since"),)

    since: Mapped[datetime]
    zone: Mapped[str]  # An IANA name.
