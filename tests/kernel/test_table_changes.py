"""A table that changes without an entry in the log has a number that grows with the commit; with an
entry the log's number does, and a change that is taken back leaves none.
"""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, func, select, text

from governance.assurance.evidence import actions as evidence
from governance.kernel import current, db, table_changes
from governance.kernel.db import session, within
from governance.kernel.ids import uuid7
from governance.kernel.jobs import WorkItem
from governance.kernel.tenant_revision import NAMES, TableNumber, TenantRevision
from governance.kernel.undo import UndoOffer
from tests import make

CHANGE = "UPDATE work_items SET id = id WHERE false"


@pytest.fixture
def numbers(acting, database):
    """The number of each table of acme, or of another tenant, and that of names."""

    def read(slug="acme"):
        with acting("admin" if slug != "console" else "operator_admin", slug):
            rows = session().execute(select(TableNumber.id, TableNumber.number)).all()
            found = {row.id.int: row.number for row in rows}
            names = session().scalar(
                select(func.sum(TenantRevision.number)).where(TenantRevision.id == NAMES)
            )
        return (
            sum(n for _, n in table_changes.numbers_of({"work_items"}, found)),
            sum(n for _, n in table_changes.numbers_of({"undo_offers"}, found)),
            int(names or 0),
        )

    return read


def test_a_change_without_an_entry_advances_its_table_of_its_tenant(acting, numbers):
    (work, undo, names), neighbours = numbers(), numbers("globex")
    with acting("admin"):
        session().execute(text(CHANGE))
        session().execute(text(CHANGE))
    assert numbers() == (work + 1, undo, names)
    with acting("admin"):
        session().execute(select(WorkItem)).all()
    assert numbers() == (work + 1, undo, names)
    assert numbers("globex") == neighbours


def test_what_the_session_writes_at_the_end_counts(acting, numbers):
    work, undo, names = numbers()
    with acting("admin"):
        row = session().scalars(select(UndoOffer)).first()
        assert row is None
        session().add(WorkItem(**work_item()))
    assert numbers() == (work + 1, undo, names)


def work_item():
    columns = WorkItem.__table__.columns
    values = {"id": uuid7(), "kind": "report", "title": "Report", "arguments": {}}
    return {name: value for name, value in values.items() if name in columns}


def test_a_change_with_an_entry_advances_the_log_alone(acting, numbers):
    before = numbers()
    with acting("compliance_officer"):
        evidence.create_item("Yearly report", kind="record", cadence="quarterly")
        session().execute(text(CHANGE))
    assert numbers() == before


def test_an_entry_that_a_savepoint_took_back_counts_as_none(acting, numbers):
    work, undo, names = numbers()
    with acting("compliance_officer"):
        session().execute(text(CHANGE))
        with session().begin_nested() as point:
            evidence.create_item("Yearly report", kind="record", cadence="quarterly")
            point.rollback()
    assert numbers() == (work + 1, undo, names)


def test_a_change_that_is_rolled_back_advances_nothing(acting, numbers):
    before = numbers()
    with pytest.raises(ZeroDivisionError), acting("admin"):
        session().execute(text(CHANGE))
        raise ZeroDivisionError
    assert numbers() == before


def test_a_table_of_no_tenant_advances_what_every_tenant_reads(acting, numbers):
    (work, undo, names), (_, _, of_all) = numbers(), numbers("globex")
    with acting("admin"):
        session().execute(text("UPDATE people SET id = id WHERE false"))
    assert numbers() == (work, undo, names + 1)
    assert numbers("globex")[2] == of_all + 1
    with db.transaction():
        session().execute(text("SELECT 1 -- UPDATE tenants"))
    assert numbers()[2] == names + 2


def test_an_operators_change_inside_a_tenant_advances_the_tenants_number(acting, numbers):
    (work, _, _), operators = numbers(), numbers("console")
    with acting("operator_admin", "console"), within(make.system_actor("acme")):
        session().execute(text(CHANGE))
    assert numbers()[0] == work + 1
    assert numbers("console")[1:] == operators[1:]


@pytest.mark.parametrize("table", sorted(table_changes.UNNUMBERED))
def test_bookkeeping_has_no_number(acting, numbers, table):
    before = numbers()
    with acting("admin"):
        session().execute(text(f"SELECT 1 -- UPDATE {table}"))
    assert numbers() == before
    assert table in db.Model.metadata.tables


def test_the_tables_of_a_statement_are_heard(database):
    asked = "SELECT s.marks, (SELECT count(*) FROM ai_systems) FROM statements AS s JOIN rollouts"
    assert {"ai_systems", "statements", "rollouts"} <= table_changes.words(asked)
    assert "marks" not in table_changes.words(asked)
    listed = "SELECT id FROM (rollouts JOIN statements) WHERE id IN (%(ids_1)s, %(ids_2)s)"
    assert table_changes.words(listed) == {"id", "rollouts", "statements", "s"}
    assert table_changes.written(asked) == frozenset()
    changes = "WITH gone AS (DELETE FROM rollouts RETURNING id) INSERT INTO statements SELECT"
    assert table_changes.written(changes) == {"rollouts", "statements"}
    assert table_changes.written("SELECT id FROM rollouts FOR UPDATE") == frozenset()


def test_transactions_on_several_connections_seldom_share_a_number():
    ids = {table_changes.number_id("rollouts", pid) for pid in range(100)}
    assert len(ids) == table_changes.PLACES
    found = {each.int: 1 for each in ids} | {table_changes.number_id("systems", 1).int: 5}
    assert sum(n for _, n in table_changes.numbers_of({"rollouts"}, found)) == len(ids)


def test_a_page_that_looks_into_another_tenant_reads_what_has_no_number(acting, database):
    with acting("operator_admin", "console"), db.reading() as names:
        session().execute(select(WorkItem.id)).all()
        assert not names & table_changes.UNNUMBERED
        with within(make.system_actor("acme")):
            pass
    assert names >= table_changes.UNNUMBERED


def test_two_snapshots_that_change_the_same_tables_without_an_entry_both_commit(
    committed_world, numbers
):
    (work, undo, names), both = numbers(), threading.Barrier(2)

    def change(_n):
        with current.acting_as(make.actor("admin")), db.transaction(snapshot=True):
            session().execute(text(CHANGE))
            session().execute(text("SELECT 1 -- UPDATE people"))
            both.wait(30)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(change, range(2)))
    assert numbers() == (work + 2, undo, names + 2)


def test_a_snapshot_that_is_saved_has_not_failed_because_the_database_went_away_afterwards(
    committed_world, numbers
):
    before = numbers()
    with current.acting_as(make.actor("admin")), db.transaction(snapshot=True):
        session().execute(text(CHANGE))
        db.connect(create_engine("postgresql+psycopg://127.0.0.1:1/gone"))
    db.connect(committed_world)
    assert numbers() == before
