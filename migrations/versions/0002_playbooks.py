"""Playbooks"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import append_only, let_use, seal_by_tenant

revision = "0002_playbooks"
down_revision = "0002_agreement_tables"


def upgrade() -> None:
    op.create_table(
        "playbooks",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("used_for", sa.String(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("drill_every_days", sa.Integer(), nullable=True),
        sa.Column("next_drill_on", sa.Date(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name=op.f("fk_playbooks_owner_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_playbooks")),
        sa.UniqueConstraint("tenant_id", "ref", name=op.f("uq_playbooks_tenant_id_ref")),
    )
    seal_by_tenant("playbooks")
    let_use("playbooks", "SELECT, INSERT, UPDATE")
    op.create_table(
        "playbook_versions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("playbook_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("steps", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "playbook_id"],
            ["playbooks.tenant_id", "playbooks.id"],
            name=op.f("fk_playbook_versions_tenant_id_playbook_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_playbook_versions")),
        sa.UniqueConstraint(
            "tenant_id",
            "playbook_id",
            "number",
            name=op.f("uq_playbook_versions_tenant_id_playbook_id_number"),
        ),
    )
    seal_by_tenant("playbook_versions")
    append_only("playbook_versions")
    let_use("playbook_versions", "SELECT, INSERT")
    op.create_table(
        "playbook_runs",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("playbook_id", sa.Uuid(), nullable=False),
        sa.Column("version_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=True),
        sa.Column("incident_ref", sa.String(), nullable=True),
        sa.Column("is_drill", sa.Boolean(), nullable=False),
        sa.Column("started_by", sa.Uuid(), nullable=True),
        sa.Column("ended_by", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("evidence_version_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "is_drill OR incident_id IS NOT NULL", name=op.f("ck_playbook_runs_drill_or_incident")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "evidence_version_id"],
            ["evidence_versions.tenant_id", "evidence_versions.id"],
            name=op.f("fk_playbook_runs_tenant_id_evidence_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "playbook_id"],
            ["playbooks.tenant_id", "playbooks.id"],
            name=op.f("fk_playbook_runs_tenant_id_playbook_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "version_id"],
            ["playbook_versions.tenant_id", "playbook_versions.id"],
            name=op.f("fk_playbook_runs_tenant_id_version_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_playbook_runs")),
        sa.UniqueConstraint("tenant_id", "ref", name=op.f("uq_playbook_runs_tenant_id_ref")),
    )
    seal_by_tenant("playbook_runs")
    let_use("playbook_runs", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_playbook_runs_tenant_id_evidence_version_id"),
        "playbook_runs",
        ["tenant_id", "evidence_version_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_playbook_runs_tenant_id_incident_id"),
        "playbook_runs",
        ["tenant_id", "incident_id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_playbook_runs_tenant_id_playbook_id_created_at"),
        "playbook_runs",
        ["tenant_id", "playbook_id", "created_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_playbook_runs_tenant_id_version_id"),
        "playbook_runs",
        ["tenant_id", "version_id"],
        unique=False,
    )
    op.create_table(
        "playbook_step_results",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("run_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("effect", sa.String(), nullable=False),
        sa.Column("recorded_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('done', 'skipped')", name=op.f("ck_playbook_step_results_state")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "run_id"],
            ["playbook_runs.tenant_id", "playbook_runs.id"],
            name=op.f("fk_playbook_step_results_tenant_id_run_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_playbook_step_results")),
        sa.UniqueConstraint(
            "tenant_id",
            "run_id",
            "position",
            name=op.f("uq_playbook_step_results_tenant_id_run_id_position"),
        ),
    )
    seal_by_tenant("playbook_step_results")
    let_use("playbook_step_results", "SELECT, INSERT, UPDATE")
