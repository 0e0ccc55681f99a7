"""Prometheus sources"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import let_use, seal_by_tenant

revision = "0004_prometheus_sources"
down_revision = "0005_latest_of_alerts"


def upgrade() -> None:
    op.create_table(
        "prometheus_sources",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("header", sa.String(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("added_by", sa.Uuid(), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("finding", sa.String(), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("succeeded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_prometheus_sources")),
    )
    seal_by_tenant("prometheus_sources")
    let_use("prometheus_sources", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_prometheus_sources_tenant_id_removed_at"),
        "prometheus_sources",
        ["tenant_id", "removed_at"],
        unique=False,
    )
    op.create_table(
        "prometheus_queries",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("indicator_id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("good", sa.String(), nullable=False),
        sa.Column("total", sa.String(), nullable=False),
        sa.Column("bucket", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("pulled_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("finding", sa.String(), nullable=False),
        sa.Column("unknown", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "indicator_id"],
            ["indicators.tenant_id", "indicators.id"],
            name=op.f("fk_prometheus_queries_tenant_id_indicator_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "source_id"],
            ["prometheus_sources.tenant_id", "prometheus_sources.id"],
            name=op.f("fk_prometheus_queries_tenant_id_source_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_prometheus_queries")),
        sa.UniqueConstraint(
            "tenant_id", "indicator_id", name=op.f("uq_prometheus_queries_tenant_id_indicator_id")
        ),
    )
    seal_by_tenant("prometheus_queries")
    let_use("prometheus_queries", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_prometheus_queries_tenant_id_source_id"),
        "prometheus_queries",
        ["tenant_id", "source_id"],
        unique=False,
    )
