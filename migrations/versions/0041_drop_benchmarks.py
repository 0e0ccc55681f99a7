"""Drop the benchmarks of usage over all tenants, which docs/decisions/0158 removes.

Their releases stay in the audit log.
"""

from alembic import op

revision = "0041_drop_benchmarks"
down_revision = "0037_judged_verdicts"


def upgrade() -> None:
    op.drop_table("benchmarks")
