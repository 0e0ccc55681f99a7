"""Usage changes: each row of a day says when it changed."""

import sqlalchemy as sa
from alembic import op

revision = "0002_usage_changes"
down_revision = "0001_release_0_1_0"


def upgrade() -> None:
    changed_at = sa.Column(
        "changed_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()
    )
    op.add_column("usage_days", changed_at)
    op.alter_column("usage_days", "changed_at", server_default=None)
    op.create_index(
        op.f("ix_usage_days_tenant_id_changed_at"),
        "usage_days",
        ["tenant_id", "changed_at"],
        unique=False,
    )
