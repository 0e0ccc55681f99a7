"""Evidence versions that count no more, because what they were filed from says nothing."""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import append_only, let_use, seal_by_tenant

revision = "0015_evidence_withdrawals"
down_revision = "0014_still_valid"


def upgrade() -> None:
    op.create_table(
        "evidence_withdrawals",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "version_id"],
            ["evidence_versions.tenant_id", "evidence_versions.id"],
            name=op.f("fk_evidence_withdrawals_tenant_id_version_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_evidence_withdrawals")),
        sa.UniqueConstraint(
            "tenant_id", "version_id", name=op.f("uq_evidence_withdrawals_tenant_id_version_id")
        ),
    )
    seal_by_tenant("evidence_withdrawals")
    let_use("evidence_withdrawals", "SELECT, INSERT")
    append_only("evidence_withdrawals")
