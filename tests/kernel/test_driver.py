"""Fewer waits for the database: what is asked with a BEGIN, what is written with the COMMIT, and an
end that nobody waits for.
"""

import threading
import time
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import bindparam, func, select, text
from sqlalchemy.exc import DBAPIError

from governance.foundation.audit.models import AuditEntry
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import registry
from governance.foundation.people.models import Membership
from governance.foundation.tenants import actions as tenants
from governance.foundation.tenants.models import Tenant
from governance.kernel import current, db, embedded
from governance.kernel.compiled_select import CompiledSelect
from governance.kernel.db import connection, session, transaction
from governance.kernel.driver import MAX_HELD, DriverConnection, ask_together
from tests import make
from tests.kernel.transaction_helpers import terminate
from tests.migrated_databases import migrated_database

ROLES: CompiledSelect[str] = CompiledSelect(
    lambda: (
        select(Membership.role)
        .where(Membership.role == bindparam("role"), Membership.ended_at.is_(None))
        .distinct()
    ),
    lambda values: values[0],
)
BROKEN: CompiledSelect[int] = CompiledSelect(lambda: text("SELECT 1 / 0"), lambda row: row[0])


@pytest.fixture
def pool(settings, app):
    """The application on its own pool, as in production."""
    db.connect(settings.database_url)
    yield
    db.engine().dispose()


def driver() -> DriverConnection:
    raw = session().connection().connection.driver_connection
    assert isinstance(raw, DriverConnection)
    return raw


def ask(role: str, slug: str = "acme") -> list[str] | None:
    """Of a transaction that begins with the question."""
    who = make.system_actor(slug)
    with current.acting_as(who), transaction(read_only=True, first=[ROLES.question(role=role)]):
        return ROLES.told(role=role)


def test_what_is_asked_with_a_begin_is_answered_in_the_tenant_that_begins(pool):
    assert [ask("viewer"), ask("operator_admin"), ask("viewer"), ask("nobody")] == [
        ["viewer"],
        [],
        ["viewer"],
        [],
    ]
    with current.acting_as(make.system_actor("globex")), transaction(read_only=True):
        theirs = ROLES.rows(role="contributor")
    assert ask("contributor", "globex") == theirs and ask("contributor") == ["contributor"]


def test_begin_settings_and_questions_are_one_round_trip(pool, tmp_path: Path):
    ask("viewer")
    with transaction():
        raw = driver()
    with (
        (tmp_path / "wire").open("w+b") as wire,
        current.acting_as(make.system_actor("acme")),
    ):
        raw.pgconn.trace(wire.fileno())
        with transaction(read_only=True, first=[ROLES.question(role="viewer")]):
            raw.pgconn.untrace()
            assert driver() is raw
        lines = wire.seek(0) or [line.decode() for line in wire.read().splitlines()]
    sent = [n for n, line in enumerate(lines) if "\tF\t" in line]
    received = [n for n, line in enumerate(lines) if "\tB\t" in line]
    assert len([line for line in lines if "\tSync" in line]) == 1
    assert max(sent) < min(received), "\n".join(lines)


def test_an_answer_is_given_once_and_only_for_its_values(pool):
    who = make.system_actor("acme")
    with current.acting_as(who), transaction(first=[ROLES.question(role="viewer")]):
        assert ROLES.told(role="admin") is None
        assert ROLES.told(role="viewer") == ["viewer"]
        assert ROLES.told(role="viewer") is None
        assert ROLES.rows(role="admin") == ["admin"]


def test_a_question_that_fails_leaves_the_transaction_as_if_it_had_not_been_asked(pool):
    who = make.system_actor("acme")
    with current.acting_as(who), transaction(read_only=True, first=[BROKEN.question()]):
        assert BROKEN.told() is None
        assert ROLES.rows(role="viewer") == ["viewer"]
        assert session().scalar(text("SHOW transaction_read_only")) == "on"


def test_a_connection_that_was_cut_is_replaced_before_anything_is_asked(pool, server):
    with transaction(read_only=True):
        pid = driver().info.backend_pid
    terminate(server, pid)
    assert ask("viewer") == ["viewer"]
    with transaction(read_only=True):
        assert driver().info.backend_pid != pid


def test_the_end_of_a_reading_transaction_is_not_waited_for_and_that_of_a_writing_one_is(pool):
    with transaction(read_only=True):
        raw = driver()
    assert raw._is_ending
    with transaction():
        assert driver() is raw and not raw._is_ending
    assert not raw._is_ending and raw.info.transaction_status.name == "IDLE"


def test_a_reading_transaction_keeps_no_lock_and_its_connection_serves_everybody(pool):
    with transaction(read_only=True):
        session().execute(text("SELECT count(*) FROM tenants"))
        raw = driver()
    with db.engine().connect() as other:  # no transaction() of ours
        assert other.connection.driver_connection is raw
        state = text("SELECT state FROM pg_stat_activity WHERE pid = pg_backend_pid()")
        assert other.scalar(state) == "active"
    with db.engine().begin() as other:
        other.execute(text("SELECT 1"))
        assert other.scalar(text("SHOW transaction_read_only")) == "off"


def test_a_refused_request_leaves_prepared_what_the_next_one_asks(pool):
    ask("viewer")
    with pytest.raises(LookupError), transaction(read_only=True):
        raw, known = driver(), dict(driver().prepared)
        raise LookupError
    assert ask("viewer") == ["viewer"] and raw.prepared == known


def test_what_was_forgotten_by_the_database_is_prepared_again(pool):
    ask("viewer")
    with transaction():
        session().execute(text("DEALLOCATE ALL"))
    assert ask("viewer") is None  # asked again where it is needed
    assert ask("viewer") == ["viewer"]


def test_after_an_error_the_connection_answers_again(pool):
    with transaction(read_only=True):
        raw = driver()
        raw.rollback()
        with pytest.raises(psycopg.errors.UndefinedTable):
            ask_together(
                raw, [(b"SELECT 1", ()), (b"SELECT 1 FROM nowhere", ()), (b"SELECT 2", ())]
            )
        assert [each.rows for each in ask_together(raw, [(b"SELECT $1::int", [7])])] == [[(7,)]]


# ---- entries leave with the COMMIT


RENAMED = registry["tenant.settings.changed"]


def renamed(name: str) -> None:
    record(
        RENAMED, Tenant(id=current.actor().tenant_id), before={"name": "A"}, after={"name": name}
    )


def names(like: str) -> list[str]:
    """Of the committed entries, as another transaction reads them."""
    name = AuditEntry.changes["name"][1].astext
    query = select(name).where(AuditEntry.action == RENAMED.name, name.startswith(like))
    with transaction(read_only=True):
        return list(session().scalars(query.order_by(AuditEntry.id)))


@pytest.fixture(scope="module")
def own_server(server, app, worker_id):
    """A database of this file's own: entries stay for good, and other tests count theirs."""
    name = f"driver_{worker_id}".replace("-", "_")
    started = migrated_database(name)
    yield started
    embedded.drop(server, name)


@pytest.fixture(scope="module")
def writer(own_server, settings):
    db.connect(own_server.app_url)
    tenant = tenants.create_tenant("driverco", "Driver Co")
    db.engine().dispose()
    db.connect(settings.database_url)
    return tenants.founder(tenant.id, "driverco", "Driver Co")


@pytest.fixture
def acting_writer(isolated, writer, own_server, settings):
    """Acting for its tenant, on a connection on which entries are prepared."""
    db.connect(own_server.app_url)
    with current.acting_as(writer):
        with transaction():
            renamed("prepared")
        yield
    db.engine().dispose()
    db.connect(settings.database_url)


def test_an_entry_and_the_commit_are_one_round_trip(acting_writer, tmp_path: Path):
    with (tmp_path / "wire").open("w+b") as wire:
        with transaction():
            raw = driver()
            raw.pgconn.trace(wire.fileno())
            renamed("one trip")
        raw.pgconn.untrace()
        wire.seek(0)
        lines = [line.decode() for line in wire.read().splitlines()]
    sent = [n for n, line in enumerate(lines) if "\tF\t" in line]
    received = [n for n, line in enumerate(lines) if "\tB\t" in line]
    assert len([line for line in lines if "\tSync" in line]) == 1
    assert max(sent) < min(received), "\n".join(lines)
    assert names("one trip") == ["one trip"]


def test_what_reads_the_log_in_the_same_transaction_finds_its_entries(acting_writer):
    count = select(func.count()).where(AuditEntry.action == RENAMED.name)
    with transaction():
        before = session().scalar(count)
        renamed("seen")
        assert driver().held
        assert session().scalar(count) == before + 1 and not driver().held


def test_many_entries_wait_for_nothing_but_are_not_piled_up(acting_writer):
    with transaction():
        for number in range(2 * MAX_HELD + 3):
            renamed(f"pile {number:03}")
            assert len(driver().held) < MAX_HELD
    assert names("pile") == [f"pile {number:03}" for number in range(2 * MAX_HELD + 3)]


def test_an_entry_of_work_that_is_rolled_back_is_never_written(acting_writer):
    with pytest.raises(LookupError), transaction():
        renamed("undone")
        raise LookupError
    with transaction():
        assert not driver().held
        with pytest.raises(LookupError), session().begin_nested():
            renamed("undone")
            raise LookupError
        renamed("undone, then done")
    assert names("undone") == ["undone, then done"]


def test_a_change_whose_entry_is_refused_is_not_made(acting_writer, writer):
    """The database refuses entries of other tenants; it hears of this one with the COMMIT."""
    stranger = replace(writer, tenant_id=make.system_actor("globex").tenant_id)
    change = text("UPDATE tenants SET name = 'Lost'")
    with pytest.raises(DBAPIError, match="row-level security"), transaction():
        assert session().execute(change).rowcount == 1
        with current.acting_as(stranger):
            renamed("refused")
    with transaction(read_only=True):
        assert session().scalar(text("SELECT count(*) FROM tenants WHERE name = 'Lost'")) == 0
    assert names("refused") == []


def test_an_entry_in_a_transaction_that_has_failed_is_refused_at_once(acting_writer):
    with pytest.raises(DBAPIError), transaction():
        with pytest.raises(psycopg.Error):
            driver().execute("SELECT 1 / 0")
        with pytest.raises(DBAPIError, match="current transaction is aborted"):
            renamed("too late")
        session().execute(text("SELECT 1"))


def test_an_entry_in_a_transaction_that_may_only_read_is_refused(acting_writer):
    with pytest.raises(DBAPIError, match="read-only"), transaction(read_only=True):
        connection()
        renamed("unseen")
    assert names("unseen") == []


def test_who_waits_for_the_database_lets_other_threads_work(pool):
    with transaction(read_only=True):
        raw, ended, turns = driver(), threading.Event(), 0
        raw.rollback()

        def ask() -> None:
            ask_together(raw, [(b"SELECT pg_sleep(0.5)", ())])
            ended.set()

        asking = threading.Thread(target=ask)
        asking.start()
        while not ended.wait(0.01):
            turns += 1
            time.sleep(0)
        asking.join()
    assert turns > 3
