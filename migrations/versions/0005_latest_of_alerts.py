"""What the last evaluation found of an alert"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005_latest_of_alerts"
down_revision = "0005_statements"


def upgrade() -> None:
    column = sa.Column(
        "latest", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False
    )
    op.add_column("alerts", column)
    op.alter_column("alerts", "latest", server_default=None)
