"""Allocation rules"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import let_use, seal_by_tenant

revision = "0008_allocation_rules"
down_revision = "0007_prices"


def upgrade() -> None:
    op.create_table(
        "allocation_rules",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("since", sa.String(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("base", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(number IS NOT NULL) = (state = 'approved')", name=op.f("ck_allocation_rules_number")
        ),
        sa.CheckConstraint("since ~ '^[0-9]{4}-[0-9]{2}$'", name=op.f("ck_allocation_rules_since")),
        sa.CheckConstraint(
            "state IN ('requested', 'approved', 'rejected', 'withdrawn', 'expired', 'voided')",
            name=op.f("ck_allocation_rules_state"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_allocation_rules")),
        sa.UniqueConstraint(
            "tenant_id", "number", name=op.f("uq_allocation_rules_tenant_id_number")
        ),
    )
    seal_by_tenant("allocation_rules")
    let_use("allocation_rules", "SELECT, INSERT, UPDATE")
    op.create_index(
        "uq_allocation_rules_open",
        "allocation_rules",
        ["tenant_id"],
        unique=True,
        postgresql_where=sa.text("state = 'requested'"),
    )
