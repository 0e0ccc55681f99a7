"""Keys of incidents"""

from alembic import op

revision = "0007_keys_of_incidents"
down_revision = "0006_openslo_documents"


def upgrade() -> None:
    op.create_foreign_key(
        op.f("fk_incident_suggestions_tenant_id_incident_id"),
        "incident_suggestions",
        "incidents",
        ["tenant_id", "incident_id"],
        ["tenant_id", "id"],
    )
    op.create_foreign_key(
        op.f("fk_incidents_tenant_id_stop_id"),
        "incidents",
        "stops",
        ["tenant_id", "stop_id"],
        ["tenant_id", "id"],
    )
    op.create_foreign_key(
        op.f("fk_incidents_tenant_id_alert_id"),
        "incidents",
        "alerts",
        ["tenant_id", "alert_id"],
        ["tenant_id", "id"],
    )
