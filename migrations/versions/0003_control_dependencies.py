"""Controls may depend on service levels and incidents"""

from alembic import op

revision = "0003_control_dependencies"
down_revision = "0002_playbooks"


def upgrade() -> None:
    op.drop_constraint(op.f("ck_controls_rests_on"), "controls", type_="check")
    op.create_check_constraint(
        op.f("ck_controls_rests_on"),
        "controls",
        "rests_on IN ('drill', 'policy', 'service_levels', 'incidents')",
    )
