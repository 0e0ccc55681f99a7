"""Tables of controls, their mappings to requirements, and their tests."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk


class Control(Tenanted, Model):
    """A practice with an owner and a cadence; `version` guards against concurrent edits."""

    __tablename__ = "controls"
    __table_args__ = (
        UniqueConstraint("tenant_id", "ref"),
        CheckConstraint(
            "rests_on IN ('drill', 'policy', 'service_levels', 'incidents')", "rests_on"
        ),
    )

    ref: Mapped[str]
    title: Mapped[str]
    does: Mapped[str]
    kind: Mapped[str]
    automation: Mapped[str]
    cadence: Mapped[str]
    # A runtime dependency that also decides its status, such as drills of the switches or the
    # policy in force.
    rests_on: Mapped[str | None]
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    version: Mapped[int] = mapped_column(default=1)
    retired_at: Mapped[datetime | None]
    retirement_reason: Mapped[str | None]


class ControlMapping(Tenanted, Model):
    """A mapping: a control satisfies a requirement, fully or partially, until it is removed."""

    __tablename__ = "control_mappings"
    __table_args__ = (
        tenant_fk("control_id", "controls"),
        Index(None, "tenant_id", "requirement_id"),
        Index(
            "uq_control_mappings_open",
            "tenant_id",
            "control_id",
            "requirement_id",
            unique=True,
            postgresql_where="removed_at IS NULL",
        ),
        CheckConstraint("coverage IN ('full', 'partial')", "coverage"),
    )

    control_id: Mapped[UUID]
    requirement_id: Mapped[UUID] = mapped_column(ForeignKey("requirements.id"))
    coverage: Mapped[str]
    mapped_by: Mapped[UUID | None]
    removed_at: Mapped[datetime | None]


class ControlTest(Tenanted, Model):
    """A test of a control: a sample, and how many items failed. A retest is another row.

    A test based on a Type II sample names it and counts its open exceptions.
    """

    __tablename__ = "control_tests"
    __table_args__ = (
        tenant_fk("control_id", "controls"),
        Index(None, "tenant_id", "control_id", "tested_on"),
        tenant_fk("sample_id", "samples"),
        tenant_fk("retest_id", "retests"),
        Index(None, "tenant_id", "sample_id"),
        UniqueConstraint("tenant_id", "retest_id"),
        CheckConstraint("sample > 0 AND failed >= 0 AND failed <= sample", "counts"),
        CheckConstraint(
            "(sample_id IS NULL) = (unsettled IS NULL) AND unsettled >= 0", "unsettled"
        ),
    )

    control_id: Mapped[UUID]
    tested_on: Mapped[date]
    sample: Mapped[int]
    failed: Mapped[int]
    finding_ref: Mapped[str | None]
    finding: Mapped[str]
    retest_by: Mapped[date | None]
    tested_by: Mapped[UUID | None]
    # The Type II sample that the test reports on, or whose failure it retests. None for a manual
    # test.
    sample_id: Mapped[UUID | None]
    retest_id: Mapped[UUID | None]
    unsettled: Mapped[int | None]  # Open exceptions of that sample after the test
