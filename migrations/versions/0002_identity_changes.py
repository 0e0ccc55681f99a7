"""Changes to sign-in keep their reason, requester, expiry and decision in their approval."""

import sqlalchemy as sa
from alembic import op

revision = "0002_identity_changes"
down_revision = "0001_release_0_1_0"


def upgrade() -> None:
    for column in ("decided_at", "decided_by", "requested_by", "expires_at", "reason"):
        op.drop_column("connection_changes", column)
    op.add_column("sign_ins", sa.Column("is_test", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column("sign_ins", "is_test", server_default=None)
    op.drop_constraint(op.f("fk_sign_ins_tenant_id_change_id"), "sign_ins", type_="foreignkey")
    op.drop_column("sign_ins", "change_id")
