"""Proposals of AI systems."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk
from governance.operations.intake import law
from governance.operations.intake.law import Law
from governance.operations.intake.triage import EU_CLASSES, RISK_CLASSES

STATES = {
    "in_review": "In review",
    "approved": "Approved",
    "rejected": "Rejected",
    "withdrawn": "Withdrawn",
}


class SystemProposal(Tenanted, Model):
    """An AI system that a product team proposes, with the answers of its intake form.

    `risk_class` and `eu_class` are the classes that apply: triage derives them from the answers, or
    a reviewer sets them with a reason, until the answers change.
    """

    __tablename__ = "system_proposals"
    __table_args__ = (
        UniqueConstraint("tenant_id", "number"),
        tenant_fk("system_id", "ai_systems"),
        tenant_fk("safeguards_run_id", "evaluation_runs"),
        Index(None, "tenant_id", "state", "number"),
        CheckConstraint("state IN ('in_review', 'approved', 'rejected', 'withdrawn')", "state"),
        CheckConstraint("(state = 'approved') = (system_id IS NOT NULL)", "system"),
        CheckConstraint(
            "role IN ('provider', 'deployer', 'both', 'importer', 'distributor')", "role"
        ),
        CheckConstraint("(class_reason IS NULL) = (classed_by IS NULL)", "classed"),
    )

    number: Mapped[int]
    name: Mapped[str]
    key: Mapped[str]  # Slug of the future system
    purpose: Mapped[str]
    users: Mapped[str]  # People who use it
    answers: Mapped[dict[str, Any]]
    law_version: Mapped[str]  # Version of the EU AI Act under which it was answered
    role: Mapped[str | None]  # Tenant's role as answered; None if the earlier law asked for none
    placed_on: Mapped[date | None]  # Day on the market, or in service
    open_questions: Mapped[int]
    risk_class: Mapped[str]
    eu_class: Mapped[str]
    class_reason: Mapped[str | None]  # Reason of a reviewer who set another class than triage
    classed_by: Mapped[UUID | None]
    safeguards_run_id: Mapped[UUID | None]  # Evaluation run named as proof of its safeguards
    proposed_by: Mapped[UUID]
    revision: Mapped[int] = mapped_column(default=1)
    changed_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(default="in_review")
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[UUID | None]
    decision_reason: Mapped[str] = mapped_column(default="")
    system_id: Mapped[UUID | None]  # System that its approval opened

    @property
    def ref(self) -> str:
        return f"PRO-{self.number}"

    @property
    def law(self) -> Law:
        """The version of the EU AI Act that its answers are triaged under."""
        return law.law(self.law_version)

    @property
    def is_under_former_law(self) -> bool:
        return self.law_version != law.current_version()

    @property
    def is_in_review(self) -> bool:
        return self.state == "in_review"

    @property
    def risk_class_name(self) -> str:
        return RISK_CLASSES[self.risk_class]

    @property
    def eu_class_name(self) -> str:
        return EU_CLASSES[self.eu_class]
