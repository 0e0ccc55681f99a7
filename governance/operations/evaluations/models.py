"""Suites and their versions, runs and their results.

EvaluationSuite            a set of cases with its purpose; its published versions never change
  SuiteVersion             method, cases by digest; a draft until it is published
    SuiteMeasure           a required figure of a run, and the limits of each policy tier
EvaluationRun              one version on one release of an AI system, from a file or the API
  MeasureResult            its figure with interval and verdicts
RUN_CASES                  a row for each case: its digest, its scores, no text
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    REAL,
    BigInteger,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk
from governance.kernel.work.background_work import Generated

KINDS = {
    "rate": "Share of cases",
    "mean": "Mean of a score",
    "percentile": "Percentile",
}
RUN_STATES = ("reading", "judged", "refused")


class EvaluationSuite(Tenanted, Model):
    """A domain-specific set of cases and their judging. `pack` is the task pack it started as."""

    __tablename__ = "evaluation_suites"
    __table_args__ = (UniqueConstraint("tenant_id", "key"),)

    key: Mapped[str]
    name: Mapped[str]
    purpose: Mapped[str]
    pack: Mapped[str | None]
    owner_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    retired_at: Mapped[datetime | None]

    @property
    def is_retired(self) -> bool:
        return self.retired_at is not None


class SuiteVersion(Tenanted, Model):
    """The definition of a suite's runs. It can be edited until it is published.

    `cases_sha256` is the digest of the cases' digests, in order; the cases themselves stay with the
    team. `task_success` defines when a task counts as completed.
    """

    __tablename__ = "evaluation_suite_versions"
    __table_args__ = (
        tenant_fk("suite_id", "evaluation_suites"),
        UniqueConstraint("tenant_id", "suite_id", "number"),
        CheckConstraint("cases > 0", "cases"),
    )

    suite_id: Mapped[UUID]
    number: Mapped[int]
    method: Mapped[str]
    task_success: Mapped[str] = mapped_column(default="")
    cases: Mapped[int | None]
    cases_sha256: Mapped[str | None]
    published_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawal_reason: Mapped[str | None]

    @property
    def is_published(self) -> bool:
        return self.published_at is not None and self.withdrawn_at is None


class SuiteMeasure(Tenanted, Model):
    """One figure that every run of the version shows.

    `sources` are its names in files. `limits` has a limit for each policy tier, in the measure's
    unit. A signal is shown and compared, but doesn't decide.
    """

    __tablename__ = "evaluation_suite_measures"
    __table_args__ = (
        tenant_fk("version_id", "evaluation_suite_versions"),
        UniqueConstraint("tenant_id", "version_id", "key"),
        CheckConstraint(f"kind IN ({', '.join(f"'{kind}'" for kind in KINDS)})", "kind"),
        CheckConstraint("(kind = 'percentile') = (percent IS NOT NULL)", "percent"),
        CheckConstraint("min_samples >= 0", "min_samples"),
    )

    version_id: Mapped[UUID]
    position: Mapped[int] = mapped_column(SmallInteger)
    key: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str]
    percent: Mapped[int | None] = mapped_column(SmallInteger)
    unit: Mapped[str]  # "share", "s", "EUR"; a share is between 0 and 1
    at_least: Mapped[bool]
    is_inverted: Mapped[bool] = mapped_column(default=False)  # The file counts the opposite.
    is_signal: Mapped[bool] = mapped_column(default=False)
    min_samples: Mapped[int] = mapped_column(default=0)  # Below this number, nothing passes
    sources: Mapped[list[str]] = mapped_column(ARRAY(Text))
    limits: Mapped[dict[str, float]] = mapped_column(JSONB)
    risks: Mapped[list[str]] = mapped_column(ARRAY(Text))  # "LLM01:2025"


class EvaluationRun(Generated):
    """A suite version on a release of an AI system: `reading`, then `judged` or `refused`.

    A failed run is judged too: it has no results, so nothing passes.
    """

    __tablename__ = "evaluation_runs"
    __table_args__ = (
        tenant_fk("system_id", "ai_systems"),
        tenant_fk("version_id", "evaluation_suite_versions"),
        Index(None, "tenant_id", "system_id", "week"),
        UniqueConstraint("tenant_id", "number"),
        Index(None, "tenant_id", "version_id", "created_at"),
        Index(
            "uq_evaluation_runs_reference",
            "tenant_id",
            "tool",
            "reference",
            unique=True,
            postgresql_where=text("state = 'judged' AND reference <> ''"),
        ),
        CheckConstraint(f"state IN ({', '.join(f"'{each}'" for each in RUN_STATES)})", "state"),
    )

    system_id: Mapped[UUID]
    version_id: Mapped[UUID]
    release: Mapped[str]
    number: Mapped[int]  # Number among the tenant's runs, from 1
    name: Mapped[str] = mapped_column(default="")  # Name of the file, or a machine's run
    size: Mapped[int] = mapped_column(BigInteger, default=0)
    sha256: Mapped[str]
    storage_key: Mapped[str | None]
    chosen_model: Mapped[str] = mapped_column(default="")  # Chosen one of several models in a file
    state: Mapped[str] = mapped_column(default="reading")
    problem: Mapped[str | None]  # Reason why it was rejected, or why the run failed
    place: Mapped[str | None]  # Place in the file
    tool: Mapped[str] = mapped_column(default="")
    tool_version: Mapped[str] = mapped_column(default="")
    reference: Mapped[str] = mapped_column(default="")  # The tool's id of the run
    model: Mapped[str] = mapped_column(default="")
    judges: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    outcome: Mapped[str | None]  # One of files.records.RunOutcome
    ran_at: Mapped[datetime | None]
    week: Mapped[date]  # Monday of its week
    cases: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    unscored: Mapped[int] = mapped_column(default=0)
    look: Mapped[int] = mapped_column(SmallInteger, default=1)  # Look number, from 1
    judged_tier: Mapped[str | None]  # Tier whose limits judged it; null before
    judged_policy: Mapped[int | None]  # Policy version in force then; null before the first
    # The meaning of true in the file, by name: "good" or "bad".
    read_as: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)

    @property
    def is_ready(self) -> bool:
        return self.state != "reading"


class MeasureResult(Tenanted, Model):
    """The figure of one measure in one run.

    `verdicts` has for each policy tier its limit, its verdict, and the number of further samples
    needed to decide. Its interval has `confidence`, so that all of a run hold jointly at 95%. It
    never changes.
    """

    __tablename__ = "evaluation_results"
    __table_args__ = (
        tenant_fk("run_id", "evaluation_runs"),
        tenant_fk("measure_id", "evaluation_suite_measures"),
        UniqueConstraint("tenant_id", "run_id", "measure_id"),
        CheckConstraint("n >= 0 AND successes BETWEEN 0 AND n", "counts"),
    )

    run_id: Mapped[UUID]
    measure_id: Mapped[UUID]
    n: Mapped[int]
    successes: Mapped[int | None]
    deviation: Mapped[float | None] = mapped_column(Float)
    point: Mapped[float | None] = mapped_column(Float)
    low: Mapped[float | None] = mapped_column(Float)
    high: Mapped[float | None] = mapped_column(Float)
    confidence: Mapped[float] = mapped_column(Float)
    verdicts: Mapped[dict[str, Any]] = mapped_column(JSONB)


# A row is a digest and some numbers; a run has up to two million of them, copied in one statement.
RUN_CASES = Table(
    "evaluation_run_cases",
    Model.metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("run_id", Uuid, primary_key=True),
    Column("case_digest", LargeBinary, primary_key=True),  # 16 bytes of SHA-256
    Column("repetition", SmallInteger, primary_key=True),
    Column("outcome", SmallInteger, nullable=False),  # 0 scored, 1 failed, 2 without a score
    Column("source", Text, nullable=False),
    Column("latency_ms", REAL),
    Column("cost", REAL),
    Column("scores", ARRAY(REAL), nullable=False),  # By the measure's position; NaN: none
    ForeignKeyConstraint(
        ["tenant_id", "run_id"], ["evaluation_runs.tenant_id", "evaluation_runs.id"]
    ),
)
