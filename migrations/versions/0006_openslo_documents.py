"""OpenSLO documents as they were imported."""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = "0006_openslo_documents"
down_revision = "0006_agreement_rehearsals"


def upgrade() -> None:
    op.create_table(
        "openslo_documents",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("imported_by", sa.Uuid(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_openslo_documents")),
        sa.UniqueConstraint(
            "tenant_id", "kind", "name", name=op.f("uq_openslo_documents_tenant_id_kind_name")
        ),
    )
    seal_by_tenant("openslo_documents")
    let_use("openslo_documents", "SELECT, INSERT, UPDATE")
