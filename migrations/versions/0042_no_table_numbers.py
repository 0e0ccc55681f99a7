"""Pages are no longer kept under the numbers of the tables that they read"""

from alembic import op

revision = "0042_no_table_numbers"
down_revision = "0041_drop_benchmarks"


def upgrade() -> None:
    op.drop_table("table_numbers")
