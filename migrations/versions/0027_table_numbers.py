"""How often the tables of a tenant changed without an entry in its log"""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = "0027_table_numbers"
down_revision = "0026_model_card_files"


def upgrade() -> None:
    op.create_table(
        "table_numbers",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_table_numbers")),
    )
    seal_by_tenant("table_numbers")
    let_use("table_numbers", "SELECT, INSERT, UPDATE")
