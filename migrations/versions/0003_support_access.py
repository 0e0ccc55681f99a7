"""Support access"""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = "0003_support_access"
down_revision = "0002_suspended_tenants"


def upgrade() -> None:
    op.create_table(
        "support_grants",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("pseudonym", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("feature", sa.String(), nullable=False),
        sa.Column("may_change", sa.Boolean(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(state IN ('approved', 'ended')) = (ends_at IS NOT NULL)",
            name=op.f("ck_support_grants_ends"),
        ),
        sa.CheckConstraint(
            "state IN ('requested', 'approved', 'closed', 'ended')",
            name=op.f("ck_support_grants_state"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_support_grants")),
    )
    seal_by_tenant("support_grants")
    let_use("support_grants", "SELECT, INSERT, UPDATE, DELETE")
    op.create_index(
        op.f("ix_support_grants_tenant_id_created_at"),
        "support_grants",
        ["tenant_id", "created_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_support_grants_tenant_id_person_id_state"),
        "support_grants",
        ["tenant_id", "person_id", "state"],
        unique=False,
    )
