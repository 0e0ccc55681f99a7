"""Files for auditors who see no names: the run of a report without names, and the frozen results of
an assessment without names. Packages until now may have reports with names.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0038_names_in_files"
down_revision = "0039_law_confirmation"


def upgrade() -> None:
    op.add_column("report_runs", sa.Column("without_names_of", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_report_runs_tenant_id_without_names_of"),
        "report_runs",
        "report_runs",
        ["tenant_id", "without_names_of"],
        ["tenant_id", "id"],
    )
    op.create_index(
        op.f("ix_report_runs_tenant_id_without_names_of"),
        "report_runs",
        ["tenant_id", "without_names_of"],
    )
    op.add_column(
        "assessments", sa.Column("frozen_without_names", postgresql.JSONB(), nullable=True)
    )
    op.add_column("assessments", sa.Column("digest_without_names", sa.String(), nullable=True))
    op.add_column(
        "evidence_packages",
        sa.Column("has_names", sa.Boolean(), nullable=False, server_default=sa.true()),
    )
    op.alter_column("evidence_packages", "has_names", server_default=None)
