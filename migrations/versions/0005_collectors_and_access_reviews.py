"""Collectors and access reviews: runs of collectors, campaigns over who has access"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.sealing import let_use, seal_by_tenant

TABLES = ("collector_runs", "access_reviews", "access_review_items")
# What was decided in a review that is closed stays, but for a name in a reason when its person is erased.
CLOSED = """
CREATE FUNCTION refuse_change_in_closed_review() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE closed boolean;
BEGIN
  IF TG_TABLE_NAME = 'access_reviews' THEN
    closed := OLD.closed_at IS NOT NULL AND NOT (to_jsonb(NEW) - 'title' = to_jsonb(OLD) - 'title' AND position('[erased]' IN NEW.title) > 0);
  ELSE
    closed := EXISTS (SELECT 1 FROM access_reviews r WHERE r.tenant_id = OLD.tenant_id AND r.id = OLD.access_review_id AND r.closed_at IS NOT NULL)
      AND NOT (to_jsonb(NEW) - 'reason' = to_jsonb(OLD) - 'reason' AND position('[erased]' IN NEW.reason) > 0);
  END IF;
  IF closed THEN
    RAISE EXCEPTION 'an access review that is closed never changes';
  END IF;
  RETURN NEW;
END $$
"""
revision = '0005'
down_revision = '0004'


def upgrade() -> None:
    op.create_table('collector_runs',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('key', sa.String(), nullable=False),
    sa.Column('period', sa.String(), nullable=False),
    sa.Column('period_from', sa.Date(), nullable=False),
    sa.Column('period_to', sa.Date(), nullable=False),
    sa.Column('scheduled', sa.Boolean(), nullable=False),
    sa.Column('asked_by', sa.Uuid(), nullable=True),
    sa.Column('work_item_id', sa.Uuid(), nullable=True),
    sa.Column('state', sa.String(), nullable=False),
    sa.Column('is_fine', sa.Boolean(), nullable=True),
    sa.Column('says', sa.String(), nullable=False),
    sa.Column('rows', sa.Integer(), nullable=True),
    sa.Column('sha256', sa.String(), nullable=True),
    sa.Column('query', sa.String(), nullable=False),
    sa.Column('parameters', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('preview', postgresql.JSONB(astext_type=sa.Text()), nullable=False),
    sa.Column('ran_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('evidence_version_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'evidence_version_id'], ['evidence_versions.tenant_id', 'evidence_versions.id'], name=op.f('fk_collector_runs_tenant_id_evidence_version_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_collector_runs'))
    )
    op.create_index(op.f('ix_collector_runs_tenant_id_key_created_at'), 'collector_runs', ['tenant_id', 'key', 'created_at'], unique=False)
    op.create_index(op.f('ix_collector_runs_tenant_id_evidence_version_id'), 'collector_runs', ['tenant_id', 'evidence_version_id'], unique=False)
    op.create_index('uq_collector_runs_scheduled', 'collector_runs', ['tenant_id', 'key', 'period'], unique=True, postgresql_where=sa.text('scheduled'))
    op.create_table('access_reviews',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('title', sa.String(), nullable=False),
    sa.Column('due_on', sa.Date(), nullable=False),
    sa.Column('begun_by', sa.Uuid(), nullable=True),
    sa.Column('closed_by', sa.Uuid(), nullable=True),
    sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('evidence_version_id', sa.Uuid(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['tenant_id', 'evidence_version_id'], ['evidence_versions.tenant_id', 'evidence_versions.id'], name=op.f('fk_access_reviews_tenant_id_evidence_version_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_access_reviews'))
    )
    op.create_index('uq_access_reviews_open', 'access_reviews', ['tenant_id'], unique=True, postgresql_where=sa.text('closed_at IS NULL'))
    op.create_index(op.f('ix_access_reviews_tenant_id_created_at'), 'access_reviews', ['tenant_id', 'created_at'], unique=False)
    op.create_index(op.f('ix_access_reviews_tenant_id_evidence_version_id'), 'access_reviews', ['tenant_id', 'evidence_version_id'], unique=False)
    op.create_table('access_review_items',
    sa.Column('tenant_id', sa.Uuid(), nullable=False),
    sa.Column('id', sa.Uuid(), nullable=False),
    sa.Column('access_review_id', sa.Uuid(), nullable=False),
    sa.Column('membership_id', sa.Uuid(), nullable=True),
    sa.Column('key_id', sa.Uuid(), nullable=True),
    sa.Column('held', sa.String(), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=False),
    sa.Column('used_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('decision', sa.String(), nullable=True),
    sa.Column('role', sa.String(), nullable=True),
    sa.Column('reason', sa.String(), nullable=False),
    sa.Column('decided_by', sa.Uuid(), nullable=True),
    sa.Column('decided_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint('membership_id IS NOT NULL OR key_id IS NOT NULL', name=op.f('ck_access_review_items_one_subject')),
    sa.CheckConstraint("decision IN ('keep', 'lower', 'revoke')", name=op.f('ck_access_review_items_decision')),
    sa.ForeignKeyConstraint(['tenant_id', 'access_review_id'], ['access_reviews.tenant_id', 'access_reviews.id'], name=op.f('fk_access_review_items_tenant_id_access_review_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'membership_id'], ['memberships.tenant_id', 'memberships.id'], name=op.f('fk_access_review_items_tenant_id_membership_id')),
    sa.ForeignKeyConstraint(['tenant_id', 'key_id'], ['api_keys.tenant_id', 'api_keys.id'], name=op.f('fk_access_review_items_tenant_id_key_id')),
    sa.PrimaryKeyConstraint('tenant_id', 'id', name=op.f('pk_access_review_items')),
    sa.UniqueConstraint('tenant_id', 'access_review_id', 'membership_id', name=op.f('uq_access_review_items_tenant_id_access_review_id_membership_id')),
    sa.UniqueConstraint('tenant_id', 'access_review_id', 'key_id', name=op.f('uq_access_review_items_tenant_id_access_review_id_key_id'))
    )
    op.create_index(op.f('ix_access_review_items_tenant_id_membership_id'), 'access_review_items', ['tenant_id', 'membership_id'], unique=False)
    op.create_index(op.f('ix_access_review_items_tenant_id_key_id'), 'access_review_items', ['tenant_id', 'key_id'], unique=False)
    for table in TABLES:
        seal_by_tenant(table)
        let_use(table, "SELECT, INSERT, UPDATE")
    op.execute(CLOSED)
    for table in ("access_reviews", "access_review_items"):
        op.execute(f"CREATE TRIGGER closed BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change_in_closed_review()")


def downgrade() -> None:
    op.drop_table('access_review_items')
    op.drop_table('access_reviews')
    op.drop_table('collector_runs')
    op.execute("DROP FUNCTION refuse_change_in_closed_review()")
