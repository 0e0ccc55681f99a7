"""Files generated in the background: request, watch, cancel, retry, store and download them.

    EXPORTS = WorkKind(name="log export", noun="export", model=LogExport, …)    declared once, next
                                         to the feature's actions
    start(row)                           store the request and queue its work, in the caller's
                                         transaction
    under_way(LogExport, *conditions)    what is queued or running: a second click watches the first
    cancel(run), retry(run)              with the audit entry that the kind declares
    target_of(EXPORTS, item)             in the handler: its row, if its requester is still a member
                                         with the permission
    keep(EXPORTS, item, stream, file)    store the file and let the feature name it in its row:
                                         both, or neither

The feature stores what it generates: its row (a `Generated`), the handler of its work, and what it
records. The progress of the work is in the WorkItem (decisions/0006). A killed handler runs again,
from what its row has stored.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, BinaryIO
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, mapped_column

from governance.kernel import clock, current
from governance.kernel.data.db import Model, Tenanted, find, lock_tenant, session, transaction
from governance.kernel.errors import DomainError, Forbidden, NotFound
from governance.kernel.files import storage
from governance.kernel.formatting import plural
from governance.kernel.safety import access
from governance.kernel.safety.access import Permission
from governance.kernel.safety.visibility_scope import limits
from governance.kernel.work import jobs
from governance.kernel.work.jobs import Cancelled, Progress, WorkItem

UNDER_WAY = ("queued", "running")
MAX_UNDER_WAY = 20  # Per kind and tenant, requested by people.
PAUSE_SECONDS = 0.3  # Seconds between two reports of progress: each is a small transaction.
ORPHANED_AFTER = timedelta(days=1)
MIN_DONE = 3  # Before that, the time left would be a guess.


class Generated(Tenanted, Model):
    """A row of something generated: who requested it, and the work that generates it."""

    __abstract__ = True

    work_item_id: Mapped[UUID | None] = mapped_column()
    requested_by: Mapped[UUID | None] = mapped_column()

    @property
    def is_ready(self) -> bool:
        """True if it has been generated."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class GeneratedFile:
    """A file for download: where its bytes are, or the bytes themselves."""

    name: str
    media_type: str
    key: str = ""
    content: bytes = b""
    size: int | None = None
    sha256: str | None = None


def _nothing(_row: Any) -> None:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkKind[R: Generated]:
    """One kind of generated object.

    Its callables take the row.

    `name` is that of its work items, `noun` its name in sentences. `view` is the permission to
    watch it, `permission` to request, cancel and retry it. `find` returns the row with an id if the
    person may see it, and raises NotFound otherwise. `page` is the endpoint of its page with the
    values of the address, `address` the values in the addresses that cancel and retry it.
    `requested` and `cancelled` record the audit entries; without `cancelled` it can't be cancelled.
    `renew` clears what an earlier try has stored and a retry must not use, or raises DomainError if
    there is nothing to retry. With `requester_only`, nothing is generated for a requester who has
    left or lost the permission. `stored` is the column with the key of the stored file, `prefix`
    the part of the storage that contains only these.
    """

    name: str
    noun: str
    model: type[R]
    view: Permission
    permission: Permission
    find: Callable[[UUID], R]
    title: Callable[[R], str]
    page: Callable[[R], tuple[str, Mapping[str, Any]]]
    address: Callable[[R], Mapping[str, Any]]
    requested: Callable[[R], object]
    cancelled: Callable[[R], object] | None
    renew: Callable[[R], object] = _nothing
    requester_only: bool = False
    stored: Any = None
    prefix: str | None = None
    max_bytes: int = 0
    icon: str = "file-text"
    result_label: str = "Open"

    def __post_init__(self) -> None:
        """Make the kind known to the pages that show any work. A name belongs to one kind."""
        if self.name in kinds or self.model in _of_model:
            raise ValueError(
                f"There are two kinds of background work {self.name!r}, or of"
                f" {self.model.__name__}."
            )
        kinds[self.name] = _of_model[self.model] = self
        may_watch[self.name] = self.view


kinds: dict[str, WorkKind[Any]] = {}
may_watch: dict[
    str, Permission
] = {}  # Kind of work → permission to watch it; without an entry, only its requester may.
_of_model: dict[type[Generated], WorkKind[Any]] = {}


def let_watch(name: str, view: Permission) -> None:
    """Let people with this permission watch a kind of work that has no row of its own."""
    may_watch[name] = view


def kind_of[R: Generated](row: R) -> WorkKind[R]:
    """Return the kind of the row."""
    return _of_model[type(row)]


@dataclass(frozen=True, slots=True)
class Run[R: Generated]:
    """A generated object, and the progress of its work."""

    row: R
    work: WorkItem | None

    @property
    def is_ready(self) -> bool:
        return self.row.is_ready

    @property
    def is_over(self) -> bool:
        return self.is_ready or self.work is None or self.work.is_over

    @property
    def state(self) -> str:
        """The state: ready, queued, running, failed or cancelled. Work without result failed."""
        if self.is_ready:
            return "ready"
        return self.work.state if self.work is not None and self.work.state != "done" else "failed"


# ---- reading


def with_work[R: Generated](model: type[R]) -> Select[R, WorkItem]:
    """Select each row with its work, for a feature to filter and order."""
    return select(model, WorkItem).outerjoin(WorkItem, WorkItem.id == model.work_item_id)


def run_of[R: Generated](row: R) -> Run[R]:
    """Return the row with its work; one statement."""
    query = select(WorkItem).where(WorkItem.id == row.work_item_id)
    return Run(row, session().scalars(query).one_or_none() if row.work_item_id else None)


def under_way[R: Generated](model: type[R], *conditions: Any, limit: int = 1) -> Sequence[R]:
    """Return the rows whose work has not ended."""
    query = select(model).join(WorkItem, WorkItem.id == model.work_item_id)
    return (
        session()
        .scalars(query.where(WorkItem.state.in_(UNDER_WAY), *conditions).limit(limit))
        .all()
    )


def watched(item_id: UUID) -> WorkItem:
    """Return the work with that id, if the reader requested it or may see its result.

    An auditor of an engagement sees no other work. Raises NotFound as the page of the result would.
    """
    item = find(WorkItem, item_id, what="task")
    if item.requested_by is not None and item.requested_by == current.actor().person_id:
        return item
    if item.kind not in may_watch or not access.allowed(may_watch[item.kind]):
        raise NotFound("This task doesn't exist.")
    if limits() is not None:
        kind = kinds.get(item.kind)
        if kind is None or item.target_id is None:
            raise NotFound("This task doesn't exist.")
        kind.find(item.target_id)
    return item


def progress_json(item: WorkItem) -> dict[str, object]:
    """Return what the progress row of a page shows, as JSON."""
    left = ""
    if item.state == "running" and item.started_at and item.done > MIN_DONE and item.total:
        seconds = (
            (clock.now() - item.started_at).total_seconds() * (item.total - item.done) / item.done
        )
        left = f"about {plural(max(1, round(seconds)), 'second')} left"
    return {
        "state": item.state,
        "step": item.step,
        "percent": item.percent,
        "left": left,
        "error": item.step if item.state == "failed" else "",
        "over": item.is_over,
    }


# ---- requesting, cancelling, retrying


def lock(model: type[Generated]) -> None:
    """Lock requests of the model, so that the second of two clicks sees the first one's.

    Then check what is in progress, and start.
    """
    lock_tenant(f"requests of {model.__tablename__}")


def start[R: Generated](row: R, *, is_limited: bool = True) -> R:
    """Store a request and queue its work.

    Raises DomainError if people of the tenant have MAX_UNDER_WAY of the kind in progress, unless
    the request is a consequence of something else (`is_limited` is False).
    """
    if is_limited and current.actor().kind == "person":
        waiting = under_way(type(row), limit=MAX_UNDER_WAY)
        if len(waiting) >= MAX_UNDER_WAY:
            raise DomainError(
                f"{MAX_UNDER_WAY} {kind_of(row).noun}s are in progress. Wait for one to finish, or"
                " cancel one."
            )
    session().add(row)
    session().flush()
    _queue(row)
    return row


def _queue(row: Generated) -> None:
    kind = kind_of(row)
    row.work_item_id = jobs.enqueue(kind.name, row.id).id
    kind.requested(row)


def cancel(run: Run[Any]) -> None:
    """Ask the work to stop. Idempotent.

    Raises DomainError if it is ready, or has ended otherwise.
    """
    kind = kind_of(run.row)
    if run.work is not None:
        session().refresh(run.work, with_for_update=True)
        session().refresh(run.row)  # The worker may have stored it since.
        if run.work.cancel_requested and not run.work.is_over:
            return
    if run.is_over or run.work is None:
        raise DomainError(f"This {kind.noun} is no longer in progress.")
    if kind.cancelled is None:
        raise DomainError(f"This {kind.noun} can't be cancelled.")
    jobs.cancel(run.work)
    kind.cancelled(run.row)


def retry(run: Run[Any]) -> None:
    """Queue it again after a failure or a cancellation.

    The second of two clicks changes nothing.
    """
    kind, before = kind_of(run.row), run.work.id if run.work else None
    lock(kind.model)
    session().refresh(run.row)
    if run.row.work_item_id != before:
        return
    if run.is_ready or (run.work is not None and run.work.state not in {"failed", "cancelled"}):
        raise DomainError(f"This {kind.noun} is already available or still being generated.")
    kind.renew(run.row)
    if before is not None:
        jobs.forget_failure(before)
    _queue(run.row)


# ---- generating


def target_of(kind: WorkKind[Any], item: WorkItem) -> UUID:
    """Return the id of the row that the work is for.

    Raises Forbidden if its requester must still be a member, and isn't.
    """
    if item.target_id is None:
        raise RuntimeError(f"the work of every {kind.noun} names its row")
    if kind.requester_only:
        if current.actor().person_id != item.requested_by:
            raise Forbidden(
                f"The requester of this {kind.noun} is no longer a member. Nothing was generated."
            )
        access.require(kind.permission)
    return item.target_id


class PacedProgress:
    """Progress at most about three times a second, since each report of it is a transaction."""

    def __init__(self, progress: Progress) -> None:
        self._progress, self._last = progress, 0.0

    def __call__(self, done: int, total: int, step: str, *, always: bool = False) -> None:
        if always or time.monotonic() - self._last > PAUSE_SECONDS:
            self._last = time.monotonic()
            self._progress(done, total, step)


def keep[R: Generated](
    kind: WorkKind[R], item: WorkItem, content: BinaryIO, file: Callable[[storage.Blob], bool]
) -> None:
    """Store the file, then let `file` name it in its row, in a transaction of its own.

    If that fails, nothing is left behind. `file` returns False when another process was faster.
    Raises Cancelled when the work was cancelled at the last moment.
    """
    blob = storage.store().write(item.tenant_id, content, limit=kind.max_bytes, prefix=kind.prefix)
    try:
        with transaction():
            work = _still_wanted(item)
            is_kept = file(blob)
            work.done = work.total
    except BaseException:
        _drop(kind, blob.key)
        raise
    if not is_kept:
        _drop(kind, blob.key)


def _still_wanted(item: WorkItem) -> WorkItem:
    work = session().scalars(select(WorkItem).where(WorkItem.id == item.id).with_for_update()).one()
    if work.cancel_requested:
        raise Cancelled
    return work


def _drop(kind: WorkKind[Any], key: str) -> None:
    """Remove a file that no row names. If that fails too, the nightly sweep removes it."""
    with suppress(DomainError, DBAPIError, OSError), transaction(read_only=True):
        if not _named(kind, [key]):
            storage.store().remove(key)


def _named(kind: WorkKind[Any], keys: Sequence[str]) -> set[str]:
    """Return those of these keys that a row of the kind names."""
    if kind.stored is None:
        return set(keys)
    return {
        key for key in session().scalars(select(kind.stored).where(kind.stored.in_(keys))) if key
    }


def sweep(kind: WorkKind[Any]) -> int:
    """Remove the tenant's files of a kind that no row has named for a day; return how many.

    A killed process leaves such files.
    """
    store, before = storage.store(), clock.now() - ORPHANED_AFTER
    old = [
        key
        for key, written in store.aged(f"{current.actor().tenant_id.hex}/{kind.prefix}")
        if written < before
    ]
    named = _named(kind, old)
    for key in (orphans := [key for key in old if key not in named]):
        store.remove(key)
    return len(orphans)
