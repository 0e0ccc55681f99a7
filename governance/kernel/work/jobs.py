"""Background jobs: a row with progress, a queue by SKIP LOCKED, and a schedule.

A person can watch, leave and cancel a job.

`enqueue` writes the row in the caller's transaction. The jobs process claims tickets; work that a
person waits for has a head start of twelve hours over work that the schedule queued. It runs the
handler as the requester, and keeps a lease while it lives. The work of a killed process is claimed
again, as is work that failed because something was down (mail server, disk, database); after three
tries it is marked as failed, once. A process that lost its lease, and did not notice, may no longer
write. Scheduled jobs run in the process that has an advisory lock, and each period once, because
the row (job, scope, period) is unique.
"""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Index, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel import clock, current
from governance.kernel.data import db
from governance.kernel.data.db import Model, Tenanted, session, transaction
from governance.kernel.errors import DomainError, Unavailable

LEASE = timedelta(seconds=60)
MAX_RUN_TIME = timedelta(minutes=30)
RETRY_PAUSE = timedelta(seconds=20)
MAX_ATTEMPTS = 3
# Head start of work that a person waits for: other work is delayed no longer than this.
HEAD_START = timedelta(hours=12)
PEOPLE = frozenset({"person", "operator"})
log = structlog.get_logger("jobs")


class WorkItem(Tenanted, Model):
    """A work item, as the tenant sees it."""

    __tablename__ = "work_items"
    __table_args__ = (Index(None, "tenant_id", "state", "created_at"),)

    kind: Mapped[str]
    target_id: Mapped[UUID | None]
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # One of: queued running done failed cancelled.
    state: Mapped[str] = mapped_column(default="queued")
    step: Mapped[str] = mapped_column(default="Queued")
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    requested_by: Mapped[UUID | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    cancel_requested: Mapped[bool] = mapped_column(default=False)

    @property
    def is_over(self) -> bool:
        return self.state in {"done", "failed", "cancelled"}

    @property
    def percent(self) -> int:
        return min(100, 100 * self.done // self.total) if self.total else 0


class WorkTicket(Model):
    """The queue over all tenants: ids only, no content of a tenant, hence no row-level security.

    Of the ready tickets, the earliest `place` is next. It is when the work became ready for the
    first time, HEAD_START earlier if a person waits for it; a retry keeps it.
    """

    __tablename__ = "work_tickets"
    __table_args__ = (Index(None, "place"),)

    for_tenant: Mapped[UUID]
    kind: Mapped[str]
    ready_at: Mapped[datetime]
    place: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)


class WorkFailure(Model):
    """Work that failed for good, over all tenants: ids only, as in the queue.

    `cause` is the class of the error, never its sentence, which may name something of the tenant.
    """

    __tablename__ = "work_failures"
    __table_args__ = (Index(None, "created_at"),)

    for_tenant: Mapped[UUID]
    kind: Mapped[str]
    cause: Mapped[str]


class JobRun(Model):
    """A scheduled job has run for a period. Unique, so that two schedulers cannot both run it."""

    __tablename__ = "job_runs"
    __table_args__ = (Index("uq_job_runs_job_scope_period", "job", "scope", "period", unique=True),)

    job: Mapped[str]
    scope: Mapped[str]
    period: Mapped[str]


class Cancelled(Exception):
    """The person who watches cancelled the work."""


class Superseded(Exception):
    """The lease ran out and another process has claimed the work; this one must stop writing."""


Handler = Callable[["WorkItem", "Progress"], None]
ActorOf = Callable[[WorkItem], current.Actor]
handlers: dict[str, Handler] = {}
secrets_of: dict[str, tuple[str, ...]] = {}
waited_for_of: dict[str, bool | None] = {}


def work(
    kind: str, *, secret: tuple[str, ...] = (), waited_for: bool | None = None
) -> Callable[[Handler], Handler]:
    """Declare the handler of a kind of work; its `secret` parameters are blanked when it is over.

    Somebody waits for it (`waited_for`) always (True), never (False), or if a person requested it
    (None): such work is done before the rest.
    """

    def declare(handler: Handler) -> Handler:
        handlers[kind] = handler
        secrets_of[kind] = secret
        waited_for_of[kind] = waited_for
        return handler

    return declare


def _queue(item: WorkItem, ready_at: datetime | None = None) -> None:
    """Write the ticket of that work; work for a later moment has no head start."""
    waited_for = waited_for_of.get(item.kind)
    if waited_for is None:
        waited_for = current.actor().kind in PEOPLE
    now = clock.now()
    ticket = WorkTicket(
        id=item.id,
        for_tenant=item.tenant_id,
        kind=item.kind,
        ready_at=ready_at or now,
        place=ready_at or (now - HEAD_START if waited_for else now),
    )
    session().add(ticket)
    session().flush()
    db.notify("work")


def enqueue(
    kind: str, target_id: UUID | None = None, *, ready_at: datetime | None = None, **params: Any
) -> WorkItem:
    """Queue work in the current transaction.

    It starts after the commit, and not before `ready_at`.
    """
    who = current.actor()
    item = WorkItem(kind=kind, target_id=target_id, params=params, requested_by=who.person_id)
    session().add(item)
    session().flush()
    _queue(item, ready_at)
    return item


def cancel(item: WorkItem) -> None:
    """Ask the work to stop; queued work stops immediately, running work at its next step."""
    # The worker may have started or finished it since.
    session().refresh(item, with_for_update=True)
    if item.is_over:
        return
    item.cancel_requested = True
    if item.state == "queued":
        _finish(item, "cancelled", "Cancelled before it started")


@dataclass(slots=True)
class Progress:
    """The function with which a handler reports its progress.

    Raises Cancelled when the person asked for that.
    """

    item_id: UUID
    actor: current.Actor
    tries: int = 1

    def __call__(self, done: int, total: int, step: str) -> None:
        with current.acting_as(self.actor), transaction():
            if not _renew(self.item_id, self.tries, LEASE):
                raise Superseded
            row = session().scalars(select(WorkItem).where(WorkItem.id == self.item_id)).one()
            row.done, row.total, row.step = done, total, step
            stop = row.cancel_requested
        if stop:
            raise Cancelled


def _renew(item_id: UUID, tries: int, by: timedelta) -> bool:
    """Keep the ticket for that long; return False if another process has it."""
    query = "UPDATE work_tickets SET ready_at = :until WHERE id = :id AND tries = :tries"
    kept = session().execute(
        text(query), {"until": clock.now() + by, "id": item_id, "tries": tries}
    )
    return bool(kept.rowcount)  # type: ignore[attr-defined]  # CursorResult at run time


@contextmanager
def _alive(item_id: UUID, tries: int) -> Generator[None]:
    """Renew the lease in the background while the handler runs, for steps of any length."""
    over = threading.Event()

    def renew() -> None:
        for _ in range(MAX_RUN_TIME // (LEASE / 3)):
            if over.wait(LEASE.total_seconds() / 3):
                return
            try:
                with transaction():
                    _renew(item_id, tries, LEASE)
            except (DomainError, DBAPIError) as away:
                log.warning("lease not renewed", reason=str(away))

    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def run_next(actor_of: ActorOf, *, of: UUID | None = None) -> bool:
    """Claim one ready ticket and run it; return False when there is none.

    With `of` it is one of this tenant.
    """
    ready = select(WorkTicket).where(WorkTicket.ready_at <= clock.now())
    if of is not None:
        ready = ready.where(WorkTicket.for_tenant == of)
    first = ready.order_by(WorkTicket.place).limit(1).with_for_update(skip_locked=True)
    with transaction():
        ticket = session().scalars(first).one_or_none()
        if ticket is None:
            return False
        ticket.tries, ticket.ready_at = ticket.tries + 1, clock.now() + LEASE
        item_id, tenant_id, tries = ticket.id, ticket.for_tenant, ticket.tries
    _run(item_id, tenant_id, tries, actor_of)
    return True


def _run(item_id: UUID, tenant_id: UUID, tries: int, actor_of: ActorOf) -> None:
    with transaction(tenant_id=tenant_id):
        item = (
            session()
            .scalars(select(WorkItem).where(WorkItem.id == item_id).with_for_update())
            .one_or_none()
        )
        if item is None or item.is_over or tries > MAX_ATTEMPTS:
            if item is not None and not item.is_over:
                _finish(item, "failed", f"Failed after {MAX_ATTEMPTS} attempts")
            _drop_ticket(item_id, tries)
            return
        who = actor_of(item)
        item.state, item.started_at = "running", item.started_at or clock.now()
        session().flush()
        session().expunge(item)
    with current.acting_as(who):
        with _alive(item_id, tries):
            end = _handle(item, Progress(item_id, who, tries))
        with transaction():
            _conclude(item_id, tries, end)


@dataclass(frozen=True, slots=True)
class End:
    """The end of one try: a state of the row and its sentence; `again` if another try can help."""

    state: str
    step: str
    error: str | None = None
    again: bool = False


def _handle(item: WorkItem, progress: Progress) -> End | None:
    try:
        handlers[item.kind](item, progress)
    except Cancelled:
        return End("cancelled", "Cancelled. Nothing was saved.")
    except Superseded:
        return None
    except Unavailable as away:
        return End("failed", away.message, away.message, again=True)
    except DomainError as refused:
        return End("failed", refused.message, refused.message)
    except Exception as error:
        log.exception("work failed", kind=item.kind, item=str(item.id))
        lost = isinstance(error, DBAPIError) and error.connection_invalidated
        return End(
            "failed",
            "Something went wrong in Meridian. The operator's log has the details.",
            type(error).__name__,
            again=lost,
        )
    return End("done", "Done")


def _conclude(item_id: UUID, tries: int, end: End | None) -> None:
    """Record how the try ended, unless another process has claimed the work since."""
    retry = end is not None and end.again and tries < MAX_ATTEMPTS
    if end is None or not (
        _renew(item_id, tries, RETRY_PAUSE * tries) if retry else _drop_ticket(item_id, tries)
    ):
        log.warning("work was taken over", item=str(item_id))
        return
    row = session().scalars(select(WorkItem).where(WorkItem.id == item_id).with_for_update()).one()
    if retry and not row.cancel_requested:
        row.state, row.step = "queued", f"Retrying soon: {end.step}"
    else:
        _finish(row, "cancelled" if retry else end.state, end.step, end.error)


def _finish(item: WorkItem, state: str, step: str, error: str | None = None) -> None:
    item.state, item.step, item.error, item.finished_at = state, step, error, clock.now()
    blank = dict.fromkeys(item.params.keys() & set(secrets_of.get(item.kind, ())), "")
    if blank:
        item.params = item.params | blank
    if state == "failed":
        cause = error if error is not None and error.isidentifier() else "refused"
        session().add(
            WorkFailure(id=item.id, for_tenant=item.tenant_id, kind=item.kind, cause=cause)
        )


def run_again(item: WorkItem) -> None:
    """Queue failed work again, for its requester; its handler continues from its row.

    Raises DomainError unless it has failed.
    """
    session().refresh(item, with_for_update=True)
    if item.state != "failed":
        raise DomainError("This work has not failed, so there is nothing to retry.")
    if secrets_of.get(item.kind):
        raise DomainError("Its content was removed when it failed, so it can't be retried.")
    item.state, item.step, item.error, item.finished_at = "queued", "Queued again", None, None
    item.cancel_requested = False
    forget_failure(item.id)
    _queue(item)


def forget_failure(item_id: UUID) -> None:
    """Remove failed work from the operator's list; its row stays with its tenant."""
    session().execute(text("DELETE FROM work_failures WHERE id = :id"), {"id": item_id})


def _drop_ticket(item_id: UUID, tries: int) -> bool:
    dropped = session().execute(
        text("DELETE FROM work_tickets WHERE id = :id AND tries = :tries"),
        {"id": item_id, "tries": tries},
    )
    return bool(dropped.rowcount)  # type: ignore[attr-defined]  # CursorResult at run time


def once_per(job: str, scope: str, period: str) -> bool:
    """Claim the period in the current transaction; return True for exactly one caller."""
    claimed = session().execute(
        text(
            "INSERT INTO job_runs (id, job, scope, period, created_at) VALUES (gen_random_uuid(),"
            " :job, :scope, :period, :now) ON CONFLICT (job, scope, period) DO NOTHING"
        ),
        {"job": job, "scope": scope, "period": period, "now": clock.now()},
    )
    return bool(claimed.rowcount)  # type: ignore[attr-defined]  # CursorResult at run time


def has_run(job: str, scope: str, period: str) -> bool:
    """Return whether somebody has claimed the period.

    It is for work that is too long for the claiming transaction.
    """
    query = select(JobRun.id).where(
        JobRun.job == job, JobRun.scope == scope, JobRun.period == period
    )
    return session().scalar(query) is not None


def drain(actor_of: ActorOf, *, of: UUID | None = None) -> int:
    """Run everything that is ready, in this process, for the demo and tests; return how many.

    With `of`, only the work of this tenant runs.
    """
    count = 0
    while run_next(actor_of, of=of):
        count += 1
    return count


def work_loop(actor_of: ActorOf, stop: threading.Event, idle_seconds: float = 0.5) -> None:
    """Run what is ready, and wait a little when nothing is: the loop of the jobs process."""
    while not stop.is_set():
        try:
            busy = run_next(actor_of)
        except DomainError as away:
            log.warning("queue unreachable", reason=away.message)
            busy = False
        except Exception:  # One fault must not end the process that everything waits for.
            log.exception("queue faltered")
            busy = False
        if not busy:
            stop.wait(idle_seconds)


class Leader:
    """The one process of many that runs the schedule.

    It has an advisory lock on a connection of its own.
    """

    KEY = 7_305_711

    def __init__(self) -> None:
        self._connection: Any = None
        self._has_resigned = False
        self._one_at_a_time = threading.Lock()

    def leads(self) -> bool:
        """Return whether this process leads, at each tick: a lost connection loses the lock."""
        with self._one_at_a_time:
            if self._has_resigned:
                return False
            try:
                if self._connection is None:
                    self._connection = (
                        db.engine().connect().execution_options(isolation_level="AUTOCOMMIT")
                    )
                    # The connection never returns to the pool: the lock lives as long as the
                    # connection.
                    self._connection.detach()
                return self._holds() or bool(
                    self._connection.scalar(
                        text("SELECT pg_try_advisory_lock(:key)"), {"key": self.KEY}
                    )
                )
            except Exception:  # noqa: BLE001 - any fault of that connection means: not the leader
                self._let_go()
                return False

    def resign(self) -> None:
        """Close the connection for good, which releases the lock to the next process."""
        with self._one_at_a_time:
            self._has_resigned = True
            self._let_go()

    def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # It may be broken: then the server has closed it.
                connection.close()

    def _holds(self) -> bool:
        query = (
            "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = :key AND pid ="
            " pg_backend_pid() AND granted"
        )
        return bool(self._connection.scalar(text(query), {"key": self.KEY}))


def scheduler(jobs: dict[str, tuple[Callable[[], None], dict[str, Any]]]) -> Any:
    """Return APScheduler with a memory store for name → (function, trigger arguments of 'cron').

    Each job also runs at the start, for the periods that were missed: it claims its period, so it
    does nothing if it ran already. On shutdown, it leaves the lead to another process immediately.
    """
    from apscheduler.events import (  # noqa: PLC0415
        EVENT_SCHEDULER_SHUTDOWN,
    )
    from apscheduler.schedulers.background import (  # noqa: PLC0415
        BackgroundScheduler,
    )

    from governance.kernel.work.schedule_times import cron  # noqa: PLC0415 - loads APScheduler, too

    leader, schedule = Leader(), BackgroundScheduler(timezone="UTC")
    schedule.add_listener(lambda _event: leader.resign(), EVENT_SCHEDULER_SHUTDOWN)

    def led(run: Callable[[], None]) -> Callable[[], None]:
        return lambda: run() if leader.leads() else None

    for name, (run, when) in jobs.items():
        schedule.add_job(
            led(run),
            cron(when),
            id=name,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=3600,
        )
        schedule.add_job(led(run), id=f"{name}, at the start", misfire_grace_time=None)
    return schedule


__all__ = [
    "Cancelled",
    "JobRun",
    "Leader",
    "Progress",
    "WorkFailure",
    "WorkItem",
    "WorkTicket",
    "cancel",
    "drain",
    "enqueue",
    "forget_failure",
    "handlers",
    "has_run",
    "once_per",
    "run_again",
    "run_next",
    "scheduler",
    "work",
    "work_loop",
]
