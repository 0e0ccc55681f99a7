"""Stops, consumers, acknowledgements and drills."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk

SCOPES = ("tenant", "system", "feature")


class Stop(Tenanted, Model):
    """One stop of a scope. It is active until someone restarts it, and never expires."""

    __tablename__ = "stops"
    __table_args__ = (
        tenant_fk("system_id", "ai_systems"),
        tenant_fk("feature_id", "system_features"),
        tenant_fk("drill_id", "drills"),
        Index("ix_stops_active", "tenant_id", postgresql_where=text("restarted_at IS NULL")),
        Index(None, "tenant_id", "system_id", "created_at"),
        Index(None, "tenant_id", "created_at"),
    )

    scope: Mapped[str]  # One of SCOPES
    system_id: Mapped[UUID | None]
    feature_id: Mapped[UUID | None]
    generate: Mapped[bool]  # No new model calls
    serve: Mapped[bool]  # No cached or stored answers either
    reason: Mapped[str]
    # The tenant's revision with the stop; a consumer with such an answer obeys.
    version: Mapped[int] = mapped_column(BigInteger)
    # Ids of the consumers that connected in the 24 hours before.
    expected: Mapped[list[Any]] = mapped_column(default=list)
    stopped_by: Mapped[UUID | None]
    drill_id: Mapped[UUID | None]
    remind_at: Mapped[datetime | None]  # Only a reminder; no restart is automatic
    restart_requested_by: Mapped[UUID | None]  # The first of two people, once restarted
    restart_reason: Mapped[str | None]
    restarted_by: Mapped[UUID | None]
    restarted_at: Mapped[datetime | None]


class PlatformStop(Model):
    """The operator's stop of everything. It covers every tenant, and all may read it."""

    __tablename__ = "platform_stops"
    __table_args__ = (
        Index(
            "uq_platform_stops_active",
            text("(1)"),
            unique=True,
            postgresql_where=text("restarted_at IS NULL"),
        ),
    )

    generate: Mapped[bool]
    serve: Mapped[bool]
    reason: Mapped[str]
    stopped_by: Mapped[UUID]
    restart_requested_by: Mapped[UUID | None]  # The first of two people, once restarted
    restart_reason: Mapped[str | None]
    restarted_by: Mapped[UUID | None]
    restarted_at: Mapped[datetime | None]


class Consumer(Tenanted, Model):
    """One process of an AI product, by its key and name, with the newest version it obeys."""

    __tablename__ = "consumers"
    __table_args__ = (
        tenant_fk("key_id", "api_keys"),
        tenant_fk("system_id", "ai_systems"),
        UniqueConstraint("tenant_id", "key_id", "name"),
        Index(None, "tenant_id", "seen_at"),
    )

    key_id: Mapped[UUID]
    name: Mapped[str]
    region: Mapped[str]
    system_id: Mapped[UUID | None]  # System of its key
    version: Mapped[int] = mapped_column(BigInteger)
    seen_at: Mapped[datetime]


class Acknowledgement(Tenanted, Model):
    """The time when a consumer first obeyed a stop."""

    __tablename__ = "acknowledgements"
    __table_args__ = (
        tenant_fk("stop_id", "stops"),
        tenant_fk("consumer_id", "consumers"),
        UniqueConstraint("tenant_id", "stop_id", "consumer_id"),
        Index(None, "tenant_id", "consumer_id"),
    )

    stop_id: Mapped[UUID]
    consumer_id: Mapped[UUID]
    at: Mapped[datetime]


class Drill(Tenanted, Model):
    """A planned stop of a scope for some seconds, to prove that every consumer obeys."""

    __tablename__ = "drills"
    __table_args__ = (
        tenant_fk("system_id", "ai_systems"),
        tenant_fk("feature_id", "system_features"),
        Index(None, "tenant_id", "state", "due_at"),
        Index(None, "tenant_id", "system_id", "due_at"),
        Index(
            "ix_drills_open",
            "tenant_id",
            postgresql_where=text("state IN ('planned', 'running') OR evidence_version_id IS NULL"),
        ),
    )

    system_id: Mapped[UUID]
    feature_id: Mapped[UUID | None]  # None: all of the system
    state: Mapped[str]  # requested | planned | running | passed | failed | cancelled
    due_at: Mapped[datetime]
    seconds: Mapped[int]  # Maximum duration
    repeat_days: Mapped[int | None]
    planned_by: Mapped[UUID | None]
    approved_by: Mapped[UUID | None]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    expected: Mapped[int | None]  # Number of consumers that had to obey
    obeyed: Mapped[int | None]
    slowest_ms: Mapped[int | None]
    found: Mapped[dict[str, Any]] = mapped_column(default=dict)
    evidence_version_id: Mapped[UUID | None]
