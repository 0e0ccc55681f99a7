"""Offboarding of tenants, and the functions that delete what the application may not"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.sealing import let_use, seal_by_tenant

revision = "0002_tenant_offboarding"
down_revision = "0001_release_0_1_0"


def upgrade() -> None:
    op.add_column("tenants", sa.Column("deletes_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "tenant_offboardings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("waiting_days", sa.Integer(), nullable=False),
        sa.Column("export", sa.String(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("work_item_id", sa.Uuid(), nullable=True),
        sa.Column("facts", JSONB(), nullable=False),
        sa.Column("rows", JSONB(), nullable=False),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("certificate", sa.String(), nullable=True),
        sa.Column("archive", sa.LargeBinary(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('requested', 'waiting', 'deleting', 'deleted', 'cancelled')",
            name=op.f("ck_tenant_offboardings_state"),
        ),
        sa.CheckConstraint("waiting_days >= 1", name=op.f("ck_tenant_offboardings_waits")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tenant_offboardings")),
    )
    seal_by_tenant("tenant_offboardings")
    let_use("tenant_offboardings", "SELECT, INSERT, UPDATE")
    op.create_index(
        "uq_tenant_offboardings_open",
        "tenant_offboardings",
        ["tenant_id", "customer_id"],
        unique=True,
        postgresql_where="state IN ('requested', 'waiting', 'deleting')",
    )
    op.create_index(
        op.f("ix_tenant_offboardings_tenant_id_created_at"),
        "tenant_offboardings",
        ["tenant_id", "created_at"],
        unique=False,
    )
    op.execute("GRANT DELETE ON marks TO governance_app")
    let_triggers_pass()
    delete_rows()


def let_triggers_pass() -> None:
    """Let immutable rows be deleted with their tenant, but only by the table owner's function."""
    # It runs as the owner of the tables, and only inside the function below.
    op.execute("""
CREATE FUNCTION is_offboarded_now(tenant uuid) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN coalesce(current_setting('app.offboarded', true), '') = tenant::text
    AND current_user::regrole = (SELECT relowner FROM pg_class WHERE oid = 'public.tenants'::regclass);
END $$
""")
    op.execute("""
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND public.is_offboarded_now(OLD.tenant_id) THEN RETURN OLD; END IF;
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME;
END $$
""")
    op.execute("""
CREATE OR REPLACE FUNCTION refuse_change_of_provided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND public.is_offboarded_now(OLD.tenant_id) THEN RETURN OLD; END IF;
  IF OLD.provided_at IS NOT NULL THEN
    RAISE EXCEPTION 'what was provided to an auditor stays as it is';
  END IF;
  RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$
""")
    op.execute("""
CREATE OR REPLACE FUNCTION refuse_change_of_sent_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND public.is_offboarded_now(OLD.tenant_id) THEN RETURN OLD; END IF;
  IF TG_OP = 'UPDATE' AND position('[erased]' IN NEW.title || NEW.body || NEW.comment) > 0
    AND to_jsonb(NEW) - '{title,body,comment}'::text[] = to_jsonb(OLD) - '{title,body,comment}'::text[]
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a customer update that was sent never changes';
END $$
""")
    op.execute("""
CREATE OR REPLACE FUNCTION refuse_change_outside_draft() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE changed record;
BEGIN
  IF TG_OP = 'DELETE' AND public.is_offboarded_now(OLD.tenant_id) THEN RETURN OLD; END IF;
  IF TG_OP = 'INSERT' THEN changed := NEW; ELSE changed := OLD; END IF;
  IF EXISTS (SELECT 1 FROM agreement_versions v WHERE v.tenant_id = changed.tenant_id
             AND v.id = changed.version_id AND v.state <> 'draft') THEN
    RAISE EXCEPTION 'only a draft of an agreement changes';
  END IF;
  RETURN changed;
END $$
""")
    op.execute("""
CREATE OR REPLACE FUNCTION refuse_change_of_given_acceptance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND public.is_offboarded_now(OLD.tenant_id) THEN RETURN OLD; END IF;
  IF EXISTS (SELECT 1 FROM agreement_versions v WHERE v.tenant_id = OLD.tenant_id
             AND v.id = OLD.version_id AND v.state = 'accepted')
     AND NOT (TG_OP = 'UPDATE' AND to_jsonb(NEW) - '{name,title}'::text[]
              = to_jsonb(OLD) - '{name,title}'::text[] AND NEW.name = '[erased]') THEN
    RAISE EXCEPTION 'the acceptance of an agreement never changes';
  END IF;
  RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$
""")


def delete_rows() -> None:
    """Create the function that deletes a tenant's rows.

    The application calls it in the operator's transaction, table by table, in batches.
    """
    op.execute("""
CREATE POLICY leaves ON people FOR DELETE USING (
  id = (SELECT nullif(current_setting('app.person', true), '')::uuid)
  AND current_user::regrole = (SELECT relowner FROM pg_class WHERE oid = 'public.tenants'::regclass))
""")
    op.execute("""
CREATE FUNCTION delete_offboarded_rows(offboarding uuid, of_table text, up_to integer) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  operator text := current_setting('app.tenant', true);
  person text := coalesce(current_setting('app.person', true), '');
  customer uuid;
  columns text;
  people uuid[];
  each uuid;
  gone bigint;
BEGIN
  -- row-level security shows these rows only in the operator's own transaction
  SELECT o.customer_id INTO customer
  FROM public.tenant_offboardings o
  JOIN public.tenants home ON home.id = o.tenant_id AND home.kind = 'operator'
  JOIN public.tenants t ON t.id = o.customer_id AND t.kind <> 'operator' AND t.status = 'deleting'
  JOIN public.approvals a ON a.tenant_id = o.tenant_id AND a.target_id = o.id
    AND a.kind = 'tenant_offboarding' AND a.state = 'approved'
  WHERE o.id = offboarding AND o.state = 'deleting'
    AND o.due_at >= o.approved_at + make_interval(days => o.waiting_days)
    AND o.due_at <= clock_timestamp()
    AND EXISTS (SELECT 1 FROM public.approvals_given g WHERE g.tenant_id = a.tenant_id
                AND g.approval_id = a.id AND g.person_id IS DISTINCT FROM o.requested_by);
  IF customer IS NULL THEN
    RAISE EXCEPTION 'no offboarding with this id is approved and due' USING ERRCODE = '42501';
  END IF;
  SELECT string_agg(format('%I', k.attname), ', ' ORDER BY k.attnum) INTO columns
  FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid
  JOIN pg_attribute k ON k.attrelid = c.oid AND k.attnum = ANY (i.indkey)
  WHERE c.relnamespace = 'public'::regnamespace AND c.relname = of_table AND i.indisprimary
    AND NOT c.relispartition AND EXISTS (
      SELECT 1 FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attname = 'tenant_id' AND NOT t.attisdropped);
  IF columns IS NULL THEN
    RAISE EXCEPTION '% is no table of tenants', of_table USING ERRCODE = '42501';
  END IF;
  PERFORM set_config('app.tenant', customer::text, true), set_config('app.person', '', true),
    set_config('app.offboarded', customer::text, true);
  IF EXISTS (SELECT 1 FROM public.legal_holds h WHERE h.tenant_id = customer AND h.released_at IS NULL) THEN
    RAISE EXCEPTION 'a legal hold is active' USING ERRCODE = '42501';
  END IF;
  IF of_table = 'memberships' THEN
    SELECT array_agg(DISTINCT m.person_id) INTO people FROM (
      SELECT person_id FROM public.memberships WHERE tenant_id = customer ORDER BY id LIMIT up_to) m;
    DELETE FROM public.memberships WHERE tenant_id = customer AND person_id = ANY (people);
    GET DIAGNOSTICS gone = ROW_COUNT;
    -- who belongs to no other tenant goes as well
    FOREACH each IN ARRAY coalesce(people, '{}') LOOP
      PERFORM set_config('app.person', each::text, true);
      IF NOT EXISTS (SELECT 1 FROM public.memberships m WHERE m.person_id = each) THEN
        BEGIN
          DELETE FROM public.people WHERE id = each;
        EXCEPTION WHEN foreign_key_violation THEN
          NULL;  -- a row of another tenant names this person
        END;
      END IF;
    END LOOP;
  ELSE
    EXECUTE format(
      'DELETE FROM public.%1$I WHERE (%2$s) IN (SELECT %2$s FROM public.%1$I WHERE tenant_id = $1 LIMIT $2)'
      ' AND tenant_id = $1', of_table, columns) USING customer, up_to;
    GET DIAGNOSTICS gone = ROW_COUNT;
  END IF;
  PERFORM set_config('app.tenant', operator, true), set_config('app.person', person, true),
    set_config('app.offboarded', '', true);
  RETURN gone;
END $$
""")
    name = "delete_offboarded_rows(uuid, text, integer)"
    op.execute(f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {name} TO governance_app")
