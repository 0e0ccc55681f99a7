"""Denied acts, counted by hour"""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = "0005_denied_acts"
down_revision = "0004_file_previews"


def upgrade() -> None:
    op.create_table(
        "denied_acts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_denied_acts")),
        sa.UniqueConstraint(
            "tenant_id",
            "hour",
            "kind",
            "who",
            "route",
            name=op.f("uq_denied_acts_tenant_id_hour_kind_who_route"),
        ),
    )
    seal_by_tenant("denied_acts")
    let_use(
        "denied_acts", "SELECT, INSERT, UPDATE, DELETE"
    )
