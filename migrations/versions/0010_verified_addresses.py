"""A connection says whether its provider verifies e-mail addresses"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.add_column("connections", sa.Column("verifies_addresses", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column("connections", "verifies_addresses", server_default=None)


def downgrade() -> None:
    op.drop_column("connections", "verifies_addresses")
