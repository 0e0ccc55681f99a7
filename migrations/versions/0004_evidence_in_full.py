"""Evidence in full: what a check found, holds, retention, destruction by two, reminders, and what machines pushed"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import let_use, seal_by_tenant

TABLES = {
    "evidence_faults": "SELECT, INSERT, UPDATE",
    "evidence_holds": "SELECT, INSERT, UPDATE",
    "evidence_retention": "SELECT, INSERT, UPDATE",
    "evidence_destructions": "SELECT, INSERT, UPDATE",
    "evidence_reminders": "SELECT, INSERT",
    "evidence_pushes": "SELECT, INSERT, DELETE",
}
revision = '0004'
down_revision = '0003'


def upgrade() -> None:
    _table("evidence_faults",
           sa.Column("version_id", sa.Uuid(), nullable=False), sa.Column("kind", sa.String(), nullable=False),
           sa.Column("found_at", sa.DateTime(timezone=True), nullable=False), sa.Column("healed_at", sa.DateTime(timezone=True)),
           _key("evidence_faults", "version_id", "evidence_versions"))
    _index("evidence_faults", "version_id")
    _one("evidence_faults", "version_id", "healed_at IS NULL")
    _table("evidence_holds",
           sa.Column("evidence_id", sa.Uuid(), nullable=False), sa.Column("reason", sa.String(), nullable=False),
           sa.Column("placed_by", sa.Uuid(), nullable=False), sa.Column("released_at", sa.DateTime(timezone=True)),
           sa.Column("released_by", sa.Uuid()), _key("evidence_holds", "evidence_id", "evidence"))
    _index("evidence_holds", "evidence_id")
    _one("evidence_holds", "evidence_id", "released_at IS NULL")
    _table("evidence_retention",
           sa.Column("kind", sa.String(), nullable=False), sa.Column("months", sa.Integer()),
           sa.Column("version", sa.Integer(), nullable=False), sa.Column("changed_by", sa.Uuid(), nullable=False),
           sa.UniqueConstraint("tenant_id", "kind", name=op.f("uq_evidence_retention_tenant_id_kind")))
    _table("evidence_destructions",
           sa.Column("version_id", sa.Uuid(), nullable=False), sa.Column("sha256", sa.String(), nullable=False),
           sa.Column("size", sa.Integer(), nullable=False), sa.Column("state", sa.String(), nullable=False),
           sa.Column("reason", sa.String(), nullable=False), sa.Column("by_rule", sa.Boolean(), nullable=False),
           sa.Column("asked_by", sa.Uuid(), nullable=False), sa.Column("decided_by", sa.Uuid()),
           sa.Column("decided_at", sa.DateTime(timezone=True)), sa.Column("done_at", sa.DateTime(timezone=True)),
           sa.Column("work_item_id", sa.Uuid()), _key("evidence_destructions", "version_id", "evidence_versions"))
    _index("evidence_destructions", "version_id")
    _one("evidence_destructions", "version_id", "state IN ('asked', 'approved', 'done')")
    _table("evidence_reminders",
           sa.Column("evidence_id", sa.Uuid(), nullable=False), sa.Column("due_on", sa.Date(), nullable=False),
           sa.Column("person_id", sa.Uuid(), nullable=False), _key("evidence_reminders", "evidence_id", "evidence"),
           sa.UniqueConstraint("tenant_id", "evidence_id", "due_on", "person_id", name=op.f("uq_evidence_reminders_tenant_id_evidence_id_due_on_person_id")))
    _table("evidence_pushes",
           sa.Column("key_id", sa.Uuid(), nullable=False), sa.Column("idempotency_key", sa.String(), nullable=False),
           sa.Column("digest", sa.String(), nullable=False), sa.Column("version_id", sa.Uuid(), nullable=False),
           sa.Column("answer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
           _key("evidence_pushes", "key_id", "api_keys"), _key("evidence_pushes", "version_id", "evidence_versions"),
           sa.UniqueConstraint("tenant_id", "key_id", "idempotency_key", name=op.f("uq_evidence_pushes_tenant_id_key_id_idempotency_key")))
    _index("evidence_pushes", "version_id")
    _index("evidence_pushes", "created_at")
    op.create_index(op.f("ix_evidence_versions_tenant_id_sha256"), "evidence_versions", ["tenant_id", "sha256"])
    op.add_column("evidence_versions", sa.Column("key_id", sa.Uuid()))
    op.create_foreign_key(op.f("fk_evidence_versions_tenant_id_key_id"), "evidence_versions", "api_keys", ["tenant_id", "key_id"], ["tenant_id", "id"])
    op.add_column("api_keys", sa.Column("hands", postgresql.JSONB(astext_type=sa.Text()), nullable=False, server_default="[]"))
    op.execute("UPDATE api_keys SET hands = jsonb_build_array(made_by::text) WHERE made_by IS NOT NULL")
    op.alter_column("api_keys", "hands", server_default=None)
    for table, verbs in TABLES.items():
        seal_by_tenant(table)
        let_use(table, verbs)


def downgrade() -> None:
    op.drop_column("api_keys", "hands")
    op.drop_column("evidence_versions", "key_id")
    op.drop_index(op.f("ix_evidence_versions_tenant_id_sha256"), "evidence_versions")
    for table in reversed(TABLES):
        op.drop_table(table)


def _table(name: str, *parts: sa.schema.SchemaItem) -> None:
    op.create_table(
        name, sa.Column("tenant_id", sa.Uuid(), nullable=False), sa.Column("id", sa.Uuid(), nullable=False), *parts,
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False), sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f(f"pk_{name}")),
    )


def _key(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["tenant_id", column], [f"{to}.tenant_id", f"{to}.id"], name=op.f(f"fk_{table}_tenant_id_{column}"))


def _index(table: str, column: str) -> None:
    op.create_index(op.f(f"ix_{table}_tenant_id_{column}"), table, ["tenant_id", column])


def _one(table: str, column: str, where: str) -> None:
    """At most one that stands."""
    op.create_index(f"uq_{table}_open", table, ["tenant_id", column], unique=True, postgresql_where=sa.text(where))
