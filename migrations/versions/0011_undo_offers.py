"""Undo: what a person has just changed, for ten minutes"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import let_use, seal_by_tenant

revision = '0011'
down_revision = '0010'


def upgrade() -> None:
    op.create_table('undo_offers',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('confirmation', sa.String(), nullable=True),
    sa.Column('steps', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_undo_offers'))
    )
    op.create_index(op.f('ix_undo_offers_tenant_id_expires_at'), 'undo_offers', ['tenant_id', 'expires_at'], unique=False)
    op.create_index(op.f('ix_undo_offers_tenant_id_person_id_confirmation'), 'undo_offers', ['tenant_id', 'person_id', 'confirmation'], unique=False)
    seal_by_tenant('undo_offers')
    let_use('undo_offers', "SELECT, INSERT, UPDATE, DELETE")


def downgrade() -> None:
    op.drop_index(op.f('ix_undo_offers_tenant_id_person_id_confirmation'), table_name='undo_offers')
    op.drop_index(op.f('ix_undo_offers_tenant_id_expires_at'), table_name='undo_offers')
    op.drop_table('undo_offers')
