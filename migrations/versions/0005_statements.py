"""Statements, their revisions and disputes, credits, and claims on vendors."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import append_only, let_use, seal_by_tenant

revision = "0005_statements"
down_revision = "0003_control_dependencies"


def upgrade() -> None:
    op.create_table(
        "statements",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("marks", sa.Integer(), nullable=False),
        sa.Column("marks_seen", sa.Integer(), nullable=False),
        sa.Column("marked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("work_item_id", sa.Uuid(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("month ~ '^[0-9]{4}-[0-9]{2}$'", name=op.f("ck_statements_month_form")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "agreement_id"],
            ["agreements.tenant_id", "agreements.id"],
            name=op.f("fk_statements_tenant_id_agreement_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_statements")),
        sa.UniqueConstraint(
            "tenant_id",
            "agreement_id",
            "month",
            name=op.f("uq_statements_tenant_id_agreement_id_month"),
        ),
    )
    seal_by_tenant("statements")
    let_use("statements", "SELECT, INSERT, UPDATE")
    op.create_index(
        "ix_statements_due",
        "statements",
        ["tenant_id"],
        unique=False,
        postgresql_where=sa.text("marks > marks_seen"),
    )
    op.create_index(
        op.f("ix_statements_tenant_id_ends_at"),
        "statements",
        ["tenant_id", "ends_at"],
        unique=False,
    )
    op.create_table(
        "vendor_claims",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("customer_statement_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("vendor", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("bill", sa.BigInteger(), nullable=True),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=False),
        sa.Column("prepared_by", sa.Uuid(), nullable=True),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("sent_by", sa.Uuid(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("vendor_reference", sa.String(), nullable=False),
        sa.Column("paid_amount", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('prepared', 'approved', 'sent', 'paid', 'rejected', 'expired')",
            name=op.f("ck_vendor_claims_state"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "agreement_id"],
            ["agreements.tenant_id", "agreements.id"],
            name=op.f("fk_vendor_claims_tenant_id_agreement_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_vendor_claims")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_vendor_claims_tenant_id_number")),
    )
    seal_by_tenant("vendor_claims")
    let_use("vendor_claims", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_vendor_claims_tenant_id_customer_id_month"),
        "vendor_claims",
        ["tenant_id", "customer_id", "month"],
        unique=False,
    )
    op.create_index(
        op.f("ix_vendor_claims_tenant_id_state_deadline"),
        "vendor_claims",
        ["tenant_id", "state", "deadline"],
        unique=False,
    )
    op.create_index(
        "uq_vendor_claims_open",
        "vendor_claims",
        ["tenant_id", "agreement_id", "customer_id", "month"],
        unique=True,
        postgresql_where=sa.text("state IN ('prepared', 'approved', 'sent')"),
    )
    op.create_table(
        "statement_credits",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('owed', 'paid')", name=op.f("ck_statement_credits_kind")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "statement_id"],
            ["statements.tenant_id", "statements.id"],
            name=op.f("fk_statement_credits_tenant_id_statement_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_statement_credits")),
    )
    seal_by_tenant("statement_credits")
    let_use("statement_credits", "SELECT, INSERT")
    append_only("statement_credits")
    op.create_index(
        op.f("ix_statement_credits_tenant_id_statement_id_created_at"),
        "statement_credits",
        ["tenant_id", "statement_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "statement_disputes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("indicator", sa.String(), nullable=True),
        sa.Column("exclusion", sa.String(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("effect", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("raised_by", sa.Uuid(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("answered_by", sa.Uuid(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('minutes', 'exclusion')", name=op.f("ck_statement_disputes_kind")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'accepted', 'rejected', 'withdrawn')",
            name=op.f("ck_statement_disputes_state"),
        ),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_statement_disputes_positive")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "statement_id"],
            ["statements.tenant_id", "statements.id"],
            name=op.f("fk_statement_disputes_tenant_id_statement_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_statement_disputes")),
        sa.UniqueConstraint(
            "tenant_id", "number", name=op.f("uq_statement_disputes_tenant_id_number")
        ),
    )
    seal_by_tenant("statement_disputes")
    let_use("statement_disputes", "SELECT, INSERT, UPDATE")
    op.create_index(
        "ix_statement_disputes_open",
        "statement_disputes",
        ["tenant_id"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        op.f("ix_statement_disputes_tenant_id_statement_id"),
        "statement_disputes",
        ["tenant_id", "statement_id"],
        unique=False,
    )
    op.create_table(
        "statement_revisions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("input_digest", sa.String(), nullable=False),
        sa.Column("data_digest", sa.String(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "changes", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("credit", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("checkpoint", sa.BigInteger(), nullable=True),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("file_key", sa.String(), nullable=False),
        sa.Column("file_sha256", sa.String(), nullable=False),
        sa.Column("file_size", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "statement_id"],
            ["statements.tenant_id", "statements.id"],
            name=op.f("fk_statement_revisions_tenant_id_statement_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_statement_revisions")),
        sa.UniqueConstraint(
            "tenant_id",
            "statement_id",
            "number",
            name=op.f("uq_statement_revisions_tenant_id_statement_id_number"),
        ),
    )
    seal_by_tenant("statement_revisions")
    let_use("statement_revisions", "SELECT, INSERT")
    append_only("statement_revisions")
