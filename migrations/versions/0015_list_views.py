"""Views of lists that people saved for themselves"""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = '0015'
down_revision = '0012'


def upgrade() -> None:
    op.create_table('list_views',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('location', sa.String(), nullable=False),
    sa.Column('name', sa.String(), nullable=False),
    sa.Column('query', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_list_views_person_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_list_views')),
    sa.UniqueConstraint('tenant_id', 'person_id', 'location', 'name', name=op.f('uq_list_views_tenant_id_person_id_location_name'))
    )
    seal_by_tenant('list_views')
    let_use('list_views')


def downgrade() -> None:
    op.drop_table('list_views')
