"""Revenue"""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = "0006_revenue"
down_revision = "0005_imports"


def upgrade() -> None:
    op.create_table(
        "account_segments",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_account_segments")),
        sa.UniqueConstraint("tenant_id", "name", name=op.f("uq_account_segments_tenant_id_name")),
    )
    seal_by_tenant("account_segments")
    let_use("account_segments", "SELECT, INSERT, DELETE")
    op.create_table(
        "accounts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("segment", sa.String(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("won_on", sa.Date(), nullable=False),
        sa.Column("lost_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("lost_on > won_on", name=op.f("ck_accounts_period")),
        sa.CheckConstraint("seats >= 0", name=op.f("ck_accounts_seats")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_accounts")),
        sa.UniqueConstraint(
            "tenant_id", "customer_id", name=op.f("uq_accounts_tenant_id_customer_id")
        ),
    )
    seal_by_tenant("accounts")
    let_use("accounts", "SELECT, INSERT, UPDATE")
    op.create_table(
        "acquisition_months",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("segment", sa.String(), nullable=False),
        sa.Column("spend", sa.Numeric(precision=20, scale=4), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("wins", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_acquisition_months_currency")),
        sa.CheckConstraint(
            "month ~ '^[0-9]{4}-[0-9]{2}$'", name=op.f("ck_acquisition_months_month")
        ),
        sa.CheckConstraint("spend >= 0", name=op.f("ck_acquisition_months_spend")),
        sa.CheckConstraint("wins >= 0", name=op.f("ck_acquisition_months_wins")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_acquisition_months")),
        sa.UniqueConstraint(
            "tenant_id",
            "month",
            "channel",
            "segment",
            name=op.f("uq_acquisition_months_tenant_id_month_channel_segment"),
        ),
    )
    seal_by_tenant("acquisition_months")
    let_use("acquisition_months", "SELECT, INSERT, UPDATE")
    op.create_table(
        "invoices",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=20, scale=4), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_invoices_currency")),
        sa.CheckConstraint("month ~ '^[0-9]{4}-[0-9]{2}$'", name=op.f("ck_invoices_month")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_invoices")),
        sa.UniqueConstraint(
            "tenant_id", "number", "month", name=op.f("uq_invoices_tenant_id_number_month")
        ),
    )
    seal_by_tenant("invoices")
    let_use("invoices", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_invoices_tenant_id_month_customer_id"),
        "invoices",
        ["tenant_id", "month", "customer_id"],
        unique=False,
    )
    op.create_table(
        "subscriptions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("amount", sa.Numeric(precision=20, scale=4), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_subscriptions_currency")),
        sa.CheckConstraint("amount >= 0", name=op.f("ck_subscriptions_amount")),
        sa.CheckConstraint("ends_on > starts_on", name=op.f("ck_subscriptions_period")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_subscriptions")),
        sa.UniqueConstraint(
            "tenant_id",
            "reference",
            "starts_on",
            name=op.f("uq_subscriptions_tenant_id_reference_starts_on"),
        ),
    )
    seal_by_tenant("subscriptions")
    let_use("subscriptions", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_subscriptions_tenant_id_customer_id"),
        "subscriptions",
        ["tenant_id", "customer_id"],
        unique=False,
    )
    op.create_table(
        "support_months",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("hours", sa.Numeric(precision=12, scale=4), nullable=False),
        sa.Column("tickets", sa.Integer(), nullable=False),
        sa.Column("cost_per_hour", sa.Numeric(precision=20, scale=4), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_support_months_currency")),
        sa.CheckConstraint("month ~ '^[0-9]{4}-[0-9]{2}$'", name=op.f("ck_support_months_month")),
        sa.CheckConstraint("cost_per_hour >= 0", name=op.f("ck_support_months_cost_per_hour")),
        sa.CheckConstraint("hours >= 0", name=op.f("ck_support_months_hours")),
        sa.CheckConstraint("tickets >= 0", name=op.f("ck_support_months_tickets")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_support_months")),
        sa.UniqueConstraint(
            "tenant_id",
            "month",
            "customer_id",
            name=op.f("uq_support_months_tenant_id_month_customer_id"),
        ),
    )
    seal_by_tenant("support_months")
    let_use("support_months", "SELECT, INSERT, UPDATE")
