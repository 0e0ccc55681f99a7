"""Risks"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import append_only, let_use, seal_by_tenant

revision = "0008_risks"
down_revision = "0007_data_sets"


def upgrade() -> None:
    op.create_table(
        "risk_scales",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("likelihood", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("impact", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("low_to", sa.Integer(), nullable=False),
        sa.Column("medium_to", sa.Integer(), nullable=False),
        sa.Column("high_to", sa.Integer(), nullable=False),
        sa.Column("appetite", sa.Integer(), nullable=False),
        sa.Column("max_acceptance_days", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("changed_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "0 < low_to AND low_to < medium_to AND medium_to < high_to",
            name=op.f("ck_risk_scales_bands"),
        ),
        sa.CheckConstraint(
            "number > 1 AND appetite > 0 AND max_acceptance_days > 0",
            name=op.f("ck_risk_scales_positive"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_risk_scales")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_risk_scales_tenant_id_number")),
    )
    seal_by_tenant("risk_scales")
    let_use("risk_scales", "SELECT, INSERT, UPDATE")
    op.create_table(
        "risks",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("sources", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("likelihood", sa.Integer(), nullable=False),
        sa.Column("impact", sa.Integer(), nullable=False),
        sa.Column("scale_number", sa.Integer(), nullable=False),
        sa.Column("rescore_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("treatment", sa.String(), nullable=False),
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("close_reason", sa.String(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "treatment IN ('avoid', 'reduce', 'transfer', 'accept')",
            name=op.f("ck_risks_treatment"),
        ),
        sa.CheckConstraint("likelihood > 0 AND impact > 0", name=op.f("ck_risks_score")),
        sa.ForeignKeyConstraint(["owner_id"], ["people.id"], name=op.f("fk_risks_owner_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_risks")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_risks_tenant_id_number")),
    )
    seal_by_tenant("risks")
    let_use("risks", "SELECT, INSERT, UPDATE")
    op.create_table(
        "risk_acceptances",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("risk_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("scale_number", sa.Integer(), nullable=False),
        sa.Column("likelihood", sa.Integer(), nullable=False),
        sa.Column("impact", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_by", sa.Uuid(), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stale_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stale_reason", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('requested', 'accepted', 'rejected', 'withdrawn', 'voided', 'expired', 'replaced', 'ended')",
            name=op.f("ck_risk_acceptances_state"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "risk_id"],
            ["risks.tenant_id", "risks.id"],
            name=op.f("fk_risk_acceptances_tenant_id_risk_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_risk_acceptances")),
    )
    seal_by_tenant("risk_acceptances")
    let_use("risk_acceptances", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_risk_acceptances_tenant_id_risk_id_requested_at"),
        "risk_acceptances",
        ["tenant_id", "risk_id", "requested_at"],
        unique=False,
    )
    op.create_index(
        "uq_risk_acceptances_open",
        "risk_acceptances",
        ["tenant_id", "risk_id"],
        unique=True,
        postgresql_where="state = 'requested'",
    )
    op.create_table(
        "risk_controls",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("risk_id", sa.Uuid(), nullable=False),
        sa.Column("control_id", sa.Uuid(), nullable=False),
        sa.Column("reduces", sa.String(), nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "reduces IN ('likelihood', 'impact') AND steps > 0",
            name=op.f("ck_risk_controls_reduction"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "control_id"],
            ["controls.tenant_id", "controls.id"],
            name=op.f("fk_risk_controls_tenant_id_control_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "risk_id"],
            ["risks.tenant_id", "risks.id"],
            name=op.f("fk_risk_controls_tenant_id_risk_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_risk_controls")),
        sa.UniqueConstraint(
            "tenant_id",
            "risk_id",
            "control_id",
            name=op.f("uq_risk_controls_tenant_id_risk_id_control_id"),
        ),
    )
    seal_by_tenant("risk_controls")
    let_use("risk_controls", "SELECT, INSERT, DELETE")
    op.create_index(
        op.f("ix_risk_controls_tenant_id_control_id"),
        "risk_controls",
        ["tenant_id", "control_id"],
        unique=False,
    )
    op.create_table(
        "risk_scores",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("risk_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("scale_number", sa.Integer(), nullable=False),
        sa.Column("likelihood", sa.Integer(), nullable=False),
        sa.Column("impact", sa.Integer(), nullable=False),
        sa.Column("residual_likelihood", sa.Integer(), nullable=False),
        sa.Column("residual_impact", sa.Integer(), nullable=False),
        sa.Column("controls", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "risk_id"],
            ["risks.tenant_id", "risks.id"],
            name=op.f("fk_risk_scores_tenant_id_risk_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_risk_scores")),
    )
    seal_by_tenant("risk_scores")
    append_only("risk_scores")
    let_use("risk_scores", "SELECT, INSERT")
    op.create_index(
        op.f("ix_risk_scores_tenant_id_risk_id_at"),
        "risk_scores",
        ["tenant_id", "risk_id", "at"],
        unique=False,
    )
    op.create_table(
        "risk_systems",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("risk_id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "risk_id"],
            ["risks.tenant_id", "risks.id"],
            name=op.f("fk_risk_systems_tenant_id_risk_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "system_id"],
            ["ai_systems.tenant_id", "ai_systems.id"],
            name=op.f("fk_risk_systems_tenant_id_system_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_risk_systems")),
        sa.UniqueConstraint(
            "tenant_id",
            "risk_id",
            "system_id",
            name=op.f("uq_risk_systems_tenant_id_risk_id_system_id"),
        ),
    )
    seal_by_tenant("risk_systems")
    let_use("risk_systems", "SELECT, INSERT, DELETE")
    op.create_index(
        op.f("ix_risk_systems_tenant_id_system_id"),
        "risk_systems",
        ["tenant_id", "system_id"],
        unique=False,
    )
