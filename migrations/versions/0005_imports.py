"""Imported files of the operator."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import let_use, seal_by_tenant

revision = "0005_imports"
down_revision = "0004_exchange_rates"


def upgrade() -> None:
    op.create_table(
        "file_imports",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("storage_key", sa.String(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("problem", sa.String(), nullable=True),
        sa.Column("rows_read", sa.BigInteger(), nullable=False),
        sa.Column("rows_accepted", sa.BigInteger(), nullable=False),
        sa.Column("rows_rejected", sa.BigInteger(), nullable=False),
        sa.Column("rejected", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("rejected_key", sa.String(), nullable=True),
        sa.Column("totals", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("notes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("work_item_id", sa.Uuid(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state <> 'applied' OR rows_rejected = 0", name=op.f("ck_file_imports_applied_whole")
        ),
        sa.CheckConstraint(
            "state IN ('reading', 'ready', 'failed', 'applying', 'applied', 'discarded')",
            name=op.f("ck_file_imports_state"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_file_imports")),
    )
    seal_by_tenant("file_imports")
    let_use("file_imports", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_file_imports_tenant_id_created_at_id"),
        "file_imports",
        ["tenant_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        "uq_file_imports_applied",
        "file_imports",
        ["tenant_id", "kind", "sha256"],
        unique=True,
        postgresql_where=sa.text("state = 'applied'"),
    )
