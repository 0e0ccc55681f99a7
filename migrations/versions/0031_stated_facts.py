"""A lifecycle stage that somebody stated, since a day that they stated.

Until now a registered AI system was "live since" the moment of its registration. A stage that
nobody chose is "not stated" from now on: one that is live, and that the log has no change of.
"""

import sqlalchemy as sa
from alembic import op

revision = "0031_stated_facts"
down_revision = "0029_log_indexes"

STAGES = "stage IN ('unstated', 'proposed', 'in_review', 'live', 'restricted', 'retired')"
TABLES = ("ai_systems", "audit_entries")


def upgrade() -> None:
    op.drop_constraint(op.f("ck_ai_systems_stage"), "ai_systems", type_="check")
    op.create_check_constraint(op.f("ck_ai_systems_stage"), "ai_systems", STAGES)
    op.alter_column("ai_systems", "stage", server_default=None)
    op.alter_column(
        "ai_systems",
        "stage_since",
        type_=sa.Date(),
        postgresql_using="(stage_since AT TIME ZONE 'UTC')::date",
    )
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "UPDATE ai_systems SET stage = 'unstated', stage_since = NULL WHERE stage = 'live'"
        " AND NOT EXISTS (SELECT 1 FROM audit_entries e WHERE e.tenant_id = ai_systems.tenant_id"
        " AND e.target_id = ai_systems.id AND e.action = 'system.stage.changed')"
    )
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
