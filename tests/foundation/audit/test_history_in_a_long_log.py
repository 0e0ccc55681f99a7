"""An object's history, read from its own entries however long the log is.

The database plans a prepared statement without knowing the object. In a log that is mostly about
one object it expects many entries of any object. It would read the log from its end until it had
enough, which for a quiet object is the complete log.
"""

from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import select, text

from governance.foundation.audit import queries
from governance.foundation.audit.record import Action, record
from governance.foundation.tenants.models import Tenant
from governance.kernel.data.db import session
from tests import make
from tests.migrated_databases import migrated_database

ENTRIES = 5000
REPEATED = 8  # The driver has a statement prepared from the sixth time on.
STEP = Action("test.step", "took a step", frozenset(), frozenset())
READ = text(  # Rows of the log that this transaction read.
    "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables"
    " WHERE relname = 'audit_entries'"
)


@pytest.fixture(scope="module")
def race_database(server, worker_id):
    """Return a separate database, since its log is long."""
    return migrated_database(f"long_log_{worker_id}")


@pytest.fixture
def quiet(race_database, committed_world):
    """Add three objects with an entry each, before thousands about another."""
    quiet = [uuid4() for _ in range(3)]
    with make.acting("admin"):
        busy = session().scalars(select(Tenant).where(Tenant.slug == "acme")).one()
        for each in quiet:
            record(STEP, Tenant(id=each))
        for _ in range(ENTRIES):
            record(STEP, busy)
    database = race_database.super_uri.replace("/postgres?", f"/{committed_world.url.database}?")
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("ANALYZE audit_entries")
    return quiet


def test_a_quiet_object_costs_its_own_entries(quiet):
    with make.acting("viewer", read_only=True):
        session().execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
        for _ in range(REPEATED):
            assert [each.target_id for each in queries.entries_about(quiet)] == quiet[::-1]
            assert [each.target_id for each in queries.entries_about(quiet[:1])] == quiet[:1]
        assert session().scalar(READ) <= REPEATED * (len(quiet) + 1)
