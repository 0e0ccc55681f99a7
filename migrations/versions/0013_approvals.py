"""Approvals are one noun: requests that another person decides, of every kind"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import let_use, seal_by_tenant

revision = '0013'
down_revision = '0012'


def upgrade() -> None:
    op.create_table('approvals',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('kind', sa.String(), nullable=False),
    sa.Column('target_id', sa.Uuid(), nullable=False),
    sa.Column('summary', sa.String(), nullable=False),
    sa.Column('fingerprint', sa.String(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('requested_by', sa.Uuid(), nullable=True),
    sa.Column('requested_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('requesters', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('excluded', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('approvers', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('roles', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('needed', sa.Integer(), nullable=False),
    sa.Column('step_up', sa.Boolean(), nullable=False),
    sa.Column('is_ready', sa.Boolean(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('closed_by', sa.Uuid(), nullable=True),
    sa.Column('note', sa.String(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_approvals')),
    sa.UniqueConstraint('tenant_id', 'number', name=op.f('uq_approvals_tenant_id_number'))
    )
    op.create_index('uq_approvals_open', 'approvals', ['tenant_id', 'kind', 'target_id'], unique=True, postgresql_where=sa.text("state = 'open'"))
    op.create_index(op.f('ix_approvals_tenant_id_kind_target_id'), 'approvals', ['tenant_id', 'kind', 'target_id'], unique=False)
    op.create_index('ix_approvals_open_by_expiry', 'approvals', ['tenant_id', 'expires_at'], unique=False, postgresql_where=sa.text("state = 'open'"))
    op.create_table('approvals_given',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('approval_id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('fingerprint', sa.String(), nullable=False),
    sa.Column('given_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'approval_id'], ['approvals.tenant_id', 'approvals.id'], name=op.f('fk_approvals_given_tenant_id_approval_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_approvals_given')),
    sa.UniqueConstraint('tenant_id', 'approval_id', 'person_id', name=op.f('uq_approvals_given_tenant_id_approval_id_person_id'))
    )
    op.create_table('approval_reminders',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('approval_id', sa.Uuid(), nullable=False),
    sa.Column('person_id', sa.Uuid(), nullable=False),
    sa.Column('sent_on', sa.Date(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'approval_id'], ['approvals.tenant_id', 'approvals.id'], name=op.f('fk_approval_reminders_tenant_id_approval_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_approval_reminders')),
    sa.UniqueConstraint('tenant_id', 'approval_id', 'person_id', 'sent_on', name=op.f('uq_approval_reminders_tenant_id_approval_id_person_id_sent_on'))
    )
    for table in ('approvals', 'approvals_given', 'approval_reminders'):
        seal_by_tenant(table)
        let_use(table)

    op.drop_index(op.f('ix_unmaskings_tenant_id_state'), table_name='unmaskings')
    for column in ('reason', 'state', 'decided_by', 'decided_at'):
        op.drop_column('unmaskings', column)
    for column in ('reason', 'decided_by', 'decided_at'):
        op.drop_column('erasures', column)
    _close_open_requests()


def _close_open_requests() -> None:
    """Nothing that was requested has an approval now: it has to be requested again."""
    for table in ('erasures',):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"UPDATE {table} SET state = 'withdrawn' WHERE state = 'asked'")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.add_column('erasures', sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('erasures', sa.Column('decided_by', sa.Uuid(), nullable=True))
    op.add_column('erasures', sa.Column('reason', sa.String(), nullable=False, server_default=''))
    op.alter_column('erasures', 'reason', server_default=None)
    op.add_column('unmaskings', sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('unmaskings', sa.Column('decided_by', sa.Uuid(), nullable=True))
    op.add_column('unmaskings', sa.Column('state', sa.String(), nullable=False, server_default='withdrawn'))
    op.add_column('unmaskings', sa.Column('reason', sa.String(), nullable=False, server_default=''))
    for column in ('state', 'reason'):
        op.alter_column('unmaskings', column, server_default=None)
    op.create_index(op.f('ix_unmaskings_tenant_id_state'), 'unmaskings', ['tenant_id', 'state'], unique=False)
    for table in ('approval_reminders', 'approvals_given', 'approvals'):
        op.drop_table(table)
