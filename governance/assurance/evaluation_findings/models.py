"""Findings, mappings and records of what followed from evaluation verdicts.

EvaluationFinding      a measure of a suite missed its limit on an AI system; open until a person closes it
MeasureControl         a control rests on a measure of a suite, until the mapping is removed
FollowedRun            a run whose consequences are drawn; a run has one at most
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk

OUTCOMES = {
    "passed": "Every mapped measure passed",
    "missed": "A measure missed its limit",
    "undecided": "Not every mapped measure passed",
    "nothing": "Nothing follows from it",
}


class EvaluationFinding(Tenanted, Model):
    """A miss of one measure: the first run that missed, the newest one, and a later pass.

    While the finding is open, it counts further misses. `passed_run_id` proposes to close it.
    """

    __tablename__ = "evaluation_findings"
    __table_args__ = (
        tenant_fk("system_id", "ai_systems"),
        tenant_fk("suite_id", "evaluation_suites"),
        tenant_fk("first_run_id", "evaluation_runs"),
        tenant_fk("last_run_id", "evaluation_runs"),
        tenant_fk("passed_run_id", "evaluation_runs"),
        UniqueConstraint("tenant_id", "number"),
        Index(None, "tenant_id", "system_id"),
        Index(None, "tenant_id", "suite_id", "measure"),
        Index(
            "uq_evaluation_findings_open",
            "tenant_id",
            "system_id",
            "suite_id",
            "measure",
            unique=True,
            postgresql_where=text("closed_at IS NULL"),
        ),
        CheckConstraint("misses > 0", "misses"),
    )

    number: Mapped[int]  # Per tenant, from 1.
    system_id: Mapped[UUID]
    suite_id: Mapped[UUID]
    measure: Mapped[str]  # Its key in the suite.
    name: Mapped[str]  # The measure's name in the version of the run.
    first_run_id: Mapped[UUID]
    last_run_id: Mapped[UUID]  # The newest run that missed.
    misses: Mapped[int] = mapped_column(default=1)
    passed_run_id: Mapped[UUID | None]
    closed_at: Mapped[datetime | None]
    closed_by: Mapped[UUID | None]
    closing_note: Mapped[str] = mapped_column(default="")

    @property
    def ref(self) -> str:
        return f"EVF-{self.number}"

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def state(self) -> tuple[str, str]:
        """Return the state as the template macro `c.state` expects it."""
        if not self.is_open:
            return "none", "Closed"
        return ("due", "Passed since") if self.passed_run_id else ("bad", "Open")


class MeasureControl(Tenanted, Model):
    """A mapping of a control to a measure, in each version of the suite that has the measure."""

    __tablename__ = "evaluation_measure_controls"
    __table_args__ = (
        tenant_fk("suite_id", "evaluation_suites"),
        tenant_fk("control_id", "controls"),
        Index(None, "tenant_id", "control_id"),
        Index(
            "uq_evaluation_measure_controls_open",
            "tenant_id",
            "suite_id",
            "measure",
            "control_id",
            unique=True,
            postgresql_where=text("removed_at IS NULL"),
        ),
    )

    suite_id: Mapped[UUID]
    measure: Mapped[str]
    control_id: Mapped[UUID]
    mapped_by: Mapped[UUID | None]
    removed_at: Mapped[datetime | None]


class FollowedRun(Tenanted, Model):
    """The consequences of one run. Rows are written once and never change."""

    __tablename__ = "evaluation_followed_runs"
    __table_args__ = (
        tenant_fk("run_id", "evaluation_runs"),
        tenant_fk("evidence_id", "evidence"),
        tenant_fk("evidence_version_id", "evidence_versions"),
        UniqueConstraint("tenant_id", "run_id"),
        CheckConstraint(f"outcome IN ({', '.join(f"'{each}'" for each in OUTCOMES)})", "outcome"),
    )

    run_id: Mapped[UUID]
    outcome: Mapped[str]
    why: Mapped[str] = mapped_column(default="")  # Why the run has no consequences.
    evidence_id: Mapped[UUID | None]
    evidence_version_id: Mapped[UUID | None]
