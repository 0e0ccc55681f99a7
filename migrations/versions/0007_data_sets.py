"""Data sets"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import let_use, seal_by_tenant

revision = "0007_data_sets"
down_revision = "0006_system_documents"

# A published version never changes, except that an erased person's name is replaced in its text.
VERSION_STAYS = """
CREATE FUNCTION refuse_change_of_data_set_version() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE texts text[] := '{provenance,source_url,source_version,licence_text,known_gaps,change_note}';
BEGIN
  IF TG_OP = 'DELETE' AND public.is_offboarded_now(OLD.tenant_id) THEN RETURN OLD; END IF;
  IF TG_OP = 'UPDATE' AND to_jsonb(NEW) - texts = to_jsonb(OLD) - texts
    AND position('[erased]' IN to_jsonb(NEW)::text) > 0
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'permission denied: a published version of a data set never changes'
    USING ERRCODE = 'insufficient_privilege';
END $$
"""


def upgrade() -> None:
    op.create_table(
        "data_sets",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("draft", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("draft_revision", sa.Integer(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("version >= 0", name=op.f("ck_data_sets_version")),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name=op.f("fk_data_sets_owner_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_data_sets")),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_data_sets_tenant_id_key")),
    )
    seal_by_tenant("data_sets")
    let_use("data_sets", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_data_sets_tenant_id_name_id"),
        "data_sets",
        ["tenant_id", "name", "id"],
        unique=False,
    )
    op.create_table(
        "data_set_uses",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("data_set_id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "purpose IN ('training', 'retrieval', 'evaluation')",
            name=op.f("ck_data_set_uses_purpose"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "data_set_id"],
            ["data_sets.tenant_id", "data_sets.id"],
            name=op.f("fk_data_set_uses_tenant_id_data_set_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "system_id"],
            ["ai_systems.tenant_id", "ai_systems.id"],
            name=op.f("fk_data_set_uses_tenant_id_system_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_data_set_uses")),
        sa.UniqueConstraint(
            "tenant_id",
            "data_set_id",
            "system_id",
            "purpose",
            name=op.f("uq_data_set_uses_tenant_id_data_set_id_system_id_purpose"),
        ),
    )
    seal_by_tenant("data_set_uses")
    let_use("data_set_uses", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_data_set_uses_tenant_id_system_id"),
        "data_set_uses",
        ["tenant_id", "system_id"],
        unique=False,
    )
    op.create_table(
        "data_set_versions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("data_set_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("provenance", sa.String(), nullable=False),
        sa.Column("source_url", sa.String(), nullable=False),
        sa.Column("source_version", sa.String(), nullable=False),
        sa.Column("licence", sa.String(), nullable=False),
        sa.Column("licence_text", sa.String(), nullable=False),
        sa.Column("personal_data", sa.String(), nullable=False),
        sa.Column("consent_basis", sa.String(), nullable=False),
        sa.Column("consent_from", sa.Date(), nullable=True),
        sa.Column("consent_until", sa.Date(), nullable=True),
        sa.Column("oldest_record", sa.Date(), nullable=True),
        sa.Column("newest_record", sa.Date(), nullable=True),
        sa.Column("max_age_days", sa.Integer(), nullable=True),
        sa.Column("duplicate_percent", sa.Numeric(precision=5, scale=2), nullable=True),
        sa.Column("row_count", sa.BigInteger(), nullable=True),
        sa.Column("known_gaps", sa.String(), nullable=False),
        sa.Column("change_note", sa.String(), nullable=False),
        sa.Column("file_sha256", sa.String(), nullable=False),
        sa.Column("published_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "licence <> '' OR licence_text <> ''", name=op.f("ck_data_set_versions_licence")
        ),
        sa.CheckConstraint(
            "consent_until >= consent_from", name=op.f("ck_data_set_versions_consent")
        ),
        sa.CheckConstraint(
            "duplicate_percent BETWEEN 0 AND 100", name=op.f("ck_data_set_versions_duplicates")
        ),
        sa.CheckConstraint(
            "newest_record >= oldest_record", name=op.f("ck_data_set_versions_records")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "data_set_id"],
            ["data_sets.tenant_id", "data_sets.id"],
            name=op.f("fk_data_set_versions_tenant_id_data_set_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_data_set_versions")),
        sa.UniqueConstraint(
            "tenant_id",
            "data_set_id",
            "number",
            name=op.f("uq_data_set_versions_tenant_id_data_set_id_number"),
        ),
    )
    seal_by_tenant("data_set_versions")
    let_use("data_set_versions", "SELECT, INSERT, UPDATE")
    op.execute(VERSION_STAYS)
    op.execute(
        "CREATE TRIGGER data_set_version_stays BEFORE UPDATE OR DELETE ON data_set_versions"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change_of_data_set_version()"
    )
