"""One transaction per request, job or command; every row stamped and filtered by tenant.

The tenant is set three times over: `Tenanted` stamps new rows, the session adds the filter to every
ORM statement, and PostgreSQL's FORCEd row-level security proves it for everything else.
"""

import re
from collections.abc import Collection, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol, cast
from uuid import UUID

import psycopg
from psycopg.pq import ExecStatus, TransactionStatus
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    DateTime,
    Engine,
    ForeignKeyConstraint,
    LargeBinary,
    MetaData,
    Uuid,
    any_,
    create_engine,
    event,
    func,
    literal,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolExhausted
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    ORMExecuteState,
    Session,
    mapped_column,
    sessionmaker,
    with_loader_criteria,
)
from sqlalchemy.orm.interfaces import ORMOption
from sqlalchemy.orm.util import identity_key

from governance.kernel import clock, current, table_changes, turns
from governance.kernel.driver import Command, CommandRows, DriverConnection, ask_together
from governance.kernel.errors import NotFound, Unavailable
from governance.kernel.ids import uuid7


class Model(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        },
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB,
        list[Any]: JSONB,
        bytes: LargeBinary,
    }

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid7, sort_order=-3)
    created_at: Mapped[datetime] = mapped_column(default=clock.now, sort_order=98)


class Tenanted:
    """Mixin for every row that belongs to one tenant: its key and every index begin with
    tenant_id.
    """

    tenant_id: Mapped[UUID] = mapped_column(
        primary_key=True, sort_order=-4, default=lambda: current.actor().tenant_id
    )


def tenant_fk(column: str, table: str, *, on_delete: str | None = None) -> ForeignKeyConstraint:
    """A key to another row of the same tenant: a foreign key alone would bypass row-level
    security.
    """
    return ForeignKeyConstraint(
        ["tenant_id", column], [f"{table}.tenant_id", f"{table}.id"], ondelete=on_delete
    )


# connections: one for each thread of `kernel/server.py`, and for the three that follow,
# load and tell decisions
MAX_CONNECTIONS = 32
MAX_FOUND = 100  # rows that a transaction keeps while it may only read, to find them again
FOUND = "found rows"  # in its info
_sessions = sessionmaker()
_work: ContextVar["_Work"] = ContextVar("work")
_engine: Engine | None = None
_shared: Connection | None = None  # of tests, whose transactions are savepoints in it


def connect(bind: str | Engine | Connection) -> None:
    """Bind the application to a database; a Connection (tests) makes every transaction a savepoint
    in it.
    """
    global _engine, _shared
    if isinstance(bind, str):
        bind = create_engine(
            bind,
            pool_size=8,
            max_overflow=MAX_CONNECTIONS - 8,
            pool_timeout=10,
            connect_args=_CONNECT,
            hide_parameters=True,
        )
        event.listen(bind, "do_connect", _connected)
        bind.dialect.do_commit = _commit_at_once  # type: ignore[method-assign,assignment]
        bind.dialect.do_rollback = _roll_back_if_begun  # type: ignore[method-assign,assignment]
    _engine, _shared = (bind, None) if isinstance(bind, Engine) else (bind.engine, bind)
    _sessions.configure(bind=bind, join_transaction_mode="create_savepoint")


_CONNECT = {
    "connect_timeout": 5,
    "options": "-c statement_timeout=15000 -c idle_in_transaction_session_timeout=60000",
}


def _connected(_dialect: Any, _record: Any, given: Any, named: Any) -> DriverConnection:
    return DriverConnection.connect(*given, **named)


def _commit_at_once(driver: Any) -> None:
    """COMMIT in one call of libpq, as `_run` sends BEGIN: the driver's own commit takes the
    interpreter's lock several times, which other threads want. That of a reader isn't waited for.
    """
    if driver.end_reading():
        return
    if driver.closed:
        raise psycopg.OperationalError("the connection is lost")
    if driver.pgconn.transaction_status == TransactionStatus.IDLE:
        return
    if driver.held:
        driver.commit_held()
        return
    with turns.elsewhere():
        result = driver.pgconn.exec_(b"COMMIT")
    if result.status != ExecStatus.COMMAND_OK:
        raise psycopg.errors.error_from_result(result, driver.info.encoding)


def _roll_back_if_begun(driver: Any) -> None:
    """A connection that comes back to the pool after its COMMIT has nothing to roll back."""
    if driver.closed or driver.pgconn.transaction_status != TransactionStatus.IDLE:
        driver.rollback()


def engine() -> Engine:
    if _engine is None:
        raise RuntimeError("no database: call connect() first")
    return _engine


class OpeningStatement(Protocol):
    """A statement that a transaction asks with its BEGIN; `told` keeps the answer for who asks.

    See `kernel/compiled_select.py`.
    """

    def command(self, connection: Connection, tenant: UUID | None) -> Command: ...

    def told(self, answer: CommandRows, info: dict[str, Any]) -> None: ...


class _Work:
    """A transaction under way: its connection, and the session on it once one is needed.

    A page that was drawn before reads with compiled selects alone; a session would cost it as much
    as two statements.
    """

    __slots__ = ("_changed", "_logged", "_root", "_session", "connection", "info", "read")

    def __init__(self, connection: Connection, session: Session | None = None) -> None:
        self.connection, self._session = connection, session
        self._changed: set[tuple[UUID | None, str]] = set()  # tenants and tables
        self._logged: set[UUID] = set()  # tenants in whose log an entry was written
        self.read: set[str] | None = None  # names in statements, for who wants to know
        self._root = connection.begin() if session is None else None
        self.info: dict[str, Any] = {} if session is None else session.info

    @property
    def session(self) -> Session:
        if self._session is None:
            self._session = _sessions(bind=self.connection, join_transaction_mode="rollback_only")
            vars(self._session)["info"] = self.info
        return self._session

    def __getattr__(self, name: str) -> Any:
        """Of what follows `as` in `with transaction() as …`: it is the session."""
        return getattr(self.session, name)

    def written(self) -> Connection:
        """The connection, with what the session was given written to it, in its savepoint if it has
        one.
        """
        if self._session is None:
            return self.connection
        self._session.flush()
        return self._session.connection()

    def hear(self, statement: str) -> None:
        """Note what a statement reads, if somebody wants to know, and what it changes."""
        if self.read is not None:
            self.read |= table_changes.words(statement)
        if self.info.get("only_reads") or not (tables := table_changes.written(statement)):
            return
        who = current.actor_or_none()
        named = who.tenant_id if who else None, self.info.get("tenant_id")
        tenants = {each for each in named if each is not None}
        if table_changes.ENTRIES in tables and len(tenants) == 1:
            self._logged |= tenants
        for table in (tables & Model.metadata.tables.keys()) - table_changes.UNNUMBERED:
            is_of_tenant = "tenant_id" in Model.metadata.tables[table].columns
            self._changed |= {(each, table) for each in (tenants if is_of_tenant else [None])}

    def unlog(self) -> None:
        """A savepoint was rolled back, perhaps with its entry."""
        self._logged.clear()

    def changed_unlogged(self) -> set[tuple[UUID | None, str]]:
        """The tenants and tables that have changed without an entry."""
        return {each for each in self._changed if each[0] not in self._logged}

    def note_changed(self, changed: set[tuple[UUID | None, str]]) -> None:
        self._changed |= changed

    def _advance(self) -> None:
        """Advance the numbers of the tables that have changed without an entry."""
        place = self.connection.connection.driver_connection.info.backend_pid  # type: ignore[union-attr] # psycopg's
        ids: dict[UUID, set[UUID]] = {}
        changed = self.changed_unlogged()
        for tenant, table in changed:
            if tenant is not None:
                ids.setdefault(tenant, set()).add(table_changes.number_id(table, place))
        if any(tenant is None for tenant, _ in changed):
            self.connection.exec_driver_sql(table_changes.ADVANCE_SHARED)
        for tenant in sorted(ids):  # the database may have been told another one last
            self.connection.exec_driver_sql(TENANT_IS, (str(tenant),))
            self.connection.exec_driver_sql(table_changes.ADVANCE, (tenant, sorted(ids[tenant])))

    def commit(self) -> None:
        if self._session is not None:
            self._session.commit()
        if self._changed and not self.info.get("is_snapshot"):
            self._advance()
        if self._root is not None and self._root.is_active:
            self._root.commit()

    def rollback(self) -> None:
        if self._session is not None:
            self._session.rollback()
        if self._root is not None and self._root.is_active:
            self._root.rollback()

    def close(self) -> None:
        if self._session is not None:
            self._session.close()
        if self._root is not None:
            self.connection.close()


def session() -> Session:
    return _work.get().session


def connection() -> Connection:
    """The connection of this transaction, with what its session was given written to it."""
    return _work.get().written()


def info() -> dict[str, Any]:
    """What this transaction keeps for itself; the same as `session().info`."""
    return _work.get().info


def is_open() -> bool:
    """Whether a transaction is under way here."""
    return _work.get(None) is not None


@contextmanager
def transaction(
    *,
    read_only: bool = False,
    snapshot: bool = False,
    tenant_id: UUID | None = None,
    person_id: UUID | None = None,
    first: Sequence[OpeningStatement] = (),
) -> Generator[Session]:
    """Commit on success, roll back on any exception.

    Nothing else in the code base commits.

    The tenant is the acting one unless given (sign-in knows the tenant before it knows the person).
    `person_id` opens the one policy that crosses tenants: people may list their own memberships. A
    `snapshot` shows the database as it was at its first statement, for as long as it is read
    (REPEATABLE READ). What is asked `first` costs no round trip of its own.
    """
    who = current.actor_or_none()
    tenant = tenant_id or (who.tenant_id if who else None)
    begin = _Begin(read_only, snapshot, tenant, person_id, first)
    work = _begin(begin)
    work.info["tenant_id"] = tenant
    work.info["only_reads"] = read_only  # kernel/read_once.py
    work.info["is_snapshot"] = snapshot
    work.info["may_recall"] = (
        read_only and tenant is not None and person_id is None
    )  # kernel/tenant_cache.py
    token = _work.set(work)
    try:
        yield cast("Session", work)
        _commit(work)
    except BaseException:
        work.rollback()
        raise
    finally:
        _work.reset(token)
        work.close()
    if snapshot and (changed := work.changed_unlogged()):
        # a snapshot fails where somebody else has advanced the same number meanwhile; what it has
        # saved is saved even if this isn't, and a kept page ends with its minute
        with suppress(Unavailable, DBAPIError), transaction(tenant_id=tenant):
            _work.get().note_changed(changed)


def _commit(work: _Work) -> None:
    """A connection lost here leaves open whether the database kept the work, and the refusal says
    so.
    """
    try:
        work.commit()
    except DBAPIError as error:
        if error.connection_invalidated:
            raise Unavailable(
                "The connection to the database was lost while saving. Check whether your change"
                " was saved before you try again."
            ) from error
        raise


@dataclass(frozen=True, slots=True)
class _Begin:
    """How a transaction begins."""

    read_only: bool
    snapshot: bool
    tenant: UUID | None
    person: UUID | None
    first: Sequence[OpeningStatement]

    @property
    def command(self) -> bytes:
        isolation = b" ISOLATION LEVEL REPEATABLE READ" if self.snapshot else b""
        return b"BEGIN%s %s" % (isolation, b"READ ONLY" if self.read_only else b"READ WRITE")


def _begin(begin: _Begin) -> _Work:
    """Open the transaction; a connection that a database restart has broken is replaced once."""
    for last_try in (False, True):
        work = None
        try:
            work = _opened()
            _enter(work, begin)
        except PoolExhausted as error:
            raise Unavailable(
                "Meridian is busy. Nothing was changed; try again in a moment."
            ) from error
        except (psycopg.OperationalError, DBAPIError) as error:
            if work is not None:
                work.connection.invalidate()
                work.close()
            engine().dispose()
            if last_try:
                raise Unavailable(
                    "The database is unavailable. Nothing was changed; try again in a moment."
                ) from error
        else:
            return work
    raise AssertionError("unreachable")


def _opened() -> _Work:
    if _shared is None:
        return _Work(engine().connect())
    work = _sessions()
    return _Work(work.connection(), work)


TENANT_IS = "SELECT set_config('app.tenant', %s, true)"
_SET = b"SET LOCAL app.tenant = '%s'; SET LOCAL app.person = '%s'"
_SET_TOGETHER = b"SELECT set_config('app.tenant', $1, true), set_config('app.person', $2, true)"


def _enter(work: _Work, begin: _Begin) -> None:
    """BEGIN and the settings in one round trip: one simple query, or with what is asked first."""
    connection = work.connection
    raw = connection.connection.driver_connection
    if not isinstance(raw, psycopg.Connection):
        raise TypeError("the driver must be psycopg 3")
    if isinstance(raw, DriverConnection):
        raw.settle()
        raw.only_reads = begin.read_only
    settings = _SET % (_setting(begin.tenant), _setting(begin.person))
    if (
        connection.in_nested_transaction()
        or raw.pgconn.transaction_status != TransactionStatus.IDLE
    ):
        _run(raw, b"SET TRANSACTION READ ONLY; " + settings if begin.read_only else settings)
    elif not (
        begin.first and isinstance(raw, DriverConnection) and _entered_asking(work, raw, begin)
    ):
        _run(raw, b"%s; %s" % (begin.command, settings))


def _entered_asking(work: _Work, raw: DriverConnection, begin: _Begin) -> bool:
    """Whether the transaction began with the answers to what it asks first.

    If one of them fails, no transaction is open: it fails again where its answer is needed, or not.
    """
    settings = _setting(begin.tenant).decode(), _setting(begin.person).decode()
    asked = [each.command(work.connection, begin.tenant) for each in begin.first]
    try:
        _, _, *answers = ask_together(raw, [(begin.command, ()), (_SET_TOGETHER, settings), *asked])
    except psycopg.Error:
        raw.rollback()
        return False
    for question, answer in zip(begin.first, answers, strict=True):
        question.told(answer, work.info)
    return True


def _setting(value: UUID | None) -> bytes:
    """A UUID by type, so there is nothing in it to quote."""
    if value is not None and not isinstance(value, UUID):
        raise TypeError("a tenant or person is named by a UUID")
    return str(value or "").encode()


def _run(raw: "psycopg.Connection[Any]", command: bytes) -> None:
    with turns.elsewhere():
        result = raw.pgconn.exec_(command)
    if result.status not in {ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK}:
        raise psycopg.OperationalError(result.get_error_message())


def find[M: Model](
    model: type[M], row_id: UUID, *, what: str | None = None, lock: bool = False
) -> M:
    """Return the row with that id in the present tenant. Raises NotFound for any other tenant's.

    Ids never change, so the lock still lets other rows reference it: a stop doesn't wait for
    someone's edit. `what` is the noun of the error. A transaction that may only read doesn't read
    again what it has just read.
    """
    found = None if lock else held(model, row_id)
    if found is None:
        query = select(model).where(model.id == row_id)
        locked = query.with_for_update(key_share=True) if lock else query
        found = session().scalars(locked).one_or_none()
    if found is None:
        raise NotFound(
            f"This {what or _noun(model)} doesn't exist, or you don't have access to it."
        )
    if info().get("only_reads"):  # the session alone would forget what nobody uses
        info().setdefault(FOUND, []).append(found)
        del info()[FOUND][:-MAX_FOUND]
    return found


def held[M: Model](model: type[M], row_id: UUID) -> M | None:
    """The row, if a transaction that may only read has read it for its tenant."""
    work = session()
    if not work.info.get("only_reads") or not issubclass(model, Tenanted):
        return None
    found: M | None = work.identity_map.get(
        identity_key(model, (work.info.get("tenant_id"), row_id))
    )
    return found


def find_several[M: Model](
    model: type[M], ids: Collection[UUID], *, order: Any, lock: bool = False
) -> Sequence[M]:
    """Return these rows of the present tenant in this order, as far as they exist.

    Locked rows are read again, so that they hold what was committed while the lock was awaited.
    """
    query = select(model).where(model.id.in_(ids)).order_by(order)
    locked = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    return session().scalars(locked if lock else query).all()


def among(column: Any, ids: Collection[UUID]) -> ColumnElement[bool]:
    """Whether the column is one of these ids, sent as one array: one statement to prepare, however
    many ids there are.
    """
    found: ColumnElement[bool] = column == any_(literal(list(ids), ARRAY(Uuid)))
    return found


def _noun(model: type[Model]) -> str:
    """Return "work item" for WorkItem."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", model.__name__).lower()


@event.listens_for(Engine, "before_cursor_execute")
def _hear(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
    work = _work.get(None)
    if work is not None:
        work.hear(statement)


@event.listens_for(Engine, "rollback_savepoint")
def _unlog(_connection: Any, _name: str, _context: None) -> None:
    work = _work.get(None)
    if work is not None:
        work.unlog()


@contextmanager
def reading() -> Iterator[set[str]]:
    """Yield what fills with the tables that this transaction reads from here on, and with other
    names in its statements.
    """
    work, names = _work.get(), set[str]()
    before, work.read = work.read, names
    try:
        yield names
    finally:
        work.read = before


@event.listens_for(_sessions, "do_orm_execute")
def _filter_by_tenant(state: ORMExecuteState) -> None:
    tenant_id = state.session.info.get("tenant_id")
    if state.is_column_load or state.is_relationship_load or tenant_id is None:
        return
    state.statement = state.statement.options(
        state.session.info.get("tenant_filter") or _tenant_filter(state.session, tenant_id)
    )


def _tenant_filter(work: Session, tenant_id: UUID) -> ORMOption:
    """The filter of every statement of this transaction, built once.

    It doesn't compare with the bare id: of a tenant that came after the last ANALYZE PostgreSQL
    would expect one row, and join it row by row (docs/decisions/0042).
    """
    mine = select(literal(tenant_id, Uuid)).scalar_subquery()
    found = with_loader_criteria(Tenanted, lambda cls: cls.tenant_id == mine, include_aliases=True)
    work.info["tenant_filter"] = found
    return found


def notify(channel: str, payload: str = "") -> None:
    """Tell other processes, when this transaction commits."""
    session().execute(
        text("SELECT pg_notify(:channel, :payload)"), {"channel": channel, "payload": payload}
    )


@contextmanager
def within(who: current.Actor) -> Generator[None]:
    """Act in another tenant inside the present transaction: both commit together, or neither.

    For what an operator does to a tenant, which belongs in both logs. Row-level security follows;
    a savepoint that is rolled back takes its tenant back by itself.
    """
    with _moved_to(who.tenant_id), current.acting_as(who):
        yield
        session().flush()


@contextmanager
def over_all_tenants() -> Generator[None]:
    """Write what belongs to no tenant inside the present transaction: the database lets no tenant's
    transaction do it.

    For commands of the installation.
    """
    with _moved_to(None):
        yield


@contextmanager
def _moved_to(tenant_id: UUID | None) -> Generator[None]:
    work = session()
    if (read := _work.get().read) is not None:
        read |= table_changes.UNNUMBERED  # what another tenant has is not numbered here
    work.flush()
    kept = dict(work.info)
    work.info.clear()
    only_reads = kept.get("only_reads", False)
    work.info.update(tenant_id=tenant_id, may_recall=False, only_reads=only_reads)
    try:
        _move_to(work, tenant_id)
        yield
        work.flush()
    finally:
        work.info.clear()
        work.info.update(kept)
        with suppress(DBAPIError):  # of an aborted transaction only a rollback is left
            _move_to(work, kept.get("tenant_id"))


def _move_to(work: Session, tenant_id: UUID | None) -> None:
    work.execute(select(func.set_config("app.tenant", _setting(tenant_id).decode(), True)))


def lock_tenant(purpose: str) -> None:
    """Hold the tenant's lock for a purpose until this transaction ends: of two clicks, the second
    one sees the first.
    """
    name = f"{current.actor().tenant_id}:{purpose}"
    session().execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def try_lock_tenant(purpose: str) -> bool:
    """The same without waiting: False where another transaction holds the lock."""
    name = f"{current.actor().tenant_id}:{purpose}"
    return bool(
        session().scalar(select(func.pg_try_advisory_xact_lock(func.hashtextextended(name, 0))))
    )


def extend_statement_timeout() -> None:
    """The rest of this transaction may wait for a large file for longer than an idle one is let
    live.
    """
    session().execute(text("SET LOCAL idle_in_transaction_session_timeout = '30min'"))
