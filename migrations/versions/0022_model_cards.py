"""Model cards"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import let_use, seal_by_tenant

revision = "0022_model_cards"
down_revision = "0021_explanations"


def upgrade() -> None:
    op.create_table(
        "model_cards",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("release", sa.String(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_by", sa.Uuid(), nullable=True),
        sa.Column("withdrawal_reason", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(withdrawn_at IS NULL) = (withdrawal_reason IS NULL)",
            name=op.f("ck_model_cards_withdrawn"),
        ),
        sa.CheckConstraint("number >= 1", name=op.f("ck_model_cards_number")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "system_id"],
            ["ai_systems.tenant_id", "ai_systems.id"],
            name=op.f("fk_model_cards_tenant_id_system_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_model_cards")),
        sa.UniqueConstraint(
            "tenant_id",
            "system_id",
            "number",
            name=op.f("uq_model_cards_tenant_id_system_id_number"),
        ),
    )
    seal_by_tenant("model_cards")
    let_use("model_cards", "SELECT, INSERT, UPDATE")
    op.create_table(
        "system_public_addresses",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "system_id"],
            ["ai_systems.tenant_id", "ai_systems.id"],
            name=op.f("fk_system_public_addresses_tenant_id_system_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_system_public_addresses")),
        sa.UniqueConstraint(
            "tenant_id", "system_id", name=op.f("uq_system_public_addresses_tenant_id_system_id")
        ),
        sa.UniqueConstraint(
            "tenant_id", "token", name=op.f("uq_system_public_addresses_tenant_id_token")
        ),
    )
    seal_by_tenant("system_public_addresses")
    let_use("system_public_addresses", "SELECT, INSERT")
    op.create_table(
        "known_failure_texts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("finding_id", sa.Uuid(), nullable=True),
        sa.Column("incident_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("is_over", sa.Boolean(), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "finding_id IS NOT NULL OR incident_id IS NOT NULL",
            name=op.f("ck_known_failure_texts_source"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "finding_id"],
            ["evaluation_findings.tenant_id", "evaluation_findings.id"],
            name=op.f("fk_known_failure_texts_tenant_id_finding_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"],
            ["incidents.tenant_id", "incidents.id"],
            name=op.f("fk_known_failure_texts_tenant_id_incident_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "system_id"],
            ["ai_systems.tenant_id", "ai_systems.id"],
            name=op.f("fk_known_failure_texts_tenant_id_system_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_known_failure_texts")),
        sa.UniqueConstraint(
            "tenant_id",
            "system_id",
            "finding_id",
            name=op.f("uq_known_failure_texts_tenant_id_system_id_finding_id"),
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "system_id",
            "incident_id",
            name=op.f("uq_known_failure_texts_tenant_id_system_id_incident_id"),
        ),
    )
    seal_by_tenant("known_failure_texts")
    let_use("known_failure_texts", "SELECT, INSERT, UPDATE")
