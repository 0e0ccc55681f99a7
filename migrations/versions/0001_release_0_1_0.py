"""Release 0.1.0: every table of every feature.

Written by tools/consolidate_migrations.py, which proves that it makes the same schema as the migrations before the release.
It is released, so it never changes again (tests/released/migrations.sha256 has its hash).
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.sealing import SAME, append_only, let_use, seal_by_tenant

revision = "0001_release_0_1_0"
down_revision = None

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    functions()
    kernel()
    foundation_audit()
    foundation_anchors()
    foundation_api_keys()
    foundation_approvals()
    foundation_comments()
    foundation_people()
    foundation_identity_providers()
    foundation_list_views()
    foundation_logbook()
    foundation_notifications()
    foundation_privacy()
    foundation_scim()
    foundation_search()
    foundation_support_access()
    foundation_tenants()
    foundation_webhooks()
    operations_systems()
    operations_measurements()
    operations_objectives()
    operations_agreements()
    operations_alerts()
    operations_decision_counts()
    operations_decisions()
    operations_maintenance()
    operations_policies()
    operations_switches()
    economics_allocation()
    economics_benchmarks()
    economics_budgets()
    economics_imports()
    economics_costs()
    economics_prices()
    economics_rates()
    economics_revenue()
    economics_reviews()
    economics_tenant_costs()
    economics_usage()
    assurance_frameworks()
    assurance_testing()
    assurance_controls()
    assurance_evidence()
    assurance_access_reviews()
    assurance_assessments()
    assurance_collectors()
    assurance_engagements()
    assurance_incidents()
    assurance_playbooks()
    assurance_previews()
    publishing_inbox()
    publishing_reports()
    publishing_review_files()
    publishing_statements()
    publishing_tenant_exports()
    keys_between_features()
    beside_the_models()


def functions() -> None:
    """What triggers and the application call."""
    op.execute("""
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END $$
""")
    op.execute("""
CREATE FUNCTION queue_for_the_tree() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit_pending (tenant_id, id, created_at) VALUES (NEW.tenant_id, NEW.id, clock_timestamp());
  RETURN NULL;
END $$
""")
    op.execute("""
CREATE FUNCTION refuse_change_in_force() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.in_force_from IS NOT NULL AND NOT (  -- a name in the reason goes when its person is erased; nothing else does
    to_jsonb(NEW) - 'reason' = to_jsonb(OLD) - 'reason' AND position('[erased]' IN NEW.reason) > 0
  ) THEN
    RAISE EXCEPTION 'a published version never changes';
  END IF;
  RETURN NEW;
END $$
""")
    op.execute("""
CREATE FUNCTION refuse_change_in_closed_review() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE closed boolean;
BEGIN
  IF TG_TABLE_NAME = 'access_reviews' THEN
    closed := OLD.closed_at IS NOT NULL AND NOT (to_jsonb(NEW) - 'title' = to_jsonb(OLD) - 'title' AND position('[erased]' IN NEW.title) > 0);
  ELSE
    closed := EXISTS (SELECT 1 FROM access_reviews r WHERE r.tenant_id = OLD.tenant_id AND r.id = OLD.access_review_id AND r.closed_at IS NOT NULL)
      AND NOT (to_jsonb(NEW) - 'reason' = to_jsonb(OLD) - 'reason' AND position('[erased]' IN NEW.reason) > 0);
  END IF;
  IF closed THEN
    RAISE EXCEPTION 'an access review that is closed never changes';
  END IF;
  RETURN NEW;
END $$
""")
    op.execute("""
CREATE FUNCTION refuse_change_of_provided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.provided_at IS NOT NULL THEN
    RAISE EXCEPTION 'what was provided to an auditor stays as it is';
  END IF;
  RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$
""")
    # Runs as the owner of the tables, which the application isn't. A month has no grants: the
    # application reaches it through the table alone. ATTACH takes a lock that readers and writers
    # of other months don't wait for.
    op.execute(f"""
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
""")
    # Runs as the owner of the tables too.
    op.execute("""
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
""")
    op.execute("REVOKE ALL ON FUNCTION create_minute_partition(date) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION create_minute_partition(date) TO governance_app")
    op.execute("REVOKE ALL ON FUNCTION drop_minute_partition(date) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION drop_minute_partition(date) TO governance_app")
    op.execute("""
CREATE FUNCTION refuse_change_of_sent_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND position('[erased]' IN NEW.title || NEW.body || NEW.comment) > 0
    AND to_jsonb(NEW) - '{title,body,comment}'::text[] = to_jsonb(OLD) - '{title,body,comment}'::text[]
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a customer update that was sent never changes';
END $$
""")
    op.execute("""
CREATE FUNCTION refuse_change_of_accepted_terms() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state IN ('accepted', 'withdrawn') AND NOT (  -- an erased person's name leaves the reason
    to_jsonb(NEW) - 'reason' = to_jsonb(OLD) - 'reason' AND position('[erased]' IN NEW.reason) > 0
  ) THEN
    RAISE EXCEPTION 'an agreement version that is accepted or withdrawn never changes';
  END IF;
  IF OLD.state = 'proposed' AND NEW.state IN ('proposed', 'accepted')
     AND to_jsonb(NEW) - '{state,accepted_at,reason}'::text[]
      <> to_jsonb(OLD) - '{state,accepted_at,reason}'::text[] THEN
    RAISE EXCEPTION 'a proposed agreement version returns to draft before it changes';
  END IF;
  RETURN NEW;
END $$
""")
    op.execute("""
CREATE FUNCTION refuse_change_outside_draft() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE changed record;
BEGIN
  IF TG_OP = 'INSERT' THEN changed := NEW; ELSE changed := OLD; END IF;
  IF EXISTS (SELECT 1 FROM agreement_versions v WHERE v.tenant_id = changed.tenant_id
             AND v.id = changed.version_id AND v.state <> 'draft') THEN
    RAISE EXCEPTION 'only a draft of an agreement changes';
  END IF;
  RETURN changed;
END $$
""")
    op.execute("""
CREATE FUNCTION refuse_change_of_given_acceptance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM agreement_versions v WHERE v.tenant_id = OLD.tenant_id
             AND v.id = OLD.version_id AND v.state = 'accepted')
     AND NOT (TG_OP = 'UPDATE' AND to_jsonb(NEW) - '{name,title}'::text[]
              = to_jsonb(OLD) - '{name,title}'::text[] AND NEW.name = '[erased]') THEN
    RAISE EXCEPTION 'the acceptance of an agreement never changes';
  END IF;
  RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$
""")
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
    op.execute("REVOKE ALL ON FUNCTION create_usage_partition(date) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION create_usage_partition(date) TO governance_app")
    op.execute("REVOKE ALL ON FUNCTION drop_usage_partition(date) FROM PUBLIC")
    op.execute("GRANT EXECUTE ON FUNCTION drop_usage_partition(date) TO governance_app")


def kernel() -> None:
    """Tables of governance/kernel."""
    shared_table(
        "job_runs",
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        verbs="SELECT, INSERT",
    )
    op.create_index(
        "uq_job_runs_job_scope_period", "job_runs", ["job", "scope", "period"], unique=True
    )
    shared_table(
        "marks",
        sa.Column("number", sa.BigInteger(), nullable=False),
        verbs="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "undo_offers",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("confirmation", sa.String()),
        sa.Column("steps", JSONB(), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index(
        "ix_undo_offers_tenant_id_expires_at", "undo_offers", ["tenant_id", "expires_at"]
    )
    op.create_index(
        "ix_undo_offers_tenant_id_person_id_confirmation",
        "undo_offers",
        ["tenant_id", "person_id", "confirmation"],
    )
    shared_table(
        "work_failures",
        sa.Column("for_tenant", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index("ix_work_failures_created_at", "work_failures", ["created_at"])
    tenant_table(
        "work_items",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("target_id", sa.Uuid()),
        sa.Column("params", JSONB(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("error", sa.String()),
        sa.Column("requested_by", sa.Uuid()),
        sa.Column("started_at", TIME),
        sa.Column("finished_at", TIME),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index(
        "ix_work_items_tenant_id_state_created_at",
        "work_items",
        ["tenant_id", "state", "created_at"],
    )
    shared_table(
        "work_tickets",
        sa.Column("for_tenant", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("ready_at", TIME, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index("ix_work_tickets_ready_at", "work_tickets", ["ready_at"])


def foundation_audit() -> None:
    """Tables of governance/foundation/audit."""
    tenant_table(
        "audit_checkpoints",
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.UniqueConstraint("tenant_id", "number"),
        verbs="SELECT, INSERT",
    )
    op.create_index(
        "ix_audit_checkpoints_tenant_id_size", "audit_checkpoints", ["tenant_id", "size"]
    )
    append_only("audit_checkpoints")
    tenant_table(
        "audit_entries",
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.String(collation="C"), nullable=False),
        sa.Column("actor_kind", sa.String(), nullable=False),
        sa.Column("action", sa.String(collation="C"), nullable=False),
        sa.Column("target_type", sa.String(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("request_id", sa.String(), nullable=False),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("changes", JSONB(), nullable=False),
        sa.Column("facts", JSONB(), nullable=False),
        sa.Column("sealed", JSONB(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        verbs="SELECT, INSERT",
    )
    op.create_index(
        "ix_audit_entries_not_done",
        "audit_entries",
        ["tenant_id", "at"],
        postgresql_where=sa.text("outcome <> 'done'"),
    )
    op.create_index(
        "ix_audit_entries_tenant_id_action_at", "audit_entries", ["tenant_id", "action", "at"]
    )
    op.create_index(
        "ix_audit_entries_tenant_id_actor_at", "audit_entries", ["tenant_id", "actor", "at"]
    )
    op.create_index("ix_audit_entries_tenant_id_at", "audit_entries", ["tenant_id", "at"])
    op.create_index(
        "ix_audit_entries_tenant_id_target_type_target_id_at",
        "audit_entries",
        ["tenant_id", "target_type", "target_id", "at"],
    )
    append_only("audit_entries")
    tenant_table(
        "audit_leaves",
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("tenant_id", "index"),
        verbs="SELECT, INSERT",
    )
    append_only("audit_leaves")
    tenant_table(
        "audit_log_keys",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("retired_at", TIME),
        sa.UniqueConstraint("tenant_id", "public"),
        verbs="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "audit_logs",
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("edge", sa.LargeBinary(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("signed_at", TIME),
        sa.Column("trouble", JSONB()),
        sa.UniqueConstraint("tenant_id"),
        verbs="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "audit_pending",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        verbs="SELECT, INSERT, DELETE",
    )
    op.create_index("ix_audit_pending_tenant_id_number", "audit_pending", ["tenant_id", "number"])
    tenant_table(
        "audit_tiles",
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("index", sa.BigInteger(), nullable=False),
        sa.Column("hashes", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint("tenant_id", "level", "index"),
        verbs="SELECT, INSERT",
    )
    append_only("audit_tiles")
    tenant_table(
        "data_keys",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint("tenant_id", "subject", "period"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    tenant_table(
        "tenant_keys",
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.UniqueConstraint("tenant_id", "purpose"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )


def foundation_anchors() -> None:
    """Tables of governance/foundation/anchors."""
    tenant_table(
        "anchors",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("secret", sa.LargeBinary()),
        sa.Column("added_by", sa.Uuid()),
        sa.Column("removed_at", TIME),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("finding", sa.String(), nullable=False),
        sa.Column("seen_size", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", TIME),
        sa.Column("tried_at", TIME),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index("ix_anchors_tenant_id_removed_at", "anchors", ["tenant_id", "removed_at"])
    tenant_table(
        "anchor_receipts",
        sa.Column("anchor_id", sa.Uuid(), nullable=False),
        sa.Column("checkpoint_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        tenant_key("anchor_id", "anchors"),
        tenant_key("checkpoint_id", "audit_checkpoints"),
        verbs="SELECT, INSERT",
    )
    op.create_index(
        "ix_anchor_receipts_tenant_id_anchor_id_created_at",
        "anchor_receipts",
        ["tenant_id", "anchor_id", "created_at"],
    )
    op.create_index(
        "ix_anchor_receipts_tenant_id_checkpoint_id",
        "anchor_receipts",
        ["tenant_id", "checkpoint_id"],
    )
    append_only("anchor_receipts")


def foundation_api_keys() -> None:
    """Tables of governance/foundation/api_keys."""
    tenant_table(
        "api_keys",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("hint", sa.String(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("previous_hash", sa.LargeBinary()),
        sa.Column("previous_until", TIME),
        sa.Column("scopes", JSONB(), nullable=False),
        sa.Column("system_id", sa.Uuid()),
        sa.Column("rate", sa.Integer(), nullable=False),
        sa.Column("made_by", sa.Uuid()),
        sa.Column("hands", JSONB(), nullable=False),
        sa.Column("expires_at", TIME),
        sa.Column("used_at", TIME),
        sa.Column("revoked_at", TIME),
        sa.Column("revoked_by", sa.Uuid()),
        sa.UniqueConstraint("tenant_id", "secret_hash"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index("ix_api_keys_tenant_id_created_at", "api_keys", ["tenant_id", "created_at"])
    op.create_index(
        "ix_api_keys_tenant_id_previous_hash", "api_keys", ["tenant_id", "previous_hash"]
    )
    op.create_index("ix_api_keys_tenant_id_system_id", "api_keys", ["tenant_id", "system_id"])
    tenant_table(
        "received_batches",
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("answer", JSONB(), nullable=False),
        tenant_key("key_id", "api_keys"),
        sa.UniqueConstraint("tenant_id", "key_id", "endpoint", "idempotency_key"),
        verbs="SELECT, INSERT, DELETE",
    )
    op.create_index(
        "ix_received_batches_tenant_id_created_at", "received_batches", ["tenant_id", "created_at"]
    )


def foundation_approvals() -> None:
    """Tables of governance/foundation/approvals."""
    tenant_table(
        "approvals",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("requested_by", sa.Uuid()),
        sa.Column("requested_at", TIME, nullable=False),
        sa.Column("requesters", JSONB(), nullable=False),
        sa.Column("excluded", JSONB(), nullable=False),
        sa.Column("approvers", JSONB(), nullable=False),
        sa.Column("roles", JSONB(), nullable=False),
        sa.Column("needed", sa.Integer(), nullable=False),
        sa.Column("step_up", sa.Boolean(), nullable=False),
        sa.Column("is_ready", sa.Boolean(), nullable=False),
        sa.Column("expires_at", TIME),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("closed_at", TIME),
        sa.Column("closed_by", sa.Uuid()),
        sa.Column("note", sa.String(), nullable=False),
        sa.UniqueConstraint("tenant_id", "number"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index(
        "ix_approvals_open_by_expiry",
        "approvals",
        ["tenant_id", "expires_at"],
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "ix_approvals_tenant_id_kind_target_id", "approvals", ["tenant_id", "kind", "target_id"]
    )
    op.create_index(
        "uq_approvals_open",
        "approvals",
        ["tenant_id", "kind", "target_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )
    tenant_table(
        "approval_comments",
        sa.Column("approval_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=False),
        tenant_key("approval_id", "approvals"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index(
        "ix_approval_comments_tenant_id_approval_id_created_at",
        "approval_comments",
        ["tenant_id", "approval_id", "created_at"],
    )
    tenant_table(
        "approval_reminders",
        sa.Column("approval_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("sent_on", sa.Date(), nullable=False),
        tenant_key("approval_id", "approvals"),
        sa.UniqueConstraint("tenant_id", "approval_id", "person_id", "sent_on"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    tenant_table(
        "approvals_given",
        sa.Column("approval_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("given_at", TIME, nullable=False),
        tenant_key("approval_id", "approvals"),
        sa.UniqueConstraint("tenant_id", "approval_id", "person_id"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )


def foundation_comments() -> None:
    """Tables of governance/foundation/comments."""
    tenant_table(
        "object_comments",
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("mentions", JSONB(), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=False),
        sa.Column("edited_at", TIME),
        sa.Column("removed_at", TIME),
        sa.Column("removed_by", sa.Uuid()),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_object_comments_tenant_id_subject_id_created_at_id",
        "object_comments",
        ["tenant_id", "subject_id", "created_at", "id"],
    )
    tenant_table(
        "object_comment_revisions",
        sa.Column("comment_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("mentions", JSONB(), nullable=False),
        tenant_key("comment_id", "object_comments"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index(
        "ix_object_comment_revisions_tenant_id_comment_id_created_at",
        "object_comment_revisions",
        ["tenant_id", "comment_id", "created_at"],
    )


def foundation_people() -> None:
    """Tables of governance/foundation/people."""
    tenant_table(
        "connections",
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("client_id", sa.String(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("group_roles", JSONB(), nullable=False),
        sa.Column("enforced", sa.Boolean(), nullable=False),
        sa.Column("verifies_addresses", sa.Boolean(), nullable=False),
        sa.Column("tested_at", TIME),
        sa.Column("findings", JSONB(), nullable=False),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index(
        "uq_connections_live",
        "connections",
        ["tenant_id"],
        unique=True,
        postgresql_where=sa.text("state = 'live'"),
    )
    op.create_index(
        "uq_connections_proposed",
        "connections",
        ["tenant_id"],
        unique=True,
        postgresql_where=sa.text("state = 'proposed'"),
    )
    tenant_table(
        "invitations",
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("invited_by", sa.Uuid()),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("accepted_at", TIME),
        sa.Column("accepted_by", sa.Uuid()),
        sa.Column("withdrawn_at", TIME),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index(
        "uq_invitations_open",
        "invitations",
        ["tenant_id", "email"],
        unique=True,
        postgresql_where=sa.text("accepted_at IS NULL AND withdrawn_at IS NULL"),
    )
    shared_table(
        "people",
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.UniqueConstraint("issuer", "subject"),
        verbs="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "memberships",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("pseudonym", sa.String(), nullable=False),
        sa.Column("via", sa.String(), nullable=False),
        sa.Column("role_since", TIME, nullable=False),
        sa.Column("ended_at", TIME),
        sa.Column("preferences", JSONB(), nullable=False),
        sa.Column("unread_notifications", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"]),
        sa.UniqueConstraint("tenant_id", "person_id"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index("ix_memberships_tenant_id_pseudonym", "memberships", ["tenant_id", "pseudonym"])
    tenant_table(
        "sessions",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("idp_sid", sa.String()),
        sa.Column("id_token", sa.LargeBinary(), nullable=False),
        sa.Column("authenticated_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
        sa.Column("browser", sa.String(), nullable=False),
        sa.Column("network", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"]),
        sa.UniqueConstraint("tenant_id", "token_hash"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index("ix_sessions_tenant_id_person_id", "sessions", ["tenant_id", "person_id"])
    tenant_table(
        "sign_ins",
        sa.Column("connection_id", sa.Uuid(), nullable=False),
        sa.Column("is_test", sa.Boolean(), nullable=False),
        sa.Column("state_hash", sa.LargeBinary(), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(), nullable=False),
        sa.Column("network", sa.String(), nullable=False, server_default=sa.text("''")),
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("verifier", sa.String(), nullable=False),
        sa.Column("next_path", sa.String(), nullable=False),
        sa.Column("fresh", sa.Boolean(), nullable=False),
        sa.Column("leaves", sa.Uuid()),
        sa.Column("used_at", TIME),
        tenant_key("connection_id", "connections", ondelete="CASCADE"),
        sa.UniqueConstraint("tenant_id", "state_hash"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index(
        "ix_sign_ins_tenant_id_network_created_at",
        "sign_ins",
        ["tenant_id", "network", "created_at"],
    )
    tenant_table(
        "saved_forms",
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"]),
        tenant_key("session_id", "sessions", ondelete="CASCADE"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index(
        "ix_saved_forms_tenant_id_expires_at", "saved_forms", ["tenant_id", "expires_at"]
    )
    op.create_index(
        "ix_saved_forms_tenant_id_session_id", "saved_forms", ["tenant_id", "session_id"]
    )


def foundation_identity_providers() -> None:
    """Tables of governance/foundation/identity_providers."""
    tenant_table(
        "connection_changes",
        sa.Column("connection_id", sa.Uuid()),
        sa.Column("base_id", sa.Uuid()),
        sa.Column("domains", JSONB(), nullable=False),
        sa.Column("base_domains", JSONB(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("test", JSONB()),
        sa.Column("tested_by", sa.Uuid()),
        sa.Column("tested_at", TIME),
        tenant_key("base_id", "connections"),
        tenant_key("connection_id", "connections"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_connection_changes_tenant_id_created_at",
        "connection_changes",
        ["tenant_id", "created_at"],
    )
    op.create_index(
        "uq_connection_changes_open",
        "connection_changes",
        ["tenant_id"],
        unique=True,
        postgresql_where=sa.text("state = 'requested'"),
    )


def foundation_list_views() -> None:
    """Tables of governance/foundation/list_views."""
    tenant_table(
        "list_views",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("location", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False, server_default=sa.text("false")),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"]),
        sa.UniqueConstraint("tenant_id", "person_id", "location", "name"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index("ix_list_views_tenant_id_location", "list_views", ["tenant_id", "location"])
    tenant_table(
        "list_defaults",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("location", sa.String(), nullable=False),
        sa.Column("columns", sa.String(), nullable=False),
        sa.Column("view_id", sa.Uuid()),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"]),
        tenant_key("view_id", "list_views"),
        sa.UniqueConstraint("tenant_id", "person_id", "location"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index("ix_list_defaults_tenant_id_view_id", "list_defaults", ["tenant_id", "view_id"])


def foundation_logbook() -> None:
    """Tables of governance/foundation/logbook."""
    tenant_table(
        "denied_acts",
        sa.Column("hour", TIME, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("who", sa.String(), nullable=False),
        sa.Column("route", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.UniqueConstraint("tenant_id", "hour", "kind", "who", "route"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    tenant_table(
        "log_exports",
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("query", JSONB(), nullable=False),
        sa.Column("checkpoint", sa.BigInteger()),
        sa.Column("entries", sa.BigInteger()),
        sa.Column("storage_key", sa.String()),
        sa.Column("sha256", sa.String()),
        sa.Column("size", sa.BigInteger()),
        sa.Column("finished_at", TIME),
        sa.Column("work_item_id", sa.Uuid()),
        sa.Column("requested_by", sa.Uuid()),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index(
        "ix_log_exports_tenant_id_created_at", "log_exports", ["tenant_id", "created_at"]
    )
    tenant_table(
        "log_search",
        sa.Column("blocks", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("tenant_id"),
        verbs="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "log_words",
        sa.Column("word", sa.String(collation="C"), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("tenant_id", "word", "block"),
        verbs="SELECT, INSERT, DELETE",
    )
    tenant_table(
        "saved_views",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("query", JSONB(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.UniqueConstraint("tenant_id", "name"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )


def foundation_notifications() -> None:
    """Tables of governance/foundation/notifications."""
    tenant_table(
        "notifications",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("caused_by", sa.Uuid()),
        sa.Column("says", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("awaits_mail", sa.Boolean(), nullable=False),
        sa.Column("mailed_at", TIME),
        sa.Column("read_at", TIME),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"]),
        sa.UniqueConstraint("tenant_id", "person_id", "kind", "source_id"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index(
        "ix_notifications_awaiting_mail",
        "notifications",
        ["tenant_id", "person_id"],
        postgresql_where=sa.text("awaits_mail"),
    )
    op.create_index(
        "ix_notifications_tenant_id_person_id_created_at_id",
        "notifications",
        ["tenant_id", "person_id", "created_at", "id"],
    )


def foundation_privacy() -> None:
    """Tables of governance/foundation/privacy."""
    tenant_table(
        "erasures",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("done_at", TIME),
        sa.Column("found", JSONB(), nullable=False),
        sa.Column("work_item_id", sa.Uuid()),
        sa.Column("requested_by", sa.Uuid()),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index("ix_erasures_tenant_id_state", "erasures", ["tenant_id", "state"])
    op.create_index(
        "uq_erasures_open",
        "erasures",
        ["tenant_id", "subject"],
        unique=True,
        postgresql_where=sa.text("state IN ('requested', 'approved')"),
    )
    tenant_table(
        "legal_holds",
        sa.Column("subject", sa.String()),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("placed_by", sa.Uuid(), nullable=False),
        sa.Column("released_at", TIME),
        sa.Column("released_by", sa.Uuid()),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_legal_holds_tenant_id_released_at", "legal_holds", ["tenant_id", "released_at"]
    )
    tenant_table(
        "retention_rules",
        sa.Column("months", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.UniqueConstraint("tenant_id"),
        verbs="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "unmaskings",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("until", TIME),
        sa.Column("used_at", TIME),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_unmaskings_tenant_id_requested_by_until",
        "unmaskings",
        ["tenant_id", "requested_by", "until"],
    )


def foundation_scim() -> None:
    """Tables of governance/foundation/scim."""
    tenant_table(
        "scim_groups",
        sa.Column("display_name", sa.String(), nullable=False),
        sa.Column("display_name_key", sa.String(), nullable=False),
        sa.Column("external_id", sa.String()),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        sa.UniqueConstraint("tenant_id", "display_name_key"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index(
        "ix_scim_groups_tenant_id_created_at_id", "scim_groups", ["tenant_id", "created_at", "id"]
    )
    op.create_index(
        "ix_scim_groups_tenant_id_external_id", "scim_groups", ["tenant_id", "external_id"]
    )
    tenant_table(
        "scim_users",
        sa.Column("user_name", sa.String(), nullable=False),
        sa.Column("user_name_key", sa.String(), nullable=False),
        sa.Column("external_id", sa.String()),
        sa.Column("display_name", sa.String()),
        sa.Column("name", JSONB(), nullable=False),
        sa.Column("emails", JSONB(), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean()),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("membership_id", sa.Uuid()),
        sa.Column("access_ended_at", TIME),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_at", TIME, nullable=False),
        tenant_key("membership_id", "memberships"),
        sa.UniqueConstraint("tenant_id", "membership_id"),
        sa.UniqueConstraint("tenant_id", "user_name_key"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index("ix_scim_users_tenant_id_address", "scim_users", ["tenant_id", "address"])
    op.create_index(
        "ix_scim_users_tenant_id_created_at_id", "scim_users", ["tenant_id", "created_at", "id"]
    )
    op.create_index(
        "ix_scim_users_tenant_id_external_id", "scim_users", ["tenant_id", "external_id"]
    )
    tenant_table(
        "scim_calls",
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        tenant_key("key_id", "api_keys"),
        verbs="SELECT, INSERT, DELETE",
    )
    op.create_index("ix_scim_calls_tenant_id_created_at", "scim_calls", ["tenant_id", "created_at"])
    tenant_table(
        "scim_group_members",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        tenant_key("group_id", "scim_groups", ondelete="CASCADE"),
        tenant_key("user_id", "scim_users", ondelete="CASCADE"),
        sa.UniqueConstraint("tenant_id", "group_id", "user_id"),
        verbs="SELECT, INSERT, DELETE",
    )
    op.create_index(
        "ix_scim_group_members_tenant_id_user_id", "scim_group_members", ["tenant_id", "user_id"]
    )


def foundation_search() -> None:
    """Tables of governance/foundation/search."""
    tenant_table(
        "search_documents",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("parent", sa.Uuid()),
        sa.Column("code", sa.String(collation="C"), nullable=False),
        sa.Column("words", sa.String(collation="C"), nullable=False),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index(
        "ix_search_documents_tenant_id_kind_id", "search_documents", ["tenant_id", "kind", "id"]
    )
    tenant_table(
        "search_words",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("word", sa.String(collation="C"), nullable=False),
        verbs="SELECT, INSERT, DELETE",
        key=("kind", "word", "id"),
    )


def foundation_support_access() -> None:
    """Tables of governance/foundation/support_access."""
    tenant_table(
        "support_grants",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("pseudonym", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("feature", sa.String(), nullable=False),
        sa.Column("may_change", sa.Boolean(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("starts_at", TIME),
        sa.Column("ends_at", TIME),
        sa.Column("ended_by", sa.Uuid()),
        sa.CheckConstraint("(state IN ('approved', 'ended')) = (ends_at IS NOT NULL)", name="ends"),
        sa.CheckConstraint("state IN ('requested', 'approved', 'closed', 'ended')", name="state"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index(
        "ix_support_grants_tenant_id_created_at", "support_grants", ["tenant_id", "created_at"]
    )
    op.create_index(
        "ix_support_grants_tenant_id_person_id_state",
        "support_grants",
        ["tenant_id", "person_id", "state"],
    )


def foundation_tenants() -> None:
    """Tables of governance/foundation/tenants."""
    shared_table(
        "email_domains",
        sa.Column("domain", sa.String(), nullable=False),
        sa.Column("for_tenant", sa.Uuid(), nullable=False),
        sa.UniqueConstraint("domain"),
        verbs="SELECT, INSERT, DELETE",
    )
    tenant_table(
        "tenant_time_zones",
        sa.Column("since", TIME, nullable=False),
        sa.Column("zone", sa.String(), nullable=False),
        sa.UniqueConstraint("tenant_id", "since"),
        verbs="SELECT, INSERT, UPDATE",
    )
    shared_table(
        "tenants",
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("fiscal_year_start", sa.Integer(), nullable=False),
        sa.Column("tier", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("suspended_at", TIME),
        sa.Column("classification", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("audience", sa.String(), nullable=False),
        sa.CheckConstraint("slug ~ '^[a-z][a-z0-9-]{1,40}$'", name="slug_form"),
        sa.UniqueConstraint("slug"),
        verbs="SELECT, INSERT, UPDATE",
    )


def foundation_webhooks() -> None:
    """Tables of governance/foundation/webhooks."""
    tenant_table(
        "webhook_endpoints",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("event_types", JSONB(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("previous_secret", sa.LargeBinary()),
        sa.Column("previous_until", TIME),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_by", sa.Uuid()),
        sa.Column("disabled_at", TIME),
        sa.Column("disabled_by", sa.Uuid()),
        sa.Column("disabled_reason", sa.String(), nullable=False),
        sa.Column("failing_since", TIME),
        sa.Column("succeeded_at", TIME),
        sa.Column("removed_at", TIME),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_webhook_endpoints_tenant_id_removed_at",
        "webhook_endpoints",
        ["tenant_id", "removed_at"],
    )
    shared_table(
        "webhook_tickets",
        sa.Column("for_tenant", sa.Uuid(), nullable=False),
        sa.Column("for_endpoint", sa.Uuid(), nullable=False),
        sa.Column("ready_at", TIME, nullable=False),
        sa.Column("busy_until", TIME),
        sa.Column("claims", sa.Integer(), nullable=False),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index("ix_webhook_tickets_for_endpoint", "webhook_tickets", ["for_endpoint"])
    op.create_index("ix_webhook_tickets_ready_at", "webhook_tickets", ["ready_at"])
    tenant_table(
        "webhook_deliveries",
        sa.Column("endpoint_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("event_type", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", TIME),
        sa.Column("finding", sa.String(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("delivered_at", TIME),
        sa.Column("replayed_at", TIME),
        sa.Column("replayed_by", sa.Uuid()),
        tenant_key("endpoint_id", "webhook_endpoints"),
        sa.UniqueConstraint("tenant_id", "endpoint_id", "message_id"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index(
        "ix_webhook_deliveries_open",
        "webhook_deliveries",
        ["tenant_id", "endpoint_id", "state"],
        postgresql_where=sa.text("state IN ('queued', 'dead')"),
    )
    op.create_index(
        "ix_webhook_deliveries_tenant_id_created_at",
        "webhook_deliveries",
        ["tenant_id", "created_at"],
    )
    op.create_index(
        "ix_webhook_deliveries_tenant_id_endpoint_id_created_at_id",
        "webhook_deliveries",
        ["tenant_id", "endpoint_id", "created_at", "id"],
    )
    tenant_table(
        "webhook_attempts",
        sa.Column("delivery_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("finding", sa.String(), nullable=False),
        sa.Column("response", sa.String(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        tenant_key("delivery_id", "webhook_deliveries", ondelete="CASCADE"),
        verbs="SELECT, INSERT, DELETE",
    )
    op.create_index(
        "ix_webhook_attempts_tenant_id_delivery_id_created_at",
        "webhook_attempts",
        ["tenant_id", "delivery_id", "created_at"],
    )


def operations_systems() -> None:
    """Tables of governance/operations/systems."""
    tenant_table(
        "ai_systems",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("lane", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("owner_id", sa.Uuid()),
        sa.Column("retired_at", TIME),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"]),
        sa.UniqueConstraint("tenant_id", "key"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    tenant_table(
        "system_features",
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("fallback", sa.String(), nullable=False),
        sa.Column("retired_at", TIME),
        tenant_key("system_id", "ai_systems"),
        sa.UniqueConstraint("tenant_id", "system_id", "key"),
        verbs="SELECT, INSERT, UPDATE",
    )


def operations_measurements() -> None:
    """Tables of governance/operations/measurements."""
    counts_table(
        "indicator_minutes",
        ["indicator_id", "at"],
        sa.Column("indicator_id", sa.Uuid(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("good", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        sa.Column("down", sa.Boolean(), nullable=False),
        sa.CheckConstraint("good >= 0 AND good <= total", name="counts"),
        verbs="SELECT, INSERT, UPDATE",
        partition_by="RANGE (at)",
    )
    tenant_table(
        "prometheus_sources",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("header", sa.String(), nullable=False),
        sa.Column("secret", sa.LargeBinary()),
        sa.Column("added_by", sa.Uuid()),
        sa.Column("removed_at", TIME),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("finding", sa.String(), nullable=False),
        sa.Column("tried_at", TIME),
        sa.Column("succeeded_at", TIME),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_try_at", TIME),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_prometheus_sources_tenant_id_removed_at",
        "prometheus_sources",
        ["tenant_id", "removed_at"],
    )
    tenant_table(
        "indicators",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("feature", sa.String()),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("min_requests", sa.Integer(), nullable=False),
        sa.Column("floor", sa.Numeric(precision=9, scale=8)),
        sa.Column("bound", sa.Numeric(precision=18, scale=6)),
        sa.Column("bound_unit", sa.String()),
        sa.Column("good_side", sa.String(), nullable=False),
        sa.Column("vendor", sa.String()),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("retired_at", TIME),
        tenant_key("system_id", "ai_systems"),
        sa.UniqueConstraint("tenant_id", "key"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index("ix_indicators_tenant_id_system_id", "indicators", ["tenant_id", "system_id"])
    counts_table(
        "indicator_days",
        ["indicator_id", "at"],
        sa.Column("indicator_id", sa.Uuid(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("down", sa.Integer(), nullable=False),
        sa.Column("good", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        tenant_key("indicator_id", "indicators"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    counts_table(
        "indicator_hours",
        ["indicator_id", "at"],
        sa.Column("indicator_id", sa.Uuid(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("down", sa.Integer(), nullable=False),
        sa.Column("good", sa.BigInteger(), nullable=False),
        sa.Column("total", sa.BigInteger(), nullable=False),
        tenant_key("indicator_id", "indicators"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    tenant_table(
        "prometheus_queries",
        sa.Column("indicator_id", sa.Uuid(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("good", sa.String(), nullable=False),
        sa.Column("total", sa.String(), nullable=False),
        sa.Column("bucket", sa.Numeric(precision=18, scale=6)),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("pulled_until", TIME),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("finding", sa.String(), nullable=False),
        sa.Column("unknown", JSONB(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_try_at", TIME),
        tenant_key("indicator_id", "indicators"),
        tenant_key("source_id", "prometheus_sources"),
        sa.UniqueConstraint("tenant_id", "indicator_id"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_prometheus_queries_tenant_id_source_id",
        "prometheus_queries",
        ["tenant_id", "source_id"],
    )


def operations_objectives() -> None:
    """Tables of governance/operations/objectives."""
    tenant_table(
        "openslo_documents",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("content", sa.String(), nullable=False),
        sa.Column("imported_by", sa.Uuid()),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.UniqueConstraint("tenant_id", "kind", "name"),
        verbs="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "objectives",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("indicator_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid()),
        sa.Column("kind_note", sa.String(), nullable=False),
        sa.Column("is_ai", sa.Boolean(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("retired_at", TIME),
        sa.Column("target", sa.Numeric(), nullable=False),
        sa.Column("window", sa.String(), nullable=False),
        sa.Column("window_days", sa.Integer(), nullable=False),
        sa.Column("service_hours", JSONB()),
        sa.Column("minimum_coverage", sa.Numeric(), nullable=False),
        sa.Column("rules", JSONB()),
        sa.CheckConstraint(
            "minimum_coverage >= 0 AND minimum_coverage <= 1", name="minimum_coverage_share"
        ),
        sa.CheckConstraint("target > 0 AND target < 1", name="target_share"),
        sa.CheckConstraint("window_days BETWEEN 1 AND 366", name="window_days_range"),
        sa.CheckConstraint("\"window\" IN ('rolling', 'calendar')", name="window_kind"),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"]),
        tenant_key("indicator_id", "indicators"),
        sa.UniqueConstraint("tenant_id", "key"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_objectives_tenant_id_indicator_id", "objectives", ["tenant_id", "indicator_id"]
    )
    tenant_table(
        "objective_versions",
        sa.Column("objective_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("by", sa.Uuid()),
        sa.Column("at", TIME, nullable=False),
        sa.Column("target", sa.Numeric(), nullable=False),
        sa.Column("window", sa.String(), nullable=False),
        sa.Column("window_days", sa.Integer(), nullable=False),
        sa.Column("service_hours", JSONB()),
        sa.Column("minimum_coverage", sa.Numeric(), nullable=False),
        sa.Column("rules", JSONB()),
        sa.CheckConstraint(
            "minimum_coverage >= 0 AND minimum_coverage <= 1", name="minimum_coverage_share"
        ),
        sa.CheckConstraint("target > 0 AND target < 1", name="target_share"),
        sa.CheckConstraint("window_days BETWEEN 1 AND 366", name="window_days_range"),
        sa.CheckConstraint("\"window\" IN ('rolling', 'calendar')", name="window_kind"),
        sa.ForeignKeyConstraint(["by"], ["people.id"]),
        tenant_key("objective_id", "objectives"),
        sa.UniqueConstraint("tenant_id", "objective_id", "number"),
        verbs="SELECT, INSERT",
    )
    append_only("objective_versions")


def operations_agreements() -> None:
    """Tables of governance/operations/agreements."""
    tenant_table(
        "agreement_rehearsals",
        sa.Column("terms", sa.String(), nullable=False),
        sa.Column("result", JSONB()),
        sa.Column("work_item_id", sa.Uuid()),
        sa.Column("requested_by", sa.Uuid()),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_agreement_rehearsals_tenant_id_created_at",
        "agreement_rehearsals",
        ["tenant_id", "created_at"],
    )
    tenant_table(
        "agreements",
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("counterparty", sa.String(), nullable=False),
        sa.Column("created_by", sa.Uuid()),
        sa.Column("ended_at", TIME),
        sa.Column("ended_by", sa.Uuid()),
        sa.Column("end_reason", sa.String(), nullable=False),
        sa.CheckConstraint("direction IN ('to_tenant', 'from_vendor')", name="direction"),
        sa.UniqueConstraint("tenant_id", "direction", "number"),
        verbs="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "agreement_contacts",
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        tenant_key("agreement_id", "agreements"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index(
        "ix_agreement_contacts_tenant_id_agreement_id",
        "agreement_contacts",
        ["tenant_id", "agreement_id"],
    )
    tenant_table(
        "agreement_versions",
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("edited", sa.Integer(), nullable=False),
        sa.Column("effective_from", TIME, nullable=False),
        sa.Column("ends_on", sa.Date()),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("monthly_fee", sa.BigInteger(), nullable=False),
        sa.Column("credit_cap", sa.Numeric(precision=12, scale=10), nullable=False),
        sa.Column("minimum_coverage", sa.Numeric(precision=12, scale=10), nullable=False),
        sa.Column("close_day", sa.SmallInteger(), nullable=False),
        sa.Column("maintenance_notice_hours", sa.Integer(), nullable=False),
        sa.Column("excluded_categories", JSONB(), nullable=False),
        sa.Column("claim_days", sa.Integer(), nullable=False),
        sa.Column("business_hours", JSONB(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("drafted_by", sa.Uuid()),
        sa.Column("proposed_by", sa.Uuid()),
        sa.Column("proposed_at", TIME),
        sa.Column("terms", JSONB()),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("accepted_at", TIME),
        sa.CheckConstraint("credit_cap BETWEEN 0 AND 1", name="cap"),
        sa.CheckConstraint("minimum_coverage BETWEEN 0 AND 1", name="coverage"),
        sa.CheckConstraint("monthly_fee >= 0", name="fee"),
        sa.CheckConstraint("state IN ('draft', 'proposed', 'accepted', 'withdrawn')", name="state"),
        tenant_key("agreement_id", "agreements"),
        sa.UniqueConstraint("tenant_id", "agreement_id", "number"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "uq_agreement_versions_effective",
        "agreement_versions",
        ["tenant_id", "agreement_id", "effective_from"],
        unique=True,
        postgresql_where=sa.text("state = 'accepted'"),
    )
    op.create_index(
        "uq_agreement_versions_open",
        "agreement_versions",
        ["tenant_id", "agreement_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('draft', 'proposed')"),
    )
    tenant_table(
        "agreement_acceptances",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("accepted_by", sa.Uuid()),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("accepted_at", TIME, nullable=False),
        sa.CheckConstraint("side IN ('provider', 'customer', 'vendor')", name="side"),
        tenant_key("version_id", "agreement_versions"),
        sa.UniqueConstraint("tenant_id", "version_id", "side"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    tenant_table(
        "agreement_support_terms",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("response_minutes", sa.Integer(), nullable=False),
        sa.Column("resolution_minutes", sa.Integer()),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("target", sa.Numeric(precision=12, scale=10), nullable=False),
        sa.Column("bands", JSONB(), nullable=False),
        sa.Column("fee_part", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("clock IN ('business_hours', '24x7')", name="clock"),
        sa.CheckConstraint("severity BETWEEN 1 AND 4", name="severity"),
        tenant_key("version_id", "agreement_versions"),
        sa.UniqueConstraint("tenant_id", "version_id", "severity"),
        verbs="SELECT, INSERT, DELETE",
    )
    tenant_table(
        "agreement_commitments",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("clause", sa.SmallInteger(), nullable=False),
        sa.Column("objective_id", sa.Uuid()),
        sa.Column("indicator_id", sa.Uuid()),
        sa.Column("vendor_kind", sa.String()),
        sa.Column("target", sa.Numeric(precision=12, scale=10), nullable=False),
        sa.Column("bands", JSONB(), nullable=False),
        sa.Column("fee_part", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("fee_part >= 0", name="fee_part"),
        sa.CheckConstraint("target > 0 AND target <= 1", name="target"),
        tenant_key("indicator_id", "indicators"),
        tenant_key("objective_id", "objectives"),
        tenant_key("version_id", "agreement_versions"),
        sa.UniqueConstraint("tenant_id", "version_id", "clause"),
        verbs="SELECT, INSERT, DELETE",
    )
    op.create_index(
        "ix_agreement_commitments_tenant_id_indicator_id",
        "agreement_commitments",
        ["tenant_id", "indicator_id"],
    )
    op.create_index(
        "ix_agreement_commitments_tenant_id_objective_id",
        "agreement_commitments",
        ["tenant_id", "objective_id"],
    )


def operations_alerts() -> None:
    """Tables of governance/operations/alerts."""
    tenant_table(
        "alerts",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("objective_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("level", sa.String(), nullable=False),
        sa.Column("rules", JSONB(), nullable=False),
        sa.Column("latest", JSONB(), nullable=False),
        sa.Column("fired_at", TIME, nullable=False),
        sa.Column("escalated_at", TIME),
        sa.Column("acknowledged_by", sa.Uuid()),
        sa.Column("acknowledged_at", TIME),
        sa.Column("resolved_at", TIME),
        sa.Column("clear_since", TIME),
        sa.Column("calm_since", TIME),
        sa.Column("evaluated_at", TIME, nullable=False),
        sa.Column("incident_id", sa.Uuid()),
        sa.Column("incident_ref", sa.String()),
        sa.CheckConstraint("(state = 'resolved') = (resolved_at IS NOT NULL)", name="resolved"),
        sa.CheckConstraint("state IN ('firing', 'acknowledged', 'resolved')", name="state"),
        sa.ForeignKeyConstraint(["acknowledged_by"], ["people.id"]),
        tenant_key("objective_id", "objectives"),
        sa.UniqueConstraint("tenant_id", "number"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index("ix_alerts_tenant_id_fired_at_id", "alerts", ["tenant_id", "fired_at", "id"])
    op.create_index(
        "ix_alerts_tenant_id_objective_id_fired_at",
        "alerts",
        ["tenant_id", "objective_id", "fired_at"],
    )
    op.create_index(
        "uq_alerts_open",
        "alerts",
        ["tenant_id", "objective_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'resolved'"),
    )
    tenant_table(
        "budget_exhaustions",
        sa.Column("objective_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("exhausted_at", TIME, nullable=False),
        sa.Column("restored_at", TIME),
        sa.Column("lost", sa.BigInteger(), nullable=False),
        sa.Column("measured", sa.BigInteger(), nullable=False),
        sa.Column("allowed", sa.String(), nullable=False),
        sa.Column("tier", sa.String()),
        sa.Column("policy_number", sa.Integer()),
        sa.Column("note", sa.String(), nullable=False),
        tenant_key("objective_id", "objectives"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_budget_exhaustions_tenant_id_objective_id_exhausted_at",
        "budget_exhaustions",
        ["tenant_id", "objective_id", "exhausted_at"],
    )
    op.create_index(
        "uq_budget_exhaustions_open",
        "budget_exhaustions",
        ["tenant_id", "objective_id"],
        unique=True,
        postgresql_where=sa.text("restored_at IS NULL"),
    )
    tenant_table(
        "budget_responses",
        sa.Column("objective_id", sa.Uuid(), nullable=False),
        sa.Column("tier", sa.String()),
        sa.Column("set_by", sa.Uuid()),
        sa.Column("set_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["set_by"], ["people.id"]),
        tenant_key("objective_id", "objectives"),
        sa.UniqueConstraint("tenant_id", "objective_id"),
        verbs="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "alert_deliveries",
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid()),
        sa.Column("endpoints", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"]),
        tenant_key("alert_id", "alerts"),
        sa.UniqueConstraint(
            "tenant_id",
            "alert_id",
            "step",
            "at",
            "channel",
            "person_id",
            name="uq_alert_deliveries_once",
            postgresql_nulls_not_distinct=True,
        ),
        verbs="SELECT, INSERT",
    )


def operations_decision_counts() -> None:
    """Tables of governance/operations/decision_counts."""
    tenant_table(
        "decision_counts",
        sa.Column("grain", sa.String(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("flag", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.UniqueConstraint("tenant_id", "grain", "at", "system", "flag", "value"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index(
        "ix_decision_counts_tenant_id_grain_system_at",
        "decision_counts",
        ["tenant_id", "grain", "system", "at"],
    )


def operations_decisions() -> None:
    """Tables of governance/operations/decisions."""
    tenant_table(
        "bundle_keys",
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("retired_at", TIME),
        sa.UniqueConstraint("tenant_id", "public"),
        verbs="SELECT, INSERT, UPDATE",
    )


def operations_maintenance() -> None:
    """Tables of governance/operations/maintenance."""
    tenant_table(
        "maintenance_feeds",
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hint", sa.String(), nullable=False),
        sa.Column("created_by", sa.Uuid()),
        sa.UniqueConstraint("tenant_id"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    tenant_table(
        "exclusions",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("system_id", sa.Uuid()),
        sa.Column("indicator_id", sa.Uuid()),
        sa.Column("starts_at", TIME, nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("rrule", sa.String()),
        sa.Column("repeat_until", TIME),
        sa.Column("last_end", TIME, nullable=False),
        sa.Column("announced_at", TIME, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("is_customer_visible", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("requested_by", sa.Uuid()),
        sa.Column("approved_by", sa.Uuid()),
        sa.Column("approved_at", TIME),
        sa.Column("withdrawn_at", TIME),
        sa.Column("withdrawn_by", sa.Uuid()),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.CheckConstraint("last_end >= ends_at", name="last_end"),
        sa.CheckConstraint("ends_at > starts_at", name="positive"),
        tenant_key("indicator_id", "indicators"),
        tenant_key("system_id", "ai_systems"),
        sa.UniqueConstraint("tenant_id", "number"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_exclusions_tenant_id_last_end_starts_at",
        "exclusions",
        ["tenant_id", "last_end", "starts_at"],
    )
    op.create_index(
        "ix_exclusions_tenant_id_starts_at_id", "exclusions", ["tenant_id", "starts_at", "id"]
    )


def operations_policies() -> None:
    """Tables of governance/operations/policies."""
    shared_table(
        "platform_policies",
        sa.Column("number", sa.Integer()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("content", JSONB(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("base", sa.Integer(), nullable=False),
        sa.Column("loosens", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid(), nullable=False),
        sa.Column("decided_by", sa.Uuid()),
        sa.Column("decided_at", TIME),
        sa.Column("in_force_from", TIME),
        sa.Column("until", TIME),
        sa.UniqueConstraint("number"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "uq_platform_policies_open",
        "platform_policies",
        [sa.text("(1)")],
        unique=True,
        postgresql_where=sa.text("state = 'requested'"),
    )
    tenant_table(
        "policy_versions",
        sa.Column("number", sa.Integer()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("content", JSONB(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("base", sa.Integer(), nullable=False),
        sa.Column("edited", sa.Integer(), nullable=False),
        sa.Column("loosens", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid()),
        sa.Column("hands", JSONB(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("agreed", sa.String(), nullable=False),
        sa.Column("back_to", sa.Integer()),
        sa.Column("requested_at", TIME),
        sa.Column("decided_by", sa.Uuid()),
        sa.Column("decided_at", TIME),
        sa.Column("apply_at", TIME),
        sa.Column("in_force_from", TIME),
        sa.UniqueConstraint("tenant_id", "number"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_policy_versions_tenant_id_in_force_from",
        "policy_versions",
        ["tenant_id", "in_force_from"],
    )
    op.create_index(
        "uq_policy_versions_open",
        "policy_versions",
        ["tenant_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('draft', 'requested', 'scheduled')"),
    )
    tenant_table(
        "waivers",
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("dimension", sa.String(), nullable=False),
        sa.Column("value", JSONB(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("compensation", sa.String(), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("live_from", TIME),
        sa.Column("closed_by", sa.Uuid()),
        sa.Column("closed_at", TIME),
        tenant_key("system_id", "ai_systems"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_waivers_tenant_id_state_expires_at", "waivers", ["tenant_id", "state", "expires_at"]
    )
    op.create_index("ix_waivers_tenant_id_system_id", "waivers", ["tenant_id", "system_id"])


def operations_switches() -> None:
    """Tables of governance/operations/switches."""
    shared_table(
        "platform_stops",
        sa.Column("generate", sa.Boolean(), nullable=False),
        sa.Column("serve", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("stopped_by", sa.Uuid(), nullable=False),
        sa.Column("restart_requested_by", sa.Uuid()),
        sa.Column("restart_reason", sa.String()),
        sa.Column("restarted_by", sa.Uuid()),
        sa.Column("restarted_at", TIME),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "uq_platform_stops_active",
        "platform_stops",
        [sa.text("(1)")],
        unique=True,
        postgresql_where=sa.text("restarted_at IS NULL"),
    )
    tenant_table(
        "consumers",
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("region", sa.String(), nullable=False),
        sa.Column("system_id", sa.Uuid()),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        tenant_key("key_id", "api_keys"),
        tenant_key("system_id", "ai_systems"),
        sa.UniqueConstraint("tenant_id", "key_id", "name"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index("ix_consumers_tenant_id_seen_at", "consumers", ["tenant_id", "seen_at"])
    tenant_table(
        "drills",
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("feature_id", sa.Uuid()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("repeat_days", sa.Integer()),
        sa.Column("planned_by", sa.Uuid()),
        sa.Column("approved_by", sa.Uuid()),
        sa.Column("started_at", TIME),
        sa.Column("ended_at", TIME),
        sa.Column("expected", sa.Integer()),
        sa.Column("obeyed", sa.Integer()),
        sa.Column("slowest_ms", sa.Integer()),
        sa.Column("found", JSONB(), nullable=False),
        sa.Column("evidence_version_id", sa.Uuid()),
        tenant_key("feature_id", "system_features"),
        tenant_key("system_id", "ai_systems"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_drills_open",
        "drills",
        ["tenant_id"],
        postgresql_where=sa.text("state IN ('planned', 'running') OR evidence_version_id IS NULL"),
    )
    op.create_index("ix_drills_tenant_id_state_due_at", "drills", ["tenant_id", "state", "due_at"])
    op.create_index(
        "ix_drills_tenant_id_system_id_due_at", "drills", ["tenant_id", "system_id", "due_at"]
    )
    tenant_table(
        "stops",
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("system_id", sa.Uuid()),
        sa.Column("feature_id", sa.Uuid()),
        sa.Column("generate", sa.Boolean(), nullable=False),
        sa.Column("serve", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("expected", JSONB(), nullable=False),
        sa.Column("stopped_by", sa.Uuid()),
        sa.Column("drill_id", sa.Uuid()),
        sa.Column("remind_at", TIME),
        sa.Column("restart_requested_by", sa.Uuid()),
        sa.Column("restart_reason", sa.String()),
        sa.Column("restarted_by", sa.Uuid()),
        sa.Column("restarted_at", TIME),
        tenant_key("drill_id", "drills"),
        tenant_key("feature_id", "system_features"),
        tenant_key("system_id", "ai_systems"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_stops_active", "stops", ["tenant_id"], postgresql_where=sa.text("restarted_at IS NULL")
    )
    op.create_index("ix_stops_tenant_id_created_at", "stops", ["tenant_id", "created_at"])
    op.create_index(
        "ix_stops_tenant_id_system_id_created_at", "stops", ["tenant_id", "system_id", "created_at"]
    )
    tenant_table(
        "acknowledgements",
        sa.Column("stop_id", sa.Uuid(), nullable=False),
        sa.Column("consumer_id", sa.Uuid(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        tenant_key("consumer_id", "consumers"),
        tenant_key("stop_id", "stops"),
        sa.UniqueConstraint("tenant_id", "stop_id", "consumer_id"),
        verbs="SELECT, INSERT",
    )
    op.create_index(
        "ix_acknowledgements_tenant_id_consumer_id",
        "acknowledgements",
        ["tenant_id", "consumer_id"],
    )


def economics_allocation() -> None:
    """Tables of governance/economics/allocation."""
    tenant_table(
        "allocation_rules",
        sa.Column("number", sa.Integer()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("since", sa.String(), nullable=False),
        sa.Column("content", JSONB(), nullable=False),
        sa.Column("base", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_by", sa.Uuid()),
        sa.Column("decided_by", sa.Uuid()),
        sa.Column("decided_at", TIME),
        sa.CheckConstraint("(number IS NOT NULL) = (state = 'approved')", name="number"),
        sa.CheckConstraint("since ~ '^[0-9]{4}-[0-9]{2}$'", name="since"),
        sa.CheckConstraint(
            "state IN ('requested', 'approved', 'rejected', 'withdrawn', 'expired', 'voided')",
            name="state",
        ),
        sa.UniqueConstraint("tenant_id", "number"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "uq_allocation_rules_open",
        "allocation_rules",
        ["tenant_id"],
        unique=True,
        postgresql_where=sa.text("state = 'requested'"),
    )


def economics_benchmarks() -> None:
    """Tables of governance/economics/benchmarks."""
    tenant_table(
        "benchmarks",
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("tenants", sa.Integer(), nullable=False),
        sa.Column("epsilon", sa.Numeric(precision=6, scale=3), nullable=False),
        sa.Column("mean", sa.Numeric(precision=9, scale=6)),
        sa.Column("accuracy", sa.Numeric(precision=9, scale=6)),
        sa.Column("refusal", sa.String(), nullable=False),
        sa.CheckConstraint("(mean IS NULL) = (accuracy IS NULL)", name="accuracy"),
        sa.CheckConstraint("epsilon >= 0", name="epsilon"),
        sa.CheckConstraint("month ~ '^[0-9]{4}-[0-9]{2}$'", name="month"),
        sa.CheckConstraint("(mean IS NULL) = (epsilon = 0)", name="released"),
        sa.UniqueConstraint("tenant_id", "month", "measure"),
        verbs="SELECT, INSERT",
    )


def economics_budgets() -> None:
    """Tables of governance/economics/budgets."""
    tenant_table(
        "cost_budget_notices",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=20, scale=4), nullable=False),
        sa.Column("spent", sa.Numeric(precision=24, scale=10), nullable=False),
        sa.Column("forecast", sa.Numeric(precision=24, scale=10), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("acknowledged_at", TIME),
        sa.Column("acknowledged_by", sa.Uuid()),
        sa.CheckConstraint("basis IN ('actual', 'forecast')", name="basis"),
        verbs="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "cost_budgets",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid()),
        sa.Column("system", sa.String(), nullable=False),
        sa.Column("feature", sa.String(), nullable=False),
        sa.Column("window", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=20, scale=4), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("actual_thresholds", JSONB(), nullable=False),
        sa.Column("forecast_thresholds", JSONB(), nullable=False),
        sa.Column("tells_tenant", sa.Boolean(), nullable=False),
        sa.Column("proposed_limit", sa.Integer()),
        sa.Column("proposed_models", JSONB(), nullable=False),
        sa.Column("removed_at", TIME),
        sa.CheckConstraint("amount > 0", name="amount"),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        sa.CheckConstraint("\"window\" IN ('month', 'rolling')", name="window"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_cost_budgets_tenant_id_removed_at", "cost_budgets", ["tenant_id", "removed_at"]
    )
    tenant_table(
        "cost_budget_alerts",
        sa.Column("budget_id", sa.Uuid(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=20, scale=4), nullable=False),
        sa.Column("spent", sa.Numeric(precision=24, scale=10), nullable=False),
        sa.Column("forecast", sa.Numeric(precision=24, scale=10), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("told_at", TIME),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("acknowledged_at", TIME),
        sa.Column("acknowledged_by", sa.Uuid()),
        sa.CheckConstraint("basis IN ('actual', 'forecast')", name="basis"),
        tenant_key("budget_id", "cost_budgets"),
        sa.UniqueConstraint("tenant_id", "budget_id", "period", "basis", "percent"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_cost_budget_alerts_tenant_id_acknowledged_at",
        "cost_budget_alerts",
        ["tenant_id", "acknowledged_at"],
    )


def economics_imports() -> None:
    """Tables of governance/economics/imports."""
    tenant_table(
        "file_imports",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("storage_key", sa.String()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("problem", sa.String()),
        sa.Column("rows_read", sa.BigInteger(), nullable=False),
        sa.Column("rows_accepted", sa.BigInteger(), nullable=False),
        sa.Column("rows_rejected", sa.BigInteger(), nullable=False),
        sa.Column("rejected", JSONB(), nullable=False),
        sa.Column("rows_listed", sa.BigInteger(), nullable=False),
        sa.Column("rejected_key", sa.String()),
        sa.Column("totals", JSONB(), nullable=False),
        sa.Column("notes", JSONB(), nullable=False),
        sa.Column("decided_by", sa.Uuid()),
        sa.Column("decided_at", TIME),
        sa.Column("work_item_id", sa.Uuid()),
        sa.Column("requested_by", sa.Uuid()),
        sa.CheckConstraint("state <> 'applied' OR rows_rejected = 0", name="applied_whole"),
        sa.CheckConstraint(
            "state IN ('reading', 'ready', 'failed', 'applying', 'applied', 'discarded')",
            name="state",
        ),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_file_imports_tenant_id_created_at_id", "file_imports", ["tenant_id", "created_at", "id"]
    )
    op.create_index(
        "uq_file_imports_applied",
        "file_imports",
        ["tenant_id", "kind", "sha256"],
        unique=True,
        postgresql_where=sa.text("state = 'applied'"),
    )


def economics_costs() -> None:
    """Tables of governance/economics/costs."""
    tenant_table(
        "cost_pool_rules",
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("resource", sa.String(), nullable=False),
        sa.Column("pool", sa.String(), nullable=False),
        sa.CheckConstraint(
            "pool IN ('models', 'infrastructure', 'idle', 'guardrails', 'support', 'other')",
            name="pool",
        ),
        sa.UniqueConstraint("tenant_id", "position", deferrable=True, initially="DEFERRED"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    tenant_table(
        "invoice_model_names",
        sa.Column("invoice_provider", sa.String(), nullable=False),
        sa.Column("invoice_model", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.UniqueConstraint("tenant_id", "invoice_provider", "invoice_model"),
        verbs="SELECT, INSERT, DELETE",
    )
    tenant_table(
        "cost_bills",
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("period_start", sa.Date(), nullable=False),
        sa.Column("period_end", sa.Date(), nullable=False),
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("billed", sa.Numeric(), nullable=False),
        sa.Column("effective", sa.Numeric(), nullable=False),
        sa.Column("source_lines", sa.BigInteger(), nullable=False),
        sa.Column("replaced_by", sa.Uuid()),
        sa.Column("replaced_at", TIME),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        sa.CheckConstraint("period_start < period_end", name="period"),
        sa.CheckConstraint("(replaced_by IS NULL) = (replaced_at IS NULL)", name="replaced"),
        tenant_key("import_id", "file_imports"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index("ix_cost_bills_tenant_id_import_id", "cost_bills", ["tenant_id", "import_id"])
    op.create_index(
        "uq_cost_bills_current",
        "cost_bills",
        ["tenant_id", "provider", "period_start", "period_end", "invoice_id", "currency"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    tenant_table(
        "cost_changes",
        sa.Column("import_id", sa.Uuid()),
        sa.Column("usage_month", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("effective_before", sa.Numeric(), nullable=False),
        sa.Column("effective_after", sa.Numeric(), nullable=False),
        sa.Column("corrections", sa.Numeric(), nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        sa.CheckConstraint("usage_month ~ '^[0-9]{4}-[0-9]{2}$'", name="usage_month"),
        tenant_key("import_id", "file_imports"),
        verbs="SELECT, INSERT",
    )
    op.create_index(
        "ix_cost_changes_tenant_id_import_id", "cost_changes", ["tenant_id", "import_id"]
    )
    op.create_index(
        "ix_cost_changes_tenant_id_usage_month_created_at",
        "cost_changes",
        ["tenant_id", "usage_month", "created_at"],
    )
    tenant_table(
        "cost_lines",
        sa.Column("bill_id", sa.Uuid()),
        sa.Column("usage_month", sa.String(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("service", sa.String(), nullable=False),
        sa.Column("model", sa.String()),
        sa.Column("category", sa.String(), nullable=False),
        sa.Column("is_correction", sa.Boolean(), nullable=False),
        sa.Column("pool", sa.String(), nullable=False),
        sa.Column("meter", sa.String()),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("billed", sa.Numeric(), nullable=False),
        sa.Column("effective", sa.Numeric(), nullable=False),
        sa.Column("list_cost", sa.Numeric()),
        sa.Column("contracted", sa.Numeric()),
        sa.Column("quantity", sa.Numeric()),
        sa.Column("unit", sa.String()),
        sa.Column("invoice_id", sa.String(), nullable=False),
        sa.Column("source_lines", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("entered_by", sa.Uuid()),
        sa.CheckConstraint(
            "category IN ('Usage', 'Purchase', 'Tax', 'Credit', 'Adjustment', 'Manual')",
            name="category",
        ),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        sa.CheckConstraint(
            "(category = 'Manual') = (bill_id IS NULL) AND (bill_id IS NULL) = (note <> '')",
            name="manual",
        ),
        sa.CheckConstraint(
            "meter IS NULL OR meter IN ('input', 'cache_read', 'cache_write', 'output', 'reasoning', 'request')",
            name="meter",
        ),
        sa.CheckConstraint(
            "pool IN ('models', 'infrastructure', 'idle', 'guardrails', 'support', 'other')",
            name="pool",
        ),
        sa.CheckConstraint("usage_month ~ '^[0-9]{4}-[0-9]{2}$'", name="usage_month"),
        tenant_key("bill_id", "cost_bills"),
        verbs="SELECT, INSERT, DELETE",
    )
    op.create_index("ix_cost_lines_tenant_id_bill_id", "cost_lines", ["tenant_id", "bill_id"])
    op.create_index(
        "ix_cost_lines_tenant_id_usage_month_pool",
        "cost_lines",
        ["tenant_id", "usage_month", "pool"],
    )


def economics_prices() -> None:
    """Tables of governance/economics/prices."""
    tenant_table(
        "price_restatements",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("match_key", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("first_month", sa.String(), nullable=False),
        sa.Column("last_month", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("applied", JSONB()),
        sa.Column("ended_at", TIME),
        sa.CheckConstraint("state IN ('requested', 'applied', 'rejected')", name="state"),
        sa.UniqueConstraint("tenant_id", "number"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "uq_price_restatements_open",
        "price_restatements",
        ["tenant_id", "match_key"],
        unique=True,
        postgresql_where=sa.text("state = 'requested'"),
    )
    counts_table(
        "usage_collections",
        ["customer_id"],
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("collected_until", TIME, nullable=False),
        verbs="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "prices",
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("match_key", sa.String(), nullable=False),
        sa.Column("customer_id", sa.Uuid()),
        sa.Column("effective_from", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("input_price", sa.Numeric(precision=18, scale=8), nullable=False),
        sa.Column("cache_read_price", sa.Numeric(precision=18, scale=8), nullable=False),
        sa.Column("cache_write_price", sa.Numeric(precision=18, scale=8), nullable=False),
        sa.Column("output_price", sa.Numeric(precision=18, scale=8), nullable=False),
        sa.Column("reasoning_price", sa.Numeric(precision=18, scale=8), nullable=False),
        sa.Column("request_price", sa.Numeric(precision=18, scale=8), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("source_date", sa.Date()),
        sa.Column("deprecation_date", sa.Date()),
        sa.Column("successor_model", sa.String()),
        sa.Column("unused_prices", JSONB(), nullable=False),
        sa.Column("import_id", sa.Uuid()),
        sa.Column("entered_by", sa.Uuid()),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        sa.CheckConstraint(
            "input_price >= 0 AND cache_read_price >= 0 AND cache_write_price >= 0 AND output_price >= 0 AND reasoning_price >= 0 AND request_price >= 0",
            name="prices",
        ),
        tenant_key("import_id", "file_imports"),
        sa.UniqueConstraint(
            "tenant_id",
            "match_key",
            "effective_from",
            "customer_id",
            postgresql_nulls_not_distinct=True,
        ),
        verbs="SELECT, INSERT",
    )
    counts_table(
        "usage_costs",
        ["day", "customer_id", "system_id", "feature", "provider", "model", "outcome"],
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
        sa.Column("price_id", sa.Uuid()),
        sa.Column("currency", sa.Text()),
        sa.Column("cost", sa.Numeric(precision=20, scale=8), nullable=False),
        sa.Column("collected_at", TIME, nullable=False),
        sa.CheckConstraint("cost >= 0", name="cost"),
        sa.CheckConstraint("(price_id IS NULL) = (currency IS NULL)", name="priced"),
        sa.CheckConstraint("requests >= 0", name="requests"),
        sa.CheckConstraint("price_id IS NOT NULL OR cost = 0", name="unpriced"),
        tenant_key("price_id", "prices"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_usage_costs_unpriced",
        "usage_costs",
        ["tenant_id", "match_key"],
        postgresql_where=sa.text("price_id IS NULL"),
    )


def economics_rates() -> None:
    """Tables of governance/economics/rates."""
    tenant_table(
        "exchange_rates",
        sa.Column("reporting_currency", sa.String(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("rate", sa.Numeric(precision=20, scale=10), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("entered_by", sa.Uuid()),
        sa.CheckConstraint("currency <> reporting_currency", name="currency"),
        sa.CheckConstraint("month ~ '^[0-9]{4}-[0-9]{2}$'", name="month"),
        sa.CheckConstraint("rate > 0", name="rate"),
        sa.UniqueConstraint("tenant_id", "reporting_currency", "month", "currency"),
        verbs="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "reporting_currencies",
        sa.Column("currency", sa.String(), nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        sa.UniqueConstraint("tenant_id"),
        verbs="SELECT, INSERT, UPDATE",
    )


def economics_revenue() -> None:
    """Tables of governance/economics/revenue."""
    tenant_table(
        "account_segments",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.UniqueConstraint("tenant_id", "name"),
        verbs="SELECT, INSERT, DELETE",
    )
    tenant_table(
        "accounts",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("segment", sa.String(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("won_on", sa.Date(), nullable=False),
        sa.Column("lost_on", sa.Date()),
        sa.CheckConstraint("lost_on > won_on", name="period"),
        sa.CheckConstraint("seats >= 0", name="seats"),
        sa.UniqueConstraint("tenant_id", "customer_id"),
        verbs="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "acquisition_months",
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("segment", sa.String(), nullable=False),
        sa.Column("spend", sa.Numeric(precision=20, scale=4), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("wins", sa.Integer(), nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        sa.CheckConstraint("month ~ '^[0-9]{4}-[0-9]{2}$'", name="month"),
        sa.CheckConstraint("spend >= 0", name="spend"),
        sa.CheckConstraint("wins >= 0", name="wins"),
        sa.UniqueConstraint("tenant_id", "month", "channel", "segment"),
        verbs="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "invoices",
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=20, scale=4), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        sa.CheckConstraint("month ~ '^[0-9]{4}-[0-9]{2}$'", name="month"),
        sa.UniqueConstraint("tenant_id", "number", "month"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_invoices_tenant_id_month_customer_id", "invoices", ["tenant_id", "month", "customer_id"]
    )
    tenant_table(
        "subscriptions",
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date()),
        sa.Column("amount", sa.Numeric(precision=20, scale=4), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.CheckConstraint("amount >= 0", name="amount"),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        sa.CheckConstraint("ends_on > starts_on", name="period"),
        sa.UniqueConstraint("tenant_id", "reference", "starts_on"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_subscriptions_tenant_id_customer_id", "subscriptions", ["tenant_id", "customer_id"]
    )
    tenant_table(
        "support_months",
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("hours", sa.Numeric(precision=12, scale=4), nullable=False),
        sa.Column("tickets", sa.Integer(), nullable=False),
        sa.Column("cost_per_hour", sa.Numeric(precision=20, scale=4), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.CheckConstraint("cost_per_hour >= 0", name="cost_per_hour"),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        sa.CheckConstraint("hours >= 0", name="hours"),
        sa.CheckConstraint("month ~ '^[0-9]{4}-[0-9]{2}$'", name="month"),
        sa.CheckConstraint("tickets >= 0", name="tickets"),
        sa.UniqueConstraint("tenant_id", "month", "customer_id"),
        verbs="SELECT, INSERT, UPDATE",
    )


def economics_reviews() -> None:
    """Tables of governance/economics/reviews."""
    tenant_table(
        "guardrail_months",
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("dimension", sa.String(), nullable=False),
        sa.Column("confirmed", sa.Integer(), nullable=False),
        sa.Column("mistaken", sa.Integer(), nullable=False),
        sa.Column("milliseconds", sa.Integer(), nullable=False),
        sa.CheckConstraint("confirmed >= 0 AND mistaken >= 0 AND milliseconds >= 0", name="counts"),
        sa.CheckConstraint("month ~ '^[0-9]{4}-[0-9]{2}$'", name="month_form"),
        sa.UniqueConstraint("tenant_id", "month", "customer_id", "dimension"),
        verbs="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "review_settings",
        sa.Column("close_day", sa.Integer(), nullable=False),
        sa.Column("residual_limit", sa.Numeric(precision=5, scale=4), nullable=False),
        sa.CheckConstraint("close_day BETWEEN 1 AND 28", name="close_day"),
        sa.CheckConstraint("residual_limit BETWEEN 0 AND 1", name="residual_limit"),
        sa.UniqueConstraint("tenant_id"),
        verbs="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "reviews",
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("reopened", sa.String()),
        sa.Column("problem", sa.String()),
        sa.Column("accepted_residual", sa.String()),
        sa.Column("late", JSONB()),
        sa.Column("work_item_id", sa.Uuid()),
        sa.Column("requested_by", sa.Uuid()),
        sa.CheckConstraint("month ~ '^[0-9]{4}-[0-9]{2}$'", name="month_form"),
        sa.UniqueConstraint("tenant_id", "month"),
        verbs="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "review_actions",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("done_at", TIME),
        sa.Column("done_by", sa.Uuid()),
        tenant_key("review_id", "reviews"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_review_actions_open",
        "review_actions",
        ["tenant_id"],
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_index(
        "ix_review_actions_tenant_id_review_id", "review_actions", ["tenant_id", "review_id"]
    )
    tenant_table(
        "review_comments",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        tenant_key("review_id", "reviews"),
        verbs="SELECT, INSERT",
    )
    op.create_index(
        "ix_review_comments_tenant_id_review_id", "review_comments", ["tenant_id", "review_id"]
    )
    tenant_table(
        "review_revisions",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("closed_at", TIME, nullable=False),
        sa.Column("closed_by", sa.Uuid()),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("input_digest", sa.String(), nullable=False),
        sa.Column("facts", JSONB(), nullable=False),
        sa.Column("headline", JSONB(), nullable=False),
        sa.Column("changes", JSONB()),
        sa.Column("accepted_residual", sa.String()),
        tenant_key("review_id", "reviews"),
        sa.UniqueConstraint("tenant_id", "review_id", "number"),
        verbs="SELECT, INSERT",
    )
    append_only("review_revisions")
    tenant_table(
        "review_scenarios",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("assumptions", JSONB(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        tenant_key("review_id", "reviews"),
        sa.UniqueConstraint("tenant_id", "review_id", "name"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    tenant_table(
        "review_sign_offs",
        sa.Column("revision_id", sa.Uuid(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("signed_at", TIME, nullable=False),
        sa.CheckConstraint("side IN ('finance', 'product')", name="side"),
        tenant_key("revision_id", "review_revisions"),
        sa.UniqueConstraint("tenant_id", "revision_id", "person_id"),
        sa.UniqueConstraint("tenant_id", "revision_id", "side"),
        verbs="SELECT, INSERT",
    )
    append_only("review_sign_offs")


def economics_tenant_costs() -> None:
    """Tables of governance/economics/tenant_costs."""
    tenant_table(
        "list_price_settings",
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.UniqueConstraint("tenant_id"),
        verbs="SELECT, INSERT, UPDATE",
    )
    counts_table(
        "list_prices",
        ["month", "provider", "model", "first_day"],
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("input_price", sa.Numeric(), nullable=False),
        sa.Column("cache_read_price", sa.Numeric(), nullable=False),
        sa.Column("cache_write_price", sa.Numeric(), nullable=False),
        sa.Column("output_price", sa.Numeric(), nullable=False),
        sa.Column("reasoning_price", sa.Numeric(), nullable=False),
        sa.Column("request_price", sa.Numeric(), nullable=False),
        sa.CheckConstraint("first_day <= last_day", name="days"),
        sa.CheckConstraint(
            "input_price >= 0 AND cache_read_price >= 0 AND cache_write_price >= 0 AND output_price >= 0 AND reasoning_price >= 0 AND request_price >= 0",
            name="prices",
        ),
        verbs="SELECT, INSERT, DELETE",
    )


def economics_usage() -> None:
    """Tables of governance/economics/usage."""
    counts_table(
        "usage_event_keys",
        ["event_id"],
        sa.Column("event_id", sa.Text(collation="C"), nullable=False),
        sa.Column("digest", sa.BigInteger(), nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        verbs="SELECT, INSERT, DELETE",
    )
    counts_table(
        "usage_events",
        ["at", "event_id"],
        sa.Column("at", TIME, nullable=False),
        sa.Column("event_id", sa.Text(collation="C"), nullable=False),
        sa.Column("received_at", TIME, nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("feature", sa.Text()),
        sa.Column("provider", sa.Text()),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("request", sa.Text()),
        sa.Column("task", sa.Text()),
        sa.Column("person", sa.Text()),
        sa.Column("input_tokens", sa.Integer(), nullable=False),
        sa.Column("cache_read_tokens", sa.Integer(), nullable=False),
        sa.Column("cache_write_tokens", sa.Integer(), nullable=False),
        sa.Column("output_tokens", sa.Integer(), nullable=False),
        sa.Column("reasoning_tokens", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('success', 'refused', 'failed', 'retried')", name="outcome"
        ),
        verbs="SELECT, INSERT",
        partition_by="RANGE (at)",
    )
    counts_table(
        "usage_proofs",
        ["month"],
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("checked_at", TIME, nullable=False),
        sa.Column("differing", sa.Integer(), nullable=False),
        sa.CheckConstraint("differing >= 0", name="differing"),
        verbs="SELECT, INSERT, UPDATE",
    )
    counts_table(
        "usage_days",
        ["day", "system_id", "feature", "provider", "model", "outcome"],
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
        sa.Column("changed_at", TIME, nullable=False),
        sa.CheckConstraint("requests >= 0", name="requests"),
        tenant_key("system_id", "ai_systems"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index("ix_usage_days_tenant_id_changed_at", "usage_days", ["tenant_id", "changed_at"])
    counts_table(
        "usage_people",
        ["month", "system_id", "feature", "person"],
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(collation="C"), nullable=False),
        sa.Column("days", sa.Integer(), nullable=False),
        sa.CheckConstraint("days > 0", name="days"),
        tenant_key("system_id", "ai_systems"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    counts_table(
        "usage_tasks",
        ["month", "system_id", "feature"],
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("feature", sa.Text(), nullable=False),
        sa.Column("named", sa.BigInteger(), nullable=False),
        sa.Column("unnamed", sa.BigInteger(), nullable=False),
        sa.Column("counted_until", TIME, nullable=False),
        sa.CheckConstraint("named >= 0 AND unnamed >= 0", name="counts"),
        tenant_key("system_id", "ai_systems"),
        verbs="SELECT, INSERT, UPDATE",
    )


def assurance_frameworks() -> None:
    """Tables of governance/assurance/frameworks."""
    shared_table(
        "frameworks",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("edition", sa.String(), nullable=False),
        sa.Column("publisher", sa.String(), nullable=False),
        sa.Column("licence", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("superseded_at", TIME),
        sa.UniqueConstraint("key", "digest"),
        verbs="SELECT",
    )
    tenant_table(
        "adoptions",
        sa.Column("framework_id", sa.Uuid(), nullable=False),
        sa.Column("adopted_by", sa.Uuid()),
        sa.ForeignKeyConstraint(["framework_id"], ["frameworks.id"]),
        sa.UniqueConstraint("tenant_id", "framework_id"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    tenant_table(
        "framework_imports",
        sa.Column("framework_id", sa.Uuid(), nullable=False),
        sa.Column("format", sa.String(), nullable=False),
        sa.Column("filename", sa.String(), nullable=False),
        sa.Column("edition", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("imported_by", sa.Uuid(), nullable=False),
        sa.Column("report", JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["framework_id"], ["frameworks.id"]),
        sa.UniqueConstraint("tenant_id", "framework_id", "sha256"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    shared_table(
        "requirements",
        sa.Column("framework_id", sa.Uuid(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("parent_ref", sa.String()),
        sa.Column("depth", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("assessable", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["framework_id"], ["frameworks.id"]),
        sa.UniqueConstraint("framework_id", "ref"),
        verbs="SELECT",
    )
    op.create_index(
        "ix_requirements_framework_id_position", "requirements", ["framework_id", "position"]
    )
    tenant_table(
        "official_texts",
        sa.Column("requirement_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["requirement_id"], ["requirements.id"]),
        tenant_key("import_id", "framework_imports"),
        sa.UniqueConstraint("tenant_id", "requirement_id", "kind"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )


def assurance_testing() -> None:
    """Tables of governance/assurance/testing."""
    tenant_table(
        "sampling_tables",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", JSONB(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.UniqueConstraint("tenant_id", "number"),
        verbs="SELECT, INSERT",
    )
    append_only("sampling_tables")
    tenant_table(
        "populations",
        sa.Column("control_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("parameters", JSONB(), nullable=False),
        sa.Column("period_from", sa.Date(), nullable=False),
        sa.Column("period_to", sa.Date(), nullable=False),
        sa.Column("run_at", TIME, nullable=False),
        sa.Column("run_by", sa.String(), nullable=False),
        sa.Column("frozen_by", sa.Uuid(), nullable=False),
        sa.Column("id_column", sa.String(), nullable=False),
        sa.Column("date_column", sa.String()),
        sa.Column("by_month", JSONB(), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("rows", JSONB(), nullable=False),
        sa.CheckConstraint("period_from <= period_to", name="period_order"),
        sa.CheckConstraint("row_count > 0 AND row_count <= 50000", name="row_count"),
        verbs="SELECT, INSERT",
    )
    op.create_index(
        "ix_populations_tenant_id_control_id_run_at",
        "populations",
        ["tenant_id", "control_id", "run_at"],
    )
    append_only("populations")
    tenant_table(
        "samples",
        sa.Column("population_id", sa.Uuid(), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("advised", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("seed", sa.String(), nullable=False),
        sa.Column("population_sha256", sa.String(), nullable=False),
        sa.Column("attributes", JSONB(), nullable=False),
        sa.Column("drawn_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint("size > 0", name="size"),
        tenant_key("population_id", "populations"),
        sa.UniqueConstraint("tenant_id", "population_id", "seed", "size"),
        verbs="SELECT, INSERT",
    )
    append_only("samples")
    tenant_table(
        "sample_items",
        sa.Column("sample_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("item", sa.String(), nullable=False),
        sa.Column("facts", JSONB(), nullable=False),
        sa.Column("dated", sa.Date()),
        tenant_key("sample_id", "samples"),
        sa.UniqueConstraint("tenant_id", "sample_id", "item"),
        sa.UniqueConstraint("tenant_id", "sample_id", "number"),
        verbs="SELECT, INSERT",
    )
    append_only("sample_items")
    tenant_table(
        "item_results",
        sa.Column("sample_item_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("checks", JSONB(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("evidence_version_id", sa.Uuid()),
        sa.Column("tested_by", sa.Uuid(), nullable=False),
        sa.Column("by_auditor", sa.Boolean(), nullable=False),
        sa.CheckConstraint("outcome IN ('passed', 'failed')", name="outcome"),
        tenant_key("sample_item_id", "sample_items"),
        sa.UniqueConstraint("tenant_id", "sample_item_id", "number"),
        verbs="SELECT, INSERT",
    )
    op.create_index(
        "ix_item_results_tenant_id_evidence_version_id",
        "item_results",
        ["tenant_id", "evidence_version_id"],
    )
    append_only("item_results")
    tenant_table(
        "test_exceptions",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("control_id", sa.Uuid(), nullable=False),
        sa.Column("sample_item_id", sa.Uuid()),
        sa.Column("missed_from", sa.Date()),
        sa.Column("missed_to", sa.Date()),
        sa.Column("says", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("effect", sa.String(), nullable=False),
        sa.Column("correction", sa.String(), nullable=False),
        sa.Column("response", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("found_by", sa.Uuid(), nullable=False),
        sa.Column("responded_by", sa.Uuid()),
        sa.CheckConstraint(
            "(sample_item_id IS NULL) = (missed_from IS NOT NULL AND missed_to IS NOT NULL)",
            name="item_or_cycle",
        ),
        tenant_key("sample_item_id", "sample_items"),
        sa.UniqueConstraint("tenant_id", "control_id", "missed_from", "missed_to"),
        sa.UniqueConstraint("tenant_id", "ref"),
        sa.UniqueConstraint("tenant_id", "sample_item_id"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_test_exceptions_tenant_id_control_id", "test_exceptions", ["tenant_id", "control_id"]
    )
    tenant_table(
        "findings",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("exception_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("raised_by", sa.Uuid(), nullable=False),
        sa.Column("remedy", sa.String(), nullable=False),
        sa.Column("remedied_at", TIME),
        sa.Column("remedied_by", sa.Uuid()),
        sa.Column("closed_at", TIME),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"]),
        tenant_key("exception_id", "test_exceptions"),
        sa.UniqueConstraint("tenant_id", "exception_id"),
        sa.UniqueConstraint("tenant_id", "ref"),
        verbs="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "retests",
        sa.Column("finding_id", sa.Uuid(), nullable=False),
        sa.Column("tested_on", sa.Date(), nullable=False),
        sa.Column("sample", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("tested_by", sa.Uuid(), nullable=False),
        sa.CheckConstraint("sample > 0 AND failed >= 0 AND failed <= sample", name="counts"),
        tenant_key("finding_id", "findings"),
        verbs="SELECT, INSERT",
    )
    op.create_index("ix_retests_tenant_id_finding_id", "retests", ["tenant_id", "finding_id"])
    append_only("retests")


def assurance_controls() -> None:
    """Tables of governance/assurance/controls."""
    tenant_table(
        "controls",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("does", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("automation", sa.String(), nullable=False),
        sa.Column("cadence", sa.String(), nullable=False),
        sa.Column("rests_on", sa.String()),
        sa.Column("owner_id", sa.Uuid()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("retired_at", TIME),
        sa.Column("retirement_reason", sa.String()),
        sa.CheckConstraint(
            "rests_on IN ('drill', 'policy', 'service_levels', 'incidents')", name="rests_on"
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"]),
        sa.UniqueConstraint("tenant_id", "ref"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    tenant_table(
        "control_mappings",
        sa.Column("control_id", sa.Uuid(), nullable=False),
        sa.Column("requirement_id", sa.Uuid(), nullable=False),
        sa.Column("coverage", sa.String(), nullable=False),
        sa.Column("mapped_by", sa.Uuid()),
        sa.Column("removed_at", TIME),
        sa.CheckConstraint("coverage IN ('full', 'partial')", name="coverage"),
        sa.ForeignKeyConstraint(["requirement_id"], ["requirements.id"]),
        tenant_key("control_id", "controls"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index(
        "ix_control_mappings_tenant_id_requirement_id",
        "control_mappings",
        ["tenant_id", "requirement_id"],
    )
    op.create_index(
        "uq_control_mappings_open",
        "control_mappings",
        ["tenant_id", "control_id", "requirement_id"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    tenant_table(
        "control_tests",
        sa.Column("control_id", sa.Uuid(), nullable=False),
        sa.Column("tested_on", sa.Date(), nullable=False),
        sa.Column("sample", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("finding_ref", sa.String()),
        sa.Column("finding", sa.String(), nullable=False),
        sa.Column("retest_by", sa.Date()),
        sa.Column("tested_by", sa.Uuid()),
        sa.Column("sample_id", sa.Uuid()),
        sa.Column("retest_id", sa.Uuid()),
        sa.Column("unsettled", sa.Integer()),
        sa.CheckConstraint("sample > 0 AND failed >= 0 AND failed <= sample", name="counts"),
        sa.CheckConstraint(
            "(sample_id IS NULL) = (unsettled IS NULL) AND unsettled >= 0", name="unsettled"
        ),
        tenant_key("control_id", "controls"),
        tenant_key("retest_id", "retests"),
        tenant_key("sample_id", "samples"),
        sa.UniqueConstraint("tenant_id", "retest_id"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index(
        "ix_control_tests_tenant_id_control_id_tested_on",
        "control_tests",
        ["tenant_id", "control_id", "tested_on"],
    )
    op.create_index(
        "ix_control_tests_tenant_id_sample_id", "control_tests", ["tenant_id", "sample_id"]
    )


def assurance_evidence() -> None:
    """Tables of governance/assurance/evidence."""
    tenant_table(
        "evidence_retention",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("months", sa.Integer()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=False),
        sa.UniqueConstraint("tenant_id", "kind"),
        verbs="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "evidence",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("cadence", sa.String(), nullable=False),
        sa.Column("confidentiality", sa.String(), nullable=False),
        sa.Column("owner_id", sa.Uuid()),
        sa.Column("due_on", sa.Date()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("retired_at", TIME),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"]),
        sa.UniqueConstraint("tenant_id", "ref"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    tenant_table(
        "evidence_holds",
        sa.Column("evidence_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("placed_by", sa.Uuid(), nullable=False),
        sa.Column("released_at", TIME),
        sa.Column("released_by", sa.Uuid()),
        tenant_key("evidence_id", "evidence"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_evidence_holds_tenant_id_evidence_id", "evidence_holds", ["tenant_id", "evidence_id"]
    )
    op.create_index(
        "uq_evidence_holds_open",
        "evidence_holds",
        ["tenant_id", "evidence_id"],
        unique=True,
        postgresql_where=sa.text("released_at IS NULL"),
    )
    tenant_table(
        "evidence_links",
        sa.Column("evidence_id", sa.Uuid(), nullable=False),
        sa.Column("control_id", sa.Uuid(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("removed_at", TIME),
        tenant_key("control_id", "controls"),
        tenant_key("evidence_id", "evidence"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index(
        "ix_evidence_links_tenant_id_control_id", "evidence_links", ["tenant_id", "control_id"]
    )
    op.create_index(
        "uq_evidence_links_open",
        "evidence_links",
        ["tenant_id", "evidence_id", "control_id"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    tenant_table(
        "evidence_reminders",
        sa.Column("evidence_id", sa.Uuid(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        tenant_key("evidence_id", "evidence"),
        sa.UniqueConstraint("tenant_id", "evidence_id", "due_on", "person_id"),
        verbs="SELECT, INSERT",
    )
    tenant_table(
        "evidence_versions",
        sa.Column("evidence_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("filename", sa.String()),
        sa.Column("media_type", sa.String()),
        sa.Column("size", sa.Integer()),
        sa.Column("sha256", sa.String()),
        sa.Column("storage_key", sa.String()),
        sa.Column("url", sa.String()),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("collected_at", TIME, nullable=False),
        sa.Column("uploaded_at", TIME, nullable=False),
        sa.Column("uploaded_by", sa.Uuid()),
        sa.Column("key_id", sa.Uuid()),
        sa.Column("period_from", sa.Date(), nullable=False),
        sa.Column("period_to", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.CheckConstraint("(sha256 IS NULL) <> (url IS NULL)", name="file_or_link"),
        sa.CheckConstraint("period_from <= period_to", name="period_order"),
        tenant_key("evidence_id", "evidence"),
        tenant_key("key_id", "api_keys"),
        sa.UniqueConstraint("tenant_id", "evidence_id", "number"),
        verbs="SELECT, INSERT",
    )
    op.create_index(
        "ix_evidence_versions_tenant_id_evidence_id_uploaded_at",
        "evidence_versions",
        ["tenant_id", "evidence_id", "uploaded_at"],
    )
    op.create_index(
        "ix_evidence_versions_tenant_id_sha256", "evidence_versions", ["tenant_id", "sha256"]
    )
    append_only("evidence_versions")
    tenant_table(
        "evidence_deletions",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("by_rule", sa.Boolean(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("decided_by", sa.Uuid()),
        sa.Column("decided_at", TIME),
        sa.Column("done_at", TIME),
        sa.Column("work_item_id", sa.Uuid()),
        tenant_key("version_id", "evidence_versions"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_evidence_deletions_tenant_id_version_id",
        "evidence_deletions",
        ["tenant_id", "version_id"],
    )
    op.create_index(
        "uq_evidence_deletions_open",
        "evidence_deletions",
        ["tenant_id", "version_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('requested', 'approved', 'done')"),
    )
    tenant_table(
        "evidence_faults",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("found_at", TIME, nullable=False),
        sa.Column("restored_at", TIME),
        tenant_key("version_id", "evidence_versions"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_evidence_faults_tenant_id_version_id", "evidence_faults", ["tenant_id", "version_id"]
    )
    op.create_index(
        "uq_evidence_faults_open",
        "evidence_faults",
        ["tenant_id", "version_id"],
        unique=True,
        postgresql_where=sa.text("restored_at IS NULL"),
    )
    tenant_table(
        "evidence_pushes",
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("idempotency_key", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("answer", JSONB(), nullable=False),
        tenant_key("key_id", "api_keys"),
        tenant_key("version_id", "evidence_versions"),
        sa.UniqueConstraint("tenant_id", "key_id", "idempotency_key"),
        verbs="SELECT, INSERT, DELETE",
    )
    op.create_index(
        "ix_evidence_pushes_tenant_id_created_at", "evidence_pushes", ["tenant_id", "created_at"]
    )
    op.create_index(
        "ix_evidence_pushes_tenant_id_version_id", "evidence_pushes", ["tenant_id", "version_id"]
    )
    tenant_table(
        "evidence_reviews",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("decision", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("reviewed_by", sa.Uuid(), nullable=False),
        sa.Column("reviewed_at", TIME, nullable=False),
        tenant_key("version_id", "evidence_versions"),
        sa.UniqueConstraint("tenant_id", "version_id"),
        verbs="SELECT, INSERT",
    )
    append_only("evidence_reviews")


def assurance_access_reviews() -> None:
    """Tables of governance/assurance/access_reviews."""
    tenant_table(
        "access_reviews",
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("started_by", sa.Uuid()),
        sa.Column("closed_by", sa.Uuid()),
        sa.Column("closed_at", TIME),
        sa.Column("evidence_version_id", sa.Uuid()),
        tenant_key("evidence_version_id", "evidence_versions"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_access_reviews_tenant_id_created_at", "access_reviews", ["tenant_id", "created_at"]
    )
    op.create_index(
        "ix_access_reviews_tenant_id_evidence_version_id",
        "access_reviews",
        ["tenant_id", "evidence_version_id"],
    )
    op.create_index(
        "uq_access_reviews_open",
        "access_reviews",
        ["tenant_id"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    tenant_table(
        "access_review_items",
        sa.Column("access_review_id", sa.Uuid(), nullable=False),
        sa.Column("membership_id", sa.Uuid()),
        sa.Column("key_id", sa.Uuid()),
        sa.Column("held", sa.String(), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.Column("used_at", TIME),
        sa.Column("decision", sa.String()),
        sa.Column("role", sa.String()),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("decided_by", sa.Uuid()),
        sa.Column("decided_at", TIME),
        sa.CheckConstraint("decision IN ('keep', 'lower', 'revoke')", name="decision"),
        sa.CheckConstraint("membership_id IS NOT NULL OR key_id IS NOT NULL", name="one_subject"),
        tenant_key("access_review_id", "access_reviews"),
        tenant_key("key_id", "api_keys"),
        tenant_key("membership_id", "memberships"),
        sa.UniqueConstraint("tenant_id", "access_review_id", "key_id"),
        sa.UniqueConstraint("tenant_id", "access_review_id", "membership_id"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_access_review_items_tenant_id_key_id", "access_review_items", ["tenant_id", "key_id"]
    )
    op.create_index(
        "ix_access_review_items_tenant_id_membership_id",
        "access_review_items",
        ["tenant_id", "membership_id"],
    )


def assurance_assessments() -> None:
    """Tables of governance/assurance/assessments."""
    tenant_table(
        "assessments",
        sa.Column("framework_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("scope", sa.String(), nullable=False),
        sa.Column("system_id", sa.Uuid()),
        sa.Column("period_from", sa.Date(), nullable=False),
        sa.Column("period_to", sa.Date(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("started_by", sa.Uuid()),
        sa.Column("closed_at", TIME),
        sa.Column("closed_by", sa.Uuid()),
        sa.Column("digest", sa.String()),
        sa.Column("frozen", JSONB()),
        sa.CheckConstraint("period_from < period_to", name="period_order"),
        sa.ForeignKeyConstraint(["framework_id"], ["frameworks.id"]),
        tenant_key("system_id", "ai_systems"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    tenant_table(
        "assessment_items",
        sa.Column("assessment_id", sa.Uuid(), nullable=False),
        sa.Column("requirement_id", sa.Uuid(), nullable=False),
        sa.Column("target", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Uuid()),
        sa.Column("due_on", sa.Date()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("target BETWEEN 0 AND 4", name="target_level"),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"]),
        sa.ForeignKeyConstraint(["requirement_id"], ["requirements.id"]),
        tenant_key("assessment_id", "assessments"),
        sa.UniqueConstraint("tenant_id", "assessment_id", "requirement_id"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    tenant_table(
        "assessment_comments",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=False),
        tenant_key("item_id", "assessment_items"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index(
        "ix_assessment_comments_tenant_id_item_id_created_at",
        "assessment_comments",
        ["tenant_id", "item_id", "created_at"],
    )
    tenant_table(
        "conclusions",
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("rationale", sa.String(), nullable=False),
        sa.Column("concluded_by", sa.Uuid(), nullable=False),
        sa.Column("concluded_at", TIME, nullable=False),
        sa.Column("return_reason", sa.String()),
        sa.CheckConstraint("level BETWEEN 0 AND 4", name="level_range"),
        tenant_key("item_id", "assessment_items"),
        sa.UniqueConstraint("tenant_id", "item_id", "revision"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    tenant_table(
        "sign_offs",
        sa.Column("conclusion_id", sa.Uuid(), nullable=False),
        sa.Column("signed_by", sa.Uuid(), nullable=False),
        sa.Column("signed_at", TIME, nullable=False),
        sa.Column("entry_id", sa.Uuid()),
        tenant_key("conclusion_id", "conclusions"),
        sa.UniqueConstraint("tenant_id", "conclusion_id"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )


def assurance_collectors() -> None:
    """Tables of governance/assurance/collectors."""
    tenant_table(
        "collector_runs",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("period", sa.String(), nullable=False),
        sa.Column("period_from", sa.Date(), nullable=False),
        sa.Column("period_to", sa.Date(), nullable=False),
        sa.Column("scheduled", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("is_fine", sa.Boolean()),
        sa.Column("says", sa.String(), nullable=False),
        sa.Column("rows", sa.Integer()),
        sa.Column("sha256", sa.String()),
        sa.Column("query", sa.String(), nullable=False),
        sa.Column("parameters", JSONB(), nullable=False),
        sa.Column("preview", JSONB(), nullable=False),
        sa.Column("ran_at", TIME),
        sa.Column("evidence_version_id", sa.Uuid()),
        sa.Column("work_item_id", sa.Uuid()),
        sa.Column("requested_by", sa.Uuid()),
        tenant_key("evidence_version_id", "evidence_versions"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_collector_runs_tenant_id_evidence_version_id",
        "collector_runs",
        ["tenant_id", "evidence_version_id"],
    )
    op.create_index(
        "ix_collector_runs_tenant_id_key_created_at",
        "collector_runs",
        ["tenant_id", "key", "created_at"],
    )
    op.create_index(
        "uq_collector_runs_scheduled",
        "collector_runs",
        ["tenant_id", "key", "period"],
        unique=True,
        postgresql_where=sa.text("scheduled"),
    )


def assurance_engagements() -> None:
    """Tables of governance/assurance/engagements."""
    tenant_table(
        "engagements",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("firm", sa.String(), nullable=False),
        sa.Column("framework_id", sa.Uuid()),
        sa.Column("criteria", JSONB(), nullable=False),
        sa.Column("period_from", sa.Date(), nullable=False),
        sa.Column("period_to", sa.Date(), nullable=False),
        sa.Column("fieldwork_from", sa.Date(), nullable=False),
        sa.Column("fieldwork_to", sa.Date(), nullable=False),
        sa.Column("opens_at", TIME, nullable=False),
        sa.Column("closes_at", TIME, nullable=False),
        sa.Column("shows_names", sa.Boolean(), nullable=False),
        sa.Column("freezes_changes", sa.Boolean(), nullable=False),
        sa.Column("opened_by", sa.Uuid()),
        sa.Column("ended_at", TIME),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("fieldwork_from <= fieldwork_to", name="fieldwork_order"),
        sa.CheckConstraint("period_from <= period_to", name="period_order"),
        sa.ForeignKeyConstraint(["framework_id"], ["frameworks.id"]),
        sa.UniqueConstraint("tenant_id", "ref"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index("ix_engagements_tenant_id_closes_at", "engagements", ["tenant_id", "closes_at"])
    tenant_table(
        "audit_requests",
        sa.Column("engagement_id", sa.Uuid(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("criteria", JSONB(), nullable=False),
        sa.Column("due_on", sa.Date()),
        sa.Column("owner_id", sa.Uuid()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("state_since", TIME, nullable=False),
        sa.Column("requested_by", sa.Uuid()),
        sa.Column("row", sa.String()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('open', 'provided', 'accepted', 'returned')", name="state"),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"]),
        tenant_key("engagement_id", "engagements"),
        sa.UniqueConstraint("tenant_id", "engagement_id", "ref"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_audit_requests_tenant_id_engagement_id_state_ref",
        "audit_requests",
        ["tenant_id", "engagement_id", "state", "ref"],
    )
    op.create_index(
        "ix_audit_requests_tenant_id_owner_id_state",
        "audit_requests",
        ["tenant_id", "owner_id", "state"],
    )
    tenant_table(
        "engagement_auditors",
        sa.Column("engagement_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid()),
        sa.Column("invitation_id", sa.Uuid()),
        sa.Column("link_hash", sa.LargeBinary()),
        sa.Column("code_hash", sa.LargeBinary()),
        sa.Column("code_ends_at", TIME),
        sa.Column("code_tries", sa.Integer(), nullable=False),
        sa.Column("codes_since", TIME),
        sa.Column("codes_sent", sa.Integer(), nullable=False),
        sa.Column("added_by", sa.Uuid()),
        sa.Column("removed_at", TIME),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"]),
        tenant_key("engagement_id", "engagements"),
        tenant_key("invitation_id", "invitations"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_engagement_auditors_tenant_id_link_hash",
        "engagement_auditors",
        ["tenant_id", "link_hash"],
    )
    op.create_index(
        "ix_engagement_auditors_tenant_id_person_id",
        "engagement_auditors",
        ["tenant_id", "person_id"],
    )
    op.create_index(
        "uq_engagement_auditors_open",
        "engagement_auditors",
        ["tenant_id", "engagement_id", "email"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    tenant_table(
        "evidence_packages",
        sa.Column("engagement_id", sa.Uuid(), nullable=False),
        sa.Column("storage_key", sa.String()),
        sa.Column("sha256", sa.String()),
        sa.Column("size", sa.BigInteger()),
        sa.Column("files", sa.Integer()),
        sa.Column("checkpoint", sa.BigInteger()),
        sa.Column("finished_at", TIME),
        sa.Column("work_item_id", sa.Uuid()),
        sa.Column("requested_by", sa.Uuid()),
        tenant_key("engagement_id", "engagements"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_evidence_packages_tenant_id_engagement_id_created_at",
        "evidence_packages",
        ["tenant_id", "engagement_id", "created_at"],
    )
    tenant_table(
        "request_imports",
        sa.Column("engagement_id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("rows", JSONB(), nullable=False),
        sa.Column("problems", JSONB(), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("sent_by", sa.Uuid()),
        sa.Column("applied_at", TIME),
        sa.Column("added", sa.Integer()),
        tenant_key("engagement_id", "engagements"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_request_imports_tenant_id_engagement_id_created_at",
        "request_imports",
        ["tenant_id", "engagement_id", "created_at"],
    )
    tenant_table(
        "request_remarks",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("written_by", sa.Uuid()),
        sa.Column("written_at", TIME, nullable=False),
        tenant_key("request_id", "audit_requests"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_request_remarks_tenant_id_request_id_written_at",
        "request_remarks",
        ["tenant_id", "request_id", "written_at"],
    )
    tenant_table(
        "request_attachments",
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("attached_by", sa.Uuid()),
        sa.Column("provided_at", TIME),
        tenant_key("request_id", "audit_requests"),
        tenant_key("version_id", "evidence_versions"),
        sa.UniqueConstraint("tenant_id", "request_id", "version_id"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index(
        "ix_request_attachments_tenant_id_version_id",
        "request_attachments",
        ["tenant_id", "version_id"],
    )


def assurance_incidents() -> None:
    """Tables of governance/assurance/incidents."""
    tenant_table(
        "incident_severities",
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("meaning", sa.String(), nullable=False),
        sa.CheckConstraint("level BETWEEN 1 AND 4", name="level"),
        sa.UniqueConstraint("tenant_id", "level"),
        verbs="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "status_contacts",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("link_hash", sa.LargeBinary()),
        sa.Column("code_hash", sa.LargeBinary()),
        sa.Column("code_ends_at", TIME),
        sa.Column("code_tries", sa.Integer(), nullable=False),
        sa.Column("codes_since", TIME),
        sa.Column("codes_sent", sa.Integer(), nullable=False),
        sa.Column("read_at", TIME),
        sa.Column("added_by", sa.Uuid()),
        sa.Column("removed_at", TIME),
        sa.ForeignKeyConstraint(["added_by"], ["people.id"]),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_status_contacts_tenant_id_link_hash", "status_contacts", ["tenant_id", "link_hash"]
    )
    op.create_index(
        "uq_status_contacts_open",
        "status_contacts",
        ["tenant_id", "email"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    tenant_table(
        "status_visits",
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
        tenant_key("contact_id", "status_contacts"),
        sa.UniqueConstraint("tenant_id", "token_hash"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index(
        "ix_status_visits_tenant_id_contact_id", "status_visits", ["tenant_id", "contact_id"]
    )
    tenant_table(
        "incidents",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("declared_by", sa.Uuid()),
        sa.Column("declared_at", TIME, nullable=False),
        sa.Column("detected_at", TIME, nullable=False),
        sa.Column("aware_at", TIME, nullable=False),
        sa.Column("identified_at", TIME),
        sa.Column("monitoring_at", TIME),
        sa.Column("resolved_at", TIME),
        sa.Column("closed_at", TIME),
        sa.Column("responded_at", TIME),
        sa.Column("lead_id", sa.Uuid()),
        sa.Column("communications_id", sa.Uuid()),
        sa.Column("scribe_id", sa.Uuid()),
        sa.Column("alert_id", sa.Uuid()),
        sa.Column("alert_ref", sa.String(), nullable=False),
        sa.Column("stop_id", sa.Uuid()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("severity BETWEEN 1 AND 4", name="severity"),
        sa.CheckConstraint(
            "state IN ('investigating', 'identified', 'monitoring', 'resolved', 'closed')",
            name="state",
        ),
        sa.ForeignKeyConstraint(["communications_id"], ["people.id"]),
        sa.ForeignKeyConstraint(["declared_by"], ["people.id"]),
        sa.ForeignKeyConstraint(["lead_id"], ["people.id"]),
        sa.ForeignKeyConstraint(["scribe_id"], ["people.id"]),
        tenant_key("alert_id", "alerts"),
        tenant_key("stop_id", "stops"),
        sa.UniqueConstraint("tenant_id", "ref"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index("ix_incidents_tenant_id_declared_at", "incidents", ["tenant_id", "declared_at"])
    op.create_index(
        "ix_incidents_tenant_id_state_declared_at",
        "incidents",
        ["tenant_id", "state", "declared_at"],
    )
    op.create_index("uq_incidents_alert", "incidents", ["tenant_id", "alert_id"], unique=True)
    op.create_index("uq_incidents_stop", "incidents", ["tenant_id", "stop_id"], unique=True)
    tenant_table(
        "incident_classifications",
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("regime", sa.String(), nullable=False),
        sa.Column("rules_version", sa.Integer(), nullable=False),
        sa.Column("applies", sa.Boolean()),
        sa.Column("variant", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("decider_id", sa.Uuid()),
        sa.Column("decide_by", TIME),
        sa.Column("decided_at", TIME),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["decider_id"], ["people.id"]),
        tenant_key("incident_id", "incidents"),
        sa.UniqueConstraint("tenant_id", "incident_id", "regime"),
        verbs="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "incident_figures",
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("figure", sa.String(), nullable=False),
        sa.Column("meaning", sa.String(), nullable=False),
        sa.Column("added_by", sa.Uuid()),
        sa.Column("removed_at", TIME),
        sa.ForeignKeyConstraint(["added_by"], ["people.id"]),
        tenant_key("incident_id", "incidents"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_incident_figures_tenant_id_incident_id_created_at",
        "incident_figures",
        ["tenant_id", "incident_id", "created_at"],
    )
    tenant_table(
        "incident_follow_ups",
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("owner_id", sa.Uuid()),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("done_at", TIME),
        sa.Column("done_by", sa.Uuid()),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["done_by"], ["people.id"]),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"]),
        tenant_key("incident_id", "incidents"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_incident_follow_ups_open",
        "incident_follow_ups",
        ["tenant_id", "owner_id"],
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_index(
        "ix_incident_follow_ups_tenant_id_incident_id_due_on",
        "incident_follow_ups",
        ["tenant_id", "incident_id", "due_on"],
    )
    tenant_table(
        "incident_impacts",
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", TIME, nullable=False),
        sa.Column("ends_at", TIME),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("removed_at", TIME),
        sa.CheckConstraint("ends_at IS NULL OR starts_at < ends_at", name="order"),
        tenant_key("incident_id", "incidents"),
        tenant_key("system_id", "ai_systems"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_incident_impacts_tenant_id_incident_id_starts_at",
        "incident_impacts",
        ["tenant_id", "incident_id", "starts_at"],
    )
    op.create_index(
        "ix_incident_impacts_tenant_id_system_id_starts_at",
        "incident_impacts",
        ["tenant_id", "system_id", "starts_at"],
    )
    tenant_table(
        "incident_notes",
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("written_by", sa.Uuid()),
        sa.Column("text", sa.String(), nullable=False),
        tenant_key("incident_id", "incidents"),
        sa.ForeignKeyConstraint(["written_by"], ["people.id"]),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_incident_notes_tenant_id_incident_id_created_at",
        "incident_notes",
        ["tenant_id", "incident_id", "created_at"],
    )
    tenant_table(
        "incident_notices",
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("regime", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("sent_at", TIME, nullable=False),
        sa.Column("sent_by", sa.Uuid()),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["sent_by"], ["people.id"]),
        tenant_key("incident_id", "incidents"),
        sa.UniqueConstraint("tenant_id", "incident_id", "regime", "stage"),
        verbs="SELECT, INSERT",
    )
    append_only("incident_notices")
    tenant_table(
        "incident_pauses",
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", TIME, nullable=False),
        sa.Column("ends_at", TIME),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("paused_by", sa.Uuid()),
        sa.CheckConstraint("ends_at IS NULL OR starts_at <= ends_at", name="order"),
        sa.ForeignKeyConstraint(["paused_by"], ["people.id"]),
        tenant_key("incident_id", "incidents"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_incident_pauses_tenant_id_incident_id_starts_at",
        "incident_pauses",
        ["tenant_id", "incident_id", "starts_at"],
    )
    tenant_table(
        "incident_reminders",
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        tenant_key("incident_id", "incidents"),
        sa.UniqueConstraint("tenant_id", "incident_id", "clock", "due_at"),
        verbs="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "incident_reviews",
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("happened", sa.String(), nullable=False),
        sa.Column("impact", sa.String(), nullable=False),
        sa.Column("factors", sa.String(), nullable=False),
        sa.Column("went_well", sa.String(), nullable=False),
        sa.Column("to_change", sa.String(), nullable=False),
        sa.Column("edited_by", sa.Uuid()),
        sa.Column("closed_by", sa.Uuid()),
        sa.Column("closed_at", TIME),
        sa.Column("evidence_version_id", sa.Uuid()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["closed_by"], ["people.id"]),
        sa.ForeignKeyConstraint(["edited_by"], ["people.id"]),
        tenant_key("evidence_version_id", "evidence_versions"),
        tenant_key("incident_id", "incidents"),
        sa.UniqueConstraint("tenant_id", "incident_id"),
        verbs="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "incident_suggestions",
        sa.Column("stop_id", sa.Uuid(), nullable=False),
        sa.Column("switch", sa.String(), nullable=False),
        sa.Column("settled_at", TIME),
        sa.Column("incident_id", sa.Uuid()),
        sa.Column("reason", sa.String(), nullable=False),
        tenant_key("incident_id", "incidents"),
        tenant_key("stop_id", "stops"),
        sa.UniqueConstraint("tenant_id", "stop_id"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_incident_suggestions_open",
        "incident_suggestions",
        ["tenant_id"],
        postgresql_where=sa.text("settled_at IS NULL"),
    )
    tenant_table(
        "incident_updates",
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("drafted_by", sa.Uuid()),
        sa.Column("edited_by", sa.Uuid()),
        sa.Column("edited_at", TIME, nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("incident_state", sa.String(), nullable=False),
        sa.Column("approved_by", sa.Uuid()),
        sa.Column("sent_at", TIME),
        sa.Column("contacts", sa.Integer(), nullable=False),
        sa.Column("webhooks", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("state IN ('draft', 'requested', 'sent')", name="state"),
        sa.ForeignKeyConstraint(["approved_by"], ["people.id"]),
        sa.ForeignKeyConstraint(["drafted_by"], ["people.id"]),
        sa.ForeignKeyConstraint(["edited_by"], ["people.id"]),
        tenant_key("incident_id", "incidents"),
        sa.UniqueConstraint("tenant_id", "incident_id", "number"),
        verbs="SELECT, INSERT, UPDATE",
    )


def assurance_playbooks() -> None:
    """Tables of governance/assurance/playbooks."""
    tenant_table(
        "playbooks",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("used_for", sa.String(), nullable=False),
        sa.Column("owner_id", sa.Uuid()),
        sa.Column("drill_every_days", sa.Integer()),
        sa.Column("next_drill_on", sa.Date()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("retired_at", TIME),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"]),
        sa.UniqueConstraint("tenant_id", "ref"),
        verbs="SELECT, INSERT, UPDATE",
    )
    tenant_table(
        "playbook_versions",
        sa.Column("playbook_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("steps", JSONB(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("written_by", sa.Uuid()),
        tenant_key("playbook_id", "playbooks"),
        sa.UniqueConstraint("tenant_id", "playbook_id", "number"),
        verbs="SELECT, INSERT",
    )
    append_only("playbook_versions")
    tenant_table(
        "playbook_runs",
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("playbook_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid()),
        sa.Column("incident_ref", sa.String()),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.Column("started_by", sa.Uuid()),
        sa.Column("ended_by", sa.Uuid()),
        sa.Column("ended_at", TIME),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("evidence_version_id", sa.Uuid()),
        sa.CheckConstraint("is_drill OR incident_id IS NOT NULL", name="drill_or_incident"),
        tenant_key("evidence_version_id", "evidence_versions"),
        tenant_key("playbook_id", "playbooks"),
        tenant_key("version_id", "playbook_versions"),
        sa.UniqueConstraint("tenant_id", "ref"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_playbook_runs_tenant_id_evidence_version_id",
        "playbook_runs",
        ["tenant_id", "evidence_version_id"],
    )
    op.create_index(
        "ix_playbook_runs_tenant_id_incident_id", "playbook_runs", ["tenant_id", "incident_id"]
    )
    op.create_index(
        "ix_playbook_runs_tenant_id_playbook_id_created_at",
        "playbook_runs",
        ["tenant_id", "playbook_id", "created_at"],
    )
    op.create_index(
        "ix_playbook_runs_tenant_id_version_id", "playbook_runs", ["tenant_id", "version_id"]
    )
    tenant_table(
        "playbook_step_results",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("effect", sa.String(), nullable=False),
        sa.Column("recorded_by", sa.Uuid()),
        sa.CheckConstraint("state IN ('done', 'skipped')", name="state"),
        tenant_key("run_id", "playbook_runs"),
        sa.UniqueConstraint("tenant_id", "run_id", "position"),
        verbs="SELECT, INSERT, UPDATE",
    )


def assurance_previews() -> None:
    """Tables of governance/assurance/previews."""
    tenant_table(
        "file_previews",
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("storage_key", sa.String()),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("reason", sa.String()),
        sa.Column("finished_at", TIME),
        sa.Column("work_item_id", sa.Uuid()),
        sa.Column("requested_by", sa.Uuid()),
        tenant_key("version_id", "evidence_versions"),
        sa.UniqueConstraint("tenant_id", "version_id"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index(
        "ix_file_previews_tenant_id_created_at", "file_previews", ["tenant_id", "created_at"]
    )


def publishing_inbox() -> None:
    """Tables of governance/publishing/inbox."""
    tenant_table(
        "inbox_snoozes",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("target_id", sa.Uuid(), nullable=False),
        sa.Column("until", TIME),
        sa.Column("item_since", TIME, nullable=False),
        sa.Column("item_due", TIME),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"]),
        sa.UniqueConstraint("tenant_id", "person_id", "source", "target_id"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )


def publishing_reports() -> None:
    """Tables of governance/publishing/reports."""
    shared_table(
        "certificate_authorities",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        verbs="SELECT, INSERT",
    )
    tenant_table(
        "seal_certificates",
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary()),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("not_after", TIME, nullable=False),
        sa.Column("added_by", sa.Uuid()),
        sa.Column("retired_at", TIME),
        sa.CheckConstraint("source IN ('issued', 'uploaded')", name="source"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_seal_certificates_tenant_id_created_at",
        "seal_certificates",
        ["tenant_id", "created_at"],
    )
    tenant_table(
        "seal_settings",
        sa.Column("sealed_for", sa.String(), nullable=False),
        sa.CheckConstraint("sealed_for IN ('nobody', 'auditors', 'everyone')", name="sealed_for"),
        sa.UniqueConstraint("tenant_id"),
        verbs="SELECT, INSERT, UPDATE",
    )
    shared_table(
        "signing_keys",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("public", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("retired_at", TIME),
        verbs="SELECT, INSERT",
    )
    tenant_table(
        "report_runs",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("parameters", JSONB(), nullable=False),
        sa.Column("assessment_id", sa.Uuid()),
        sa.Column("as_of", TIME, nullable=False),
        sa.Column("snapshot", JSONB()),
        sa.Column("fingerprint", sa.String()),
        sa.Column("pdf_key", sa.String()),
        sa.Column("pdf_sha256", sa.String()),
        sa.Column("pdf_size", sa.Integer()),
        sa.Column("pages", sa.Integer()),
        sa.Column("signature", sa.String()),
        sa.Column("finished_at", TIME),
        sa.Column("work_item_id", sa.Uuid()),
        sa.Column("requested_by", sa.Uuid()),
        tenant_key("assessment_id", "assessments"),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index(
        "ix_report_runs_tenant_id_created_at", "report_runs", ["tenant_id", "created_at"]
    )
    tenant_table(
        "report_copies",
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid()),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("certificate", sa.String()),
        sa.Column("note", sa.String(), nullable=False),
        tenant_key("run_id", "report_runs"),
        verbs="SELECT, INSERT, DELETE",
    )
    op.create_index(
        "ix_report_copies_tenant_id_run_id_person_id_created_at",
        "report_copies",
        ["tenant_id", "run_id", "person_id", "created_at"],
    )


def publishing_review_files() -> None:
    """Tables of governance/publishing/review_files."""
    tenant_table(
        "review_files",
        sa.Column("revision_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.String()),
        sa.Column("file_key", sa.String()),
        sa.Column("file_sha256", sa.String()),
        sa.Column("file_size", sa.Integer()),
        sa.Column("pages", sa.Integer()),
        sa.Column("sign_offs", sa.Integer()),
        sa.Column("work_item_id", sa.Uuid()),
        sa.Column("requested_by", sa.Uuid()),
        tenant_key("revision_id", "review_revisions"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_review_files_tenant_id_revision_id", "review_files", ["tenant_id", "revision_id"]
    )


def publishing_statements() -> None:
    """Tables of governance/publishing/statements."""
    tenant_table(
        "statements",
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("starts_at", TIME, nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("marks", sa.Integer(), nullable=False),
        sa.Column("marks_seen", sa.Integer(), nullable=False),
        sa.Column("marked_at", TIME),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("work_item_id", sa.Uuid()),
        sa.Column("requested_by", sa.Uuid()),
        sa.CheckConstraint("month ~ '^[0-9]{4}-[0-9]{2}$'", name="month_form"),
        tenant_key("agreement_id", "agreements"),
        sa.UniqueConstraint("tenant_id", "agreement_id", "month"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_statements_due",
        "statements",
        ["tenant_id"],
        postgresql_where=sa.text("marks > marks_seen"),
    )
    op.create_index("ix_statements_tenant_id_ends_at", "statements", ["tenant_id", "ends_at"])
    tenant_table(
        "vendor_claims",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("customer_statement_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("vendor", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("bill", sa.BigInteger()),
        sa.Column("facts", JSONB(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("deadline", TIME, nullable=False),
        sa.Column("prepared_by", sa.Uuid()),
        sa.Column("approved_by", sa.Uuid()),
        sa.Column("sent_by", sa.Uuid()),
        sa.Column("sent_at", TIME),
        sa.Column("vendor_reference", sa.String(), nullable=False),
        sa.Column("paid_amount", sa.BigInteger()),
        sa.Column("ended_at", TIME),
        sa.Column("note", sa.String(), nullable=False),
        sa.CheckConstraint(
            "state IN ('prepared', 'approved', 'sent', 'paid', 'rejected', 'expired')", name="state"
        ),
        tenant_key("agreement_id", "agreements"),
        sa.UniqueConstraint("tenant_id", "number"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_vendor_claims_tenant_id_customer_id_month",
        "vendor_claims",
        ["tenant_id", "customer_id", "month"],
    )
    op.create_index(
        "ix_vendor_claims_tenant_id_state_deadline",
        "vendor_claims",
        ["tenant_id", "state", "deadline"],
    )
    op.create_index(
        "uq_vendor_claims_open",
        "vendor_claims",
        ["tenant_id", "agreement_id", "customer_id", "month"],
        unique=True,
        postgresql_where=sa.text("state IN ('prepared', 'approved', 'sent')"),
    )
    tenant_table(
        "statement_credits",
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer()),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("recorded_by", sa.Uuid()),
        sa.CheckConstraint("kind IN ('owed', 'paid')", name="kind"),
        tenant_key("statement_id", "statements"),
        verbs="SELECT, INSERT",
    )
    op.create_index(
        "ix_statement_credits_tenant_id_statement_id_created_at",
        "statement_credits",
        ["tenant_id", "statement_id", "created_at"],
    )
    append_only("statement_credits")
    tenant_table(
        "statement_disputes",
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("indicator", sa.String()),
        sa.Column("exclusion", sa.String()),
        sa.Column("starts_at", TIME, nullable=False),
        sa.Column("ends_at", TIME, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("effect", JSONB(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("raised_by", sa.Uuid()),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("answer", sa.String(), nullable=False),
        sa.Column("answered_by", sa.Uuid()),
        sa.Column("answered_at", TIME),
        sa.CheckConstraint("kind IN ('minutes', 'exclusion')", name="kind"),
        sa.CheckConstraint("ends_at > starts_at", name="positive"),
        sa.CheckConstraint("state IN ('open', 'accepted', 'rejected', 'withdrawn')", name="state"),
        tenant_key("statement_id", "statements"),
        sa.UniqueConstraint("tenant_id", "number"),
        verbs="SELECT, INSERT, UPDATE",
    )
    op.create_index(
        "ix_statement_disputes_open",
        "statement_disputes",
        ["tenant_id"],
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "ix_statement_disputes_tenant_id_statement_id",
        "statement_disputes",
        ["tenant_id", "statement_id"],
    )
    tenant_table(
        "statement_revisions",
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("closed_at", TIME, nullable=False),
        sa.Column("closed_by", sa.Uuid()),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("input_digest", sa.String(), nullable=False),
        sa.Column("data_digest", sa.String(), nullable=False),
        sa.Column("facts", JSONB(), nullable=False),
        sa.Column("result", JSONB(), nullable=False),
        sa.Column("changes", JSONB()),
        sa.Column("credit", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("checkpoint", sa.BigInteger()),
        sa.Column("file_name", sa.String(), nullable=False),
        sa.Column("file_key", sa.String(), nullable=False),
        sa.Column("file_sha256", sa.String(), nullable=False),
        sa.Column("file_size", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        tenant_key("statement_id", "statements"),
        sa.UniqueConstraint("tenant_id", "statement_id", "number"),
        verbs="SELECT, INSERT",
    )
    append_only("statement_revisions")


def publishing_tenant_exports() -> None:
    """Tables of governance/publishing/tenant_exports."""
    tenant_table(
        "tenant_exports",
        sa.Column("contents", JSONB(), nullable=False),
        sa.Column("storage_key", sa.String()),
        sa.Column("sha256", sa.String()),
        sa.Column("size", sa.BigInteger()),
        sa.Column("finished_at", TIME),
        sa.Column("work_item_id", sa.Uuid()),
        sa.Column("requested_by", sa.Uuid()),
        verbs="SELECT, INSERT, UPDATE, DELETE",
    )
    op.create_index(
        "ix_tenant_exports_tenant_id_created_at", "tenant_exports", ["tenant_id", "created_at"]
    )


def keys_between_features() -> None:
    """Foreign keys to tables that a later feature creates."""
    op.create_foreign_key(
        None, "api_keys", "ai_systems", ["tenant_id", "system_id"], ["tenant_id", "id"]
    )
    op.create_foreign_key(
        None, "populations", "controls", ["tenant_id", "control_id"], ["tenant_id", "id"]
    )
    op.create_foreign_key(
        None,
        "item_results",
        "evidence_versions",
        ["tenant_id", "evidence_version_id"],
        ["tenant_id", "id"],
    )
    op.create_foreign_key(
        None, "test_exceptions", "controls", ["tenant_id", "control_id"], ["tenant_id", "id"]
    )


def beside_the_models() -> None:
    """Policies wider or narrower than the tenant, triggers, and what else no model declares."""
    op.execute("ALTER TABLE people ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE people FORCE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE platform_policies ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE platform_policies FORCE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE platform_stops ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE platform_stops FORCE ROW LEVEL SECURITY")
    # The one policy that crosses tenants: people may list their own memberships.
    op.execute("""
CREATE POLICY own_memberships ON memberships FOR SELECT
  USING (person_id = (SELECT nullif(current_setting('app.person', true), '')::uuid))
""")
    op.execute("""
CREATE POLICY known ON people FOR SELECT
  USING (id = (SELECT nullif(current_setting('app.person', true), '')::uuid) OR id IN (SELECT person_id FROM memberships))
""")
    op.execute("""
CREATE POLICY arrives ON people FOR INSERT
  WITH CHECK (id = (SELECT nullif(current_setting('app.person', true), '')::uuid))
""")
    op.execute("""
CREATE POLICY changes ON people FOR UPDATE
  USING (id = (SELECT nullif(current_setting('app.person', true), '')::uuid))
  WITH CHECK (id = (SELECT nullif(current_setting('app.person', true), '')::uuid))
""")
    # A rotation of the installation's key wraps the signing keys again; nothing else may change.
    op.execute("GRANT UPDATE (wrapped) ON signing_keys TO governance_app")
    # The sequencer looks, outside any tenant, for logs with new entries: ids and nothing else.
    op.execute(
        "CREATE POLICY queue ON audit_pending FOR SELECT USING (coalesce(current_setting('app.tenant', true), '') = '')"
    )
    op.execute("""
CREATE TRIGGER queue_for_the_tree AFTER INSERT ON audit_entries
  FOR EACH ROW EXECUTE FUNCTION queue_for_the_tree()
""")
    op.execute(
        "ALTER TABLE audit_entries ADD CONSTRAINT ck_audit_entries_body_fits CHECK (octet_length(body) <= 65535)"
    )
    # ANALYZE would copy names and addresses to where no erasure reaches.
    op.execute("ALTER TABLE people ALTER name SET STATISTICS 0")
    op.execute("ALTER TABLE people ALTER email SET STATISTICS 0")
    op.execute("ALTER TABLE invitations ALTER email SET STATISTICS 0")
    # The jobs process looks, outside any tenant, for drills that are due.
    op.execute("""
CREATE POLICY due ON drills FOR SELECT USING (
  (state IN ('planned', 'running') OR evidence_version_id IS NULL) AND coalesce(current_setting('app.tenant', true), '') = '')
""")
    # Every tenant is bound by the platform minimum and may read it; only the operator writes.
    op.execute("CREATE POLICY everybody ON platform_policies FOR SELECT USING (true)")
    op.execute("""
CREATE POLICY operator ON platform_policies FOR ALL
  USING (EXISTS (SELECT 1 FROM tenants WHERE kind = 'operator' AND id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid)))
  WITH CHECK (EXISTS (SELECT 1 FROM tenants WHERE kind = 'operator' AND id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid)))
""")
    op.execute("CREATE POLICY everybody ON platform_stops FOR SELECT USING (true)")
    op.execute("""
CREATE POLICY operator ON platform_stops FOR ALL
  USING (EXISTS (SELECT 1 FROM tenants WHERE kind = 'operator' AND id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid)))
  WITH CHECK (EXISTS (SELECT 1 FROM tenants WHERE kind = 'operator' AND id = (SELECT nullif(current_setting('app.tenant', true), '')::uuid)))
""")
    op.execute("""
CREATE TRIGGER in_force BEFORE UPDATE ON policy_versions
  FOR EACH ROW EXECUTE FUNCTION refuse_change_in_force()
""")
    op.execute("""
CREATE TRIGGER in_force BEFORE UPDATE ON platform_policies
  FOR EACH ROW EXECUTE FUNCTION refuse_change_in_force()
""")
    op.execute("""
CREATE TRIGGER closed BEFORE UPDATE ON access_reviews
  FOR EACH ROW EXECUTE FUNCTION refuse_change_in_closed_review()
""")
    op.execute("""
CREATE TRIGGER closed BEFORE UPDATE ON access_review_items
  FOR EACH ROW EXECUTE FUNCTION refuse_change_in_closed_review()
""")
    # The jobs process looks, outside any tenant, for engagements that closed within the life of a
    # session.
    op.execute("""
CREATE POLICY closed ON engagements FOR SELECT USING (
  closes_at <= clock_timestamp() AND closes_at > clock_timestamp() - interval '13 hours'
  AND coalesce(current_setting('app.tenant', true), '') = '')
""")
    # What auditors were given stays: not even the application takes it away or replaces it.
    op.execute("""
CREATE TRIGGER provided BEFORE UPDATE OR DELETE ON request_attachments
  FOR EACH ROW EXECUTE FUNCTION refuse_change_of_provided()
""")
    # What customers were told never changes.
    op.execute("""
CREATE TRIGGER sent BEFORE UPDATE OR DELETE ON incident_updates
  FOR EACH ROW WHEN (OLD.state = 'sent') EXECUTE FUNCTION refuse_change_of_sent_update()
""")
    # What both parties accepted never changes.
    op.execute("""
CREATE TRIGGER accepted BEFORE UPDATE ON agreement_versions
  FOR EACH ROW EXECUTE FUNCTION refuse_change_of_accepted_terms()
""")
    op.execute("""
CREATE TRIGGER draft BEFORE INSERT OR UPDATE OR DELETE ON agreement_commitments
  FOR EACH ROW EXECUTE FUNCTION refuse_change_outside_draft()
""")
    op.execute("""
CREATE TRIGGER draft BEFORE INSERT OR UPDATE OR DELETE ON agreement_support_terms
  FOR EACH ROW EXECUTE FUNCTION refuse_change_outside_draft()
""")
    op.execute("""
CREATE TRIGGER accepted BEFORE UPDATE OR DELETE ON agreement_acceptances
  FOR EACH ROW EXECUTE FUNCTION refuse_change_of_given_acceptance()
""")
    # A rotation of the installation's key wraps the authority's key again; nothing else may change.
    op.execute("GRANT UPDATE (wrapped) ON certificate_authorities TO governance_app")
    op.execute("ALTER TABLE scim_users ALTER user_name SET STATISTICS 0")
    op.execute("ALTER TABLE scim_users ALTER user_name_key SET STATISTICS 0")
    op.execute("ALTER TABLE scim_users ALTER external_id SET STATISTICS 0")
    op.execute("ALTER TABLE scim_users ALTER display_name SET STATISTICS 0")
    op.execute("ALTER TABLE scim_users ALTER name SET STATISTICS 0")
    op.execute("ALTER TABLE scim_users ALTER emails SET STATISTICS 0")
    op.execute("ALTER TABLE scim_users ALTER address SET STATISTICS 0")
    let_use("alembic_version", "SELECT")


def shared_table(name: str, *parts: sa.schema.SchemaItem, verbs: str) -> None:
    """Create a table that belongs to no tenant."""
    id_, created = (
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_table(name, id_, *parts, created, sa.PrimaryKeyConstraint("id"))
    let_use(name, verbs)


def tenant_table(
    name: str, *parts: sa.schema.SchemaItem, verbs: str, key: tuple[str, ...] = ("id",)
) -> None:
    """Create a table whose rows belong to one tenant each: its key leads with the tenant, and row-level security is forced."""
    tenant, id_ = (
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
    )
    created = sa.Column("created_at", TIME, nullable=False)
    op.create_table(name, tenant, id_, *parts, created, sa.PrimaryKeyConstraint("tenant_id", *key))
    seal_by_tenant(name)
    let_use(name, verbs)


def counts_table(
    name: str,
    key: list[str],
    *parts: sa.schema.SchemaItem,
    verbs: str,
    partition_by: str | None = None,
) -> None:
    """Create a table of a tenant's rows without ids: its key is the tenant, then the columns of `key`."""
    tenant, primary = (
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", *key),
    )
    op.create_table(name, tenant, *parts, primary, postgresql_partition_by=partition_by)
    seal_by_tenant(name)
    let_use(name, verbs)


def tenant_key(column: str, table: str, *, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    """A key to a row of the same tenant."""
    return sa.ForeignKeyConstraint(
        ["tenant_id", column], [f"{table}.tenant_id", f"{table}.id"], ondelete=ondelete
    )
