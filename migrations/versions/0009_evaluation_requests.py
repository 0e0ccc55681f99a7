"""Requests for runners, and their progress."""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = "0009_evaluation_requests"
down_revision = "0008_risks"


def upgrade() -> None:
    op.create_table(
        "evaluation_requests",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("release", sa.String(), nullable=False),
        sa.Column("samples", sa.Integer(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("run_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('sent', 'running', 'done', 'failed', 'cancelled', 'unanswered')",
            name=op.f("ck_evaluation_requests_state"),
        ),
        sa.CheckConstraint(
            "done >= 0 AND total >= 0", name=op.f("ck_evaluation_requests_progress")
        ),
        sa.CheckConstraint("samples > 0", name=op.f("ck_evaluation_requests_samples")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "run_id"],
            ["evaluation_runs.tenant_id", "evaluation_runs.id"],
            name=op.f("fk_evaluation_requests_tenant_id_run_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "system_id"],
            ["ai_systems.tenant_id", "ai_systems.id"],
            name=op.f("fk_evaluation_requests_tenant_id_system_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "version_id"],
            ["evaluation_suite_versions.tenant_id", "evaluation_suite_versions.id"],
            name=op.f("fk_evaluation_requests_tenant_id_version_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_evaluation_requests")),
    )
    seal_by_tenant("evaluation_requests")
    let_use("evaluation_requests", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_evaluation_requests_tenant_id_created_at"),
        "evaluation_requests",
        ["tenant_id", "created_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_evaluation_requests_tenant_id_state_ends_at"),
        "evaluation_requests",
        ["tenant_id", "state", "ends_at"],
        unique=False,
    )
