"""Alerts, their deliveries, and exhausted error budgets.

An alert keeps the facts of each rule that fired in it (rule_facts.py). It doesn't copy its
objective's minutes.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel.data.db import Model, Tenanted, tenant_fk

STATES = {"firing": "Firing", "acknowledged": "Acknowledged", "resolved": "Resolved"}
SEVERITIES = {"page": "Page", "ticket": "Ticket"}


class Alert(Tenanted, Model):
    """One burst of an objective. An objective has at most one that is not resolved.

    `severity` is the highest that it had, `level` the current one. `clear_since` and `calm_since`
    are as in life_cycle.py. `evaluated_at` is the last judged minute, and `latest` its findings,
    each of which may be null: "burning", the facts of the fastest rule that fired; "unknown_since",
    the start of its rules' lack of data; "gone_at", when the budget will be exhausted at the pace
    of the last 24 hours.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        tenant_fk("objective_id", "objectives"),
        UniqueConstraint("tenant_id", "number"),
        Index(
            "uq_alerts_open",
            "tenant_id",
            "objective_id",
            unique=True,
            postgresql_where=text("state <> 'resolved'"),
        ),
        Index(None, "tenant_id", "objective_id", "fired_at"),
        Index(None, "tenant_id", "fired_at", "id"),
        CheckConstraint("state IN ('firing', 'acknowledged', 'resolved')", "state"),
        CheckConstraint("(state = 'resolved') = (resolved_at IS NOT NULL)", "resolved"),
    )

    number: Mapped[int]
    objective_id: Mapped[UUID]
    version: Mapped[int]  # Version of the objective when it fired
    state: Mapped[str] = mapped_column(default="firing")  # One of STATES
    severity: Mapped[str]
    level: Mapped[str]
    rules: Mapped[dict[str, Any]] = mapped_column(default=dict)  # Facts by rule key
    latest: Mapped[dict[str, Any]] = mapped_column(default=dict)
    fired_at: Mapped[datetime]
    escalated_at: Mapped[datetime | None]
    acknowledged_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    acknowledged_at: Mapped[datetime | None]
    resolved_at: Mapped[datetime | None]
    clear_since: Mapped[datetime | None]
    calm_since: Mapped[datetime | None]
    evaluated_at: Mapped[datetime]
    incident_id: Mapped[UUID | None]  # Incident that was declared from it
    incident_ref: Mapped[str | None]

    @property
    def ref(self) -> str:
        return f"ALR-{self.number}"

    @property
    def is_open(self) -> bool:
        return self.state != "resolved"

    @property
    def state_name(self) -> str:
        return STATES[self.state]

    @property
    def severity_name(self) -> str:
        return SEVERITIES[self.severity]


class AlertDelivery(Tenanted, Model):
    """One delivery of an alert's step to a person, or to the webhook endpoints; unique."""

    __tablename__ = "alert_deliveries"
    __table_args__ = (
        tenant_fk("alert_id", "alerts"),
        UniqueConstraint(
            "tenant_id",
            "alert_id",
            "step",
            "at",
            "channel",
            "person_id",
            name="uq_alert_deliveries_once",
            postgresql_nulls_not_distinct=True,
        ),
    )

    alert_id: Mapped[UUID]
    step: Mapped[str]  # fired | escalated | acknowledged | resolved
    at: Mapped[datetime]  # Time of the step
    channel: Mapped[str]  # inbox | email | webhook
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    endpoints: Mapped[int] = mapped_column(default=0)  # Number of webhook endpoints


class BudgetResponse(Tenanted, Model):
    """The response to an AI objective's exhausted budget. Without a row, nothing happens."""

    __tablename__ = "budget_responses"
    __table_args__ = (
        tenant_fk("objective_id", "objectives"),
        UniqueConstraint("tenant_id", "objective_id"),
    )

    objective_id: Mapped[UUID]
    tier: Mapped[str | None]  # Policy tier that the tenant is tightened to
    set_by: Mapped[UUID | None] = mapped_column(ForeignKey("people.id"))
    set_at: Mapped[datetime]


class BudgetExhaustion(Tenanted, Model):
    """A period in which an objective's budget was exhausted. At most one per objective is open."""

    __tablename__ = "budget_exhaustions"
    __table_args__ = (
        tenant_fk("objective_id", "objectives"),
        Index(
            "uq_budget_exhaustions_open",
            "tenant_id",
            "objective_id",
            unique=True,
            postgresql_where=text("restored_at IS NULL"),
        ),
        Index(None, "tenant_id", "objective_id", "exhausted_at"),
    )

    objective_id: Mapped[UUID]
    version: Mapped[int]  # Version of the objective
    exhausted_at: Mapped[datetime]
    restored_at: Mapped[datetime | None]
    lost: Mapped[int] = mapped_column(BigInteger)
    measured: Mapped[int] = mapped_column(BigInteger)
    allowed: Mapped[str]  # Exact, as a decimal
    tier: Mapped[str | None]  # Tier that the tenant's policy was tightened to
    policy_number: Mapped[int | None]  # Policy version that tightened it
    note: Mapped[str] = mapped_column(default="")  # Reason why nothing was tightened
