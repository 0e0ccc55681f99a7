"""Reports that are generated after each month or quarter."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import let_use, seal_by_tenant

revision = "0028_report_schedules"
down_revision = "0027_table_numbers"


def upgrade() -> None:
    op.create_table(
        "report_schedules",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("cadence", sa.String(), nullable=False),
        sa.Column("parameters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("recipients", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "cadence IN ('monthly', 'quarterly')", name=op.f("ck_report_schedules_cadence")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_report_schedules")),
    )
    seal_by_tenant("report_schedules")
    let_use("report_schedules", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_report_schedules_tenant_id_ended_at"),
        "report_schedules",
        ["tenant_id", "ended_at"],
        unique=False,
    )
    op.create_table(
        "scheduled_reports",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("schedule_id", sa.Uuid(), nullable=False),
        sa.Column("report_run_id", sa.Uuid(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "report_run_id"],
            ["report_runs.tenant_id", "report_runs.id"],
            name=op.f("fk_scheduled_reports_tenant_id_report_run_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "schedule_id"],
            ["report_schedules.tenant_id", "report_schedules.id"],
            name=op.f("fk_scheduled_reports_tenant_id_schedule_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_scheduled_reports")),
        sa.UniqueConstraint(
            "tenant_id",
            "schedule_id",
            "first_day",
            name=op.f("uq_scheduled_reports_tenant_id_schedule_id_first_day"),
        ),
    )
    seal_by_tenant("scheduled_reports")
    let_use("scheduled_reports", "SELECT, INSERT")
    op.create_index(
        op.f("ix_scheduled_reports_tenant_id_report_run_id"),
        "scheduled_reports",
        ["tenant_id", "report_run_id"],
        unique=False,
    )
