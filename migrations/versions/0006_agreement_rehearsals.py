"""Agreement rehearsals"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import let_use, seal_by_tenant

revision = "0006_agreement_rehearsals"
down_revision = "0005_exclusions_of_indicators"


def upgrade() -> None:
    op.create_table(
        "agreement_rehearsals",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("terms", sa.String(), nullable=False),
        sa.Column(
            "result", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("work_item_id", sa.Uuid(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_agreement_rehearsals")),
    )
    seal_by_tenant("agreement_rehearsals")
    let_use("agreement_rehearsals", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_agreement_rehearsals_tenant_id_created_at"),
        "agreement_rehearsals",
        ["tenant_id", "created_at"],
        unique=False,
    )
