"""Reviews of months: revisions, sign-offs, comments, actions and scenarios."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import append_only, let_use, seal_by_tenant

revision = "0003_reviews"
down_revision = "0002_usage_changes"


def upgrade() -> None:
    op.create_table(
        "reviews",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("reopened", sa.String(), nullable=True),
        sa.Column("problem", sa.String(), nullable=True),
        sa.Column("accepted_residual", sa.String(), nullable=True),
        sa.Column("late", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("work_item_id", sa.Uuid(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("month ~ '^[0-9]{4}-[0-9]{2}$'", name=op.f("ck_reviews_month_form")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_reviews")),
        sa.UniqueConstraint("tenant_id", "month", name=op.f("uq_reviews_tenant_id_month")),
    )
    seal_by_tenant("reviews")
    let_use("reviews", "SELECT, INSERT, UPDATE")
    op.create_table(
        "review_settings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("close_day", sa.Integer(), nullable=False),
        sa.Column("residual_limit", sa.Numeric(precision=5, scale=4), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "close_day BETWEEN 1 AND 28", name=op.f("ck_review_settings_close_day")
        ),
        sa.CheckConstraint(
            "residual_limit BETWEEN 0 AND 1", name=op.f("ck_review_settings_residual_limit")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_review_settings")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_review_settings_tenant_id")),
    )
    seal_by_tenant("review_settings")
    let_use("review_settings", "SELECT, INSERT, UPDATE")
    op.create_table(
        "guardrail_months",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("dimension", sa.String(), nullable=False),
        sa.Column("confirmed", sa.Integer(), nullable=False),
        sa.Column("mistaken", sa.Integer(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "month ~ '^[0-9]{4}-[0-9]{2}$'", name=op.f("ck_guardrail_months_month_form")
        ),
        sa.CheckConstraint(
            "confirmed >= 0 AND mistaken >= 0 AND milliseconds >= 0",
            name=op.f("ck_guardrail_months_counts"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_guardrail_months")),
        sa.UniqueConstraint(
            "tenant_id",
            "month",
            "customer_id",
            "dimension",
            name=op.f("uq_guardrail_months_tenant_id_month_customer_id_dimension"),
        ),
    )
    seal_by_tenant("guardrail_months")
    let_use("guardrail_months", "SELECT, INSERT, UPDATE")
    op.create_table(
        "review_actions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "review_id"],
            ["reviews.tenant_id", "reviews.id"],
            name=op.f("fk_review_actions_tenant_id_review_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_review_actions")),
    )
    seal_by_tenant("review_actions")
    let_use("review_actions", "SELECT, INSERT, UPDATE")
    op.create_index(
        "ix_review_actions_open",
        "review_actions",
        ["tenant_id"],
        unique=False,
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_index(
        op.f("ix_review_actions_tenant_id_review_id"),
        "review_actions",
        ["tenant_id", "review_id"],
        unique=False,
    )
    op.create_table(
        "review_comments",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "review_id"],
            ["reviews.tenant_id", "reviews.id"],
            name=op.f("fk_review_comments_tenant_id_review_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_review_comments")),
    )
    seal_by_tenant("review_comments")
    let_use("review_comments", "SELECT, INSERT")
    op.create_index(
        op.f("ix_review_comments_tenant_id_review_id"),
        "review_comments",
        ["tenant_id", "review_id"],
        unique=False,
    )
    op.create_table(
        "review_revisions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("input_digest", sa.String(), nullable=False),
        sa.Column("facts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("headline", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column(
            "changes", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True
        ),
        sa.Column("accepted_residual", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "review_id"],
            ["reviews.tenant_id", "reviews.id"],
            name=op.f("fk_review_revisions_tenant_id_review_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_review_revisions")),
        sa.UniqueConstraint(
            "tenant_id",
            "review_id",
            "number",
            name=op.f("uq_review_revisions_tenant_id_review_id_number"),
        ),
    )
    seal_by_tenant("review_revisions")
    append_only("review_revisions")
    let_use("review_revisions", "SELECT, INSERT")
    op.create_table(
        "review_scenarios",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("assumptions", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "review_id"],
            ["reviews.tenant_id", "reviews.id"],
            name=op.f("fk_review_scenarios_tenant_id_review_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_review_scenarios")),
        sa.UniqueConstraint(
            "tenant_id",
            "review_id",
            "name",
            name=op.f("uq_review_scenarios_tenant_id_review_id_name"),
        ),
    )
    seal_by_tenant("review_scenarios")
    let_use("review_scenarios")
    op.create_table(
        "review_sign_offs",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("revision_id", sa.Uuid(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("side IN ('finance', 'product')", name=op.f("ck_review_sign_offs_side")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "revision_id"],
            ["review_revisions.tenant_id", "review_revisions.id"],
            name=op.f("fk_review_sign_offs_tenant_id_revision_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_review_sign_offs")),
        sa.UniqueConstraint(
            "tenant_id",
            "revision_id",
            "person_id",
            name=op.f("uq_review_sign_offs_tenant_id_revision_id_person_id"),
        ),
        sa.UniqueConstraint(
            "tenant_id",
            "revision_id",
            "side",
            name=op.f("uq_review_sign_offs_tenant_id_revision_id_side"),
        ),
    )
    seal_by_tenant("review_sign_offs")
    append_only("review_sign_offs")
    let_use("review_sign_offs", "SELECT, INSERT")
