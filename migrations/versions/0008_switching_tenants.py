"""A sign-in names the session of another tenant that it may replace"""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'


def upgrade() -> None:
    op.add_column('sign_ins', sa.Column('leaves', sa.Uuid(), nullable=True))


def downgrade() -> None:
    op.drop_column('sign_ins', 'leaves')
