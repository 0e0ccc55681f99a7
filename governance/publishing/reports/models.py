"""A report is a run: parameters, the frozen snapshot behind it, file, digests, signature."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, tenant_fk
from governance.kernel.work.background_work import Generated

AI_RMF, POLICY = "ai-rmf", "policy-attestation"  # The kinds, as kinds.py defines them.
READINESS, TYPE_II = "soc2-readiness", "type-ii-matrix"


class ReportRun(Generated):
    __tablename__ = "report_runs"
    __table_args__ = (
        tenant_fk("assessment_id", "assessments"),
        tenant_fk("without_names_of", "report_runs"),
        Index(None, "tenant_id", "created_at"),
        Index(None, "tenant_id", "without_names_of"),
    )

    kind: Mapped[str]
    title: Mapped[str]
    # Depend on the kind: a period, a day.
    parameters: Mapped[dict[str, Any]] = mapped_column(default=dict)
    assessment_id: Mapped[UUID | None]  # The subject of an AI RMF report.
    without_names_of: Mapped[UUID | None]  # The run with names, which this one shows by letter.
    as_of: Mapped[datetime]
    snapshot: Mapped[dict[str, Any] | None] = mapped_column(deferred=True)  # up to a megabyte
    fingerprint: Mapped[str | None]
    pdf_key: Mapped[str | None]
    pdf_sha256: Mapped[str | None]
    pdf_size: Mapped[int | None]
    pages: Mapped[int | None]
    signature: Mapped[str | None]
    finished_at: Mapped[datetime | None] = mapped_column()

    @property
    def is_ready(self) -> bool:
        return self.pdf_key is not None

    @property
    def is_withdrawn(self) -> bool:
        """Whether its data and file, which named an erased person, were deleted.

        The digest stays.
        """
        return self.pdf_sha256 is not None and self.pdf_key is None


class SigningKey(Model):
    """The key that signs reports: Ed25519, wrapped by the installation's key.

    Retired keys are kept for verification.
    """

    __tablename__ = "signing_keys"

    name: Mapped[str]
    public: Mapped[bytes]
    wrapped: Mapped[bytes]
    retired_at: Mapped[datetime | None]
