"""Exchange rates"""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = "0004_exchange_rates"
down_revision = "0003_reviews"


def upgrade() -> None:
    op.create_table(
        "exchange_rates",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reporting_currency", sa.String(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("rate", sa.Numeric(precision=20, scale=10), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("month ~ '^[0-9]{4}-[0-9]{2}$'", name=op.f("ck_exchange_rates_month")),
        sa.CheckConstraint(
            "currency <> reporting_currency", name=op.f("ck_exchange_rates_currency")
        ),
        sa.CheckConstraint("rate > 0", name=op.f("ck_exchange_rates_rate")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_exchange_rates")),
        sa.UniqueConstraint(
            "tenant_id",
            "reporting_currency",
            "month",
            "currency",
            name=op.f("uq_exchange_rates_tenant_id_reporting_currency_month_currency"),
        ),
    )
    seal_by_tenant("exchange_rates")
    let_use("exchange_rates", "SELECT, INSERT, UPDATE")
    op.create_table(
        "reporting_currencies",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "currency ~ '^[A-Z]{3}$'", name=op.f("ck_reporting_currencies_currency")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_reporting_currencies")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_reporting_currencies_tenant_id")),
    )
    seal_by_tenant("reporting_currencies")
    let_use("reporting_currencies", "SELECT, INSERT, UPDATE")
