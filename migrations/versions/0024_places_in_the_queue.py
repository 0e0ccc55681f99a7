"""Places in the queue"""

import sqlalchemy as sa
from alembic import op

revision = "0024_places_in_the_queue"
down_revision = "0023_red_team_files"


def upgrade() -> None:
    op.add_column("work_tickets", sa.Column("place", sa.DateTime(timezone=True), nullable=True))
    op.execute("UPDATE work_tickets SET place = ready_at")  # it held the head start so far
    op.alter_column("work_tickets", "place", nullable=False)
    op.drop_index(op.f("ix_work_tickets_ready_at"), table_name="work_tickets")
    op.create_index(op.f("ix_work_tickets_place"), "work_tickets", ["place"], unique=False)
