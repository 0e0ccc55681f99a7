"""Write conditions of the tables that belong to no tenant."""

from alembic import op

from migrations.sealing import ACTING, INSTALLATION, seal_writes

revision = "0019_shared_writes"
down_revision = "0018_red_teams"

NOBODY = "false"  # of the tenants: the installation alone
ITS_OWN = f"for_tenant = {ACTING}"
EVERYBODYS_NAMES = "00000000-0000-0000-0000-000000000001"  # kernel/data/tenant_revision.py


def upgrade() -> None:
    of_tenant = f"id = {ACTING}"
    # A tenant is created in its own transaction. A second operator can't be created.
    seal_writes("tenants", changes=of_tenant)
    op.execute(f"""
CREATE POLICY adds ON tenants FOR INSERT WITH CHECK (
  ({of_tenant} OR {INSTALLATION})
  AND (kind <> 'operator' OR NOT EXISTS (SELECT 1 FROM tenants WHERE kind = 'operator')))
""")
    keep_standing()
    seal_writes("email_domains", adds=ITS_OWN, removes=ITS_OWN)
    for table in ("work_tickets", "work_failures", "webhook_tickets"):
        seal_writes(table, adds=ITS_OWN, changes=ITS_OWN, removes=ITS_OWN)
    revision_of = f"{of_tenant} OR id = '{EVERYBODYS_NAMES}'"
    seal_writes("marks", adds=revision_of, changes=revision_of, removes=NOBODY)
    slug = f"(SELECT slug FROM tenants WHERE id = {ACTING})"
    seal_writes("job_runs", adds=f"scope = {slug}")
    # The first process that needs the installation's key creates it. No tenant can replace it.
    for table in ("signing_keys", "certificate_authorities"):
        first = f"NOT EXISTS (SELECT 1 FROM {table})"
        seal_writes(table, adds=first, changes=NOBODY)


def keep_standing() -> None:
    """Let a tenant change its own settings, but nothing that the operator decides about it."""
    op.execute("""
CREATE FUNCTION refuse_change_of_standing() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  acting text := coalesce(current_setting('app.tenant', true), '');
BEGIN
  IF (NEW.id, NEW.slug, NEW.kind, NEW.created_at)
    IS DISTINCT FROM (OLD.id, OLD.slug, OLD.kind, OLD.created_at) THEN
    RAISE EXCEPTION 'what a tenant is never changes' USING ERRCODE = '42501';
  END IF;
  IF (NEW.tier, NEW.status, NEW.suspended_at, NEW.deletes_at)
    IS DISTINCT FROM (OLD.tier, OLD.status, OLD.suspended_at, OLD.deletes_at)
    AND acting <> '' AND NOT EXISTS (
      SELECT 1 FROM public.tenants WHERE kind = 'operator' AND id = acting::uuid) THEN
    RAISE EXCEPTION 'only the operator changes the standing of a tenant' USING ERRCODE = '42501';
  END IF;
  RETURN NEW;
END $$
""")
    op.execute("""
CREATE TRIGGER standing BEFORE UPDATE ON tenants
  FOR EACH ROW EXECUTE FUNCTION refuse_change_of_standing()
""")
