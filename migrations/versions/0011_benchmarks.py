"""Benchmarks"""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = "0011_benchmarks"
down_revision = "0010_costs"


def upgrade() -> None:
    op.create_table(
        "benchmarks",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("tenants", sa.Integer(), nullable=False),
        sa.Column("epsilon", sa.Numeric(precision=6, scale=3), nullable=False),
        sa.Column("mean", sa.Numeric(precision=9, scale=6), nullable=True),
        sa.Column("accuracy", sa.Numeric(precision=9, scale=6), nullable=True),
        sa.Column("refusal", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("month ~ '^[0-9]{4}-[0-9]{2}$'", name=op.f("ck_benchmarks_month")),
        sa.CheckConstraint(
            "(mean IS NULL) = (accuracy IS NULL)", name=op.f("ck_benchmarks_accuracy")
        ),
        sa.CheckConstraint("(mean IS NULL) = (epsilon = 0)", name=op.f("ck_benchmarks_released")),
        sa.CheckConstraint("epsilon >= 0", name=op.f("ck_benchmarks_epsilon")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_benchmarks")),
        sa.UniqueConstraint(
            "tenant_id", "month", "measure", name=op.f("uq_benchmarks_tenant_id_month_measure")
        ),
    )
    seal_by_tenant("benchmarks")
    let_use("benchmarks", "SELECT, INSERT")
