"""Usage events"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import SAME, let_use, seal_by_tenant

revision = "0002_usage_events"
down_revision = "0001_release_0_1_0"


def upgrade() -> None:
    op.create_table(
        "usage_event_keys",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Text(collation="C"), nullable=False),
        sa.Column("digest", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "event_id", name=op.f("pk_usage_event_keys")),
    )
    seal_by_tenant("usage_event_keys")
    let_use("usage_event_keys", "SELECT, INSERT, DELETE")
    op.create_table(
        "usage_events",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_id", sa.Text(collation="C"), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=True),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("request", sa.Text(), nullable=True),
        sa.Column("task", sa.Text(), nullable=True),
        sa.Column("person", sa.Text(), nullable=True),
        sa.Column("input_tokens", sa.Integer(), nullable=False),
        sa.Column("cache_read_tokens", sa.Integer(), nullable=False),
        sa.Column("cache_write_tokens", sa.Integer(), nullable=False),
        sa.Column("output_tokens", sa.Integer(), nullable=False),
        sa.Column("reasoning_tokens", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('success', 'refused', 'failed', 'retried')",
            name=op.f("ck_usage_events_outcome"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "at", "event_id", name=op.f("pk_usage_events")),
        postgresql_partition_by="RANGE (at)",
    )
    seal_by_tenant("usage_events")
    let_use("usage_events", "SELECT, INSERT")
    op.create_table(
        "usage_days",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cache_read_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cache_write_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("reasoning_tokens", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("requests >= 0", name=op.f("ck_usage_days_requests")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "system_id"],
            ["ai_systems.tenant_id", "ai_systems.id"],
            name=op.f("fk_usage_days_tenant_id_system_id"),
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id",
            "day",
            "system_id",
            "feature",
            "provider",
            "model",
            "outcome",
            name=op.f("pk_usage_days"),
        ),
    )
    seal_by_tenant("usage_days")
    let_use("usage_days", "SELECT, INSERT, UPDATE, DELETE")
    op.create_table(
        "received_batches",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "key_id"],
            ["api_keys.tenant_id", "api_keys.id"],
            name=op.f("fk_received_batches_tenant_id_key_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_received_batches")),
        sa.UniqueConstraint(
            "tenant_id",
            "key_id",
            "endpoint",
            "idempotency_key",
            name=op.f("uq_received_batches_tenant_id_key_id_endpoint_idempotency_key"),
        ),
    )
    seal_by_tenant("received_batches")
    let_use("received_batches", "SELECT, INSERT, DELETE")
    op.create_index(
        op.f("ix_received_batches_tenant_id_created_at"),
        "received_batches",
        ["tenant_id", "created_at"],
        unique=False,
    )
    # Row-level security is forced on the owner of the tables, too.
    for table in ("indicator_batches", "received_batches"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute("""
INSERT INTO received_batches
  (tenant_id, id, key_id, endpoint, idempotency_key, digest, answer, created_at)
SELECT tenant_id, id, key_id, 'indicators', idempotency_key, digest, answer, created_at
FROM indicator_batches
""")
    op.execute("ALTER TABLE received_batches FORCE ROW LEVEL SECURITY")
    op.drop_index(op.f("ix_indicator_batches_tenant_id_created_at"), table_name="indicator_batches")
    op.drop_table("indicator_batches")
    months_of_usage()


def months_of_usage() -> None:
    """Functions that create and drop a month of usage_events, as those of indicator_minutes."""
    op.execute(f"""
CREATE FUNCTION create_usage_partition(month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  partition text := 'usage_events_' || to_char(month, 'YYYY_MM');
  until date := month + interval '1 month';
BEGIN
  IF month IS NULL OR month <> date_trunc('month', month::timestamp)
      OR month < now() - interval '61 months' OR month > now() + interval '13 months' THEN
    RAISE EXCEPTION 'no partition for %: not the first of a month from 5 years ago to 1 ahead',
      month USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('usage_events partitions', 0));
  IF to_regclass('public.' || partition) IS NOT NULL THEN
    RETURN false;
  END IF;
  EXECUTE format('CREATE TABLE public.%I (LIKE public.usage_events INCLUDING ALL)', partition);
  EXECUTE format('ALTER TABLE public.%I ENABLE ROW LEVEL SECURITY', partition);
  EXECUTE format('ALTER TABLE public.%I FORCE ROW LEVEL SECURITY', partition);
  EXECUTE format($policy$CREATE POLICY tenant ON public.%I USING ({SAME}) WITH CHECK ({SAME})$policy$,
    partition);
  EXECUTE format('REVOKE ALL ON public.%I FROM PUBLIC, governance_app', partition);
  EXECUTE format('ALTER TABLE public.usage_events ATTACH PARTITION public.%I'
    ' FOR VALUES FROM (%L) TO (%L)', partition, month || ' 00:00:00+00', until || ' 00:00:00+00');
  RETURN true;
END $$
""")
    op.execute("""
CREATE FUNCTION drop_usage_partition(month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET lock_timeout = '3s' AS $$
DECLARE
  partition text := 'usage_events_' || to_char(month, 'YYYY_MM');
BEGIN
  IF month IS NULL OR month <> date_trunc('month', month::timestamp)
      OR month > date_trunc('month', now() AT TIME ZONE 'UTC') - interval '15 months' THEN
    RAISE EXCEPTION 'usage of % stays: only whole months that ended 14 months ago are dropped',
      month USING ERRCODE = 'invalid_parameter_value';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('usage_events partitions', 0));
  IF to_regclass('public.' || partition) IS NULL THEN
    RETURN false;
  END IF;
  EXECUTE format('DROP TABLE public.%I', partition);
  RETURN true;
END $$
""")
    for function in ("create_usage_partition(date)", "drop_usage_partition(date)"):
        op.execute(f"REVOKE ALL ON FUNCTION {function} FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {function} TO governance_app")
