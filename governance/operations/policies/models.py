"""A tenant's policy in versions, the operator's layer under all tenants, and waivers.

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

from governance.kernel.db import Model, Tenanted, tenant_fk

OPEN = ("draft", "requested", "scheduled")


class PolicyVersion(Tenanted, Model):
    """One version of what the tenant demands.

    While it is open it can be edited; in force it never changes again.
    """

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

    number: Mapped[int | None]  # given when it comes into force
    state: Mapped[str]  # draft asked scheduled live refused withdrawn
    content: Mapped[dict[str, Any]]
    digest: Mapped[str]  # of base and content: what an approval is bound to
    base: Mapped[int]  # the number of the version that it was drawn up against; 0 before the first
    edited: Mapped[int] = mapped_column(default=1)  # counts edits of an open one
    loosens: Mapped[bool]
    reason: Mapped[str]
    made_by: Mapped[UUID | None]
    hands: Mapped[list[Any]] = mapped_column(
        default=list
    )  # ids of all who edited it: none of them decides on it
    note: Mapped[str] = mapped_column(
        default=""
    )  # why the console turned a scheduled one back into a draft
    agreed: Mapped[str] = mapped_column(
        default=""
    )  # the mark of what it loosens, as it was agreed or scheduled
    back_to: Mapped[int | None]  # the version whose content a rollback brings back
    requested_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]  # the second person
    decided_at: Mapped[datetime | None]
    apply_at: Mapped[datetime | None]  # when it is scheduled
    in_force_from: Mapped[datetime | None]


class Waiver(Tenanted, Model):
    """The only way below the platform minimum: one dimension of one system, for a while, requested
    by one and approved by two others. Who approved it, and when, is in its approval.
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
    compensation: Mapped[str]  # what is done instead
    expires_at: Mapped[datetime]
    state: Mapped[str]  # asked live refused withdrawn expired ended
    requested_by: Mapped[UUID]
    live_from: Mapped[datetime | None]  # the second of two others has approved it
    closed_by: Mapped[UUID | None]
    closed_at: Mapped[datetime | None]


class PlatformPolicy(Model):
    """The operator's layer, in versions: the floor, the tiers beside the built-in ones, what may
    not be waived.

    It stands under all tenants and holds nothing of any, so every tenant may read it; only the
    operator's pages write.
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
    state: Mapped[str]  # asked live refused withdrawn expired voided
    content: Mapped[dict[str, Any]]
    digest: Mapped[str]
    base: Mapped[int]
    loosens: Mapped[bool]
    reason: Mapped[str]
    made_by: Mapped[UUID]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]
    in_force_from: Mapped[datetime | None]
    until: Mapped[
        datetime | None
    ]  # the floor in it loosens until then; tiers, and what it tightens, stay
