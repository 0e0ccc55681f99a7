"""Rollouts"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import append_only, let_use, seal_by_tenant

revision = "0016_rollouts"
down_revision = "0015_evidence_withdrawals"


def upgrade() -> None:
    op.create_table(
        "rollout_freezes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("added_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_rollout_freezes_ends_at")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rollout_freezes")),
    )
    seal_by_tenant("rollout_freezes")
    let_use("rollout_freezes", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_rollout_freezes_tenant_id_ends_at"),
        "rollout_freezes",
        ["tenant_id", "ends_at"],
        unique=False,
    )
    op.create_table(
        "rollouts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("feature_id", sa.Uuid(), nullable=False),
        sa.Column("change", sa.String(), nullable=False),
        sa.Column("release", sa.String(), nullable=False),
        sa.Column("previous", sa.String(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("system_version", sa.Integer(), nullable=False),
        sa.Column("risk_class", sa.String(), nullable=False),
        sa.Column("ladder", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("rollback_plan", sa.String(), nullable=False),
        sa.Column("on_failure", sa.String(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("planned_by", sa.Uuid(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("counted_seconds", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "change IN ('model', 'prompt', 'policy', 'feature')", name=op.f("ck_rollouts_change")
        ),
        sa.CheckConstraint(
            "on_failure IN ('halt', 'roll_back')", name=op.f("ck_rollouts_on_failure")
        ),
        sa.CheckConstraint(
            "state IN ('planned', 'running', 'paused', 'halted', 'finished', 'rolled_back', 'cancelled')",
            name=op.f("ck_rollouts_state"),
        ),
        sa.CheckConstraint("position >= -1", name=op.f("ck_rollouts_position")),
        sa.CheckConstraint("release <> previous", name=op.f("ck_rollouts_release")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "feature_id"],
            ["system_features.tenant_id", "system_features.id"],
            name=op.f("fk_rollouts_tenant_id_feature_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "system_id"],
            ["ai_systems.tenant_id", "ai_systems.id"],
            name=op.f("fk_rollouts_tenant_id_system_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rollouts")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_rollouts_tenant_id_number")),
    )
    seal_by_tenant("rollouts")
    let_use("rollouts", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_rollouts_tenant_id_system_id_number"),
        "rollouts",
        ["tenant_id", "system_id", "number"],
        unique=False,
    )
    op.create_index(
        "uq_rollouts_open",
        "rollouts",
        ["tenant_id", "feature_id"],
        unique=True,
        postgresql_where=sa.text("state IN ('planned', 'running', 'paused', 'halted')"),
    )
    op.create_table(
        "rollout_steps",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("rollout_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("taken_by", sa.Uuid(), nullable=True),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("gates", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "rollout_id"],
            ["rollouts.tenant_id", "rollouts.id"],
            name=op.f("fk_rollout_steps_tenant_id_rollout_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rollout_steps")),
        sa.UniqueConstraint(
            "tenant_id",
            "rollout_id",
            "number",
            name=op.f("uq_rollout_steps_tenant_id_rollout_id_number"),
        ),
    )
    seal_by_tenant("rollout_steps")
    let_use("rollout_steps", "SELECT, INSERT")
    append_only("rollout_steps")
