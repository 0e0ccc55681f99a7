"""A tenant's policy versions, the operator's layer under all tenants, and waivers.

`content` of a version: {"tier": key, "overrides": {dimension: value}, "systems": {system id:
{dimension: value}}}. `content` of the operator's: {"floor": {…}, "tiers": {key: {"name", "means",
"values", "four_eyes"}}, "unwaivable": [dimension, …]}.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk

OPEN = ("draft", "requested", "scheduled")


class PolicyVersion(Tenanted, Model):
    """One version of the tenant's policy. It can be edited until it is published."""

    __tablename__ = "policy_versions"
    __table_args__ = (
        UniqueConstraint("tenant_id", "number"),
        Index(
            "uq_policy_versions_open",
            "tenant_id",
            unique=True,
            postgresql_where=text("state IN ('draft', 'requested', 'scheduled')"),
        ),
        Index(None, "tenant_id", "in_force_from"),
    )

    number: Mapped[int | None]  # Assigned at publication
    state: Mapped[str]  # draft | requested | scheduled | live | rejected | withdrawn
    content: Mapped[dict[str, Any]]
    digest: Mapped[str]  # Digest of base and content
    base: Mapped[int]  # Number of the version that it changes; 0 before the first
    edited: Mapped[int] = mapped_column(default=1)  # Number of edits so far
    loosens: Mapped[bool]
    reason: Mapped[str]
    made_by: Mapped[UUID | None]
    # Ids of everyone who edited it, so that none of them decides.
    hands: Mapped[list[Any]] = mapped_column(default=list)
    # Reason why it returned to draft.
    note: Mapped[str] = mapped_column(default="")
    # Fingerprint of the loosened settings, as approved or scheduled.
    agreed: Mapped[str] = mapped_column(default="")
    back_to: Mapped[int | None]  # Version that a rollback returns to
    requested_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]  # Second person
    decided_at: Mapped[datetime | None]
    apply_at: Mapped[datetime | None]  # Scheduled time
    in_force_from: Mapped[datetime | None]


class Waiver(Tenanted, Model):
    """A value below the platform minimum: one setting of one system, for a limited time.

    One person requests it, two others approve it.
    """

    __tablename__ = "waivers"
    __table_args__ = (
        tenant_fk("system_id", "ai_systems"),
        Index(None, "tenant_id", "state", "expires_at"),
        Index(None, "tenant_id", "system_id"),
    )

    system_id: Mapped[UUID]
    dimension: Mapped[str]
    value: Mapped[Any] = mapped_column(JSONB)
    reason: Mapped[str]
    compensation: Mapped[str]  # Compensating measure
    expires_at: Mapped[datetime]
    state: Mapped[str]  # requested | live | rejected | withdrawn | expired | ended
    requested_by: Mapped[UUID]
    live_from: Mapped[datetime | None]  # Time of the second approval
    closed_by: Mapped[UUID | None]
    closed_at: Mapped[datetime | None]


class PlatformPolicy(Model):
    """A version of the operator's layer: platform minimum, tiers, and settings without waivers.

    It contains no tenant's data, so every tenant may read it; only the operator's pages write.
    """

    __tablename__ = "platform_policies"
    __table_args__ = (
        UniqueConstraint("number"),
        Index(
            "uq_platform_policies_open",
            text("(1)"),
            unique=True,
            postgresql_where=text("state = 'requested'"),
        ),
    )

    number: Mapped[int | None]
    state: Mapped[str]  # requested | live | rejected | withdrawn | expired | voided
    content: Mapped[dict[str, Any]]
    digest: Mapped[str]
    base: Mapped[int]
    loosens: Mapped[bool]
    reason: Mapped[str]
    made_by: Mapped[UUID]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    in_force_from: Mapped[datetime | None]
    # End of a looser minimum; tiers and tightened settings stay.
    until: Mapped[datetime | None]
