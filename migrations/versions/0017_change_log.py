"""The change log for customers."""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = "0017_change_log"
down_revision = "0016_rollouts"


def upgrade() -> None:
    op.create_table(
        "change_logs",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("drafted_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_change_logs")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_change_logs_tenant_id")),
    )
    seal_by_tenant("change_logs")
    let_use("change_logs", "SELECT, INSERT, UPDATE")
    op.create_table(
        "customer_changes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=True),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("cause_id", sa.Uuid(), nullable=True),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("effect", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("edited_by", sa.Uuid(), nullable=True),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawal", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(cause = '') = (cause_id IS NULL)", name=op.f("ck_customer_changes_cause")
        ),
        sa.CheckConstraint(
            "(published_at IS NOT NULL) = (state IN ('published', 'withdrawn'))",
            name=op.f("ck_customer_changes_published_at"),
        ),
        sa.CheckConstraint(
            "(withdrawn_at IS NOT NULL) = (state = 'withdrawn')",
            name=op.f("ck_customer_changes_withdrawn_at"),
        ),
        sa.CheckConstraint(
            "kind IN ('release', 'rollback', 'model', 'policy', 'fix', 'other')",
            name=op.f("ck_customer_changes_kind"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'requested', 'published', 'withdrawn', 'discarded')",
            name=op.f("ck_customer_changes_state"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "system_id"],
            ["ai_systems.tenant_id", "ai_systems.id"],
            name=op.f("fk_customer_changes_tenant_id_system_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_customer_changes")),
        sa.UniqueConstraint(
            "tenant_id", "number", name=op.f("uq_customer_changes_tenant_id_number")
        ),
    )
    seal_by_tenant("customer_changes")
    let_use("customer_changes", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_customer_changes_tenant_id_state_published_at"),
        "customer_changes",
        ["tenant_id", "state", "published_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_customer_changes_tenant_id_system_id"),
        "customer_changes",
        ["tenant_id", "system_id"],
        unique=False,
    )
    op.create_index(
        "uq_customer_changes_cause",
        "customer_changes",
        ["tenant_id", "cause", "cause_id"],
        unique=True,
        postgresql_where=sa.text("cause_id IS NOT NULL"),
    )
