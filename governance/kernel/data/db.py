"""One transaction per request, job or command; every row stamped and filtered by tenant.

The tenant is set three times over: `Tenanted` stamps new rows, the session adds the filter to every
ORM statement, and PostgreSQL's FORCEd row-level security proves it for everything else.
"""

import re
from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

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

from governance.kernel import clock, current
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import NotFound, Unavailable


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
    """Mixin for every row that belongs to one tenant.

    Its key and every index begin with tenant_id.
    """

    tenant_id: Mapped[UUID] = mapped_column(
        primary_key=True, sort_order=-4, default=lambda: current.actor().tenant_id
    )


def tenant_fk(column: str, table: str, *, on_delete: str | None = None) -> ForeignKeyConstraint:
    """Return a foreign key to another row of the same tenant.

    A foreign key alone would bypass row-level security.
    """
    return ForeignKeyConstraint(
        ["tenant_id", column], [f"{table}.tenant_id", f"{table}.id"], ondelete=on_delete
    )


# Per process: one for each thread of `kernel/web/server.py`, and for the three that follow, load
# and publish decisions.
MAX_CONNECTIONS = 32
_sessions = sessionmaker(join_transaction_mode="create_savepoint")
_work: ContextVar[Session] = ContextVar("work")
_engine: Engine | None = None
_bind: Engine | Connection | None = None  # A connection in tests, with a savepoint per transaction.


def connect(bind: str | Engine | Connection) -> None:
    """Bind the application to a database.

    A Connection (tests) makes every transaction a savepoint in it.
    """
    global _engine, _bind
    if isinstance(bind, str):
        bind = create_engine(
            bind,
            pool_size=8,
            max_overflow=MAX_CONNECTIONS - 8,
            pool_timeout=10,
            connect_args=_CONNECT,
            hide_parameters=True,
        )
    _engine, _bind = (bind if isinstance(bind, Engine) else bind.engine), bind


_CONNECT = {
    "connect_timeout": 5,
    "options": "-c statement_timeout=15000 -c idle_in_transaction_session_timeout=60000",
}


def engine() -> Engine:
    if _engine is None:
        raise RuntimeError("no database: call connect() first")
    return _engine


def session() -> Session:
    return _work.get()


def connection() -> Connection:
    """Return the connection of this transaction, after flushing its session."""
    work = _work.get()
    work.flush()
    return work.connection()


def info() -> dict[str, Any]:
    """Return the values that this transaction stores for itself."""
    return _work.get().info


def is_open() -> bool:
    """Return whether a transaction is open here."""
    return _work.get(None) is not None


@contextmanager
def transaction(
    *,
    read_only: bool = False,
    snapshot: bool = False,
    tenant_id: UUID | None = None,
    person_id: UUID | None = None,
) -> Generator[Session]:
    """Commit on success, roll back on any exception.

    Nothing else in the code base commits.

    The tenant is the acting one unless given (sign-in knows the tenant before it knows the person).
    `person_id` opens the one policy that crosses tenants: people may list their own memberships. A
    `snapshot` shows the database as it was at its first statement, for as long as it is read
    (REPEATABLE READ).
    """
    who = current.actor_or_none()
    tenant = tenant_id or (who.tenant_id if who else None)
    with _opened(read_only=read_only, snapshot=snapshot, tenant=tenant, person=person_id) as work:
        work.info["tenant_id"] = tenant
        work.info["may_recall"] = (
            read_only and tenant is not None and person_id is None
        )  # For kernel/data/tenant_cache.py.
        token = _work.set(work)
        try:
            yield work
            _commit(work)
        except BaseException:
            work.rollback()
            raise
        finally:
            _work.reset(token)


def _commit(work: Session) -> None:
    """Commit. Raises Unavailable if the connection is lost.

    The database may or may not have kept the work then.
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


@contextmanager
def _opened(
    *, read_only: bool, snapshot: bool, tenant: UUID | None, person: UUID | None
) -> Generator[Session]:
    """Yield a session in a transaction of this tenant.

    A connection that a database restart has broken is replaced once.
    """
    options: dict[str, Any] = {"postgresql_readonly": True} if read_only else {}
    if snapshot:
        options["isolation_level"] = "REPEATABLE READ"
    for is_last_try in (False, True):
        with _sessions(bind=_bind or engine()) as work:
            try:
                if isinstance(_bind, Connection):  # It is in a transaction already.
                    begun = work.connection()
                    if read_only:
                        begun.exec_driver_sql("SET TRANSACTION READ ONLY")
                else:
                    begun = work.connection(execution_options=options)
                begun.exec_driver_sql(_SETTINGS, (_setting(tenant), _setting(person)))
            except PoolExhausted as error:
                raise Unavailable(
                    "Meridian is busy. Nothing was changed; try again in a moment."
                ) from error
            except DBAPIError as error:
                work.invalidate()
                engine().dispose()
                if is_last_try:
                    raise Unavailable(
                        "The database is unavailable. Nothing was changed; try again in a moment."
                    ) from error
                continue
            yield work
            return


_SETTINGS = "SELECT set_config('app.tenant', %s, true), set_config('app.person', %s, true)"


def _setting(value: UUID | None) -> str:
    if value is not None and not isinstance(value, UUID):
        raise TypeError("a tenant or person is named by a UUID")
    return str(value or "")


def find[M: Model](
    model: type[M], row_id: UUID, *, what: str | None = None, lock: bool = False
) -> M:
    """Return the row with that id in the current tenant. Raises NotFound for any other tenant's.

    Ids never change, so the lock still lets other rows reference it: a stop doesn't wait for
    someone's edit. `what` is the noun of the error.
    """
    query = select(model).where(model.id == row_id)
    locked = query.with_for_update(key_share=True) if lock else query
    found = session().scalars(locked).one_or_none()
    if found is None:
        raise NotFound(
            f"This {what or _noun(model)} doesn't exist, or you don't have access to it."
        )
    return found


def find_several[M: Model](
    model: type[M], ids: Collection[UUID], *, order: Any, lock: bool = False
) -> Sequence[M]:
    """Return these rows of the current tenant in this order, as far as they exist.

    Locked rows are read again, so that they have what was committed while the lock was awaited.
    """
    query = select(model).where(model.id.in_(ids)).order_by(order)
    locked = query.with_for_update(key_share=True).execution_options(populate_existing=True)
    return session().scalars(locked if lock else query).all()


def among(column: Any, ids: Collection[UUID]) -> ColumnElement[bool]:
    """Return the condition that the column is one of these ids.

    They are sent as one array: one statement to prepare, for any number of ids.
    """
    found: ColumnElement[bool] = column == any_(literal(list(ids), ARRAY(Uuid)))
    return found


def _noun(model: type[Model]) -> str:
    """Return "work item" for WorkItem."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", model.__name__).lower()


@event.listens_for(_sessions, "do_orm_execute")
def _filter_by_tenant(state: ORMExecuteState) -> None:
    tenant_id = state.session.info.get("tenant_id")
    if state.is_column_load or state.is_relationship_load or tenant_id is None:
        return
    state.statement = state.statement.options(
        state.session.info.get("tenant_filter") or _tenant_filter(state.session, tenant_id)
    )


def _tenant_filter(work: Session, tenant_id: UUID) -> ORMOption:
    """Return the filter of every statement of this transaction, built once.

    It doesn't compare with the bare id: for a tenant that was created after the last ANALYZE
    PostgreSQL would expect one row, and join it row by row (docs/decisions/0042).
    """
    mine = select(literal(tenant_id, Uuid)).scalar_subquery()
    found = with_loader_criteria(Tenanted, lambda cls: cls.tenant_id == mine, include_aliases=True)
    work.info["tenant_filter"] = found
    return found


def notify(channel: str, payload: str = "") -> None:
    """Notify other processes, when this transaction commits."""
    session().execute(
        text("SELECT pg_notify(:channel, :payload)"), {"channel": channel, "payload": payload}
    )


@contextmanager
def within(who: current.Actor) -> Generator[None]:
    """Act in another tenant inside the current transaction: both commit together, or neither.

    It is for what an operator does to a tenant, which belongs in both logs. Row-level security
    follows; a savepoint that is rolled back restores its tenant by itself.
    """
    with _moved_to(who.tenant_id), current.acting_as(who):
        yield
        session().flush()


@contextmanager
def over_all_tenants() -> Generator[None]:
    """Write rows that belong to no tenant inside the current transaction.

    The database lets no tenant's transaction do it. It is for commands of the installation.
    """
    with _moved_to(None):
        yield


@contextmanager
def _moved_to(tenant_id: UUID | None) -> Generator[None]:
    work = session()
    work.flush()
    kept = dict(work.info)
    work.info.clear()
    work.info.update(tenant_id=tenant_id, may_recall=False)
    try:
        _move_to(work, tenant_id)
        yield
        work.flush()
    finally:
        work.info.clear()
        work.info.update(kept)
        with suppress(DBAPIError):  # In an aborted transaction only a rollback is possible.
            _move_to(work, kept.get("tenant_id"))


def _move_to(work: Session, tenant_id: UUID | None) -> None:
    work.execute(select(func.set_config("app.tenant", _setting(tenant_id), True)))


def lock_tenant(purpose: str) -> None:
    """Lock the tenant for a purpose until this transaction ends.

    Of two clicks, the second one sees the first.
    """
    name = f"{current.actor().tenant_id}:{purpose}"
    session().execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def try_lock_tenant(purpose: str) -> bool:
    """Take the same lock without waiting; return False if another transaction has it."""
    name = f"{current.actor().tenant_id}:{purpose}"
    return bool(
        session().scalar(select(func.pg_try_advisory_xact_lock(func.hashtextextended(name, 0))))
    )


def extend_statement_timeout() -> None:
    """Let the rest of this transaction wait longer than usual for a large file.

    The timeout of an idle transaction becomes 30 minutes.
    """
    session().execute(text("SET LOCAL idle_in_transaction_session_timeout = '30min'"))
