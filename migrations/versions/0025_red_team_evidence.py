"""Red team evidence"""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = "0025_red_team_evidence"
down_revision = "0024_places_in_the_queue"


def upgrade() -> None:
    op.create_table(
        "red_team_evidence",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("finding_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("linked_by", sa.Uuid(), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "finding_id"],
            ["red_team_findings.tenant_id", "red_team_findings.id"],
            name=op.f("fk_red_team_evidence_tenant_id_finding_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "version_id"],
            ["evidence_versions.tenant_id", "evidence_versions.id"],
            name=op.f("fk_red_team_evidence_tenant_id_version_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_red_team_evidence")),
    )
    seal_by_tenant("red_team_evidence")
    let_use("red_team_evidence", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_red_team_evidence_tenant_id_version_id"),
        "red_team_evidence",
        ["tenant_id", "version_id"],
        unique=False,
    )
    op.create_index(
        "uq_red_team_evidence_open",
        "red_team_evidence",
        ["tenant_id", "finding_id", "version_id"],
        unique=True,
        postgresql_where="removed_at IS NULL",
    )
