"""Two people for how a tenant signs in: proposed changes, numbered addresses, since when a role counts"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import let_use, seal_by_tenant

revision = '0009'
down_revision = '0008'

# Only the oldest connection of a tenant was ever used.
ONE_IS_LIVE = """
UPDATE connections c SET state = 'retired' WHERE EXISTS (
  SELECT 1 FROM connections o WHERE o.tenant_id = c.tenant_id AND (o.created_at, o.id) < (c.created_at, c.id))
"""
NUMBERED = """
UPDATE connections c SET number = n.number FROM (
  SELECT tenant_id, id, row_number() OVER (PARTITION BY tenant_id ORDER BY created_at, id) AS number FROM connections) n
WHERE n.tenant_id = c.tenant_id AND n.id = c.id
"""


def _without_seal(table: str, *statements: str) -> None:
    """The owner is under the table's own policy too; it changes the rows of every tenant here."""
    op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    for statement in statements:
        op.execute(statement)
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def upgrade() -> None:
    op.add_column('connections', sa.Column('state', sa.String(), nullable=False, server_default='live'))
    op.add_column('connections', sa.Column('number', sa.Integer(), nullable=False, server_default='1'))
    op.drop_constraint(op.f('uq_connections_tenant_id_issuer'), 'connections', type_='unique')
    _without_seal('connections', NUMBERED, ONE_IS_LIVE)
    op.alter_column('connections', 'state', server_default=None)
    op.alter_column('connections', 'number', server_default=None)
    op.drop_column('connections', 'version')
    op.create_index('uq_connections_live', 'connections', ['tenant_id'], unique=True, postgresql_where=sa.text("state = 'live'"))
    op.create_index('uq_connections_proposed', 'connections', ['tenant_id'], unique=True, postgresql_where=sa.text("state = 'proposed'"))

    op.add_column('memberships', sa.Column('role_since', sa.DateTime(timezone=True), nullable=True))
    _without_seal('memberships', "UPDATE memberships SET role_since = created_at")
    op.alter_column('memberships', 'role_since', nullable=False)

    op.create_table('connection_changes',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('connection_id', sa.Uuid(), nullable=True),
    sa.Column('base_id', sa.Uuid(), nullable=True),
    sa.Column('domains', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('base_domains', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('requested_by', sa.Uuid(), nullable=False),
    sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('test', postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    sa.Column('tested_by', sa.Uuid(), nullable=True),
    sa.Column('tested_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decided_by', sa.Uuid(), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'base_id'], ['connections.tenant_id', 'connections.id'], name=op.f('fk_connection_changes_tenant_id_base_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'connection_id'], ['connections.tenant_id', 'connections.id'], name=op.f('fk_connection_changes_tenant_id_connection_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_connection_changes'))
    )
    op.create_index('uq_connection_changes_open', 'connection_changes', ['tenant_id'], unique=True, postgresql_where=sa.text("state = 'requested'"))
    op.create_index(op.f('ix_connection_changes_tenant_id_created_at'), 'connection_changes', ['tenant_id', 'created_at'], unique=False)
    seal_by_tenant('connection_changes')
    let_use('connection_changes', "SELECT, INSERT, UPDATE")

    op.alter_column('invitations', 'invited_by', nullable=True)  # the operator's command is no person
    op.add_column('sign_ins', sa.Column('change_id', sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f('fk_sign_ins_tenant_id_change_id'), 'sign_ins', 'connection_changes', ['tenant_id', 'change_id'], ['tenant_id', 'id'], ondelete='CASCADE'
    )


def downgrade() -> None:
    op.drop_constraint(op.f('fk_sign_ins_tenant_id_change_id'), 'sign_ins', type_='foreignkey')
    op.drop_column('sign_ins', 'change_id')
    _without_seal('invitations', "UPDATE invitations SET invited_by = id WHERE invited_by IS NULL")
    op.alter_column('invitations', 'invited_by', nullable=False)
    op.drop_table('connection_changes')
    op.drop_column('memberships', 'role_since')
    op.drop_index('uq_connections_proposed', table_name='connections')
    op.drop_index('uq_connections_live', table_name='connections')
    _without_seal('connections', "DELETE FROM connections WHERE state <> 'live'")
    op.add_column('connections', sa.Column('version', sa.Integer(), nullable=False, server_default='1'))
    op.alter_column('connections', 'version', server_default=None)
    op.create_unique_constraint(op.f('uq_connections_tenant_id_issuer'), 'connections', ['tenant_id', 'issuer'])
    op.drop_column('connections', 'number')
    op.drop_column('connections', 'state')
