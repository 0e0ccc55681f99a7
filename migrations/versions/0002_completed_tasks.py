"""Completed tasks"""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = "0002_completed_tasks"
down_revision = "0001_release_0_1_0"


def upgrade() -> None:
    op.create_table(
        "usage_tasks",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("named", sa.BigInteger(), nullable=False),
        sa.Column("unnamed", sa.BigInteger(), nullable=False),
        sa.Column("counted_until", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("named >= 0 AND unnamed >= 0", name=op.f("ck_usage_tasks_counts")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "system_id"],
            ["ai_systems.tenant_id", "ai_systems.id"],
            name=op.f("fk_usage_tasks_tenant_id_system_id"),
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "month", "system_id", "feature", name=op.f("pk_usage_tasks")
        ),
    )
    seal_by_tenant("usage_tasks")
    let_use("usage_tasks", "SELECT, INSERT, UPDATE")
