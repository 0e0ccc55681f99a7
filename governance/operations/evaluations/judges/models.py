"""Judges of suites, and how far they agree with people.

EvaluationJudge          the model that judges one measure of a suite, until another replaces it
JudgeCalibration         one labelled set: how often judge and people agree
  JudgeLabel             one case of it, by digest
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    LargeBinary,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk
from governance.operations.evaluations.statistics.judges import HumanLabels


class EvaluationJudge(Tenanted, Model):
    """A model with its version that judges one measure. A new version is a new judge."""

    __tablename__ = "evaluation_judges"
    __table_args__ = (
        tenant_fk("suite_id", "evaluation_suites"),
        Index(
            "uq_evaluation_judges_current",
            "tenant_id",
            "suite_id",
            "measure_key",
            unique=True,
            postgresql_where=text("replaced_at IS NULL"),
        ),
    )

    suite_id: Mapped[UUID]
    measure_key: Mapped[str]
    provider: Mapped[str]
    name: Mapped[str]
    version: Mapped[str]
    replaced_at: Mapped[datetime | None]

    @property
    def model(self) -> str:
        """The model's name: "openai/gpt-x, version 2026-08-01"."""
        return f"{self.provider}/{self.name}, version {self.version}"

    @property
    def is_current(self) -> bool:
        return self.replaced_at is None


class JudgeCalibration(Tenanted, Model):
    """People's and the judge's labels of the same cases.

    It never changes; the newest one counts.
    """

    __tablename__ = "evaluation_judge_calibrations"
    __table_args__ = (
        tenant_fk("judge_id", "evaluation_judges"),
        Index(None, "tenant_id", "judge_id", "created_at"),
        CheckConstraint("least(both_pass, only_people, only_judge, both_fail) >= 0", "counts"),
    )

    judge_id: Mapped[UUID]
    filename: Mapped[str]
    sha256: Mapped[str]
    both_pass: Mapped[int]
    only_people: Mapped[int]  # People pass it, the judge doesn't
    only_judge: Mapped[int]
    both_fail: Mapped[int]
    kappa: Mapped[float | None] = mapped_column(Float)  # None if either side gave only one label
    kappa_low: Mapped[float | None] = mapped_column(Float)
    kappa_high: Mapped[float | None] = mapped_column(Float)
    uploaded_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))

    @property
    def labels(self) -> HumanLabels:
        return HumanLabels(self.both_pass, self.only_people, self.only_judge, self.both_fail)

    @property
    def kappa_text(self) -> str:
        """Kappa as text, such as "0.88"; empty if it doesn't exist."""
        return "" if self.kappa is None else _signed(self.kappa)

    @property
    def kappa_interval(self) -> str:
        """The interval of kappa, such as "0.82 to 0.94"."""
        if self.kappa_low is None or self.kappa_high is None:
            return ""
        return f"{_signed(self.kappa_low)} to {_signed(self.kappa_high)}"


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")


class JudgeLabel(Tenanted, Model):
    """People's and the judge's label of one case: passes or not."""

    __tablename__ = "evaluation_judge_labels"
    __table_args__ = (
        tenant_fk("calibration_id", "evaluation_judge_calibrations"),
        UniqueConstraint("tenant_id", "calibration_id", "case_digest"),
    )

    calibration_id: Mapped[UUID]
    case_digest: Mapped[bytes] = mapped_column(LargeBinary)  # Digest as in RUN_CASES
    people_pass: Mapped[bool]
    judge_passes: Mapped[bool]
