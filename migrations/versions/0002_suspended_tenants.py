"""Suspended tenants"""

import sqlalchemy as sa
from alembic import op

revision = "0002_suspended_tenants"
down_revision = "0001_release_0_1_0"


def upgrade() -> None:
    op.add_column("tenants", sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True))
