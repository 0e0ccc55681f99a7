"""Provisional rates, and usage without a price, in alerts and list prices."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0030_provisional_rates"
down_revision = "0034_law_versions"
JSON = postgresql.JSONB(astext_type=sa.Text())
NONE = sa.text("'[]'::jsonb")  # what alerts had before: final rates, and nothing that was named


def upgrade() -> None:
    for table in ("cost_budget_alerts", "cost_budget_notices"):
        for column in ("provisional", "unpriced"):
            op.add_column(table, sa.Column(column, JSON, nullable=False, server_default=NONE))
            op.alter_column(table, column, server_default=None)
    op.add_column("list_prices", sa.Column("rate_currency", sa.Text(), nullable=True))
    op.add_column("list_prices", sa.Column("rate_month", sa.Date(), nullable=True))
    op.create_check_constraint(
        op.f("ck_list_prices_provisional"),
        "list_prices",
        "(rate_currency IS NULL) = (rate_month IS NULL)",
    )
