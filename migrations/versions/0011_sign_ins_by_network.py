"""Sign-ins by network"""

import sqlalchemy as sa
from alembic import op

revision = "0011_sign_ins_by_network"
down_revision = "0010_shared_list_views"


def upgrade() -> None:
    op.add_column("sign_ins", sa.Column("network", sa.String(), server_default="", nullable=False))
    op.create_index(
        op.f("ix_sign_ins_tenant_id_network_created_at"),
        "sign_ins",
        ["tenant_id", "network", "created_at"],
        unique=False,
    )
