"""Prices"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.sealing import let_use, seal_by_tenant

revision = "0007_prices"
down_revision = "0006_revenue"


def upgrade() -> None:
    op.create_table(
        "prices",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("match_key", sa.String(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("input_price", sa.Numeric(precision=18, scale=8), nullable=False),
        sa.Column("cache_read_price", sa.Numeric(precision=18, scale=8), nullable=False),
        sa.Column("cache_write_price", sa.Numeric(precision=18, scale=8), nullable=False),
        sa.Column("output_price", sa.Numeric(precision=18, scale=8), nullable=False),
        sa.Column("reasoning_price", sa.Numeric(precision=18, scale=8), nullable=False),
        sa.Column("request_price", sa.Numeric(precision=18, scale=8), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_date", sa.Date(), nullable=True),
        sa.Column("deprecation_date", sa.Date(), nullable=True),
        sa.Column("successor_model", sa.String(), nullable=True),
        sa.Column("unused_prices", JSONB(), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_prices_currency")),
        sa.CheckConstraint(
            "input_price >= 0 AND cache_read_price >= 0 AND cache_write_price >= 0"
            " AND output_price >= 0 AND reasoning_price >= 0 AND request_price >= 0",
            name=op.f("ck_prices_prices"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_prices")),
        sa.UniqueConstraint(
            "tenant_id",
            "match_key",
            "effective_from",
            "customer_id",
            name=op.f("uq_prices_tenant_id_match_key_effective_from_customer_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    seal_by_tenant("prices")
    let_use("prices", "SELECT, INSERT")
    op.create_table(
        "usage_collections",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("collected_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "customer_id", name=op.f("pk_usage_collections")),
    )
    seal_by_tenant("usage_collections")
    let_use("usage_collections", "SELECT, INSERT, UPDATE")
    op.create_table(
        "usage_costs",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("match_key", sa.Text(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cache_read_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cache_write_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("reasoning_tokens", sa.BigInteger(), nullable=False),
        sa.Column("price_id", sa.Uuid(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("cost", sa.Numeric(precision=20, scale=8), nullable=False),
        sa.Column("collected_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(price_id IS NULL) = (currency IS NULL)", name=op.f("ck_usage_costs_priced")
        ),
        sa.CheckConstraint("cost >= 0", name=op.f("ck_usage_costs_cost")),
        sa.CheckConstraint(
            "price_id IS NOT NULL OR cost = 0", name=op.f("ck_usage_costs_unpriced")
        ),
        sa.CheckConstraint("requests >= 0", name=op.f("ck_usage_costs_requests")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "price_id"],
            ["prices.tenant_id", "prices.id"],
            name=op.f("fk_usage_costs_tenant_id_price_id"),
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id",
            "day",
            "customer_id",
            "system_id",
            "feature",
            "provider",
            "model",
            "outcome",
            name=op.f("pk_usage_costs"),
        ),
    )
    seal_by_tenant("usage_costs")
    let_use("usage_costs", "SELECT, INSERT, UPDATE")
    op.create_index(
        "ix_usage_costs_unpriced",
        "usage_costs",
        ["tenant_id", "match_key"],
        unique=False,
        postgresql_where=sa.text("price_id IS NULL"),
    )
