"""Shared list views"""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = "0010_shared_list_views"
down_revision = "0009_work_failures"


def upgrade() -> None:
    op.create_table(
        "list_defaults",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("location", sa.String(), nullable=False),
        sa.Column("columns", sa.String(), nullable=False),
        sa.Column("view_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_list_defaults_person_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "view_id"],
            ["list_views.tenant_id", "list_views.id"],
            name=op.f("fk_list_defaults_tenant_id_view_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_list_defaults")),
        sa.UniqueConstraint(
            "tenant_id",
            "person_id",
            "location",
            name=op.f("uq_list_defaults_tenant_id_person_id_location"),
        ),
    )
    seal_by_tenant("list_defaults")
    let_use(
        "list_defaults", "SELECT, INSERT, UPDATE, DELETE"
    )  # leave out what the application never does
    op.create_index(
        op.f("ix_list_defaults_tenant_id_view_id"),
        "list_defaults",
        ["tenant_id", "view_id"],
        unique=False,
    )
    op.add_column(
        "list_views", sa.Column("shared", sa.Boolean(), server_default="false", nullable=False)
    )
    op.create_index(
        op.f("ix_list_views_tenant_id_location"),
        "list_views",
        ["tenant_id", "location"],
        unique=False,
    )
