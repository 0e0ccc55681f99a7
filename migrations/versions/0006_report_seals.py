"""Report seals"""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = "0006_report_seals"
down_revision = "0005_denied_acts"


def upgrade() -> None:
    op.create_table(
        "certificate_authorities",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_certificate_authorities")),
    )
    let_use("certificate_authorities", "SELECT, INSERT")
    # A rotation of the installation's key wraps the authority's key again; nothing else may change.
    op.execute("GRANT UPDATE (wrapped) ON certificate_authorities TO governance_app")
    op.create_table(
        "seal_certificates",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("issuer", sa.String(), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("chain", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=True),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("not_after", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "source IN ('issued', 'uploaded')", name=op.f("ck_seal_certificates_source")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_seal_certificates")),
    )
    seal_by_tenant("seal_certificates")
    let_use("seal_certificates", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_seal_certificates_tenant_id_created_at"),
        "seal_certificates",
        ["tenant_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "seal_settings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sealed_for", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "sealed_for IN ('nobody', 'auditors', 'everyone')",
            name=op.f("ck_seal_settings_sealed_for"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_seal_settings")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_seal_settings_tenant_id")),
    )
    seal_by_tenant("seal_settings")
    let_use("seal_settings", "SELECT, INSERT, UPDATE")
    op.create_table(
        "report_copies",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("certificate", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "run_id"],
            ["report_runs.tenant_id", "report_runs.id"],
            name=op.f("fk_report_copies_tenant_id_run_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_report_copies")),
    )
    seal_by_tenant("report_copies")
    let_use("report_copies", "SELECT, INSERT, DELETE")
    op.create_index(
        op.f("ix_report_copies_tenant_id_run_id_person_id_created_at"),
        "report_copies",
        ["tenant_id", "run_id", "person_id", "created_at"],
        unique=False,
    )
