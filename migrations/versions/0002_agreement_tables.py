"""Agreement tables"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import let_use, seal_by_tenant

revision = "0002_agreement_tables"
down_revision = "0004_alerts"

READ_AND_ADD = "SELECT, INSERT"
VERBS = {
    "agreements": f"{READ_AND_ADD}, UPDATE",
    "agreement_versions": f"{READ_AND_ADD}, UPDATE",
    "agreement_commitments": f"{READ_AND_ADD}, DELETE",
    "agreement_support_terms": f"{READ_AND_ADD}, DELETE",
    "agreement_contacts": f"{READ_AND_ADD}, UPDATE, DELETE",
    "agreement_acceptances": f"{READ_AND_ADD}, UPDATE, DELETE",
}


def upgrade() -> None:
    op.create_table(
        "agreements",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("counterparty", sa.String(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("end_reason", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "direction IN ('to_tenant', 'from_vendor')", name=op.f("ck_agreements_direction")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_agreements")),
        sa.UniqueConstraint(
            "tenant_id",
            "direction",
            "number",
            name=op.f("uq_agreements_tenant_id_direction_number"),
        ),
    )
    seal_by_tenant("agreements")
    let_use("agreements", VERBS["agreements"])
    op.create_table(
        "agreement_contacts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "agreement_id"],
            ["agreements.tenant_id", "agreements.id"],
            name=op.f("fk_agreement_contacts_tenant_id_agreement_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_agreement_contacts")),
    )
    seal_by_tenant("agreement_contacts")
    let_use("agreement_contacts", VERBS["agreement_contacts"])
    op.create_index(
        op.f("ix_agreement_contacts_tenant_id_agreement_id"),
        "agreement_contacts",
        ["tenant_id", "agreement_id"],
        unique=False,
    )
    op.create_table(
        "agreement_versions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("agreement_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("edited", sa.Integer(), nullable=False),
        sa.Column("effective_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=True),
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("monthly_fee", sa.BigInteger(), nullable=False),
        sa.Column("credit_cap", sa.Numeric(precision=12, scale=10), nullable=False),
        sa.Column("minimum_coverage", sa.Numeric(precision=12, scale=10), nullable=False),
        sa.Column("close_day", sa.SmallInteger(), nullable=False),
        sa.Column("maintenance_notice_hours", sa.Integer(), nullable=False),
        sa.Column("excluded_categories", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("claim_days", sa.Integer(), nullable=False),
        sa.Column("business_hours", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("drafted_by", sa.Uuid(), nullable=True),
        sa.Column("proposed_by", sa.Uuid(), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("terms", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'proposed', 'accepted', 'withdrawn')",
            name=op.f("ck_agreement_versions_state"),
        ),
        sa.CheckConstraint("credit_cap BETWEEN 0 AND 1", name=op.f("ck_agreement_versions_cap")),
        sa.CheckConstraint(
            "minimum_coverage BETWEEN 0 AND 1", name=op.f("ck_agreement_versions_coverage")
        ),
        sa.CheckConstraint("monthly_fee >= 0", name=op.f("ck_agreement_versions_fee")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "agreement_id"],
            ["agreements.tenant_id", "agreements.id"],
            name=op.f("fk_agreement_versions_tenant_id_agreement_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_agreement_versions")),
        sa.UniqueConstraint(
            "tenant_id",
            "agreement_id",
            "number",
            name=op.f("uq_agreement_versions_tenant_id_agreement_id_number"),
        ),
    )
    seal_by_tenant("agreement_versions")
    let_use("agreement_versions", VERBS["agreement_versions"])
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
    op.create_table(
        "agreement_acceptances",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("side", sa.String(), nullable=False),
        sa.Column("accepted_by", sa.Uuid(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "side IN ('provider', 'customer', 'vendor')", name=op.f("ck_agreement_acceptances_side")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "version_id"],
            ["agreement_versions.tenant_id", "agreement_versions.id"],
            name=op.f("fk_agreement_acceptances_tenant_id_version_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_agreement_acceptances")),
        sa.UniqueConstraint(
            "tenant_id",
            "version_id",
            "side",
            name=op.f("uq_agreement_acceptances_tenant_id_version_id_side"),
        ),
    )
    seal_by_tenant("agreement_acceptances")
    let_use("agreement_acceptances", VERBS["agreement_acceptances"])
    op.create_table(
        "agreement_commitments",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("clause", sa.SmallInteger(), nullable=False),
        sa.Column("objective_id", sa.Uuid(), nullable=True),
        sa.Column("indicator_id", sa.Uuid(), nullable=True),
        sa.Column("vendor_kind", sa.String(), nullable=True),
        sa.Column("target", sa.Numeric(precision=12, scale=10), nullable=False),
        sa.Column("bands", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("fee_part", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("fee_part >= 0", name=op.f("ck_agreement_commitments_fee_part")),
        sa.CheckConstraint(
            "target > 0 AND target <= 1", name=op.f("ck_agreement_commitments_target")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "version_id"],
            ["agreement_versions.tenant_id", "agreement_versions.id"],
            name=op.f("fk_agreement_commitments_tenant_id_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "objective_id"],
            ["objectives.tenant_id", "objectives.id"],
            name=op.f("fk_agreement_commitments_tenant_id_objective_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "indicator_id"],
            ["indicators.tenant_id", "indicators.id"],
            name=op.f("fk_agreement_commitments_tenant_id_indicator_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_agreement_commitments")),
        sa.UniqueConstraint(
            "tenant_id",
            "version_id",
            "clause",
            name=op.f("uq_agreement_commitments_tenant_id_version_id_clause"),
        ),
    )
    op.create_index(
        op.f("ix_agreement_commitments_tenant_id_objective_id"),
        "agreement_commitments",
        ["tenant_id", "objective_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_agreement_commitments_tenant_id_indicator_id"),
        "agreement_commitments",
        ["tenant_id", "indicator_id"],
        unique=False,
    )
    seal_by_tenant("agreement_commitments")
    let_use("agreement_commitments", VERBS["agreement_commitments"])
    op.create_table(
        "agreement_support_terms",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("response_minutes", sa.Integer(), nullable=False),
        sa.Column("resolution_minutes", sa.Integer(), nullable=True),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("target", sa.Numeric(precision=12, scale=10), nullable=False),
        sa.Column("bands", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("fee_part", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "clock IN ('business_hours', '24x7')", name=op.f("ck_agreement_support_terms_clock")
        ),
        sa.CheckConstraint(
            "severity BETWEEN 1 AND 4", name=op.f("ck_agreement_support_terms_severity")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "version_id"],
            ["agreement_versions.tenant_id", "agreement_versions.id"],
            name=op.f("fk_agreement_support_terms_tenant_id_version_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_agreement_support_terms")),
        sa.UniqueConstraint(
            "tenant_id",
            "version_id",
            "severity",
            name=op.f("uq_agreement_support_terms_tenant_id_version_id_severity"),
        ),
    )
    seal_by_tenant("agreement_support_terms")
    let_use("agreement_support_terms", VERBS["agreement_support_terms"])
    _freeze()


def _freeze() -> None:
    """What is proposed has one content, and what is accepted never changes."""
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
CREATE TRIGGER accepted BEFORE UPDATE ON agreement_versions
  FOR EACH ROW EXECUTE FUNCTION refuse_change_of_accepted_terms()
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
    for table in ("agreement_commitments", "agreement_support_terms"):
        op.execute(
            f"CREATE TRIGGER draft BEFORE INSERT OR UPDATE OR DELETE ON {table}"
            " FOR EACH ROW EXECUTE FUNCTION refuse_change_outside_draft()"
        )
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
    op.execute("""
CREATE TRIGGER accepted BEFORE UPDATE OR DELETE ON agreement_acceptances
  FOR EACH ROW EXECUTE FUNCTION refuse_change_of_given_acceptance()
""")
