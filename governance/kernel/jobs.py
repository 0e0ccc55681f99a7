"""Long work: a row with progress that a person can watch, leave and cancel; a queue by SKIP LOCKED; a schedule.

`enqueue` writes the row in the caller's transaction. The jobs process claims tickets, runs the handler as
the person who asked, and keeps a lease; a killed process' work is taken up again, and after three tries it
is marked failed, once. Scheduled jobs run in the process that holds an advisory lock, and each period once,
because the row (job, scope, period) is unique.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Index, select, text
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel import clock, current, db
from governance.kernel.db import Model, Tenanted, session, transaction
from governance.kernel.errors import DomainError

LEASE = timedelta(seconds=60)
TRIES = 3
log = structlog.get_logger("jobs")


class WorkItem(Tenanted, Model):
    """One piece of long work, as the tenant sees it."""

    __tablename__ = "work_items"
    __table_args__ = (Index(None, "tenant_id", "state", "created_at"),)

    kind: Mapped[str]
    target_id: Mapped[UUID | None]
    params: Mapped[dict[str, Any]] = mapped_column(default=dict)
    state: Mapped[str] = mapped_column(default="queued")  # queued running done failed cancelled
    step: Mapped[str] = mapped_column(default="Waiting for its turn")
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]
    asked_by: Mapped[UUID | None]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    cancel_asked: Mapped[bool] = mapped_column(default=False)

    @property
    def is_over(self) -> bool:
        return self.state in {"done", "failed", "cancelled"}

    @property
    def percent(self) -> int:
        return min(100, 100 * self.done // self.total) if self.total else 0


class WorkTicket(Model):
    """The queue over all tenants: ids only, nothing of a tenant's content, hence no row-level security."""

    __tablename__ = "work_tickets"
    __table_args__ = (Index(None, "ready_at"),)

    for_tenant: Mapped[UUID]
    kind: Mapped[str]
    ready_at: Mapped[datetime]
    tries: Mapped[int] = mapped_column(default=0)


class JobRun(Model):
    """A scheduled job has run for a period. Unique, so that two schedulers cannot both run it."""

    __tablename__ = "job_runs"
    __table_args__ = (Index("uq_job_runs_job_scope_period", "job", "scope", "period", unique=True),)

    job: Mapped[str]
    scope: Mapped[str]
    period: Mapped[str]


class Cancelled(Exception):  # noqa: N818 - a fact, not an error
    """The person who watches has cancelled the work."""


Handler = Callable[["WorkItem", "Progress"], None]
ActorOf = Callable[[WorkItem], current.Actor]
handlers: dict[str, Handler] = {}


def work(kind: str) -> Callable[[Handler], Handler]:
    """Declare the handler of a kind of work."""

    def declare(handler: Handler) -> Handler:
        handlers[kind] = handler
        return handler

    return declare


def enqueue(kind: str, target_id: UUID | None = None, **params: Any) -> WorkItem:
    """Queue work in the present transaction; it starts after the commit."""
    who = current.actor()
    item = WorkItem(kind=kind, target_id=target_id, params=params, asked_by=who.person_id)
    session().add(item)
    session().flush()
    session().add(WorkTicket(id=item.id, for_tenant=who.tenant_id, kind=kind, ready_at=clock.now()))
    session().flush()
    db.notify("work")
    return item


def cancel(item: WorkItem) -> None:
    """Ask the work to stop; queued work stops at once, running work at its next step."""
    item.cancel_asked = True
    if item.state == "queued":
        item.state, item.step, item.finished_at = "cancelled", "Cancelled before it began", clock.now()


@dataclass(slots=True)
class Progress:
    """What a handler calls to say how far it is; raises Cancelled when the person asked for that."""

    item_id: UUID
    actor: current.Actor

    def __call__(self, done: int, total: int, step: str) -> None:
        with current.acting_as(self.actor), transaction():
            row = session().scalars(select(WorkItem).where(WorkItem.id == self.item_id)).one()
            row.done, row.total, row.step = done, total, step
            stop = row.cancel_asked
            session().execute(
                text("UPDATE work_tickets SET ready_at = :until WHERE id = :id"),
                {"until": clock.now() + LEASE, "id": self.item_id},
            )
        if stop:
            raise Cancelled


def run_next(actor_of: ActorOf) -> bool:
    """Claim one ready ticket and run it; False when there is none."""
    with transaction():
        ticket = session().scalars(
            select(WorkTicket).where(WorkTicket.ready_at <= clock.now()).order_by(WorkTicket.ready_at)
            .limit(1).with_for_update(skip_locked=True)
        ).one_or_none()  # fmt: skip
        if ticket is None:
            return False
        ticket.tries, ticket.ready_at = ticket.tries + 1, clock.now() + LEASE
        item_id, tenant_id, tries = ticket.id, ticket.for_tenant, ticket.tries
    _run(item_id, tenant_id, tries, actor_of)
    return True


def _run(item_id: UUID, tenant_id: UUID, tries: int, actor_of: ActorOf) -> None:
    with transaction(tenant_id=tenant_id):
        item = session().scalars(select(WorkItem).where(WorkItem.id == item_id)).one_or_none()
        if item is None or item.is_over or tries > TRIES:
            if item is not None and not item.is_over:
                _finish(item, "failed", f"Failed after {TRIES} tries; nothing was sent")
            _drop_ticket(item_id)
            return
        who = actor_of(item)
        item.state, item.started_at = "running", item.started_at or clock.now()
        session().expunge(item)
        session().execute(
            text("UPDATE work_items SET state = 'running', started_at = coalesce(started_at, :now) WHERE id = :id"),
            {"now": clock.now(), "id": item_id},
        )
    with current.acting_as(who):
        state, step, error = _handle(item, Progress(item_id, who))
        with transaction():
            row = session().scalars(select(WorkItem).where(WorkItem.id == item_id)).one()
            _finish(row, state, step, error)
            _drop_ticket(item_id)


def _handle(item: WorkItem, progress: Progress) -> tuple[str, str, str | None]:
    try:
        handlers[item.kind](item, progress)
    except Cancelled:
        return "cancelled", "Cancelled; nothing was kept", None
    except DomainError as refused:
        return "failed", refused.message, refused.message
    except Exception as error:  # noqa: BLE001 - the edge of the process: whatever it is, the row must say so
        log.error("work failed", kind=item.kind, item=str(item.id), exc_info=error)
        return "failed", "Failed inside the console; the operator's log has the cause", type(error).__name__
    return "done", "Done", None


def _finish(item: WorkItem, state: str, step: str, error: str | None = None) -> None:
    item.state, item.step, item.error, item.finished_at = state, step, error, clock.now()


def _drop_ticket(item_id: UUID) -> None:
    session().execute(text("DELETE FROM work_tickets WHERE id = :id"), {"id": item_id})


def once_per(job: str, scope: str, period: str) -> bool:
    """True for exactly one caller: claims the period in the present transaction."""
    claimed = session().execute(
        text("INSERT INTO job_runs (id, job, scope, period, created_at) VALUES (gen_random_uuid(), :job, :scope, :period, :now)"
             " ON CONFLICT (job, scope, period) DO NOTHING"),
        {"job": job, "scope": scope, "period": period, "now": clock.now()},
    )  # fmt: skip
    return bool(claimed.rowcount)  # type: ignore[attr-defined]  # CursorResult at run time


def drain(actor_of: ActorOf) -> int:
    """Run everything that is ready, in this process: the demo's one run, and tests."""
    count = 0
    while run_next(actor_of):
        count += 1
    return count


def work_loop(actor_of: ActorOf, stop: threading.Event, idle_seconds: float = 0.5) -> None:
    """The jobs process: run what is ready, wait a little when nothing is."""
    while not stop.is_set():
        try:
            busy = run_next(actor_of)
        except DomainError as away:
            log.warning("queue unreachable", reason=away.message)
            busy = False
        if not busy:
            stop.wait(idle_seconds)


class Leader:
    """One process of many runs the schedule: it holds an advisory lock on a connection of its own."""

    KEY = 7_305_711

    def __init__(self) -> None:
        self._connection: Any = None

    def leads(self) -> bool:
        """Ask at each tick: a lost connection has lost the lock."""
        try:
            if self._connection is None:
                self._connection = db.engine().connect().execution_options(isolation_level="AUTOCOMMIT")
            return bool(self._connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": self.KEY})) if not self._holds() else True
        except Exception:  # noqa: BLE001 - any fault of that connection means: not the leader
            self._connection = None
            return False

    def _holds(self) -> bool:
        query = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = :key AND pid = pg_backend_pid() AND granted"
        return bool(self._connection.scalar(text(query), {"key": self.KEY}))


def scheduler(jobs: dict[str, tuple[Callable[[], None], dict[str, Any]]]) -> Any:
    """APScheduler with a memory store: name → (function, trigger arguments of 'cron')."""
    from apscheduler.schedulers.background import BackgroundScheduler  # noqa: PLC0415 - only the jobs process pays for it

    leader, schedule = Leader(), BackgroundScheduler(timezone="UTC")

    def led(run: Callable[[], None]) -> Callable[[], None]:
        return lambda: run() if leader.leads() else None

    for name, (run, when) in jobs.items():
        schedule.add_job(led(run), "cron", id=name, coalesce=True, max_instances=1, misfire_grace_time=3600, **when)
    return schedule


__all__ = ["Cancelled", "JobRun", "Leader", "Progress", "WorkItem", "WorkTicket", "cancel", "drain", "enqueue",
           "handlers", "once_per", "run_next", "scheduler", "work", "work_loop"]  # fmt: skip
