"""Red team files"""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = "0023_red_team_files"
down_revision = "0022_model_cards"


def upgrade() -> None:
    op.create_table(
        "red_team_files",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("red_team_id", sa.Uuid(), nullable=False),
        sa.Column("file_name", sa.String(), nullable=True),
        sa.Column("file_key", sa.String(), nullable=True),
        sa.Column("file_sha256", sa.String(), nullable=True),
        sa.Column("file_size", sa.Integer(), nullable=True),
        sa.Column("is_draft", sa.Boolean(), nullable=True),
        sa.Column("open_findings", sa.Integer(), nullable=True),
        sa.Column("work_item_id", sa.Uuid(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "red_team_id"],
            ["red_teams.tenant_id", "red_teams.id"],
            name=op.f("fk_red_team_files_tenant_id_red_team_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_red_team_files")),
    )
    seal_by_tenant("red_team_files")
    let_use("red_team_files", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_red_team_files_tenant_id_red_team_id"),
        "red_team_files",
        ["tenant_id", "red_team_id"],
        unique=False,
    )
