"""Cost budgets"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import let_use, seal_by_tenant

revision = "0012_cost_budgets"
down_revision = "0011_benchmarks"


def upgrade() -> None:
    op.create_table(
        "cost_budget_notices",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=20, scale=4), nullable=False),
        sa.Column("spent", sa.Numeric(precision=24, scale=10), nullable=False),
        sa.Column("forecast", sa.Numeric(precision=24, scale=10), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "basis IN ('actual', 'forecast')", name=op.f("ck_cost_budget_notices_basis")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_cost_budget_notices")),
    )
    seal_by_tenant("cost_budget_notices")
    let_use("cost_budget_notices", "SELECT, INSERT, UPDATE")
    op.create_table(
        "cost_budgets",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=True),
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("feature", sa.String(), nullable=False),
        sa.Column("window", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=20, scale=4), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("actual_thresholds", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("forecast_thresholds", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("tells_tenant", sa.Boolean(), nullable=False),
        sa.Column("proposed_limit", sa.Integer(), nullable=True),
        sa.Column("proposed_models", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_cost_budgets_currency")),
        sa.CheckConstraint("\"window\" IN ('month', 'rolling')", name=op.f("ck_cost_budgets_window")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_cost_budgets_amount")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_cost_budgets")),
    )
    seal_by_tenant("cost_budgets")
    let_use("cost_budgets", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_cost_budgets_tenant_id_removed_at"),
        "cost_budgets",
        ["tenant_id", "removed_at"],
        unique=False,
    )
    op.create_table(
        "cost_budget_alerts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("budget_id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=20, scale=4), nullable=False),
        sa.Column("spent", sa.Numeric(precision=24, scale=10), nullable=False),
        sa.Column("forecast", sa.Numeric(precision=24, scale=10), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("acknowledged_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "basis IN ('actual', 'forecast')", name=op.f("ck_cost_budget_alerts_basis")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "budget_id"],
            ["cost_budgets.tenant_id", "cost_budgets.id"],
            name=op.f("fk_cost_budget_alerts_tenant_id_budget_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_cost_budget_alerts")),
        sa.UniqueConstraint(
            "tenant_id",
            "budget_id",
            "period",
            "basis",
            "percent",
            name=op.f("uq_cost_budget_alerts_tenant_id_budget_id_period_basis_percent"),
        ),
    )
    seal_by_tenant("cost_budget_alerts")
    let_use("cost_budget_alerts", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_cost_budget_alerts_tenant_id_acknowledged_at"),
        "cost_budget_alerts",
        ["tenant_id", "acknowledged_at"],
        unique=False,
    )
