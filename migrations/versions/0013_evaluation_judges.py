"""Judges of evaluation suites, and the labels of people that they are held against."""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import append_only, let_use, seal_by_tenant

revision = "0013_evaluation_judges"
down_revision = "0012_evaluation_findings"


def upgrade() -> None:
    op.create_table(
        "evaluation_judges",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("suite_id", sa.Uuid(), nullable=False),
        sa.Column("measure_key", sa.String(), nullable=False),
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "suite_id"],
            ["evaluation_suites.tenant_id", "evaluation_suites.id"],
            name=op.f("fk_evaluation_judges_tenant_id_suite_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_evaluation_judges")),
    )
    seal_by_tenant("evaluation_judges")
    let_use("evaluation_judges", "SELECT, INSERT, UPDATE")
    op.create_index(
        "uq_evaluation_judges_current",
        "evaluation_judges",
        ["tenant_id", "suite_id", "measure_key"],
        unique=True,
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_table(
        "evaluation_judge_calibrations",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("judge_id", sa.Uuid(), nullable=False),
        sa.Column("filename", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("both_pass", sa.Integer(), nullable=False),
        sa.Column("only_people", sa.Integer(), nullable=False),
        sa.Column("only_judge", sa.Integer(), nullable=False),
        sa.Column("both_fail", sa.Integer(), nullable=False),
        sa.Column("kappa", sa.Float(), nullable=True),
        sa.Column("kappa_low", sa.Float(), nullable=True),
        sa.Column("kappa_high", sa.Float(), nullable=True),
        sa.Column("uploaded_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "least(both_pass, only_people, only_judge, both_fail) >= 0",
            name=op.f("ck_evaluation_judge_calibrations_counts"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "judge_id"],
            ["evaluation_judges.tenant_id", "evaluation_judges.id"],
            name=op.f("fk_evaluation_judge_calibrations_tenant_id_judge_id"),
        ),
        sa.ForeignKeyConstraint(
            ["uploaded_by"],
            ["people.id"],
            name=op.f("fk_evaluation_judge_calibrations_uploaded_by"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_evaluation_judge_calibrations")),
    )
    seal_by_tenant("evaluation_judge_calibrations")
    let_use("evaluation_judge_calibrations", "SELECT, INSERT")
    append_only("evaluation_judge_calibrations")
    op.create_index(
        op.f("ix_evaluation_judge_calibrations_tenant_id_judge_id_created_at"),
        "evaluation_judge_calibrations",
        ["tenant_id", "judge_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "evaluation_judge_labels",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("calibration_id", sa.Uuid(), nullable=False),
        sa.Column("case_digest", sa.LargeBinary(), nullable=False),
        sa.Column("people_pass", sa.Boolean(), nullable=False),
        sa.Column("judge_passes", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "calibration_id"],
            ["evaluation_judge_calibrations.tenant_id", "evaluation_judge_calibrations.id"],
            name=op.f("fk_evaluation_judge_labels_tenant_id_calibration_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_evaluation_judge_labels")),
        sa.UniqueConstraint(
            "tenant_id",
            "calibration_id",
            "case_digest",
            name=op.f("uq_evaluation_judge_labels_tenant_id_calibration_id_case_digest"),
        ),
    )
    seal_by_tenant("evaluation_judge_labels")
    let_use("evaluation_judge_labels", "SELECT, INSERT")
    append_only("evaluation_judge_labels")
