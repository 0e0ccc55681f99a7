"""The tenant's role for a system, its day on the market, and the law that its class was given under

A proposal may name the evaluation run that shows that its safeguards hold.
"""

import sqlalchemy as sa
from alembic import op

revision = "0039_law_confirmation"
down_revision = "0035_installation_marks"

ROLES = "eu_role IN ('', 'provider', 'deployer', 'both', 'importer', 'distributor')"
TABLES = ("ai_systems", "system_proposals")
# A class entered by hand stays under the law before its amendment until a person confirms it.
BACKFILL = """
UPDATE ai_systems s SET
  eu_role = coalesce(p.role, ''),
  placed_on = p.placed_on,
  law_version = CASE
    WHEN s.ai_act_class = p.eu_class AND p.law_version <> '2024-08-01' THEN p.law_version ELSE ''
    END
FROM system_proposals p WHERE p.tenant_id = s.tenant_id AND p.system_id = s.id
"""


def upgrade() -> None:
    for column in ("eu_role", "law_version"):
        op.add_column(
            "ai_systems",
            sa.Column(column, sa.String(), server_default=sa.text("''"), nullable=False),
        )
    op.add_column("ai_systems", sa.Column("placed_on", sa.Date(), nullable=True))
    op.create_check_constraint(op.f("ck_ai_systems_eu_role"), "ai_systems", ROLES)
    for table in TABLES:  # the owner of the tables sees every tenant's rows for this moment
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(BACKFILL)
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.add_column("system_proposals", sa.Column("safeguards_run_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_system_proposals_tenant_id_safeguards_run_id"),
        "system_proposals",
        "evaluation_runs",
        ["tenant_id", "safeguards_run_id"],
        ["tenant_id", "id"],
    )
