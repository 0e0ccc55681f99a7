"""Requests to restart, and to drill, are approvals: a stop and a drill keep who requested and who approved."""

import sqlalchemy as sa
from alembic import op

revision = "0002_restart_requests"
down_revision = "0001_release_0_1_0"


def upgrade() -> None:
    op.add_column("drills", sa.Column("approved_by", sa.Uuid(), nullable=True))
    op.drop_column("drills", "agreed_by")
    op.add_column("platform_stops", sa.Column("restart_requested_by", sa.Uuid(), nullable=True))
    op.drop_index(op.f("uq_platform_stops_standing"), table_name="platform_stops", postgresql_where="(restarted_at IS NULL)")
    op.create_index(
        "uq_platform_stops_active",
        "platform_stops",
        [sa.literal_column("(1)")],
        unique=True,
        postgresql_where=sa.text("restarted_at IS NULL"),
    )
    op.drop_column("platform_stops", "restart_asked_by")
    op.drop_column("platform_stops", "restart_asked_at")
    op.add_column("stops", sa.Column("restart_requested_by", sa.Uuid(), nullable=True))
    op.drop_index(op.f("ix_stops_standing"), table_name="stops", postgresql_where="(restarted_at IS NULL)")
    op.create_index("ix_stops_active", "stops", ["tenant_id"], unique=False, postgresql_where=sa.text("restarted_at IS NULL"))
    op.drop_column("stops", "restart_asked_by")
    op.drop_column("stops", "restart_asked_at")
