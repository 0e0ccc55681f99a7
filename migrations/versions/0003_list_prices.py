"""List prices"""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = "0003_list_prices"
down_revision = "0002_completed_tasks"


def upgrade() -> None:
    op.create_table(
        "list_price_settings",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("is_shared", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_list_price_settings")),
        sa.UniqueConstraint("tenant_id", name=op.f("uq_list_price_settings_tenant_id")),
    )
    op.add_column(
        "file_imports",
        sa.Column("rows_listed", sa.BigInteger(), nullable=False, server_default="0"),
    )
    op.execute("UPDATE file_imports SET rows_listed = least(rows_rejected, 100000)")
    op.alter_column("file_imports", "rows_listed", server_default=None)
    seal_by_tenant("list_price_settings")
    let_use("list_price_settings", "SELECT, INSERT, UPDATE")
    op.create_table(
        "list_prices",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("input_price", sa.Numeric(), nullable=False),
        sa.Column("cache_read_price", sa.Numeric(), nullable=False),
        sa.Column("cache_write_price", sa.Numeric(), nullable=False),
        sa.Column("output_price", sa.Numeric(), nullable=False),
        sa.Column("reasoning_price", sa.Numeric(), nullable=False),
        sa.Column("request_price", sa.Numeric(), nullable=False),
        sa.CheckConstraint("first_day <= last_day", name=op.f("ck_list_prices_days")),
        sa.CheckConstraint(
            "input_price >= 0 AND cache_read_price >= 0 AND cache_write_price >= 0"
            " AND output_price >= 0 AND reasoning_price >= 0 AND request_price >= 0",
            name=op.f("ck_list_prices_prices"),
        ),
        sa.PrimaryKeyConstraint(
            "tenant_id", "month", "provider", "model", "first_day", name=op.f("pk_list_prices")
        ),
    )
    seal_by_tenant("list_prices")
    let_use("list_prices", "SELECT, INSERT, DELETE")
