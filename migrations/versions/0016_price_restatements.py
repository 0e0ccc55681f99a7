"""Price restatements"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.sealing import let_use, seal_by_tenant

revision = "0016_price_restatements"
down_revision = "0015_usage_proofs"


def upgrade() -> None:
    op.create_table(
        "price_restatements",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("match_key", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("first_month", sa.String(), nullable=False),
        sa.Column("last_month", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column(
            "applied", JSONB(none_as_null=True), nullable=True
        ),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('requested', 'applied', 'rejected')",
            name=op.f("ck_price_restatements_state"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_price_restatements")),
        sa.UniqueConstraint(
            "tenant_id", "number", name=op.f("uq_price_restatements_tenant_id_number")
        ),
    )
    seal_by_tenant("price_restatements")
    let_use(
        "price_restatements", "SELECT, INSERT, UPDATE"
    )
    op.create_index(
        "uq_price_restatements_open",
        "price_restatements",
        ["tenant_id", "match_key"],
        unique=True,
        postgresql_where=sa.text("state = 'requested'"),
    )
