"""Red teams"""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import append_only, let_use, seal_by_tenant

revision = "0018_red_teams"
down_revision = "0017_change_log"


def upgrade() -> None:
    op.create_table(
        "red_teams",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("system_version", sa.Integer(), nullable=False),
        sa.Column("release", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("engagement_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("rules", sa.String(), nullable=False),
        sa.Column("opens_on", sa.Date(), nullable=False),
        sa.Column("closes_on", sa.Date(), nullable=False),
        sa.Column("opens_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closes_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("planned_by", sa.Uuid(), nullable=True),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(kind = 'third_party') = (engagement_id IS NOT NULL)",
            name=op.f("ck_red_teams_engagement_id"),
        ),
        sa.CheckConstraint("kind IN ('internal', 'third_party')", name=op.f("ck_red_teams_kind")),
        sa.CheckConstraint("closes_at > opens_at", name=op.f("ck_red_teams_closes_at")),
        sa.CheckConstraint(
            "finished_at IS NULL OR cancelled_at IS NULL", name=op.f("ck_red_teams_ended")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "engagement_id"],
            ["engagements.tenant_id", "engagements.id"],
            name=op.f("fk_red_teams_tenant_id_engagement_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "system_id"],
            ["ai_systems.tenant_id", "ai_systems.id"],
            name=op.f("fk_red_teams_tenant_id_system_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_red_teams")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_red_teams_tenant_id_number")),
    )
    seal_by_tenant("red_teams")
    let_use("red_teams", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_red_teams_tenant_id_engagement_id"),
        "red_teams",
        ["tenant_id", "engagement_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_red_teams_tenant_id_system_id_number"),
        "red_teams",
        ["tenant_id", "system_id", "number"],
        unique=False,
    )
    op.create_table(
        "red_team_scenarios",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("red_team_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("risk", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("goal", sa.String(), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "red_team_id"],
            ["red_teams.tenant_id", "red_teams.id"],
            name=op.f("fk_red_team_scenarios_tenant_id_red_team_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_red_team_scenarios")),
        sa.UniqueConstraint(
            "tenant_id",
            "red_team_id",
            "number",
            name=op.f("uq_red_team_scenarios_tenant_id_red_team_id_number"),
        ),
    )
    seal_by_tenant("red_team_scenarios")
    let_use("red_team_scenarios", "SELECT, INSERT")
    append_only("red_team_scenarios")
    op.create_table(
        "red_team_attempts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("red_team_id", sa.Uuid(), nullable=False),
        sa.Column("scenario_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("release", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("tried_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('held', 'broke', 'unclear')", name=op.f("ck_red_team_attempts_outcome")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "red_team_id"],
            ["red_teams.tenant_id", "red_teams.id"],
            name=op.f("fk_red_team_attempts_tenant_id_red_team_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "scenario_id"],
            ["red_team_scenarios.tenant_id", "red_team_scenarios.id"],
            name=op.f("fk_red_team_attempts_tenant_id_scenario_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_red_team_attempts")),
        sa.UniqueConstraint(
            "tenant_id",
            "red_team_id",
            "number",
            name=op.f("uq_red_team_attempts_tenant_id_red_team_id_number"),
        ),
    )
    seal_by_tenant("red_team_attempts")
    let_use("red_team_attempts", "SELECT, INSERT")
    append_only("red_team_attempts")
    op.create_index(
        op.f("ix_red_team_attempts_tenant_id_scenario_id"),
        "red_team_attempts",
        ["tenant_id", "scenario_id"],
        unique=False,
    )
    op.create_table(
        "red_team_runs",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("scenario_id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("measure", sa.String(), nullable=False),
        sa.Column("linked_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "run_id"],
            ["evaluation_runs.tenant_id", "evaluation_runs.id"],
            name=op.f("fk_red_team_runs_tenant_id_run_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "scenario_id"],
            ["red_team_scenarios.tenant_id", "red_team_scenarios.id"],
            name=op.f("fk_red_team_runs_tenant_id_scenario_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_red_team_runs")),
        sa.UniqueConstraint(
            "tenant_id",
            "scenario_id",
            "run_id",
            "measure",
            name=op.f("uq_red_team_runs_tenant_id_scenario_id_run_id_measure"),
        ),
    )
    seal_by_tenant("red_team_runs")
    let_use("red_team_runs", "SELECT, INSERT")
    append_only("red_team_runs")
    op.create_index(
        op.f("ix_red_team_runs_tenant_id_run_id"),
        "red_team_runs",
        ["tenant_id", "run_id"],
        unique=False,
    )
    op.create_table(
        "red_team_findings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("red_team_id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("reproduction", sa.String(), nullable=False),
        sa.Column("vector", sa.String(), nullable=False),
        sa.Column("score", sa.Numeric(precision=3, scale=1), nullable=False),
        sa.Column("release", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reported_by", sa.Uuid(), nullable=True),
        sa.Column("fixed_release", sa.String(), nullable=True),
        sa.Column("case_version_id", sa.Uuid(), nullable=True),
        sa.Column("case_measure", sa.String(), nullable=True),
        sa.Column("case_digest", sa.LargeBinary(), nullable=True),
        sa.Column("failed_run_id", sa.Uuid(), nullable=True),
        sa.Column("passed_run_id", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state <> 'closed' OR (failed_run_id IS NOT NULL AND passed_run_id IS NOT NULL)",
            name=op.f("ck_red_team_findings_closed"),
        ),
        sa.CheckConstraint(
            "state IN ('open', 'confirmed', 'fixed', 'closed', 'rejected')",
            name=op.f("ck_red_team_findings_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('fixed', 'closed') OR fixed_release IS NOT NULL",
            name=op.f("ck_red_team_findings_fixed"),
        ),
        sa.CheckConstraint(
            "(case_version_id IS NULL) = (case_digest IS NULL) AND (case_version_id IS NULL) = (case_measure IS NULL)",
            name=op.f("ck_red_team_findings_regression_case"),
        ),
        sa.CheckConstraint("score BETWEEN 0 AND 10", name=op.f("ck_red_team_findings_score")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "attempt_id"],
            ["red_team_attempts.tenant_id", "red_team_attempts.id"],
            name=op.f("fk_red_team_findings_tenant_id_attempt_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "case_version_id"],
            ["evaluation_suite_versions.tenant_id", "evaluation_suite_versions.id"],
            name=op.f("fk_red_team_findings_tenant_id_case_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "failed_run_id"],
            ["evaluation_runs.tenant_id", "evaluation_runs.id"],
            name=op.f("fk_red_team_findings_tenant_id_failed_run_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "passed_run_id"],
            ["evaluation_runs.tenant_id", "evaluation_runs.id"],
            name=op.f("fk_red_team_findings_tenant_id_passed_run_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "red_team_id"],
            ["red_teams.tenant_id", "red_teams.id"],
            name=op.f("fk_red_team_findings_tenant_id_red_team_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "system_id"],
            ["ai_systems.tenant_id", "ai_systems.id"],
            name=op.f("fk_red_team_findings_tenant_id_system_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_red_team_findings")),
        sa.UniqueConstraint(
            "tenant_id", "number", name=op.f("uq_red_team_findings_tenant_id_number")
        ),
    )
    seal_by_tenant("red_team_findings")
    let_use("red_team_findings", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_red_team_findings_tenant_id_attempt_id"),
        "red_team_findings",
        ["tenant_id", "attempt_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_red_team_findings_tenant_id_red_team_id"),
        "red_team_findings",
        ["tenant_id", "red_team_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_red_team_findings_tenant_id_system_id_state"),
        "red_team_findings",
        ["tenant_id", "system_id", "state"],
        unique=False,
    )
    op.add_column(
        "engagements",
        sa.Column("is_red_team", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.alter_column("engagements", "is_red_team", server_default=None)
