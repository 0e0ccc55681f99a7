"""Forms that wait for a fresh sign-in"""

import sqlalchemy as sa
from alembic import op

from migrations.sealing import let_use, seal_by_tenant

revision = '0012'
down_revision = '0011'


def upgrade() -> None:
    op.create_table('kept_forms',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('session_id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('key', sa.LargeBinary(), nullable=False),
    sa.Column('content', sa.LargeBinary(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['person_id'], ['people.id'], name=op.f('fk_kept_forms_person_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'session_id'], ['sessions.tenant_id', 'sessions.id'], name=op.f('fk_kept_forms_tenant_id_session_id'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_kept_forms'))
    )
    op.create_index(op.f('ix_kept_forms_tenant_id_session_id'), 'kept_forms', ['tenant_id', 'session_id'], unique=False)
    op.create_index(op.f('ix_kept_forms_tenant_id_expires_at'), 'kept_forms', ['tenant_id', 'expires_at'], unique=False)
    seal_by_tenant('kept_forms')
    let_use('kept_forms')


def downgrade() -> None:
    op.drop_table('kept_forms')
