"""Snoozed items of an inbox"""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = '0014'
down_revision = '0012'


def upgrade() -> None:
    op.create_table('inbox_snoozes',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('source', sa.String(), nullable=False),
    sa.Column('target_id', sa.Uuid(), nullable=False),
    sa.Column('until', sa.DateTime(timezone=True), nullable=True),
    sa.Column('item_since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('item_due', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_inbox_snoozes_person_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_inbox_snoozes')),
    sa.UniqueConstraint('tenant_id', 'person_id', 'source', 'target_id', name=op.f('uq_inbox_snoozes_tenant_id_person_id_source_target_id'))
    )
    seal_by_tenant('inbox_snoozes')
    let_use('inbox_snoozes')


def downgrade() -> None:
    op.drop_table('inbox_snoozes')
