"""The database asks one function for the time, as the application does, so that the demo and tests can
move both to another day. Only the owner of the schema can replace the function.

The other functions and the policy ask it now; nothing else of them changes.
"""

from alembic import op
from migrations.sealing import SAME

revision = "0036_clock"
down_revision = "0031_stated_facts"


def upgrade() -> None:
    op.execute("""
CREATE FUNCTION current_instant() RETURNS timestamptz LANGUAGE sql VOLATILE RETURN clock_timestamp()
""")
    minutes()
    usage()
    offboarding()
    op.execute("DROP POLICY closed ON engagements")
    op.execute("""
CREATE POLICY closed ON engagements FOR SELECT USING (
  closes_at <= current_instant() AND closes_at > current_instant() - interval '13 hours'
  AND coalesce(current_setting('app.tenant', true), '') = '')
""")


def minutes() -> None:
    op.execute(f"""
CREATE OR REPLACE FUNCTION create_minute_partition(month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  partition text := 'indicator_minutes_' || to_char(month, 'YYYY_MM');
  until date := month + interval '1 month';
BEGIN
  IF month IS NULL OR month <> date_trunc('month', month::timestamp)
      OR month < public.current_instant() - interval '61 months' OR month > public.current_instant() + interval '13 months' THEN
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
    op.execute("""
CREATE OR REPLACE FUNCTION drop_minute_partition(month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET lock_timeout = '3s' AS $$
DECLARE
  partition text := 'indicator_minutes_' || to_char(month, 'YYYY_MM');
BEGIN
  IF month IS NULL OR month <> date_trunc('month', month::timestamp)
      OR month > date_trunc('month', public.current_instant() AT TIME ZONE 'UTC') - interval '15 months' THEN
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


def usage() -> None:
    op.execute(f"""
CREATE OR REPLACE FUNCTION create_usage_partition(month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  partition text := 'usage_events_' || to_char(month, 'YYYY_MM');
  until date := month + interval '1 month';
BEGIN
  IF month IS NULL OR month <> date_trunc('month', month::timestamp)
      OR month < public.current_instant() - interval '61 months' OR month > public.current_instant() + interval '13 months' THEN
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
CREATE OR REPLACE FUNCTION drop_usage_partition(month date) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
SET lock_timeout = '3s' AS $$
DECLARE
  partition text := 'usage_events_' || to_char(month, 'YYYY_MM');
BEGIN
  IF month IS NULL OR month <> date_trunc('month', month::timestamp)
      OR month > date_trunc('month', public.current_instant() AT TIME ZONE 'UTC') - interval '15 months' THEN
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


def offboarding() -> None:
    op.execute("""
CREATE OR REPLACE FUNCTION delete_offboarded_rows(offboarding uuid, of_table text, up_to integer) RETURNS bigint
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
    AND o.due_at <= public.current_instant()
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
