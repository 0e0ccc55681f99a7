"""Exclusions name indicators of their own tenant"""

from alembic import op

revision = "0005_exclusions_of_indicators"
down_revision = "0004_prometheus_sources"


def upgrade() -> None:
    op.create_foreign_key(
        op.f("fk_exclusions_tenant_id_indicator_id"),
        "exclusions",
        "indicators",
        ["tenant_id", "indicator_id"],
        ["tenant_id", "id"],
    )
