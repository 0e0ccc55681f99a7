"""Indexes that have the order of one object's entries, and of one kind's."""

from alembic import op

revision = "0029_log_indexes"
down_revision = "0028_report_schedules"


def upgrade() -> None:
    op.drop_index(
        op.f("ix_audit_entries_tenant_id_target_type_target_id_at"), table_name="audit_entries"
    )
    op.create_index(
        op.f("ix_audit_entries_tenant_id_target_id_at"),
        "audit_entries",
        ["tenant_id", "target_id", "at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_audit_entries_tenant_id_target_type_at"),
        "audit_entries",
        ["tenant_id", "target_type", "at"],
        unique=False,
    )
