"""Model card files, and the release that a card describes"""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = "0026_model_card_files"
down_revision = "0025_red_team_evidence"


def upgrade() -> None:
    op.create_table(
        "model_card_releases",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("release", sa.String(), nullable=False),
        sa.Column("chosen_by", sa.Uuid(), nullable=True),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "system_id"],
            ["ai_systems.tenant_id", "ai_systems.id"],
            name=op.f("fk_model_card_releases_tenant_id_system_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_model_card_releases")),
        sa.UniqueConstraint(
            "tenant_id", "system_id", name=op.f("uq_model_card_releases_tenant_id_system_id")
        ),
    )
    seal_by_tenant("model_card_releases")
    let_use("model_card_releases", "SELECT, INSERT, UPDATE")
    op.create_table(
        "model_card_files",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("model_card_id", sa.Uuid(), nullable=True),
        sa.Column("missing", sa.Integer(), nullable=True),
        sa.Column("file_name", sa.String(), nullable=True),
        sa.Column("file_key", sa.String(), nullable=True),
        sa.Column("file_sha256", sa.String(), nullable=True),
        sa.Column("file_size", sa.Integer(), nullable=True),
        sa.Column("work_item_id", sa.Uuid(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "model_card_id"],
            ["model_cards.tenant_id", "model_cards.id"],
            name=op.f("fk_model_card_files_tenant_id_model_card_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "system_id"],
            ["ai_systems.tenant_id", "ai_systems.id"],
            name=op.f("fk_model_card_files_tenant_id_system_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_model_card_files")),
    )
    seal_by_tenant("model_card_files")
    let_use("model_card_files", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_model_card_files_tenant_id_system_id_model_card_id"),
        "model_card_files",
        ["tenant_id", "system_id", "model_card_id"],
        unique=False,
    )
