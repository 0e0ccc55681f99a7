"""Approvals have a discussion."""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = "0002_approval_discussion"
down_revision = "0001_release_0_1_0"


def upgrade() -> None:
    op.create_table(
        "approval_comments",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("approval_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "approval_id"],
            ["approvals.tenant_id", "approvals.id"],
            name=op.f("fk_approval_comments_tenant_id_approval_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_approval_comments")),
    )
    seal_by_tenant("approval_comments")
    let_use("approval_comments", "SELECT, INSERT, UPDATE, DELETE")
    op.create_index(
        op.f("ix_approval_comments_tenant_id_approval_id_created_at"),
        "approval_comments",
        ["tenant_id", "approval_id", "created_at"],
        unique=False,
    )
