"""Search index"""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = "0007_search_index"
down_revision = "0006_report_seals"


def upgrade() -> None:
    op.create_table(
        "search_documents",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("parent", sa.Uuid(), nullable=True),
        sa.Column("code", sa.String(collation="C"), nullable=False),
        sa.Column("words", sa.String(collation="C"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_search_documents")),
    )
    seal_by_tenant("search_documents")
    let_use(
        "search_documents", "SELECT, INSERT, UPDATE, DELETE"
    )
    op.create_index(
        op.f("ix_search_documents_tenant_id_kind_id"),
        "search_documents",
        ["tenant_id", "kind", "id"],
        unique=False,
    )
    op.create_table(
        "search_words",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("word", sa.String(collation="C"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "kind", "word", "id", name=op.f("pk_search_words")),
    )
    seal_by_tenant("search_words")
    let_use("search_words", "SELECT, INSERT, DELETE")
