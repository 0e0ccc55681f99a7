"""Type two testing: frozen populations, samples, results, exceptions, findings, retests"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import append_only, let_use, seal_by_tenant

FROZEN = ("sampling_tables", "populations", "samples", "sample_items", "item_results", "retests")
KEPT = ("test_exceptions", "findings")
revision = '0006'
down_revision = '0005'


def upgrade() -> None:
    op.create_table('sampling_tables',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('content', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('changed_by', sa.Uuid(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_sampling_tables')),
    sa.UniqueConstraint('tenant_id', 'number', name=op.f('uq_sampling_tables_tenant_id_number'))
    )
    op.create_table('populations',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('control_id', sa.Uuid(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('title', sa.String(), nullable=False),
    sa.Column('source', sa.String(), nullable=False),
    sa.Column('query', sa.String(), nullable=False),
    sa.Column('parameters', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('period_from', sa.Date(), nullable=False),
    sa.Column('period_to', sa.Date(), nullable=False),
    sa.Column('run_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('run_by', sa.String(), nullable=False),
    sa.Column('frozen_by', sa.Uuid(), nullable=False),
    sa.Column('id_column', sa.String(), nullable=False),
    sa.Column('date_column', sa.String(), nullable=True),
    sa.Column('by_month', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('row_count', sa.Integer(), nullable=False),
    sa.Column('sha256', sa.String(), nullable=False),
    sa.Column('rows', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('period_from <= period_to', name=op.f('ck_populations_period_order')),
    sa.CheckConstraint('row_count > 0 AND row_count <= 50000', name=op.f('ck_populations_row_count')),
    sa.ForeignKeyConstraint(['tenant_id', 'control_id'], ['controls.tenant_id', 'controls.id'], name=op.f('fk_populations_tenant_id_control_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_populations'))
    )
    op.create_index(op.f('ix_populations_tenant_id_control_id_run_at'), 'populations', ['tenant_id', 'control_id', 'run_at'], unique=False)
    op.create_table('samples',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('population_id', sa.Uuid(), nullable=False),
    sa.Column('rule', sa.String(), nullable=False),
    sa.Column('size', sa.Integer(), nullable=False),
    sa.Column('advised', sa.Integer(), nullable=False),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('seed', sa.String(), nullable=False),
    sa.Column('population_sha256', sa.String(), nullable=False),
    sa.Column('attributes', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('drawn_by', sa.Uuid(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('size > 0', name=op.f('ck_samples_size')),
    sa.ForeignKeyConstraint(['tenant_id', 'population_id'], ['populations.tenant_id', 'populations.id'], name=op.f('fk_samples_tenant_id_population_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_samples')),
    sa.UniqueConstraint('tenant_id', 'population_id', 'seed', 'size', name=op.f('uq_samples_tenant_id_population_id_seed_size'))
    )
    op.create_table('sample_items',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('sample_id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('item', sa.String(), nullable=False),
    sa.Column('facts', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('dated', sa.Date(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'sample_id'], ['samples.tenant_id', 'samples.id'], name=op.f('fk_sample_items_tenant_id_sample_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_sample_items')),
    sa.UniqueConstraint('tenant_id', 'sample_id', 'item', name=op.f('uq_sample_items_tenant_id_sample_id_item')),
    sa.UniqueConstraint('tenant_id', 'sample_id', 'number', name=op.f('uq_sample_items_tenant_id_sample_id_number'))
    )
    op.create_table('item_results',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('sample_item_id', sa.Uuid(), nullable=False),
    sa.Column('number', sa.Integer(), nullable=False),
    sa.Column('outcome', sa.String(), nullable=False),
    sa.Column('checks', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('note', sa.String(), nullable=False),
    sa.Column('evidence_version_id', sa.Uuid(), nullable=True),
    sa.Column('tested_by', sa.Uuid(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("outcome IN ('passed', 'failed')", name=op.f('ck_item_results_outcome')),
    sa.ForeignKeyConstraint(['tenant_id', 'evidence_version_id'], ['evidence_versions.tenant_id', 'evidence_versions.id'], name=op.f('fk_item_results_tenant_id_evidence_version_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'sample_item_id'], ['sample_items.tenant_id', 'sample_items.id'], name=op.f('fk_item_results_tenant_id_sample_item_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_item_results')),
    sa.UniqueConstraint('tenant_id', 'sample_item_id', 'number', name=op.f('uq_item_results_tenant_id_sample_item_id_number'))
    )
    op.create_index(op.f('ix_item_results_tenant_id_evidence_version_id'), 'item_results', ['tenant_id', 'evidence_version_id'], unique=False)
    op.create_table('test_exceptions',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('ref', sa.String(), nullable=False),
    sa.Column('control_id', sa.Uuid(), nullable=False),
    sa.Column('sample_item_id', sa.Uuid(), nullable=True),
    sa.Column('missed_from', sa.Date(), nullable=True),
    sa.Column('missed_to', sa.Date(), nullable=True),
    sa.Column('says', sa.String(), nullable=False),
    sa.Column('cause', sa.String(), nullable=False),
    sa.Column('effect', sa.String(), nullable=False),
    sa.Column('correction', sa.String(), nullable=False),
    sa.Column('response', sa.String(), nullable=False),
    sa.Column('version', sa.Integer(), nullable=False),
    sa.Column('found_by', sa.Uuid(), nullable=False),
    sa.Column('responded_by', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('(sample_item_id IS NULL) = (missed_from IS NOT NULL AND missed_to IS NOT NULL)', name=op.f('ck_test_exceptions_item_or_cycle')),
    sa.ForeignKeyConstraint(['tenant_id', 'control_id'], ['controls.tenant_id', 'controls.id'], name=op.f('fk_test_exceptions_tenant_id_control_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'sample_item_id'], ['sample_items.tenant_id', 'sample_items.id'], name=op.f('fk_test_exceptions_tenant_id_sample_item_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_test_exceptions')),
    sa.UniqueConstraint('tenant_id', 'control_id', 'missed_from', 'missed_to', name=op.f('uq_test_exceptions_tenant_id_control_id_missed_from_missed_to')),
    sa.UniqueConstraint('tenant_id', 'ref', name=op.f('uq_test_exceptions_tenant_id_ref')),
    sa.UniqueConstraint('tenant_id', 'sample_item_id', name=op.f('uq_test_exceptions_tenant_id_sample_item_id'))
    )
    op.create_index(op.f('ix_test_exceptions_tenant_id_control_id'), 'test_exceptions', ['tenant_id', 'control_id'], unique=False)
    op.create_table('findings',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('ref', sa.String(), nullable=False),
    sa.Column('exception_id', sa.Uuid(), nullable=False),
    sa.Column('title', sa.String(), nullable=False),
    sa.Column('plan', sa.String(), nullable=False),
    sa.Column('owner_id', sa.Uuid(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('raised_by', sa.Uuid(), nullable=False),
    sa.Column('remedy', sa.String(), nullable=False),
    sa.Column('remedied_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('remedied_by', sa.Uuid(), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['owner_id'], ['people.id'], name=op.f('fk_findings_owner_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'exception_id'], ['test_exceptions.tenant_id', 'test_exceptions.id'], name=op.f('fk_findings_tenant_id_exception_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_findings')),
    sa.UniqueConstraint('tenant_id', 'exception_id', name=op.f('uq_findings_tenant_id_exception_id')),
    sa.UniqueConstraint('tenant_id', 'ref', name=op.f('uq_findings_tenant_id_ref'))
    )
    op.create_table('retests',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('finding_id', sa.Uuid(), nullable=False),
    sa.Column('tested_on', sa.Date(), nullable=False),
    sa.Column('sample', sa.Integer(), nullable=False),
    sa.Column('failed', sa.Integer(), nullable=False),
    sa.Column('note', sa.String(), nullable=False),
    sa.Column('tested_by', sa.Uuid(), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('sample > 0 AND failed >= 0 AND failed <= sample', name=op.f('ck_retests_counts')),
    sa.ForeignKeyConstraint(['tenant_id', 'finding_id'], ['findings.tenant_id', 'findings.id'], name=op.f('fk_retests_tenant_id_finding_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_retests'))
    )
    op.create_index(op.f('ix_retests_tenant_id_finding_id'), 'retests', ['tenant_id', 'finding_id'], unique=False)
    for table in (*FROZEN, *KEPT):
        seal_by_tenant(table)
        let_use(table, "SELECT, INSERT" if table in FROZEN else "SELECT, INSERT, UPDATE")
    for table in FROZEN:
        append_only(table)


def downgrade() -> None:
    op.drop_index(op.f('ix_retests_tenant_id_finding_id'), table_name='retests')
    op.drop_table('retests')
    op.drop_table('findings')
    op.drop_index(op.f('ix_test_exceptions_tenant_id_control_id'), table_name='test_exceptions')
    op.drop_table('test_exceptions')
    op.drop_index(op.f('ix_item_results_tenant_id_evidence_version_id'), table_name='item_results')
    op.drop_table('item_results')
    op.drop_table('sample_items')
    op.drop_table('samples')
    op.drop_index(op.f('ix_populations_tenant_id_control_id_run_at'), table_name='populations')
    op.drop_table('populations')
    op.drop_table('sampling_tables')
