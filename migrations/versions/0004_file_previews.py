"""File previews"""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = "0004_file_previews"
down_revision = "0003_support_access"


def upgrade() -> None:
    op.create_table(
        "file_previews",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("storage_key", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("work_item_id", sa.Uuid(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "version_id"],
            ["evidence_versions.tenant_id", "evidence_versions.id"],
            name=op.f("fk_file_previews_tenant_id_version_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_file_previews")),
        sa.UniqueConstraint(
            "tenant_id", "version_id", name=op.f("uq_file_previews_tenant_id_version_id")
        ),
    )
    seal_by_tenant("file_previews")
    let_use(
        "file_previews", "SELECT, INSERT, UPDATE, DELETE"
    )  # leave out what the application never does
    op.create_index(
        op.f("ix_file_previews_tenant_id_created_at"),
        "file_previews",
        ["tenant_id", "created_at"],
        unique=False,
    )
