"""Intake"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import let_use, seal_by_tenant

revision = "0003_intake"
down_revision = "0002_tenant_offboarding"


def upgrade() -> None:
    op.create_table(
        "system_proposals",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("users", sa.String(), nullable=False),
        sa.Column("answers", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("open_questions", sa.Integer(), nullable=False),
        sa.Column("risk_class", sa.String(), nullable=False),
        sa.Column("eu_class", sa.String(), nullable=False),
        sa.Column("class_reason", sa.String(), nullable=True),
        sa.Column("classed_by", sa.Uuid(), nullable=True),
        sa.Column("proposed_by", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decision_reason", sa.String(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state = 'approved') = (system_id IS NOT NULL)",
            name=op.f("ck_system_proposals_system"),
        ),
        sa.CheckConstraint(
            "state IN ('in_review', 'approved', 'rejected', 'withdrawn')",
            name=op.f("ck_system_proposals_state"),
        ),
        sa.CheckConstraint(
            "(class_reason IS NULL) = (classed_by IS NULL)",
            name=op.f("ck_system_proposals_classed"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "system_id"],
            ["ai_systems.tenant_id", "ai_systems.id"],
            name=op.f("fk_system_proposals_tenant_id_system_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_system_proposals")),
        sa.UniqueConstraint(
            "tenant_id", "number", name=op.f("uq_system_proposals_tenant_id_number")
        ),
    )
    seal_by_tenant("system_proposals")
    let_use("system_proposals", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_system_proposals_tenant_id_state_number"),
        "system_proposals",
        ["tenant_id", "state", "number"],
        unique=False,
    )
