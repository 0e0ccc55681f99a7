"""The register of AI systems in full, and its versions"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.sealing import let_use, seal_by_tenant

revision = "0004_register"
down_revision = "0003_intake"

TEXTS = (
    *("team", "intended_users", "autonomy", "autonomy_note", "ai_act_class", "ai_act_reason"),
    *("memory_control", "sources_control", "tone_control", "verify_control", "why_shown"),
)
LISTS = (
    *("capabilities", "limits", "models", "data_sets", "dependencies"),
    *("tools", "tool_permissions"),
)
CHECKS = {
    "kind": "kind IN ('system', 'agent', 'mcp_server')",
    "stage": "stage IN ('proposed', 'in_review', 'live', 'restricted', 'retired')",
    "ai_act_class": (
        "ai_act_class IN ('', 'prohibited', 'high_risk', 'transparency', 'minimal', 'out_of_scope')"
    ),
    "autonomy": "autonomy IN ('', 'advice', 'approval', 'limits', 'alone')",
    "retired": "(stage = 'retired') = (retired_at IS NOT NULL)",
}


def upgrade() -> None:
    op.create_table(
        "ai_system_versions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("content", JSONB(), nullable=False),
        sa.Column("substantial", JSONB(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_ai_system_versions_number")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "system_id"],
            ["ai_systems.tenant_id", "ai_systems.id"],
            name=op.f("fk_ai_system_versions_tenant_id_system_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_ai_system_versions")),
        sa.UniqueConstraint(
            "tenant_id",
            "system_id",
            "number",
            name=op.f("uq_ai_system_versions_tenant_id_system_id_number"),
        ),
    )
    seal_by_tenant("ai_system_versions")
    # Enforced by a trigger: an update can only change text that names an erased person.
    let_use("ai_system_versions", "SELECT, INSERT, UPDATE")
    refuse_change_of_versions()
    for name, default in (("kind", "system"), ("stage", "live")):
        op.add_column(
            "ai_systems", sa.Column(name, sa.String(), server_default=default, nullable=False)
        )
    op.add_column("ai_systems", sa.Column("stage_since", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "ai_systems", sa.Column("version", sa.Integer(), server_default="1", nullable=False)
    )
    for name in TEXTS:
        op.add_column("ai_systems", sa.Column(name, sa.String(), server_default="", nullable=False))
    for name in LISTS:
        op.add_column("ai_systems", sa.Column(name, JSONB(), server_default="[]", nullable=False))
    op.add_column("ai_systems", sa.Column("valid_until", sa.Date(), nullable=True))
    op.create_index(
        op.f("ix_ai_systems_tenant_id_stage_key"),
        "ai_systems",
        ["tenant_id", "stage", "key"],
        unique=False,
    )
    op.create_index(
        "ix_ai_systems_valid_until",
        "ai_systems",
        ["tenant_id", "valid_until"],
        unique=False,
        postgresql_where=sa.text("valid_until IS NOT NULL AND retired_at IS NULL"),
    )
    op.add_column(
        "assessments", sa.Column("stale_since", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("assessments", sa.Column("stale_version", sa.Integer(), nullable=True))
    keep_what_is_there()
    for name, check in CHECKS.items():
        op.create_check_constraint(op.f(f"ck_ai_systems_{name}"), "ai_systems", check)


def refuse_change_of_versions() -> None:
    op.execute("""
CREATE FUNCTION refuse_change_of_system_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND public.is_offboarded_now(OLD.tenant_id) THEN RETURN OLD; END IF;
  IF TG_OP = 'UPDATE' AND position('[erased]' IN NEW.content::text || NEW.reason) > 0
    AND to_jsonb(NEW) - '{content,reason}'::text[] = to_jsonb(OLD) - '{content,reason}'::text[]
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'ai_system_versions is append-only';
END $$
""")
    op.execute(
        "CREATE TRIGGER versions_never_change BEFORE UPDATE OR DELETE ON ai_system_versions"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change_of_system_version()"
    )
    op.execute(
        "CREATE TRIGGER versions_never_truncated BEFORE TRUNCATE ON ai_system_versions"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
    )


def keep_what_is_there() -> None:
    """Every tenant's systems as they are become their first version."""
    tables = ("ai_systems", "ai_system_versions", "system_features")
    for table in tables:  # the owner of the tables sees every tenant's rows for this moment
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "UPDATE ai_systems SET stage = CASE WHEN retired_at IS NULL THEN 'live' ELSE 'retired' END,"
        " stage_since = coalesce(retired_at, created_at)"
    )
    op.execute("""
INSERT INTO ai_system_versions
  (tenant_id, id, system_id, number, content, substantial, reason, changed_by, created_at)
SELECT s.tenant_id, gen_random_uuid(), s.id, 1,
  to_jsonb(s) - '{tenant_id,id,key,owner_id,created_at,retired_at,stage_since,version}'::text[]
    || jsonb_build_object('owner', s.owner_id, 'features', coalesce((
      SELECT jsonb_object_agg(f.key, f.fallback) FROM system_features f
      WHERE f.tenant_id = s.tenant_id AND f.system_id = s.id AND f.retired_at IS NULL), '{}')),
  '[]', '', NULL, s.created_at
FROM ai_systems s
""")
    for table in tables:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
