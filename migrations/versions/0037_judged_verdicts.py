"""The release that people are served, as somebody states it, and runs that keep what judged them

The tier and the policy version that judged a run never change again, nor how its scores were read.
"""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = "0037_judged_verdicts"
down_revision = "0040_install"


def upgrade() -> None:
    op.create_table(
        "served_releases",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("release", sa.String(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("stated_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("release <> ''", name=op.f("ck_served_releases_release")),
        sa.ForeignKeyConstraint(
            ["stated_by"], ["people.id"], name=op.f("fk_served_releases_stated_by")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "system_id"],
            ["ai_systems.tenant_id", "ai_systems.id"],
            name=op.f("fk_served_releases_tenant_id_system_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_served_releases")),
    )
    seal_by_tenant("served_releases")
    let_use("served_releases", "SELECT, INSERT")
    op.create_index(
        op.f("ix_served_releases_tenant_id_system_id_since"),
        "served_releases",
        ["tenant_id", "system_id", "since"],
        unique=False,
    )
    op.execute("""
CREATE FUNCTION refuse_change_of_what_judged() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.judged_tier IS NOT NULL AND (
    NEW.judged_tier IS DISTINCT FROM OLD.judged_tier
    OR NEW.judged_policy IS DISTINCT FROM OLD.judged_policy
    OR NEW.read_as IS DISTINCT FROM OLD.read_as
  ) THEN
    RAISE EXCEPTION 'what judged a run never changes';
  END IF;
  RETURN NEW;
END $$
""")
    op.execute(
        "CREATE TRIGGER judged BEFORE UPDATE ON evaluation_runs"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change_of_what_judged()"
    )
