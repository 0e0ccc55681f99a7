"""What a migration says about a new table: seal it by tenant, make it append-only, let the
application use it.
"""

from alembic import op

ACTING = "(SELECT nullif(current_setting('app.tenant', true), '')::uuid)"
SAME = f"tenant_id = {ACTING}"
# no tenant's transaction (sign-in, the queue, the command line), or the operator's
INSTALLATION = (
    "(SELECT coalesce(current_setting('app.tenant', true), '') = '')"
    f" OR EXISTS (SELECT 1 FROM tenants WHERE kind = 'operator' AND id = {ACTING})"
)


def seal_by_tenant(table: str) -> None:
    """FORCEd row-level security: the sub-select is evaluated once a query, not once a row
    (measured: 3 times).
    """
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY tenant ON {table} USING ({SAME}) WITH CHECK ({SAME})")


def seal_writes(
    table: str, *, adds: str | None = None, changes: str | None = None, removes: str | None = None
) -> None:
    """Of a table without a tenant: everybody reads; a transaction writes the rows that these
    conditions name, and a verb without one is refused. The installation itself may use each verb
    that is named.
    """
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY everybody ON {table} FOR SELECT USING (true)")
    if adds:
        may = f"({adds}) OR {INSTALLATION}"
        op.execute(f"CREATE POLICY adds ON {table} FOR INSERT WITH CHECK ({may})")
    if changes:
        may = f"({changes}) OR {INSTALLATION}"
        op.execute(f"CREATE POLICY changes ON {table} FOR UPDATE USING ({may}) WITH CHECK ({may})")
    if removes:
        may = f"({removes}) OR {INSTALLATION}"
        op.execute(f"CREATE POLICY removes ON {table} FOR DELETE USING ({may})")


def let_use(table: str, verbs: str = "SELECT, INSERT, UPDATE, DELETE") -> None:
    op.execute(f"GRANT {verbs} ON {table} TO governance_app")


def append_only(table: str) -> None:
    """No UPDATE, DELETE or TRUNCATE for anybody, the owner too."""
    op.execute(
        f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE"
        " FUNCTION refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE"
        " FUNCTION refuse_change()"
    )
