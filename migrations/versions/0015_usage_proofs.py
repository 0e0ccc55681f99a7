"""Usage proofs: months whose days were compared with their events."""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = "0015_usage_proofs"
down_revision = "0014_price_imports"


def upgrade() -> None:
    op.create_table(
        "usage_proofs",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("differing", sa.Integer(), nullable=False),
        sa.CheckConstraint("differing >= 0", name=op.f("ck_usage_proofs_differing")),
        sa.PrimaryKeyConstraint("tenant_id", "month", name=op.f("pk_usage_proofs")),
    )
    seal_by_tenant("usage_proofs")
    let_use("usage_proofs", "SELECT, INSERT, UPDATE")
