"""Controls: what this tenant does; their mappings to requirements; the tests of whether they work."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.db import Model, Tenanted, tenant_fk


class Control(Tenanted, Model):
    """A practice with an owner and a cadence. `version` guards against two people editing at once."""

    __tablename__ = "controls"
    __table_args__ = (UniqueConstraint("tenant_id", "ref"), CheckConstraint("rests_on IN ('drill', 'policy')", "rests_on"))

    ref: Mapped[str]
    title: Mapped[str]
    does: Mapped[str]
    kind: Mapped[str]
    automation: Mapped[str]
    cadence: Mapped[str]
    rests_on: Mapped[str | None]  # a live fact that its status follows from too: drills of the switches, the policy in force
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    version: Mapped[int] = mapped_column(default=1)
    retired_at: Mapped[datetime | None]
    retired_because: Mapped[str | None]


class ControlMapping(Tenanted, Model):
    """A control answers (fully or partly) for a requirement, from a moment on, until it is removed."""

    __tablename__ = "control_mappings"
    __table_args__ = (
        tenant_fk("control_id", "controls"),
        Index(None, "tenant_id", "requirement_id"),
        Index("uq_control_mappings_open", "tenant_id", "control_id", "requirement_id", unique=True, postgresql_where="removed_at IS NULL"),
        CheckConstraint("coverage IN ('full', 'partial')", "coverage"),
    )  # fmt: skip

    control_id: Mapped[UUID]
    requirement_id: Mapped[UUID] = mapped_column(ForeignKey("requirements.id"))
    coverage: Mapped[str]
    mapped_by: Mapped[UUID | None]
    removed_at: Mapped[datetime | None]


class ControlTest(Tenanted, Model):
    """Somebody tried whether a control works: a sample, what passed, what failed. A retest is another row."""

    __tablename__ = "control_tests"
    __table_args__ = (
        tenant_fk("control_id", "controls"),
        Index(None, "tenant_id", "control_id", "tested_on"),
        CheckConstraint("sample > 0 AND failed >= 0 AND failed <= sample", "counts"),
    )

    control_id: Mapped[UUID]
    tested_on: Mapped[date]
    sample: Mapped[int]
    failed: Mapped[int]
    finding_ref: Mapped[str | None]
    finding: Mapped[str]
    retest_by: Mapped[date | None]
    tested_by: Mapped[UUID | None]
