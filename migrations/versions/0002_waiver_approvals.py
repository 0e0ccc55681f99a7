"""Waiver approvals"""

from alembic import op

revision = "0002_waiver_approvals"
down_revision = "0001_release_0_1_0"


def upgrade() -> None:
    op.alter_column("waivers", "second_at", new_column_name="live_from")
    for name in ("first_by", "first_at", "second_by"):
        op.drop_column("waivers", name)
