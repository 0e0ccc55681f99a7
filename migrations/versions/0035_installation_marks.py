"""A mark that distinguishes this installation from others."""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_writes

revision = "0035_installation_marks"
down_revision = "0030_provisional_rates"


def upgrade() -> None:
    op.create_table(
        "installation_marks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("installation_id", sa.Uuid(), nullable=False),
        sa.Column("kek_check", sa.LargeBinary(), nullable=False),
        sa.Column("storage_marked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_installation_marks")),
    )
    seal_writes("installation_marks", adds="false", changes="false")  # by no tenant
    let_use("installation_marks", "SELECT, INSERT, UPDATE")
