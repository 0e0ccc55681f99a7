"""Makes exports in the background (killed, one is made again over the same checkpoint, to the same bytes); checks every log at night."""

import time
from functools import partial
from uuid import UUID

import structlog

from governance.foundation.audit import fsck
from governance.foundation.audit import queries as audit
from governance.foundation.logbook import actions, permissions, queries
from governance.foundation.logbook.exporting import Plan, Tally, Tell, stream
from governance.foundation.logbook.filters import parse
from governance.foundation.tenants.for_each_tenant import in_each
from governance.kernel import access, clock, current
from governance.kernel.db import transaction
from governance.kernel.errors import Forbidden, Unavailable
from governance.kernel.formatting import thousands
from governance.kernel.jobs import Progress, WorkItem, has_run, once_per, work
from governance.kernel.storage import store

LIMIT = 64 * 1024**3  # bytes: forty million entries
CHECK = "check the log"
FIRST_FINDINGS = 5
log = structlog.get_logger("logbook")
PAUSE = 0.3  # seconds between two words of progress: each is a small transaction


@work("log export")
def make_export(item: WorkItem, progress: Progress) -> None:
    """The work of one LogExport (item.target_id)."""
    if item.target_id is None:
        raise RuntimeError("an export's work names its export")
    if current.actor().person_id != item.asked_by:
        raise Forbidden("Whoever asked for this export is no longer a member. Nothing was exported.")
    access.require(permissions.EXPORT)
    with transaction():
        plan = _plan(item.target_id)
    if plan is None:
        return
    tally = Tally()
    blob = store().write(item.tenant_id, stream(plan, tally, _telling(progress, plan.size)), limit=LIMIT)
    with transaction():
        actions.file_export(queries.export(item.target_id, lock=True).export, blob, tally.entries)


def _plan(export_id: UUID) -> Plan | None:
    """What to write; None when an earlier try has filed it."""
    export = queries.export(export_id, lock=True).export
    if export.storage_key is not None:
        return None
    mark = audit.last_checkpoint() if export.checkpoint is None else audit.checkpoint(export.checkpoint)
    if mark is None or not mark.size:
        raise Unavailable("The log has no signed checkpoint yet. It gets one in a moment.")
    if export.checkpoint is None:
        actions.aim_export(export, mark.number)
    return Plan(export.format, parse(export.query), current.actor().time_zone, mark.origin, mark.size, mark.note)


def _telling(progress: Progress, size: int) -> Tell:
    last = 0.0

    def tell(at: int) -> None:
        nonlocal last
        if at in {0, size} or time.monotonic() - last > PAUSE:
            last = time.monotonic()
            progress(at, size, f"Entry {thousands(at)} of {thousands(size)}")

    return tell


def check_logs() -> None:
    """Nightly: derive every log again from its stored bytes; the outcome goes to that log, and damage to ours too."""
    period = clock.today().isoformat()
    in_each(partial(_check_log, period), "log not checked", wanted=lambda t: not has_run(CHECK, t.slug, period))


def _check_log(period: str) -> None:
    slug, report = current.actor().tenant_slug, check_log()
    with transaction():  # claimed afterwards: a check that was killed is made again
        if once_per(CHECK, slug, period):
            fsck.note(report)
    if not report.ok:
        log.error("audit log damaged", tenant=slug, findings=[f.sentence for f in report.findings[:FIRST_FINDINGS]])


def check_log(told: fsck.Told = lambda _done, _total: None) -> fsck.Report:
    """The acting tenant's log, as it is at one instant while others go on writing."""
    with transaction(read_only=True, snapshot=True):
        return fsck.fsck(told)
