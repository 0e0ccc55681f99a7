"""Objectives, their versions, and the history of tenants' time zones"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import append_only, let_use, seal_by_tenant

revision = "0003_objectives"
down_revision = "0002_measurements"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "tenant_time_zones",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tenant_time_zones")),
        sa.UniqueConstraint("tenant_id", "since", name=op.f("uq_tenant_time_zones_tenant_id_since")),
    )
    # Before row-level security is forced: the zone of each tenant, since it was created.
    op.execute(
        "INSERT INTO tenant_time_zones (tenant_id, id, since, zone, created_at)"
        " SELECT id, gen_random_uuid(), date_trunc('minute', created_at), time_zone, created_at"
        " FROM tenants"
    )
    seal_by_tenant("tenant_time_zones")
    let_use("tenant_time_zones", "SELECT, INSERT, UPDATE")

    op.create_table(
        "objectives",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        *_definition(),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("indicator_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("kind_note", sa.String(), nullable=False),
        sa.Column("is_ai", sa.Boolean(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("retired_at", TIME, nullable=True),
        sa.Column("created_at", TIME, nullable=False),
        *_checks("objectives"),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["people.id"], name=op.f("fk_objectives_owner_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "indicator_id"],
            ["indicators.tenant_id", "indicators.id"],
            name=op.f("fk_objectives_tenant_id_indicator_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_objectives")),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_objectives_tenant_id_key")),
    )
    op.create_index(
        op.f("ix_objectives_tenant_id_indicator_id"), "objectives", ["tenant_id", "indicator_id"]
    )
    seal_by_tenant("objectives")
    let_use("objectives", "SELECT, INSERT, UPDATE")

    op.create_table(
        "objective_versions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        *_definition(),
        sa.Column("objective_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("by", sa.Uuid(), nullable=True),
        sa.Column("at", TIME, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        *_checks("objective_versions"),
        sa.ForeignKeyConstraint(
            ["by"], ["people.id"], name=op.f("fk_objective_versions_by")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "objective_id"],
            ["objectives.tenant_id", "objectives.id"],
            name=op.f("fk_objective_versions_tenant_id_objective_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_objective_versions")),
        sa.UniqueConstraint(
            "tenant_id",
            "objective_id",
            "number",
            name=op.f("uq_objective_versions_tenant_id_objective_id_number"),
        ),
    )
    seal_by_tenant("objective_versions")
    let_use("objective_versions", "SELECT, INSERT")
    append_only("objective_versions")


def _definition() -> list[sa.Column]:
    """Columns that an objective and each of its versions have."""
    return [
        sa.Column("target", sa.Numeric(), nullable=False),
        sa.Column("window", sa.String(), nullable=False),
        sa.Column("window_days", sa.Integer(), nullable=False),
        sa.Column("service_hours", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("minimum_coverage", sa.Numeric(), nullable=False),
        sa.Column("rules", postgresql.JSONB(none_as_null=True), nullable=True),
    ]


def _checks(table: str) -> list[sa.CheckConstraint]:
    return [
        sa.CheckConstraint("target > 0 AND target < 1", name=op.f(f"ck_{table}_target_share")),
        sa.CheckConstraint(
            "minimum_coverage >= 0 AND minimum_coverage <= 1",
            name=op.f(f"ck_{table}_minimum_coverage_share"),
        ),
        sa.CheckConstraint(
            "\"window\" IN ('rolling', 'calendar')", name=op.f(f"ck_{table}_window_kind")
        ),
        sa.CheckConstraint(
            "window_days BETWEEN 1 AND 366", name=op.f(f"ck_{table}_window_days_range")
        ),
    ]
