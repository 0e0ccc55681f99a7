"""A run keeps the tier and the policy version that it was judged with, and how its scores were read.

Runs that were judged before get the version that was in force when their results were written. Of
their files, nobody stated what true means, so `read_as` stays empty.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0032_run_verdicts"
down_revision = "0036_clock"

TABLES = ("evaluation_runs", "evaluation_results", "policy_versions")
BACKFILL = """
UPDATE evaluation_runs r SET
  judged_policy = v.number,
  judged_tier = CASE
    WHEN coalesce(v.tier, 'standard') IN ('baseline', 'standard', 'strict', 'regulated')
    THEN coalesce(v.tier, 'standard') ELSE 'regulated' END
FROM (
  SELECT e.tenant_id, e.run_id, p.number, p.tier
  FROM (
    SELECT tenant_id, run_id, min(created_at) AS at FROM evaluation_results GROUP BY 1, 2
  ) e
  LEFT JOIN LATERAL (
    SELECT number, content ->> 'tier' AS tier FROM policy_versions
    WHERE tenant_id = e.tenant_id AND in_force_from <= e.at AND number IS NOT NULL
    ORDER BY number DESC LIMIT 1
  ) p ON true
) v
WHERE r.tenant_id = v.tenant_id AND r.id = v.run_id AND r.state = 'judged'
"""


def upgrade() -> None:
    op.add_column("evaluation_runs", sa.Column("judged_tier", sa.String(), nullable=True))
    op.add_column("evaluation_runs", sa.Column("judged_policy", sa.Integer(), nullable=True))
    op.add_column(
        "evaluation_runs",
        sa.Column("read_as", postgresql.JSONB(), nullable=False, server_default=sa.text("'{}'")),
    )
    op.alter_column("evaluation_runs", "read_as", server_default=None)
    for table in TABLES:  # the owner of the tables sees every tenant's rows for this moment
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(BACKFILL)
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
