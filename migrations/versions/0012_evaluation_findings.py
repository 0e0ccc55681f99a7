"""Evaluation findings"""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import append_only, let_use, seal_by_tenant

revision = "0012_evaluation_findings"
down_revision = "0011_measure_minimum"


def upgrade() -> None:
    op.create_table(
        "evaluation_measure_controls",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("suite_id", sa.Uuid(), nullable=False),
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("control_id", sa.Uuid(), nullable=False),
        sa.Column("mapped_by", sa.Uuid(), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "control_id"],
            ["controls.tenant_id", "controls.id"],
            name=op.f("fk_evaluation_measure_controls_tenant_id_control_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "suite_id"],
            ["evaluation_suites.tenant_id", "evaluation_suites.id"],
            name=op.f("fk_evaluation_measure_controls_tenant_id_suite_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_evaluation_measure_controls")),
    )
    seal_by_tenant("evaluation_measure_controls")
    let_use("evaluation_measure_controls", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_evaluation_measure_controls_tenant_id_control_id"),
        "evaluation_measure_controls",
        ["tenant_id", "control_id"],
        unique=False,
    )
    op.create_index(
        "uq_evaluation_measure_controls_open",
        "evaluation_measure_controls",
        ["tenant_id", "suite_id", "measure", "control_id"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_table(
        "indicator_evaluations",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("indicator_id", sa.Uuid(), nullable=False),
        sa.Column("suite_id", sa.Uuid(), nullable=False),
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("started_by", sa.Uuid(), nullable=True),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "indicator_id"],
            ["indicators.tenant_id", "indicators.id"],
            name=op.f("fk_indicator_evaluations_tenant_id_indicator_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "suite_id"],
            ["evaluation_suites.tenant_id", "evaluation_suites.id"],
            name=op.f("fk_indicator_evaluations_tenant_id_suite_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_indicator_evaluations")),
    )
    seal_by_tenant("indicator_evaluations")
    let_use("indicator_evaluations", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_indicator_evaluations_tenant_id_suite_id"),
        "indicator_evaluations",
        ["tenant_id", "suite_id"],
        unique=False,
    )
    op.create_index(
        "uq_indicator_evaluations_open",
        "indicator_evaluations",
        ["tenant_id", "indicator_id"],
        unique=True,
        postgresql_where=sa.text("stopped_at IS NULL"),
    )
    op.create_table(
        "evaluation_findings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("suite_id", sa.Uuid(), nullable=False),
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("first_run_id", sa.Uuid(), nullable=False),
        sa.Column("last_run_id", sa.Uuid(), nullable=False),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("passed_run_id", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closing_note", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("misses > 0", name=op.f("ck_evaluation_findings_misses")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "first_run_id"],
            ["evaluation_runs.tenant_id", "evaluation_runs.id"],
            name=op.f("fk_evaluation_findings_tenant_id_first_run_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "last_run_id"],
            ["evaluation_runs.tenant_id", "evaluation_runs.id"],
            name=op.f("fk_evaluation_findings_tenant_id_last_run_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "passed_run_id"],
            ["evaluation_runs.tenant_id", "evaluation_runs.id"],
            name=op.f("fk_evaluation_findings_tenant_id_passed_run_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "suite_id"],
            ["evaluation_suites.tenant_id", "evaluation_suites.id"],
            name=op.f("fk_evaluation_findings_tenant_id_suite_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "system_id"],
            ["ai_systems.tenant_id", "ai_systems.id"],
            name=op.f("fk_evaluation_findings_tenant_id_system_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_evaluation_findings")),
        sa.UniqueConstraint(
            "tenant_id", "number", name=op.f("uq_evaluation_findings_tenant_id_number")
        ),
    )
    seal_by_tenant("evaluation_findings")
    let_use("evaluation_findings", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_evaluation_findings_tenant_id_suite_id_measure"),
        "evaluation_findings",
        ["tenant_id", "suite_id", "measure"],
        unique=False,
    )
    op.create_index(
        op.f("ix_evaluation_findings_tenant_id_system_id"),
        "evaluation_findings",
        ["tenant_id", "system_id"],
        unique=False,
    )
    op.create_index(
        "uq_evaluation_findings_open",
        "evaluation_findings",
        ["tenant_id", "system_id", "suite_id", "measure"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "evaluation_followed_runs",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("evidence_id", sa.Uuid(), nullable=True),
        sa.Column("evidence_version_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('passed', 'missed', 'undecided', 'nothing')",
            name=op.f("ck_evaluation_followed_runs_outcome"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "evidence_id"],
            ["evidence.tenant_id", "evidence.id"],
            name=op.f("fk_evaluation_followed_runs_tenant_id_evidence_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "evidence_version_id"],
            ["evidence_versions.tenant_id", "evidence_versions.id"],
            name=op.f("fk_evaluation_followed_runs_tenant_id_evidence_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "run_id"],
            ["evaluation_runs.tenant_id", "evaluation_runs.id"],
            name=op.f("fk_evaluation_followed_runs_tenant_id_run_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_evaluation_followed_runs")),
        sa.UniqueConstraint(
            "tenant_id", "run_id", name=op.f("uq_evaluation_followed_runs_tenant_id_run_id")
        ),
    )
    seal_by_tenant("evaluation_followed_runs")
    let_use("evaluation_followed_runs", "SELECT, INSERT")
    append_only("evaluation_followed_runs")
