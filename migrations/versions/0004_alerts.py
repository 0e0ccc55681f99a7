"""Alerts, their deliveries, and error budgets that are gone."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import let_use, seal_by_tenant

revision = "0004_alerts"
down_revision = "0002_incidents"


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("objective_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("rules", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("fired_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.Uuid(), nullable=True),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("clear_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("calm_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("evaluated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=True),
        sa.Column("incident_ref", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state = 'resolved') = (resolved_at IS NOT NULL)", name=op.f("ck_alerts_resolved")
        ),
        sa.CheckConstraint(
            "state IN ('firing', 'acknowledged', 'resolved')", name=op.f("ck_alerts_state")
        ),
        sa.ForeignKeyConstraint(
            ["acknowledged_by"], ["people.id"], name=op.f("fk_alerts_acknowledged_by")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "objective_id"],
            ["objectives.tenant_id", "objectives.id"],
            name=op.f("fk_alerts_tenant_id_objective_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_alerts")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_alerts_tenant_id_number")),
    )
    seal_by_tenant("alerts")
    let_use("alerts", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_alerts_tenant_id_fired_at_id"),
        "alerts",
        ["tenant_id", "fired_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_alerts_tenant_id_objective_id_fired_at"),
        "alerts",
        ["tenant_id", "objective_id", "fired_at"],
        unique=False,
    )
    op.create_index(
        "uq_alerts_open",
        "alerts",
        ["tenant_id", "objective_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'resolved'"),
    )
    op.create_table(
        "budget_exhaustions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("objective_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("exhausted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("restored_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lost", sa.BigInteger(), nullable=False),
        sa.Column("measured", sa.BigInteger(), nullable=False),
        sa.Column("allowed", sa.String(), nullable=False),
        sa.Column("tier", sa.String(), nullable=True),
        sa.Column("policy_number", sa.Integer(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "objective_id"],
            ["objectives.tenant_id", "objectives.id"],
            name=op.f("fk_budget_exhaustions_tenant_id_objective_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_budget_exhaustions")),
    )
    seal_by_tenant("budget_exhaustions")
    let_use("budget_exhaustions", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_budget_exhaustions_tenant_id_objective_id_exhausted_at"),
        "budget_exhaustions",
        ["tenant_id", "objective_id", "exhausted_at"],
        unique=False,
    )
    op.create_index(
        "uq_budget_exhaustions_open",
        "budget_exhaustions",
        ["tenant_id", "objective_id"],
        unique=True,
        postgresql_where=sa.text("restored_at IS NULL"),
    )
    op.create_table(
        "budget_responses",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("objective_id", sa.Uuid(), nullable=False),
        sa.Column("tier", sa.String(), nullable=True),
        sa.Column("set_by", sa.Uuid(), nullable=True),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["set_by"], ["people.id"], name=op.f("fk_budget_responses_set_by")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "objective_id"],
            ["objectives.tenant_id", "objectives.id"],
            name=op.f("fk_budget_responses_tenant_id_objective_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_budget_responses")),
        sa.UniqueConstraint(
            "tenant_id", "objective_id", name=op.f("uq_budget_responses_tenant_id_objective_id")
        ),
    )
    seal_by_tenant("budget_responses")
    let_use("budget_responses", "SELECT, INSERT, UPDATE")
    op.create_table(
        "alert_deliveries",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("endpoints", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_alert_deliveries_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "alert_id"],
            ["alerts.tenant_id", "alerts.id"],
            name=op.f("fk_alert_deliveries_tenant_id_alert_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_alert_deliveries")),
        sa.UniqueConstraint(
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
    seal_by_tenant("alert_deliveries")
    let_use("alert_deliveries", "SELECT, INSERT")
