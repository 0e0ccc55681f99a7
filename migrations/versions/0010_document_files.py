"""Document files"""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = "0010_document_files"
down_revision = "0009_evaluation_requests"


def upgrade() -> None:
    op.create_table(
        "document_files",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=True),
        sa.Column("file_key", sa.String(), nullable=True),
        sa.Column("file_sha256", sa.String(), nullable=True),
        sa.Column("file_size", sa.Integer(), nullable=True),
        sa.Column("open_points", sa.Integer(), nullable=True),
        sa.Column("work_item_id", sa.Uuid(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "document_id"],
            ["system_documents.tenant_id", "system_documents.id"],
            name=op.f("fk_document_files_tenant_id_document_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_document_files")),
    )
    seal_by_tenant("document_files")
    let_use("document_files", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_document_files_tenant_id_document_id"),
        "document_files",
        ["tenant_id", "document_id"],
        unique=False,
    )
