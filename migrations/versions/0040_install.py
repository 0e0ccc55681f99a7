"""Which identity providers the operator named, and may therefore be on a private network.

Existing connections count as named by the tenant: their log doesn't say who chose the address.
"""

import sqlalchemy as sa
from alembic import op

revision = "0040_install"
down_revision = "0038_names_in_files"


def upgrade() -> None:
    op.add_column(
        "connections",
        sa.Column("named_by_operator", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.alter_column("connections", "named_by_operator", server_default=None)
