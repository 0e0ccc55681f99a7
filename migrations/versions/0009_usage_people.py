"""Usage people: on which days of a month a pseudonym used a feature."""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = "0009_usage_people"
down_revision = "0008_allocation_rules"


def upgrade() -> None:
    op.create_table(
        "usage_people",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(collation="C"), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.CheckConstraint("days > 0", name=op.f("ck_usage_people_days")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "system_id"],
            ["ai_systems.tenant_id", "ai_systems.id"],
            name=op.f("fk_usage_people_tenant_id_system_id"),
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "month", "system_id", "feature", "person", name=op.f("pk_usage_people")
        ),
    )
    seal_by_tenant("usage_people")
    let_use("usage_people")
