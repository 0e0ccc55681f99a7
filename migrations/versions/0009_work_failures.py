"""Work failures"""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use

revision = "0009_work_failures"
down_revision = "0008_provisioning_over_scim"


def upgrade() -> None:
    op.create_table(
        "work_failures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("for_tenant", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_work_failures")),
    )
    let_use("work_failures", "SELECT, INSERT, UPDATE, DELETE")
    op.create_index(
        op.f("ix_work_failures_created_at"), "work_failures", ["created_at"], unique=False
    )
