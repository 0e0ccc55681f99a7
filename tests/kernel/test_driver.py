"""Fewer waits for the database: what is asked with a BEGIN, and an end that nobody waits for."""

from pathlib import Path

import psycopg
import pytest
from sqlalchemy import bindparam, select, text

from governance.foundation.people.models import Membership
from governance.kernel import current, db
from governance.kernel.compiled_select import CompiledSelect
from governance.kernel.db import session, transaction
from governance.kernel.driver import DriverConnection, ask_together
from tests import make
from tests.kernel.transaction_helpers import terminate

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
