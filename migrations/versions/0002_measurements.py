"""Indicators, their minute counts by month, and the two functions that create and drop a month."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import SAME, let_use, seal_by_tenant

revision = "0002_measurements"
down_revision = "0002_webhooks_and_maintenance"


def upgrade() -> None:
    op.create_table(
        "indicator_minutes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("indicator_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("good", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("down", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "good >= 0 AND good <= total", name=op.f("ck_indicator_minutes_counts")
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "indicator_id", "at", name=op.f("pk_indicator_minutes")
        ),
        postgresql_partition_by="RANGE (at)",
    )
    seal_by_tenant("indicator_minutes")
    let_use("indicator_minutes", "SELECT, INSERT, UPDATE")
    op.create_table(
        "indicators",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("feature", sa.String(), nullable=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("min_requests", sa.Integer(), nullable=False),
        sa.Column("floor", sa.Numeric(precision=9, scale=8), nullable=True),
        sa.Column("bound", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("bound_unit", sa.String(), nullable=True),
        sa.Column("good_side", sa.String(), nullable=False),
        sa.Column("vendor", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "system_id"],
            ["ai_systems.tenant_id", "ai_systems.id"],
            name=op.f("fk_indicators_tenant_id_system_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_indicators")),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_indicators_tenant_id_key")),
    )
    seal_by_tenant("indicators")
    let_use("indicators", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_indicators_tenant_id_system_id"),
        "indicators",
        ["tenant_id", "system_id"],
        unique=False,
    )
    op.create_table(
        "indicator_batches",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "key_id"],
            ["api_keys.tenant_id", "api_keys.id"],
            name=op.f("fk_indicator_batches_tenant_id_key_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_indicator_batches")),
        sa.UniqueConstraint(
            "tenant_id",
            "key_id",
            "idempotency_key",
            name=op.f("uq_indicator_batches_tenant_id_key_id_idempotency_key"),
        ),
    )
    seal_by_tenant("indicator_batches")
    let_use("indicator_batches", "SELECT, INSERT, DELETE")
    op.create_index(
        op.f("ix_indicator_batches_tenant_id_created_at"),
        "indicator_batches",
        ["tenant_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "indicator_days",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("indicator_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("down", sa.Integer(), nullable=False),
        sa.Column("good", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "indicator_id"],
            ["indicators.tenant_id", "indicators.id"],
            name=op.f("fk_indicator_days_tenant_id_indicator_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "indicator_id", "at", name=op.f("pk_indicator_days")),
    )
    seal_by_tenant("indicator_days")
    let_use("indicator_days", "SELECT, INSERT, UPDATE, DELETE")
    op.create_table(
        "indicator_hours",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("indicator_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("down", sa.Integer(), nullable=False),
        sa.Column("good", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "indicator_id"],
            ["indicators.tenant_id", "indicators.id"],
            name=op.f("fk_indicator_hours_tenant_id_indicator_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "indicator_id", "at", name=op.f("pk_indicator_hours")),
    )
    seal_by_tenant("indicator_hours")
    let_use("indicator_hours", "SELECT, INSERT, UPDATE, DELETE")
    op.execute(CREATE_PARTITION)
    op.execute(DROP_PARTITION)
    for name in ("create_minute_partition", "drop_minute_partition"):
        op.execute(f"REVOKE ALL ON FUNCTION {name}(date) FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name}(date) TO governance_app")


# Both run as the owner of the tables, which the application isn't. A partition has no grants:
# the application reaches it through the table alone, and its policy holds for the owner too.
# ATTACH takes a lock that neither readers nor writers of other months wait for.
CREATE_PARTITION = f"""
CREATE FUNCTION create_minute_partition(month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  partition text := 'indicator_minutes_' || to_char(month, 'YYYY_MM');
  until date := month + interval '1 month';
BEGIN
  IF month IS NULL OR month <> date_trunc('month', month::timestamp)
      OR month < now() - interval '61 months' OR month > now() + interval '13 months' THEN
    RAISE EXCEPTION 'no partition for %: not the first of a month from 5 years ago to 1 ahead',
      month USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('indicator_minutes partitions', 0));
  IF to_regclass('public.' || partition) IS NOT NULL THEN
    RETURN false;
  END IF;
  EXECUTE format('CREATE TABLE public.%I (LIKE public.indicator_minutes INCLUDING ALL)', partition);
  EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', partition);
  EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', partition);
  EXECUTE format($policy$CREATE POLICY tenant ON public.%I USING ({SAME}) WITH CHECK ({SAME})$policy$,
    partition);
  EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC, governance_app', partition);
  EXECUTE format('ALTER TABLE public.indicator_minutes ATTACH PARTITION public.%I'
    ' FOR VALUES FROM (%L) TO (%L)', partition, month || ' 00:00:00+00', until || ' 00:00:00+00');
  RETURN true;
END $$
"""
DROP_PARTITION = """
CREATE FUNCTION drop_minute_partition(month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET lock_timeout = '3s' AS $$
DECLARE
  partition text := 'indicator_minutes_' || to_char(month, 'YYYY_MM');
BEGIN
  IF month IS NULL OR month <> date_trunc('month', month::timestamp)
      OR month > date_trunc('month', now() AT TIME ZONE 'UTC') - interval '15 months' THEN
    RAISE EXCEPTION 'minutes of % stay: only whole months that ended 14 months ago are dropped',
      month USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('indicator_minutes partitions', 0));
  IF to_regclass('public.' || partition) IS NULL THEN
    RETURN false;
  END IF;
  EXECUTE format('DROP TABLE public.%I', partition);
  RETURN true;
END $$
"""
