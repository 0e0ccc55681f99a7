"""Tenant exports"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import let_use, seal_by_tenant

revision = "0013_tenant_exports"
down_revision = "0012_comments_and_notifications"


def upgrade() -> None:
    op.create_table(
        "tenant_exports",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contents", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("storage_key", sa.String(), nullable=True),
        sa.Column("sha256", sa.String(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("work_item_id", sa.Uuid(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tenant_exports")),
    )
    seal_by_tenant("tenant_exports")
    let_use("tenant_exports", "SELECT, INSERT, UPDATE, DELETE")
    op.create_index(
        op.f("ix_tenant_exports_tenant_id_created_at"),
        "tenant_exports",
        ["tenant_id", "created_at"],
        unique=False,
    )
