"""Provisioning over SCIM"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import let_use, seal_by_tenant

revision = "0008_provisioning_over_scim"
down_revision = "0007_search_index"


def upgrade() -> None:
    op.create_table(
        "scim_groups",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("display_name", sa.String(), nullable=False),
        sa.Column("display_name_key", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_scim_groups")),
        sa.UniqueConstraint(
            "tenant_id", "display_name_key", name=op.f("uq_scim_groups_tenant_id_display_name_key")
        ),
    )
    seal_by_tenant("scim_groups")
    let_use("scim_groups", "SELECT, INSERT, UPDATE, DELETE")
    op.create_index(
        op.f("ix_scim_groups_tenant_id_created_at_id"),
        "scim_groups",
        ["tenant_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_scim_groups_tenant_id_external_id"),
        "scim_groups",
        ["tenant_id", "external_id"],
        unique=False,
    )
    op.create_table(
        "scim_users",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_name", sa.String(), nullable=False),
        sa.Column("user_name_key", sa.String(), nullable=False),
        sa.Column("external_id", sa.String(), nullable=True),
        sa.Column("display_name", sa.String(), nullable=True),
        sa.Column("name", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("emails", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("address", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=True),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("membership_id", sa.Uuid(), nullable=True),
        sa.Column("access_ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "membership_id"],
            ["memberships.tenant_id", "memberships.id"],
            name=op.f("fk_scim_users_tenant_id_membership_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_scim_users")),
        sa.UniqueConstraint(
            "tenant_id", "membership_id", name=op.f("uq_scim_users_tenant_id_membership_id")
        ),
        sa.UniqueConstraint(
            "tenant_id", "user_name_key", name=op.f("uq_scim_users_tenant_id_user_name_key")
        ),
    )
    seal_by_tenant("scim_users")
    let_use("scim_users", "SELECT, INSERT, UPDATE, DELETE")
    op.create_index(
        op.f("ix_scim_users_tenant_id_address"),
        "scim_users",
        ["tenant_id", "address"],
        unique=False,
    )
    op.create_index(
        op.f("ix_scim_users_tenant_id_created_at_id"),
        "scim_users",
        ["tenant_id", "created_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_scim_users_tenant_id_external_id"),
        "scim_users",
        ["tenant_id", "external_id"],
        unique=False,
    )
    op.create_table(
        "scim_calls",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key_id", sa.Uuid(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "key_id"],
            ["api_keys.tenant_id", "api_keys.id"],
            name=op.f("fk_scim_calls_tenant_id_key_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_scim_calls")),
    )
    seal_by_tenant("scim_calls")
    let_use("scim_calls", "SELECT, INSERT, DELETE")
    op.create_index(
        op.f("ix_scim_calls_tenant_id_created_at"),
        "scim_calls",
        ["tenant_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "scim_group_members",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "group_id"],
            ["scim_groups.tenant_id", "scim_groups.id"],
            name=op.f("fk_scim_group_members_tenant_id_group_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_id"],
            ["scim_users.tenant_id", "scim_users.id"],
            name=op.f("fk_scim_group_members_tenant_id_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_scim_group_members")),
        sa.UniqueConstraint(
            "tenant_id",
            "group_id",
            "user_id",
            name=op.f("uq_scim_group_members_tenant_id_group_id_user_id"),
        ),
    )
    seal_by_tenant("scim_group_members")
    let_use("scim_group_members", "SELECT, INSERT, DELETE")
    op.create_index(
        op.f("ix_scim_group_members_tenant_id_user_id"),
        "scim_group_members",
        ["tenant_id", "user_id"],
        unique=False,
    )
    # ANALYZE would copy names and addresses to where no erasure reaches.
    for column in (
        "user_name",
        "user_name_key",
        "external_id",
        "display_name",
        "name",
        "emails",
        "address",
    ):
        op.execute(f"ALTER TABLE scim_users ALTER {column} SET STATISTICS 0")
