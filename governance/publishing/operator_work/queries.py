"""The installation's queue, scheduled jobs and disks. Nothing here has tenants' content."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import case, func, select, text

from governance.foundation.tenants.models import Tenant
from governance.kernel import clock
from governance.kernel.data.db import session
from governance.kernel.errors import NotFound
from governance.kernel.manifest import Scheduled, installed
from governance.kernel.web.identity import OPERATOR_SLUG
from governance.kernel.work.jobs import JobRun, WorkFailure, WorkItem, WorkTicket

MAX_LISTED = 50
PROPER_NAMES = {"scim": "SCIM", "prometheus": "Prometheus"}


@dataclass(frozen=True, slots=True)
class KindOfWork:
    """The numbers of waiting, running, postponed and failed work of a kind."""

    kind: str
    waiting: int = 0
    running: int = 0
    later: int = 0
    failed: int = 0
    oldest: datetime | None = None  # Since when the longest waiting one is ready.


@dataclass(frozen=True, slots=True)
class Job:
    """A scheduled job, and the newest period claimed for the operator's own tenant.

    Jobs that claim no period have none: they run each time.
    """

    name: str
    when: str
    last: str


@dataclass(frozen=True, slots=True)
class QueuedWork:
    """One work item, with its tenant."""

    id: UUID
    kind: str
    tenant: str
    slug: str
    at: datetime
    cause: str = ""


def kinds_of_work() -> list[KindOfWork]:
    """Return the numbers of queued and failed work by kind, in two statements."""
    now = clock.now()
    ready = WorkTicket.ready_at <= now
    query = select(
        WorkTicket.kind,
        func.sum(case((ready, 1), else_=0)),
        func.sum(case((~ready & (WorkTicket.tries > 0), 1), else_=0)),
        func.sum(case((~ready & (WorkTicket.tries == 0), 1), else_=0)),
        func.min(case((ready, WorkTicket.ready_at))),
    ).group_by(WorkTicket.kind)
    rows = {row[0]: row for row in session().execute(query)}
    counted = select(WorkFailure.kind, func.count()).group_by(WorkFailure.kind)
    failed = {row[0]: row[1] for row in session().execute(counted)}
    return [_kind(kind, rows.get(kind), failed.get(kind, 0)) for kind in sorted({*rows, *failed})]


def _kind(kind: str, row: Any, failed: int) -> KindOfWork:
    if row is None:
        return KindOfWork(kind, failed=failed)
    return KindOfWork(kind, int(row[1]), int(row[2]), int(row[3]), failed, row[4])


def failures() -> list[QueuedWork]:
    """List the newest failed work."""
    query = (
        select(WorkFailure, Tenant.name, Tenant.slug)
        .join(Tenant, Tenant.id == WorkFailure.for_tenant)
        .order_by(WorkFailure.created_at.desc())
    )
    return [
        QueuedWork(row[0].id, row[0].kind, row[1], row[2], row[0].created_at, row[0].cause)
        for row in session().execute(query.limit(MAX_LISTED))
    ]


def waiting() -> list[QueuedWork]:
    """List the ready work, the longest waiting first."""
    query = (
        select(WorkTicket, Tenant.name, Tenant.slug)
        .join(Tenant, Tenant.id == WorkTicket.for_tenant)
        .where(WorkTicket.ready_at <= clock.now())
        .order_by(WorkTicket.ready_at)
    )
    return [
        QueuedWork(row[0].id, row[0].kind, row[1], row[2], row[0].ready_at)
        for row in session().execute(query.limit(MAX_LISTED))
    ]


def tenant_of_work(item_id: UUID) -> Tenant:
    """Return the tenant of queued or failed work. Raises NotFound for other work."""
    for model in (WorkTicket, WorkFailure):
        query = select(Tenant).join(model, model.for_tenant == Tenant.id)
        found = session().scalars(query.where(model.id == item_id)).one_or_none()
        if found is not None:
            return found
    raise NotFound("This work isn't queued and hasn't failed. It may have finished meanwhile.")


def work_item(item_id: UUID) -> WorkItem:
    """Return the row of the work, in its tenant. Raises NotFound."""
    found = session().scalars(select(WorkItem).where(WorkItem.id == item_id)).one_or_none()
    if found is None:
        raise NotFound("This work no longer exists.")
    return found


def jobs() -> list[Job]:
    """List every scheduled job by name, in one statement."""
    known = sorted((job for each in installed() for job in each.schedule), key=lambda job: job.name)
    query = (
        select(JobRun.job, func.max(JobRun.period))
        .where(JobRun.job.in_([job.name for job in known]), JobRun.scope == OPERATOR_SLUG)
        .group_by(JobRun.job)
    )
    last = {row[0]: row[1] for row in session().execute(query)}
    return [Job(_title(job.name), _when(job), last.get(job.name, "")) for job in known]


def _title(name: str) -> str:
    """Return the title of a job, such as "Forget old SCIM requests"."""
    words = " ".join(PROPER_NAMES.get(word, word) for word in name.split())
    return words[:1].upper() + words[1:]


def _when(job: Scheduled) -> str:
    when = job.cron
    if "hour" in when:
        return f"daily at {when['hour']:02}:{when['minute']:02} UTC"
    if "minute" in when:
        return f"hourly at minute {when['minute']}"
    return "each minute" if isinstance(when["second"], int) else f"every {when['second'][2:]} s"


def database_bytes() -> int:
    return int(session().scalar(text("SELECT pg_database_size(current_database())")) or 0)


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk that Meridian writes to. Sizes are in bytes."""

    what: str
    used: int
    total: int

    @property
    def percent(self) -> int:
        return round(100 * self.used / self.total) if self.total else 0


def disks(folders: Sequence[tuple[str, Path]]) -> list[Disk]:
    """List the disks of these folders. Folders that aren't on this machine are omitted."""
    found = []
    for what, folder in folders:
        if folder.exists():
            usage = shutil.disk_usage(folder)
            found.append(Disk(what, usage.total - usage.free, usage.total))
    return found
