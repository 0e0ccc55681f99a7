"""A write that goes to libpq itself: the same rows, the same refusals, whatever is prepared."""

import pytest
from sqlalchemy import event, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from governance.foundation.audit.models import AuditEntry
from governance.foundation.audit.record import WRITE, record
from governance.foundation.audit.registry import registry
from governance.foundation.tenants.models import Tenant
from governance.kernel import current
from governance.kernel.compiled_select import DriverWrite
from governance.kernel.db import connection, session

RENAMED = registry["tenant.settings.changed"]
NOTE = DriverWrite("INSERT INTO driver_notes (id, note, body) VALUES ($1, $2, $3)")


@pytest.fixture
def notes(acting):
    """A table of this transaction, and how many of NOTE it has."""
    with acting("admin"):
        session().execute(
            text("CREATE TEMPORARY TABLE driver_notes (id int PRIMARY KEY, note jsonb, body bytea)")
        )
        yield lambda: session().execute(text("SELECT * FROM driver_notes ORDER BY id")).all()
        session().execute(text("DROP TABLE driver_notes"))


def written(number: int) -> None:
    tenant = Tenant(id=current.actor().tenant_id)
    record(RENAMED, tenant, before={"name": "A"}, after={"name": f'B{number} "é\\😀'})


def test_an_entry_is_the_same_when_it_is_prepared_and_when_it_is_not(acting):
    with acting("admin"):
        for number in range(3):
            written(number)
        query = select(AuditEntry).where(AuditEntry.action == RENAMED.name).order_by(AuditEntry.id)
        found = session().scalars(query).all()[-3:]
        assert [each.changes["name"][1] for each in found] == [f'B{n} "é\\😀' for n in range(3)]
        assert {each.created_at == each.at for each in found} == {True}
        assert len({bytes(each.body).count(b'"facts":{}') for each in found}) == 1


def test_text_and_bytes_arrive_as_they_are(notes):
    given = [('{"a": "é \\u0001"}', b"\x00\xff'"), ("{}", b""), ("[]", b"$1")]
    for number, (note, body) in enumerate(given):
        NOTE.run(connection(), [str(number), note, body])
    assert [(row.id, bytes(row.body)) for row in notes()] == [
        (number, body) for number, (_, body) in enumerate(given)
    ]


def test_a_refused_row_comes_as_sqlalchemys_error_and_the_savepoint_holds(notes):
    for number in (1, 2):
        NOTE.run(connection(), [str(number), "{}", b""])
    for _ in range(2):
        with pytest.raises(IntegrityError, match="driver_notes_pkey"), session().begin_nested():
            NOTE.run(connection(), ["2", "{}", b""])
    with pytest.raises(DBAPIError, match="invalid input syntax"), session().begin_nested():
        NOTE.run(connection(), ["3", "{not json", b""])
    NOTE.run(connection(), ["3", "{}", b""])
    assert [row.id for row in notes()] == [1, 2, 3]


def test_it_is_written_after_the_driver_has_forgotten_what_was_prepared(notes):
    NOTE.run(connection(), ["1", "{}", b""])
    NOTE.run(connection(), ["2", "{}", b""])
    driver = connection().connection.driver_connection
    with driver.transaction(force_rollback=True):
        driver.execute("SELECT 1")
    session().execute(text("DEALLOCATE ALL"))
    NOTE.run(connection(), ["3", "{}", b""])
    NOTE.run(connection(), ["4", "{}", b""])
    assert [row.id for row in notes()] == [1, 2, 3, 4]


def test_those_who_count_statements_hear_of_each_write(acting):
    with acting("admin"):
        written(0)
        engine, heard = session().connection().engine, []
        event.listen(engine, "before_cursor_execute", hear := lambda *told: heard.append(told[2]))
        written(1)
        event.remove(engine, "before_cursor_execute", hear)
    assert [each for each in heard if each.startswith("INSERT INTO audit_entries")] == [WRITE._text]
