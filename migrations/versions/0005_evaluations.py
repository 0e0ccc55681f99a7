"""Evaluation suites, their versions and measures, runs, results, and cases by digest."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import append_only, let_use, seal_by_tenant

revision = "0005_evaluations"
down_revision = "0004_register"


def upgrade() -> None:
    op.create_table(
        "evaluation_suites",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("purpose", sa.String(), nullable=False),
        sa.Column("pack", sa.String(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["people.id"], name=op.f("fk_evaluation_suites_owner_id")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_evaluation_suites")),
        sa.UniqueConstraint("tenant_id", "key", name=op.f("uq_evaluation_suites_tenant_id_key")),
    )
    seal_by_tenant("evaluation_suites")
    let_use("evaluation_suites", "SELECT, INSERT, UPDATE")
    op.create_table(
        "evaluation_suite_versions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("suite_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(), nullable=False),
        sa.Column("task_success", sa.String(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=True),
        sa.Column("cases_sha256", sa.String(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawal_reason", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("cases > 0", name=op.f("ck_evaluation_suite_versions_cases")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "suite_id"],
            ["evaluation_suites.tenant_id", "evaluation_suites.id"],
            name=op.f("fk_evaluation_suite_versions_tenant_id_suite_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_evaluation_suite_versions")),
        sa.UniqueConstraint(
            "tenant_id",
            "suite_id",
            "number",
            name=op.f("uq_evaluation_suite_versions_tenant_id_suite_id_number"),
        ),
    )
    seal_by_tenant("evaluation_suite_versions")
    let_use("evaluation_suite_versions", "SELECT, INSERT, UPDATE")
    op.create_table(
        "evaluation_runs",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("release", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("storage_key", sa.String(), nullable=True),
        sa.Column("chosen_model", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("problem", sa.String(), nullable=True),
        sa.Column("place", sa.String(), nullable=True),
        sa.Column("tool", sa.String(), nullable=False),
        sa.Column("tool_version", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("judges", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("outcome", sa.String(), nullable=True),
        sa.Column("ran_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("week", sa.Date(), nullable=False),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("unscored", sa.Integer(), nullable=False),
        sa.Column("look", sa.SmallInteger(), nullable=False),
        sa.Column("work_item_id", sa.Uuid(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('reading', 'judged', 'refused')", name=op.f("ck_evaluation_runs_state")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "system_id"],
            ["ai_systems.tenant_id", "ai_systems.id"],
            name=op.f("fk_evaluation_runs_tenant_id_system_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "version_id"],
            ["evaluation_suite_versions.tenant_id", "evaluation_suite_versions.id"],
            name=op.f("fk_evaluation_runs_tenant_id_version_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_evaluation_runs")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_evaluation_runs_tenant_id_number")),
    )
    seal_by_tenant("evaluation_runs")
    let_use("evaluation_runs", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_evaluation_runs_tenant_id_system_id_week"),
        "evaluation_runs",
        ["tenant_id", "system_id", "week"],
        unique=False,
    )
    op.create_index(
        op.f("ix_evaluation_runs_tenant_id_version_id_created_at"),
        "evaluation_runs",
        ["tenant_id", "version_id", "created_at"],
        unique=False,
    )
    op.create_index(
        "uq_evaluation_runs_reference",
        "evaluation_runs",
        ["tenant_id", "tool", "reference"],
        unique=True,
        postgresql_where=sa.text("state = 'judged' AND reference <> ''"),
    )
    op.create_table(
        "evaluation_suite_measures",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("percent", sa.SmallInteger(), nullable=True),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("at_least", sa.Boolean(), nullable=False),
        sa.Column("is_inverted", sa.Boolean(), nullable=False),
        sa.Column("is_signal", sa.Boolean(), nullable=False),
        sa.Column("sources", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("limits", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("risks", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind = 'percentile') = (percent IS NOT NULL)",
            name=op.f("ck_evaluation_suite_measures_percent"),
        ),
        sa.CheckConstraint(
            "kind IN ('rate', 'mean', 'percentile')", name=op.f("ck_evaluation_suite_measures_kind")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "version_id"],
            ["evaluation_suite_versions.tenant_id", "evaluation_suite_versions.id"],
            name=op.f("fk_evaluation_suite_measures_tenant_id_version_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_evaluation_suite_measures")),
        sa.UniqueConstraint(
            "tenant_id",
            "version_id",
            "key",
            name=op.f("uq_evaluation_suite_measures_tenant_id_version_id_key"),
        ),
    )
    seal_by_tenant("evaluation_suite_measures")
    let_use("evaluation_suite_measures", "SELECT, INSERT, DELETE")
    op.create_table(
        "evaluation_results",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("measure_id", sa.Uuid(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("successes", sa.Integer(), nullable=True),
        sa.Column("deviation", sa.Float(), nullable=True),
        sa.Column("point", sa.Float(), nullable=True),
        sa.Column("low", sa.Float(), nullable=True),
        sa.Column("high", sa.Float(), nullable=True),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("verdicts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "n >= 0 AND successes BETWEEN 0 AND n", name=op.f("ck_evaluation_results_counts")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "measure_id"],
            ["evaluation_suite_measures.tenant_id", "evaluation_suite_measures.id"],
            name=op.f("fk_evaluation_results_tenant_id_measure_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "run_id"],
            ["evaluation_runs.tenant_id", "evaluation_runs.id"],
            name=op.f("fk_evaluation_results_tenant_id_run_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_evaluation_results")),
        sa.UniqueConstraint(
            "tenant_id",
            "run_id",
            "measure_id",
            name=op.f("uq_evaluation_results_tenant_id_run_id_measure_id"),
        ),
    )
    seal_by_tenant("evaluation_results")
    let_use("evaluation_results", "SELECT, INSERT")
    append_only("evaluation_results")
    op.create_table(
        "evaluation_run_cases",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("case_digest", sa.LargeBinary(), nullable=False),
        sa.Column("repetition", sa.SmallInteger(), nullable=False),
        sa.Column("outcome", sa.SmallInteger(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("latency_ms", sa.REAL(), nullable=True),
        sa.Column("cost", sa.REAL(), nullable=True),
        sa.Column("scores", postgresql.ARRAY(sa.REAL()), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "run_id"],
            ["evaluation_runs.tenant_id", "evaluation_runs.id"],
            name=op.f("fk_evaluation_run_cases_tenant_id_run_id"),
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "run_id", "case_digest", "repetition", name=op.f("pk_evaluation_run_cases")
        ),
    )
    seal_by_tenant("evaluation_run_cases")
    let_use("evaluation_run_cases", "SELECT, INSERT, DELETE")
