"""The transaction of a unit of work: its settings, its commits and its cost."""

from uuid import uuid4

import pytest
from sqlalchemy import create_engine, insert, select, text
from sqlalchemy.exc import DBAPIError, InternalError, StatementError

from governance.foundation.tenants import queries as directory
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import current
from governance.kernel.data import db
from governance.kernel.data.db import find, session, transaction, within
from governance.kernel.errors import NotFound, Unavailable
from governance.kernel.work.jobs import WorkItem
from tests import make
from tests.kernel.transaction_helpers import terminate


@pytest.fixture
def pool(settings, app):
    """Put the application on its own pool, as in production, not on the test's connection."""
    engine = create_engine(settings.database_url, pool_size=2, max_overflow=0, pool_timeout=0.2)
    db.connect(engine)
    yield engine
    engine.dispose()
    db.connect(settings.database_url)


def item() -> WorkItem:
    return WorkItem(
        kind="transaction test",
        target_id=None,
        params={},
        requested_by=None,
        error=None,
        started_at=None,
        finished_at=None,
    )


def kept_items() -> int:
    with current.acting_as(make.system_actor("acme")), transaction(read_only=True):
        return len(
            session().scalars(select(WorkItem).where(WorkItem.kind == "transaction test")).all()
        )


def delete_items() -> None:
    with current.acting_as(make.system_actor("acme")), transaction():
        session().execute(text("DELETE FROM work_items WHERE kind = 'transaction test'"))


def test_what_succeeds_is_kept_and_what_fails_leaves_nothing(pool):
    try:
        with current.acting_as(make.system_actor("acme")), transaction():
            session().add(item())
        assert kept_items() == 1
        for failure in (ValueError, KeyboardInterrupt):
            with (
                pytest.raises(failure),
                current.acting_as(make.system_actor("acme")),
                transaction(),
            ):
                session().add(item())
                session().flush()
                raise failure
        assert kept_items() == 1
    finally:
        delete_items()


@pytest.mark.parametrize("write", ["orm", "core", "text"])
def test_a_read_only_transaction_cannot_write(pool, write):
    with (
        pytest.raises(InternalError, match="read-only transaction"),
        current.acting_as(make.system_actor("acme")),
        transaction(read_only=True),
    ):
        if write == "orm":
            session().add(item())
            session().flush()
        elif write == "core":
            session().execute(insert(WorkItem).values(kind="transaction test", params={}))
        else:
            session().execute(text("DELETE FROM work_items"))
    with (
        current.acting_as(make.system_actor("acme")),
        transaction(),
    ):  # The same connection writes again.
        assert session().scalar(text("SHOW transaction_read_only")) == "off"


def test_the_settings_are_the_acting_tenants_and_end_with_the_transaction(pool):
    who = make.system_actor("acme")
    with current.acting_as(who), transaction(person_id=make.person_id("admin")):
        assert session().scalar(text("SELECT current_setting('app.tenant')")) == str(who.tenant_id)
        assert session().scalar(text("SELECT current_setting('app.person')")) == str(
            make.person_id("admin")
        )
    with transaction():
        assert session().scalar(text("SELECT current_setting('app.tenant')")) == ""
        assert session().scalar(text("SELECT current_setting('app.person')")) == ""


def test_there_is_no_session_outside_a_transaction(app):
    with transaction():
        pass
    with pytest.raises(LookupError):
        session()


def test_a_full_pool_is_said_to_be_busy(pool):
    with transaction(), transaction(), pytest.raises(Unavailable, match="busy"), transaction():
        pass


def test_a_connection_that_was_cut_is_replaced(pool, server):
    with transaction():
        pid = session().scalar(text("SELECT pg_backend_pid()"))
    terminate(server, pid)
    with transaction():
        assert session().scalar(text("SELECT pg_backend_pid()")) != pid


def test_a_connection_cut_while_saving_does_not_claim_that_nothing_was_saved(pool, server):
    with (
        pytest.raises(Unavailable, match="Check whether your change was saved"),
        current.acting_as(make.system_actor("acme")),
        transaction(),
    ):
        session().add(item())
        session().flush()
        terminate(server, session().scalar(text("SELECT pg_backend_pid()")))
    assert kept_items() == 0


def test_a_connection_cut_in_the_middle_is_an_error_of_the_database(pool, server):
    with pytest.raises(DBAPIError) as cut, transaction():
        terminate(server, session().scalar(text("SELECT pg_backend_pid()")))
        session().scalar(text("SELECT 1"))
    assert cut.value.connection_invalidated
    with transaction():
        assert session().scalar(text("SELECT 1")) == 1


def test_find_says_no_for_absent_rows_and_for_other_tenants(acting):
    with acting("admin"):
        row = item()
        session().add(row)
        session().flush()
        assert find(WorkItem, row.id) is row
        with pytest.raises(NotFound, match="This work doesn't exist"):
            find(WorkItem, uuid4(), what="work")
        row_id = row.id
    with acting("admin", "globex"), pytest.raises(NotFound, match="This work doesn't exist"):
        find(WorkItem, row_id, what="work", lock=True)


def test_another_tenants_row_is_not_found_where_the_transaction_has_read_it(acting):
    with acting("admin"):
        row = item()
        session().add(row)
        session().flush()
        row_id = row.id
    with acting("admin", read_only=True):
        assert find(WorkItem, row_id).id == row_id
        globex = directory.tenant_id("globex")
        with within(system_actor_in(globex, "globex", "Globex")), pytest.raises(NotFound):
            find(WorkItem, row_id)


def test_an_unknown_tenant_is_no_tenant(app):
    with pytest.raises(StatementError, match="nobody is acting"), transaction():
        session().add(item())
        session().flush()


def test_every_orm_statement_names_the_tenant(acting, statements):
    """Name the tenant in each statement, so that it uses the indexes; policies filter anyway."""
    from sqlalchemy import delete, func, update
    from sqlalchemy.orm import aliased

    other = aliased(WorkItem)
    asked = [
        select(WorkItem),
        select(WorkItem.step),
        select(func.count()).select_from(WorkItem),
        select(other),
        select(WorkItem).join(other, other.id == WorkItem.id),
        update(WorkItem).values(step="x"),
        delete(WorkItem),
    ]
    with acting("admin") as who, statements() as seen:
        for statement in asked:
            session().execute(statement)
        session().get(WorkItem, (who.tenant_id, uuid4()))
    assert [
        s
        for s in seen
        if "tenant_id = " not in s.replace("\n", " ").split(" WHERE ")[-1] and " JOIN " not in s
    ] == []
    assert [s for s in seen if " JOIN " in s and s.count("tenant_id = ") < 2] == []
