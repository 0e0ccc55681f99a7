"""The version of the law that a proposal was answered under, its role, and its day on the market"""

import sqlalchemy as sa
from alembic import op

revision = "0034_law_versions"
down_revision = "0033_framework_structure"


def upgrade() -> None:
    op.add_column(
        "system_proposals",
        sa.Column("law_version", sa.String(), server_default="2024-08-01", nullable=False),
    )
    op.alter_column("system_proposals", "law_version", server_default=None)
    op.add_column("system_proposals", sa.Column("role", sa.String(), nullable=True))
    op.add_column("system_proposals", sa.Column("placed_on", sa.Date(), nullable=True))
    op.create_check_constraint(
        op.f("ck_system_proposals_role"),
        "system_proposals",
        "role IN ('provider', 'deployer', 'both', 'importer', 'distributor')",
    )
