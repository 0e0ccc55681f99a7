"""System documents"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import let_use, seal_by_tenant

revision = "0006_system_documents"
down_revision = "0005_evaluations"


def upgrade() -> None:
    op.create_table(
        "system_documents",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("started_by", sa.Uuid(), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_by", sa.Uuid(), nullable=True),
        sa.Column(
            "content", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('technical-file', 'impact-assessment')", name=op.f("ck_system_documents_kind")
        ),
        sa.CheckConstraint(
            "(completed_at IS NULL) = (content IS NULL)", name=op.f("ck_system_documents_frozen")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "system_id"],
            ["ai_systems.tenant_id", "ai_systems.id"],
            name=op.f("fk_system_documents_tenant_id_system_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_system_documents")),
        sa.UniqueConstraint(
            "tenant_id",
            "system_id",
            "kind",
            "number",
            name=op.f("uq_system_documents_tenant_id_system_id_kind_number"),
        ),
    )
    seal_by_tenant("system_documents")
    let_use("system_documents", "SELECT, INSERT, UPDATE")
    op.create_index(
        "uq_system_documents_draft",
        "system_documents",
        ["tenant_id", "system_id", "kind"],
        unique=True,
        postgresql_where="completed_at IS NULL",
    )
    op.create_table(
        "document_statements",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("point", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("evidence_id", sa.Uuid(), nullable=True),
        sa.Column("does_not_apply", sa.Boolean(), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(evidence_id IS NULL) = does_not_apply", name=op.f("ck_document_statements_bound")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "document_id"],
            ["system_documents.tenant_id", "system_documents.id"],
            name=op.f("fk_document_statements_tenant_id_document_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "evidence_id"],
            ["evidence.tenant_id", "evidence.id"],
            name=op.f("fk_document_statements_tenant_id_evidence_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_document_statements")),
        sa.UniqueConstraint(
            "tenant_id",
            "document_id",
            "point",
            name=op.f("uq_document_statements_tenant_id_document_id_point"),
        ),
    )
    seal_by_tenant("document_statements")
    let_use("document_statements", "SELECT, INSERT, UPDATE")
