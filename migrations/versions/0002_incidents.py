"""Incidents"""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import append_only, let_use, seal_by_tenant

revision = "0002_incidents"
down_revision = "0003_objectives"


def upgrade() -> None:
    op.create_table(
        "incident_severities",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("meaning", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("level BETWEEN 1 AND 4", name=op.f("ck_incident_severities_level")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_incident_severities")),
        sa.UniqueConstraint(
            "tenant_id", "level", name=op.f("uq_incident_severities_tenant_id_level")
        ),
    )
    seal_by_tenant("incident_severities")
    let_use("incident_severities", "SELECT, INSERT, UPDATE")
    op.create_table(
        "incidents",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("summary", sa.String(), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("declared_by", sa.Uuid(), nullable=True),
        sa.Column("declared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detected_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("aware_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("identified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("monitoring_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("responded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lead_id", sa.Uuid(), nullable=True),
        sa.Column("communications_id", sa.Uuid(), nullable=True),
        sa.Column("scribe_id", sa.Uuid(), nullable=True),
        sa.Column("alert_id", sa.Uuid(), nullable=True),
        sa.Column("alert_ref", sa.String(), nullable=False),
        sa.Column("stop_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('investigating', 'identified', 'monitoring', 'resolved', 'closed')",
            name=op.f("ck_incidents_state"),
        ),
        sa.CheckConstraint("severity BETWEEN 1 AND 4", name=op.f("ck_incidents_severity")),
        sa.ForeignKeyConstraint(
            ["communications_id"], ["people.id"], name=op.f("fk_incidents_communications_id")
        ),
        sa.ForeignKeyConstraint(
            ["declared_by"], ["people.id"], name=op.f("fk_incidents_declared_by")
        ),
        sa.ForeignKeyConstraint(["lead_id"], ["people.id"], name=op.f("fk_incidents_lead_id")),
        sa.ForeignKeyConstraint(["scribe_id"], ["people.id"], name=op.f("fk_incidents_scribe_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_incidents")),
        sa.UniqueConstraint("tenant_id", "ref", name=op.f("uq_incidents_tenant_id_ref")),
    )
    seal_by_tenant("incidents")
    let_use("incidents", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_incidents_tenant_id_declared_at"),
        "incidents",
        ["tenant_id", "declared_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_incidents_tenant_id_state_declared_at"),
        "incidents",
        ["tenant_id", "state", "declared_at"],
        unique=False,
    )
    op.create_index("uq_incidents_alert", "incidents", ["tenant_id", "alert_id"], unique=True)
    op.create_index("uq_incidents_stop", "incidents", ["tenant_id", "stop_id"], unique=True)
    op.create_table(
        "status_contacts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("link_hash", sa.LargeBinary(), nullable=True),
        sa.Column("code_hash", sa.LargeBinary(), nullable=True),
        sa.Column("code_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("code_tries", sa.Integer(), nullable=False),
        sa.Column("codes_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("codes_sent", sa.Integer(), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["added_by"], ["people.id"], name=op.f("fk_status_contacts_added_by")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_status_contacts")),
    )
    seal_by_tenant("status_contacts")
    let_use("status_contacts", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_status_contacts_tenant_id_link_hash"),
        "status_contacts",
        ["tenant_id", "link_hash"],
        unique=False,
    )
    op.create_index(
        "uq_status_contacts_open",
        "status_contacts",
        ["tenant_id", "email"],
        unique=True,
        postgresql_where="removed_at IS NULL",
    )
    op.create_table(
        "incident_classifications",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("regime", sa.String(), nullable=False),
        sa.Column("rules_version", sa.Integer(), nullable=False),
        sa.Column("applies", sa.Boolean(), nullable=True),
        sa.Column("variant", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("decider_id", sa.Uuid(), nullable=True),
        sa.Column("decide_by", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["decider_id"], ["people.id"], name=op.f("fk_incident_classifications_decider_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"],
            ["incidents.tenant_id", "incidents.id"],
            name=op.f("fk_incident_classifications_tenant_id_incident_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_incident_classifications")),
        sa.UniqueConstraint(
            "tenant_id",
            "incident_id",
            "regime",
            name=op.f("uq_incident_classifications_tenant_id_incident_id_regime"),
        ),
    )
    seal_by_tenant("incident_classifications")
    let_use("incident_classifications", "SELECT, INSERT, UPDATE")
    op.create_table(
        "incident_figures",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("figure", sa.String(), nullable=False),
        sa.Column("meaning", sa.String(), nullable=False),
        sa.Column("added_by", sa.Uuid(), nullable=True),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["added_by"], ["people.id"], name=op.f("fk_incident_figures_added_by")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"],
            ["incidents.tenant_id", "incidents.id"],
            name=op.f("fk_incident_figures_tenant_id_incident_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_incident_figures")),
    )
    seal_by_tenant("incident_figures")
    let_use("incident_figures", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_incident_figures_tenant_id_incident_id_created_at"),
        "incident_figures",
        ["tenant_id", "incident_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "incident_follow_ups",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_by", sa.Uuid(), nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["done_by"], ["people.id"], name=op.f("fk_incident_follow_ups_done_by")
        ),
        sa.ForeignKeyConstraint(
            ["owner_id"], ["people.id"], name=op.f("fk_incident_follow_ups_owner_id")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"],
            ["incidents.tenant_id", "incidents.id"],
            name=op.f("fk_incident_follow_ups_tenant_id_incident_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_incident_follow_ups")),
    )
    seal_by_tenant("incident_follow_ups")
    let_use("incident_follow_ups", "SELECT, INSERT, UPDATE")
    op.create_index(
        "ix_incident_follow_ups_open",
        "incident_follow_ups",
        ["tenant_id", "owner_id"],
        unique=False,
        postgresql_where="done_at IS NULL",
    )
    op.create_index(
        op.f("ix_incident_follow_ups_tenant_id_incident_id_due_on"),
        "incident_follow_ups",
        ["tenant_id", "incident_id", "due_on"],
        unique=False,
    )
    op.create_table(
        "incident_impacts",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("system_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "ends_at IS NULL OR starts_at < ends_at", name=op.f("ck_incident_impacts_order")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"],
            ["incidents.tenant_id", "incidents.id"],
            name=op.f("fk_incident_impacts_tenant_id_incident_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "system_id"],
            ["ai_systems.tenant_id", "ai_systems.id"],
            name=op.f("fk_incident_impacts_tenant_id_system_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_incident_impacts")),
    )
    seal_by_tenant("incident_impacts")
    let_use("incident_impacts", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_incident_impacts_tenant_id_incident_id_starts_at"),
        "incident_impacts",
        ["tenant_id", "incident_id", "starts_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_incident_impacts_tenant_id_system_id_starts_at"),
        "incident_impacts",
        ["tenant_id", "system_id", "starts_at"],
        unique=False,
    )
    op.create_table(
        "incident_notes",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("written_by", sa.Uuid(), nullable=True),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"],
            ["incidents.tenant_id", "incidents.id"],
            name=op.f("fk_incident_notes_tenant_id_incident_id"),
        ),
        sa.ForeignKeyConstraint(
            ["written_by"], ["people.id"], name=op.f("fk_incident_notes_written_by")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_incident_notes")),
    )
    seal_by_tenant("incident_notes")
    let_use("incident_notes", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_incident_notes_tenant_id_incident_id_created_at"),
        "incident_notes",
        ["tenant_id", "incident_id", "created_at"],
        unique=False,
    )
    op.create_table(
        "incident_notices",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("regime", sa.String(), nullable=False),
        sa.Column("stage", sa.String(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_by", sa.Uuid(), nullable=True),
        sa.Column("recipient", sa.String(), nullable=False),
        sa.Column("reference", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["sent_by"], ["people.id"], name=op.f("fk_incident_notices_sent_by")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"],
            ["incidents.tenant_id", "incidents.id"],
            name=op.f("fk_incident_notices_tenant_id_incident_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_incident_notices")),
        sa.UniqueConstraint(
            "tenant_id",
            "incident_id",
            "regime",
            "stage",
            name=op.f("uq_incident_notices_tenant_id_incident_id_regime_stage"),
        ),
    )
    seal_by_tenant("incident_notices")
    let_use("incident_notices", "SELECT, INSERT")
    append_only("incident_notices")
    op.create_table(
        "incident_pauses",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("paused_by", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "ends_at IS NULL OR starts_at <= ends_at", name=op.f("ck_incident_pauses_order")
        ),
        sa.ForeignKeyConstraint(
            ["paused_by"], ["people.id"], name=op.f("fk_incident_pauses_paused_by")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"],
            ["incidents.tenant_id", "incidents.id"],
            name=op.f("fk_incident_pauses_tenant_id_incident_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_incident_pauses")),
    )
    seal_by_tenant("incident_pauses")
    let_use("incident_pauses", "SELECT, INSERT, UPDATE")
    op.create_index(
        op.f("ix_incident_pauses_tenant_id_incident_id_starts_at"),
        "incident_pauses",
        ["tenant_id", "incident_id", "starts_at"],
        unique=False,
    )
    op.create_table(
        "incident_reminders",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("clock", sa.String(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"],
            ["incidents.tenant_id", "incidents.id"],
            name=op.f("fk_incident_reminders_tenant_id_incident_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_incident_reminders")),
        sa.UniqueConstraint(
            "tenant_id",
            "incident_id",
            "clock",
            "due_at",
            name=op.f("uq_incident_reminders_tenant_id_incident_id_clock_due_at"),
        ),
    )
    seal_by_tenant("incident_reminders")
    let_use("incident_reminders", "SELECT, INSERT, UPDATE")
    op.create_table(
        "incident_updates",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("drafted_by", sa.Uuid(), nullable=True),
        sa.Column("edited_by", sa.Uuid(), nullable=True),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("comment", sa.String(), nullable=False),
        sa.Column("incident_state", sa.String(), nullable=False),
        sa.Column("approved_by", sa.Uuid(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("contacts", sa.Integer(), nullable=False),
        sa.Column("webhooks", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'requested', 'sent')", name=op.f("ck_incident_updates_state")
        ),
        sa.ForeignKeyConstraint(
            ["approved_by"], ["people.id"], name=op.f("fk_incident_updates_approved_by")
        ),
        sa.ForeignKeyConstraint(
            ["drafted_by"], ["people.id"], name=op.f("fk_incident_updates_drafted_by")
        ),
        sa.ForeignKeyConstraint(
            ["edited_by"], ["people.id"], name=op.f("fk_incident_updates_edited_by")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"],
            ["incidents.tenant_id", "incidents.id"],
            name=op.f("fk_incident_updates_tenant_id_incident_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_incident_updates")),
        sa.UniqueConstraint(
            "tenant_id",
            "incident_id",
            "number",
            name=op.f("uq_incident_updates_tenant_id_incident_id_number"),
        ),
    )
    seal_by_tenant("incident_updates")
    let_use("incident_updates", "SELECT, INSERT, UPDATE")
    op.create_table(
        "status_visits",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "contact_id"],
            ["status_contacts.tenant_id", "status_contacts.id"],
            name=op.f("fk_status_visits_tenant_id_contact_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_status_visits")),
        sa.UniqueConstraint(
            "tenant_id", "token_hash", name=op.f("uq_status_visits_tenant_id_token_hash")
        ),
    )
    seal_by_tenant("status_visits")
    let_use("status_visits", "SELECT, INSERT, UPDATE, DELETE")
    op.create_index(
        op.f("ix_status_visits_tenant_id_contact_id"),
        "status_visits",
        ["tenant_id", "contact_id"],
        unique=False,
    )
    op.create_table(
        "incident_reviews",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("happened", sa.String(), nullable=False),
        sa.Column("impact", sa.String(), nullable=False),
        sa.Column("factors", sa.String(), nullable=False),
        sa.Column("went_well", sa.String(), nullable=False),
        sa.Column("to_change", sa.String(), nullable=False),
        sa.Column("edited_by", sa.Uuid(), nullable=True),
        sa.Column("closed_by", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("evidence_version_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["closed_by"], ["people.id"], name=op.f("fk_incident_reviews_closed_by")
        ),
        sa.ForeignKeyConstraint(
            ["edited_by"], ["people.id"], name=op.f("fk_incident_reviews_edited_by")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "evidence_version_id"],
            ["evidence_versions.tenant_id", "evidence_versions.id"],
            name=op.f("fk_incident_reviews_tenant_id_evidence_version_id"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "incident_id"],
            ["incidents.tenant_id", "incidents.id"],
            name=op.f("fk_incident_reviews_tenant_id_incident_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_incident_reviews")),
        sa.UniqueConstraint(
            "tenant_id", "incident_id", name=op.f("uq_incident_reviews_tenant_id_incident_id")
        ),
    )
    seal_by_tenant("incident_reviews")
    let_use("incident_reviews", "SELECT, INSERT, UPDATE")
    op.create_table(
        "incident_suggestions",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("stop_id", sa.Uuid(), nullable=False),
        sa.Column("switch", sa.String(), nullable=False),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("incident_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "stop_id"],
            ["stops.tenant_id", "stops.id"],
            name=op.f("fk_incident_suggestions_tenant_id_stop_id"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_incident_suggestions")),
        sa.UniqueConstraint(
            "tenant_id", "stop_id", name=op.f("uq_incident_suggestions_tenant_id_stop_id")
        ),
    )
    seal_by_tenant("incident_suggestions")
    let_use("incident_suggestions", "SELECT, INSERT, UPDATE")
    op.create_index(
        "ix_incident_suggestions_open",
        "incident_suggestions",
        ["tenant_id"],
        unique=False,
        postgresql_where="settled_at IS NULL",
    )
    # What customers were told stays; only an erasure replaces a name in it.
    op.execute("""
CREATE FUNCTION refuse_change_of_sent_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND position('[erased]' IN NEW.title || NEW.body || NEW.comment) > 0
    AND to_jsonb(NEW) - '{title,body,comment}'::text[] = to_jsonb(OLD) - '{title,body,comment}'::text[]
  THEN
    RETURN NEW;
  END IF;
  RAISE EXCEPTION 'a customer update that was sent never changes';
END $$
""")
    op.execute("""
CREATE TRIGGER sent BEFORE UPDATE OR DELETE ON incident_updates
  FOR EACH ROW WHEN (OLD.state = 'sent') EXECUTE FUNCTION refuse_change_of_sent_update()
""")
