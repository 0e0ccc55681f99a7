"""The minimum of samples with which a measure of an evaluation suite may pass."""

import sqlalchemy as sa
from alembic import op

revision = "0011_measure_minimum"
down_revision = "0010_document_files"


def upgrade() -> None:
    op.add_column(
        "evaluation_suite_measures",
        sa.Column("min_samples", sa.Integer(), nullable=False, server_default="0"),
    )
    op.alter_column("evaluation_suite_measures", "min_samples", server_default=None)
    op.create_check_constraint(
        op.f("ck_evaluation_suite_measures_min_samples"),
        "evaluation_suite_measures",
        "min_samples >= 0",
    )
