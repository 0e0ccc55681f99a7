"""Key ages"""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = "0020_key_ages"
down_revision = "0019_shared_writes"


def upgrade() -> None:
    op.create_table(
        "key_ages",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_key_ages")),
        sa.UniqueConstraint(
            "tenant_id", "customer_id", "kind", name=op.f("uq_key_ages_tenant_id_customer_id_kind")
        ),
    )
    seal_by_tenant("key_ages")
    let_use(
        "key_ages", "SELECT, INSERT, UPDATE, DELETE"
    )
    op.create_index(
        op.f("ix_key_ages_tenant_id_due_at"), "key_ages", ["tenant_id", "due_at"], unique=False
    )
