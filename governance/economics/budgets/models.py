"""Tables of AI cost budgets, their alerts, and notices to customers.

cost_budgets          the operator's: for a customer, one of its AI systems, or a feature
cost_budget_alerts    the operator's: one per threshold and period
cost_budget_notices   the customer's: the same alert, if the operator shares it
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk

AMOUNT = Numeric(20, 4)
COST = Numeric(24, 10)
WINDOWS = "\"window\" IN ('month', 'rolling')"
BASES = "basis IN ('actual', 'forecast')"


class CostBudget(Tenanted, Model):
    """A budget of AI cost for a calendar month or 30 days. It never blocks a request.

    `system_id` is None for all of the customer's AI systems; `feature` is empty for all features.
    """

    __tablename__ = "cost_budgets"
    __table_args__ = (
        CheckConstraint(WINDOWS, "window"),
        CheckConstraint("amount > 0", "amount"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", "currency"),
        Index(None, "tenant_id", "removed_at"),
    )

    name: Mapped[str]
    customer_id: Mapped[UUID]
    system_id: Mapped[UUID | None]
    system: Mapped[str] = mapped_column(default="")  # slug of the system
    feature: Mapped[str] = mapped_column(default="")
    window: Mapped[str]
    starts_on: Mapped[date]  # creation date; blocks of a rolling window count from it
    amount: Mapped[Decimal] = mapped_column(AMOUNT)
    currency: Mapped[str]
    actual_thresholds: Mapped[list[Any]]  # percent of the amount
    forecast_thresholds: Mapped[list[Any]]
    tells_tenant: Mapped[bool] = mapped_column(default=False)
    proposed_limit: Mapped[int | None]  # requests/min to propose when the budget is spent
    proposed_models: Mapped[list[Any]] = mapped_column(
        default=list
    )  # model allow-list to propose when it is spent
    removed_at: Mapped[datetime | None]

    @property
    def mark(self) -> str:
        """The fingerprint of the editable fields; a form carries it to detect concurrent changes."""
        kept = (
            self.name,
            self.amount,
            self.actual_thresholds,
            self.forecast_thresholds,
            self.tells_tenant,
            self.proposed_limit,
            self.proposed_models,
        )
        return "/".join(str(each) for each in kept)


class CostBudgetAlert(Tenanted, Model):
    """A threshold that a budget reached in a period.

    `told_at` is when the customer was notified and the policy change drafted; for a budget without
    either, it is when the alert was created.
    """

    __tablename__ = "cost_budget_alerts"
    __table_args__ = (
        tenant_fk("budget_id", "cost_budgets"),
        UniqueConstraint("tenant_id", "budget_id", "period", "basis", "percent"),
        CheckConstraint(BASES, "basis"),
        Index(None, "tenant_id", "acknowledged_at"),
    )

    budget_id: Mapped[UUID]
    period: Mapped[str]
    basis: Mapped[str]
    percent: Mapped[int]
    amount: Mapped[Decimal] = mapped_column(AMOUNT)
    spent: Mapped[Decimal] = mapped_column(COST)
    forecast: Mapped[Decimal] = mapped_column(COST)
    currency: Mapped[str]
    told_at: Mapped[datetime | None]
    note: Mapped[str] = mapped_column(default="")  # outcome of the proposed policy change
    provisional: Mapped[list[Any]] = mapped_column(default=list)  # rates; see wording.py
    unpriced: Mapped[list[Any]] = mapped_column(default=list)  # usage that no amount includes
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[UUID | None]


class CostBudgetNotice(Tenanted, Model):
    """An alert as shown to its customer. `id` is the alert's."""

    __tablename__ = "cost_budget_notices"
    __table_args__ = (CheckConstraint(BASES, "basis"),)

    provisional: Mapped[list[Any]] = mapped_column(default=list)
    unpriced: Mapped[list[Any]] = mapped_column(default=list)

    name: Mapped[str]
    scope: Mapped[str]
    period: Mapped[str]
    basis: Mapped[str]
    percent: Mapped[int]
    amount: Mapped[Decimal] = mapped_column(AMOUNT)
    spent: Mapped[Decimal] = mapped_column(COST)
    forecast: Mapped[Decimal] = mapped_column(COST)
    currency: Mapped[str]
    acknowledged_at: Mapped[datetime | None]
    acknowledged_by: Mapped[UUID | None]
