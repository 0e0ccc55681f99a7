"""Files of a review: signed PDF, workbook and data."""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = "0013_review_files"
down_revision = "0012_cost_budgets"


def upgrade() -> None:
    op.create_table(
        "review_files",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("revision_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=True),
        sa.Column("file_key", sa.String(), nullable=True),
        sa.Column("file_sha256", sa.String(), nullable=True),
        sa.Column("file_size", sa.Integer(), nullable=True),
        sa.Column("pages", sa.Integer(), nullable=True),
        sa.Column("sign_offs", sa.Integer(), nullable=True),
        sa.Column("work_item_id", sa.Uuid(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "revision_id"],
            ["review_revisions.tenant_id", "review_revisions.id"],
            name=op.f("fk_review_files_tenant_id_revision_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_review_files")),
    )
    seal_by_tenant("review_files")
    let_use("review_files", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_review_files_tenant_id_revision_id"),
        "review_files",
        ["tenant_id", "revision_id"],
        unique=False,
    )
