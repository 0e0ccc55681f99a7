"""Table of versioned allocation rules, in the operator's own tenant."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted
from governance.kernel.months import Month
from governance.kernel.web.forms import constraint

STATES = {
    "requested": "Awaiting approval",
    "approved": "Approved",
    "rejected": "Rejected",
    "withdrawn": "Withdrawn",
    "expired": "Expired",
    "voided": "Void",
}


class AllocationRules(Tenanted, Model):
    """The rules of all pools from a month on, or a request for them.

    `content` is {pool: {"driver": …, "percents": {customer id: "12.5"}}}; rule_content.py reads it.
    """

    __tablename__ = "allocation_rules"
    __table_args__ = (
        UniqueConstraint("tenant_id", "number"),
        Index(
            "uq_allocation_rules_open",
            "tenant_id",
            unique=True,
            postgresql_where=text("state = 'requested'"),
        ),
        CheckConstraint("since ~ '^[0-9]{4}-[0-9]{2}$'", "since"),
        CheckConstraint(
            "state IN ('requested', 'approved', 'rejected', 'withdrawn', 'expired', 'voided')",
            "state",
        ),
        CheckConstraint("(number IS NOT NULL) = (state = 'approved')", "number"),
    )

    number: Mapped[int | None]  # assigned on approval
    state: Mapped[str]
    since: Mapped[str]  # first month, such as 2026-07
    content: Mapped[dict[str, Any]]
    base: Mapped[int] = mapped_column(default=0)  # version it is based on; 0 = none
    reason: Mapped[str]
    made_by: Mapped[UUID | None]
    decided_by: Mapped[UUID | None]
    decided_at: Mapped[datetime | None]

    @property
    def first_month(self) -> Month:
        return Month.parse(self.since)


constraint(
    "uq_allocation_rules_open",
    "Someone else requested other rules at the same moment. Review them, then try again.",
)
constraint(
    "uq_allocation_rules_tenant_id_number",
    "Another version was approved at the same moment. Review it, then try again.",
)
