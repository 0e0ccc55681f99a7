"""Price imports"""

import sqlalchemy as sa
from alembic import op

revision = "0014_price_imports"
down_revision = "0013_review_files"


def upgrade() -> None:
    op.add_column("prices", sa.Column("import_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_prices_tenant_id_import_id"),
        "prices",
        "file_imports",
        ["tenant_id", "import_id"],
        ["tenant_id", "id"],
    )
