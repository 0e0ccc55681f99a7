"""Costs"""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = "0010_costs"
down_revision = "0009_usage_people"


def upgrade() -> None:
    op.create_table(
        "cost_pool_rules",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("resource", sa.String(), nullable=False),
        sa.Column("pool", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "pool IN ('models', 'infrastructure', 'idle', 'guardrails', 'support', 'other')",
            name=op.f("ck_cost_pool_rules_pool"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_cost_pool_rules")),
        sa.UniqueConstraint(
            "tenant_id",
            "position",
            deferrable=True,
            initially="DEFERRED",
            name=op.f("uq_cost_pool_rules_tenant_id_position"),
        ),
    )
    seal_by_tenant("cost_pool_rules")
    let_use("cost_pool_rules", "SELECT, INSERT, UPDATE, DELETE")
    op.create_table(
        "invoice_model_names",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invoice_provider", sa.String(), nullable=False),
        sa.Column("invoice_model", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_invoice_model_names")),
        sa.UniqueConstraint(
            "tenant_id",
            "invoice_provider",
            "invoice_model",
            name=op.f("uq_invoice_model_names_tenant_id_invoice_provider_invoice_model"),
        ),
    )
    seal_by_tenant("invoice_model_names")
    let_use("invoice_model_names", "SELECT, INSERT, DELETE")
    op.create_table(
        "cost_bills",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("period_end", sa.Date(), nullable=False),
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("billed", sa.Numeric(), nullable=False),
        sa.Column("effective", sa.Numeric(), nullable=False),
        sa.Column("source_lines", sa.BigInteger(), nullable=False),
        sa.Column("replaced_by", sa.Uuid(), nullable=True),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_cost_bills_currency")),
        sa.CheckConstraint(
            "(replaced_by IS NULL) = (replaced_at IS NULL)", name=op.f("ck_cost_bills_replaced")
        ),
        sa.CheckConstraint("period_start < period_end", name=op.f("ck_cost_bills_period")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "import_id"],
            ["file_imports.tenant_id", "file_imports.id"],
            name=op.f("fk_cost_bills_tenant_id_import_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_cost_bills")),
    )
    seal_by_tenant("cost_bills")
    let_use("cost_bills", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_cost_bills_tenant_id_import_id"),
        "cost_bills",
        ["tenant_id", "import_id"],
        unique=False,
    )
    op.create_index(
        "uq_cost_bills_current",
        "cost_bills",
        ["tenant_id", "provider", "period_start", "period_end", "invoice_id", "currency"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_table(
        "cost_changes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=True),
        sa.Column("usage_month", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("effective_before", sa.Numeric(), nullable=False),
        sa.Column("effective_after", sa.Numeric(), nullable=False),
        sa.Column("corrections", sa.Numeric(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_cost_changes_currency")),
        sa.CheckConstraint(
            "usage_month ~ '^[0-9]{4}-[0-9]{2}$'", name=op.f("ck_cost_changes_usage_month")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "import_id"],
            ["file_imports.tenant_id", "file_imports.id"],
            name=op.f("fk_cost_changes_tenant_id_import_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_cost_changes")),
    )
    seal_by_tenant("cost_changes")
    let_use("cost_changes", "SELECT, INSERT")
    op.create_index(
        op.f("ix_cost_changes_tenant_id_import_id"),
        "cost_changes",
        ["tenant_id", "import_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_cost_changes_tenant_id_usage_month_created_at"),
        "cost_changes",
        ["tenant_id", "usage_month", "created_at"],
        unique=False,
    )
    op.create_table(
        "cost_lines",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bill_id", sa.Uuid(), nullable=True),
        sa.Column("usage_month", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=True),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("is_correction", sa.Boolean(), nullable=False),
        sa.Column("pool", sa.String(), nullable=False),
        sa.Column("meter", sa.String(), nullable=True),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("billed", sa.Numeric(), nullable=False),
        sa.Column("effective", sa.Numeric(), nullable=False),
        sa.Column("list_cost", sa.Numeric(), nullable=True),
        sa.Column("contracted", sa.Numeric(), nullable=True),
        sa.Column("quantity", sa.Numeric(), nullable=True),
        sa.Column("unit", sa.String(), nullable=True),
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column("source_lines", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("entered_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(category = 'Manual') = (bill_id IS NULL) AND (bill_id IS NULL) = (note <> '')",
            name=op.f("ck_cost_lines_manual"),
        ),
        sa.CheckConstraint(
            "category IN ('Usage', 'Purchase', 'Tax', 'Credit', 'Adjustment', 'Manual')",
            name=op.f("ck_cost_lines_category"),
        ),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_cost_lines_currency")),
        sa.CheckConstraint(
            "meter IS NULL OR meter IN"
            " ('input', 'cache_read', 'cache_write', 'output', 'reasoning', 'request')",
            name=op.f("ck_cost_lines_meter"),
        ),
        sa.CheckConstraint(
            "pool IN ('models', 'infrastructure', 'idle', 'guardrails', 'support', 'other')",
            name=op.f("ck_cost_lines_pool"),
        ),
        sa.CheckConstraint(
            "usage_month ~ '^[0-9]{4}-[0-9]{2}$'", name=op.f("ck_cost_lines_usage_month")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "bill_id"],
            ["cost_bills.tenant_id", "cost_bills.id"],
            name=op.f("fk_cost_lines_tenant_id_bill_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_cost_lines")),
    )
    seal_by_tenant("cost_lines")
    let_use("cost_lines", "SELECT, INSERT, DELETE")
    op.create_index(
        op.f("ix_cost_lines_tenant_id_bill_id"),
        "cost_lines",
        ["tenant_id", "bill_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_cost_lines_tenant_id_usage_month_pool"),
        "cost_lines",
        ["tenant_id", "usage_month", "pool"],
        unique=False,
    )
