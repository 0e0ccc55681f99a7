"""Public explanations of AI systems."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import let_use, seal_by_tenant

revision = "0021_explanations"
down_revision = "0020_key_ages"


def upgrade() -> None:
    op.create_table(
        "system_explanations",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("origins", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "system_id"],
            ["ai_systems.tenant_id", "ai_systems.id"],
            name=op.f("fk_system_explanations_tenant_id_system_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_system_explanations")),
        sa.UniqueConstraint(
            "tenant_id", "system_id", name=op.f("uq_system_explanations_tenant_id_system_id")
        ),
    )
    seal_by_tenant("system_explanations")
    let_use("system_explanations", "SELECT, INSERT, UPDATE")
