"""Profiles, comments and notifications; engagements that show names"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from migrations.sealing import let_use, seal_by_tenant

revision = "0012_comments_and_notifications"
down_revision = "0011_sign_ins_by_network"


def upgrade() -> None:
    op.create_table(
        "object_comments",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_kind", sa.String(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("mentions", JSONB(), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("removed_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_object_comments")),
    )
    seal_by_tenant("object_comments")
    let_use("object_comments", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_object_comments_tenant_id_subject_id_created_at_id"),
        "object_comments",
        ["tenant_id", "subject_id", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "notifications",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("caused_by", sa.Uuid(), nullable=True),
        sa.Column("says", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("awaits_mail", sa.Boolean(), nullable=False),
        sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("read_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_notifications_person_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_notifications")),
        sa.UniqueConstraint(
            "tenant_id",
            "person_id",
            "kind",
            "source_id",
            name=op.f("uq_notifications_tenant_id_person_id_kind_source_id"),
        ),
    )
    seal_by_tenant("notifications")
    let_use("notifications", "SELECT, INSERT, UPDATE, DELETE")
    op.create_index(
        "ix_notifications_awaiting_mail",
        "notifications",
        ["tenant_id", "person_id"],
        unique=False,
        postgresql_where="awaits_mail",
    )
    op.create_index(
        op.f("ix_notifications_tenant_id_person_id_created_at_id"),
        "notifications",
        ["tenant_id", "person_id", "created_at", "id"],
        unique=False,
    )
    op.create_table(
        "object_comment_revisions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("comment_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("mentions", JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "comment_id"],
            ["object_comments.tenant_id", "object_comments.id"],
            name=op.f("fk_object_comment_revisions_tenant_id_comment_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_object_comment_revisions")),
    )
    seal_by_tenant("object_comment_revisions")
    let_use("object_comment_revisions", "SELECT, INSERT, UPDATE, DELETE")
    op.create_index(
        op.f("ix_object_comment_revisions_tenant_id_comment_id_created_at"),
        "object_comment_revisions",
        ["tenant_id", "comment_id", "created_at"],
        unique=False,
    )
    op.add_column(
        "memberships",
        sa.Column("unread_notifications", sa.Integer(), server_default="0", nullable=False),
    )
    op.alter_column("memberships", "unread_notifications", server_default=None)
    op.add_column(
        "engagements",
        sa.Column("shows_names", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.alter_column("engagements", "shows_names", server_default=None)
    op.add_column(
        "memberships",
        sa.Column(
            "preferences",
            JSONB,
            server_default="{}",
            nullable=False,
        ),
    )
    op.alter_column("memberships", "preferences", server_default=None)
