"""Records of an AI system that people confirmed as still valid after a substantial change."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0014_still_valid"
down_revision = "0013_evaluation_judges"


def upgrade() -> None:
    op.add_column(
        "ai_systems",
        sa.Column(
            "still_valid", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False
        ),
    )
