"""Tables of Type II testing: populations, samples, results, exceptions, findings and retests.

Rows never change after freezing, drawing or testing. A new result supersedes the earlier one.
"""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, foreign, mapped_column, relationship

from governance.kernel.data.db import Model, Tenanted, tenant_fk


class SamplingTable(Tenanted, Model):
    """The tenant's own sample sizes by cadence. The row with the highest number counts."""

    __tablename__ = "sampling_tables"
    __table_args__ = (UniqueConstraint("tenant_id", "number"),)

    number: Mapped[int]
    content: Mapped[dict[str, Any]]
    reason: Mapped[str]
    changed_by: Mapped[UUID]


class Population(Tenanted, Model):
    """The complete list that samples are drawn from, frozen with its query, its runner and its
    hash.
    """

    __tablename__ = "populations"
    __table_args__ = (
        tenant_fk("control_id", "controls"),
        Index(None, "tenant_id", "control_id", "run_at"),
        CheckConstraint("period_from <= period_to", "period_order"),
        CheckConstraint("row_count > 0 AND row_count <= 50000", "row_count"),
    )

    control_id: Mapped[UUID]
    key: Mapped[str]
    title: Mapped[str]
    source: Mapped[str]  # One of collector, file or evidence.
    query: Mapped[str]
    parameters: Mapped[dict[str, Any]]
    period_from: Mapped[date]
    period_to: Mapped[date]
    run_at: Mapped[datetime]
    run_by: Mapped[str]  # The system that ran the query, or the person, as a pseudonym.
    frozen_by: Mapped[UUID]
    id_column: Mapped[str]
    date_column: Mapped[str | None]
    by_month: Mapped[dict[str, Any]]
    row_count: Mapped[int]
    sha256: Mapped[str]
    rows: Mapped[list[Any]] = mapped_column(deferred=True)


class Sample(Tenanted, Model):
    """Items drawn from a population by a rule and a seed; each is checked for all `attributes`."""

    __tablename__ = "samples"
    __table_args__ = (
        tenant_fk("population_id", "populations"),
        UniqueConstraint("tenant_id", "population_id", "seed", "size"),
        CheckConstraint("size > 0", "size"),
    )

    population_id: Mapped[UUID]
    rule: Mapped[str]
    size: Mapped[int]
    advised: Mapped[int]
    reason: Mapped[str]  # Why the size differs from the rule's.
    seed: Mapped[str]
    population_sha256: Mapped[str]
    attributes: Mapped[list[Any]]
    drawn_by: Mapped[UUID]


class SampleItem(Tenanted, Model):
    """A drawn item with its data, numbered in the order of the draw."""

    __tablename__ = "sample_items"
    __table_args__ = (
        tenant_fk("sample_id", "samples"),
        UniqueConstraint("tenant_id", "sample_id", "number"),
        UniqueConstraint("tenant_id", "sample_id", "item"),
    )

    sample_id: Mapped[UUID]
    number: Mapped[int]
    item: Mapped[str]
    facts: Mapped[dict[str, Any]]
    dated: Mapped[date | None]


class ItemResult(Tenanted, Model):
    """A tester's result of one item: yes, no or na for each attribute. The highest number counts."""

    __tablename__ = "item_results"
    __table_args__ = (
        tenant_fk("sample_item_id", "sample_items"),
        tenant_fk("evidence_version_id", "evidence_versions"),
        UniqueConstraint("tenant_id", "sample_item_id", "number"),
        Index(None, "tenant_id", "evidence_version_id"),
        CheckConstraint("outcome IN ('passed', 'failed')", "outcome"),
    )

    sample_item_id: Mapped[UUID]
    number: Mapped[int]
    outcome: Mapped[str]
    checks: Mapped[dict[str, Any]]
    note: Mapped[str]
    evidence_version_id: Mapped[UUID | None]
    tested_by: Mapped[UUID]
    by_auditor: Mapped[bool]  # Only an auditor may replace such a result.
    item: Mapped[SampleItem] = relationship(
        viewonly=True, primaryjoin=lambda: foreign(ItemResult.sample_item_id) == SampleItem.id
    )


class TestException(Tenanted, Model):
    """A failed item or a missed cycle, with its cause, effect, correction and management
    response.
    """

    __test__: ClassVar[bool] = False  # Pytest must not collect it as a test class.
    __tablename__ = "test_exceptions"
    __table_args__ = (
        tenant_fk("control_id", "controls"),
        tenant_fk("sample_item_id", "sample_items"),
        UniqueConstraint("tenant_id", "ref"),
        UniqueConstraint("tenant_id", "sample_item_id"),
        UniqueConstraint("tenant_id", "control_id", "missed_from", "missed_to"),
        Index(None, "tenant_id", "control_id"),
        CheckConstraint(
            "(sample_item_id IS NULL) = (missed_from IS NOT NULL AND missed_to IS NOT NULL)",
            "item_or_cycle",
        ),
    )

    ref: Mapped[str]
    control_id: Mapped[UUID]
    sample_item_id: Mapped[UUID | None]
    missed_from: Mapped[date | None]  # First day of the missed cycle.
    missed_to: Mapped[date | None]
    says: Mapped[str]
    cause: Mapped[str] = mapped_column(default="")
    effect: Mapped[str] = mapped_column(default="")
    correction: Mapped[str] = mapped_column(default="")
    response: Mapped[str] = mapped_column(default="")
    version: Mapped[int] = mapped_column(default=1)
    found_by: Mapped[UUID]
    responded_by: Mapped[UUID | None]


class Finding(Tenanted, Model):
    """The fix that an exception needs: who, how and by when. Only a passing retest closes it."""

    __tablename__ = "findings"
    __table_args__ = (
        tenant_fk("exception_id", "test_exceptions"),
        UniqueConstraint("tenant_id", "ref"),
        UniqueConstraint("tenant_id", "exception_id"),
    )

    ref: Mapped[str]
    exception_id: Mapped[UUID]
    title: Mapped[str]
    plan: Mapped[str]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("people.id"))
    due_on: Mapped[date]
    raised_by: Mapped[UUID]
    remedy: Mapped[str] = mapped_column(default="")
    remedied_at: Mapped[datetime | None]
    remedied_by: Mapped[UUID | None]
    closed_at: Mapped[datetime | None]


class Retest(Tenanted, Model):
    """A test of the control after the fix, by a person who did not fix it."""

    __tablename__ = "retests"
    __table_args__ = (
        tenant_fk("finding_id", "findings"),
        Index(None, "tenant_id", "finding_id"),
        CheckConstraint("sample > 0 AND failed >= 0 AND failed <= sample", "counts"),
    )

    finding_id: Mapped[UUID]
    tested_on: Mapped[date]
    sample: Mapped[int]
    failed: Mapped[int]
    note: Mapped[str]
    tested_by: Mapped[UUID]
