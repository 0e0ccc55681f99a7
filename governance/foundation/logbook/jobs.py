"""Background work of the log: exports, and the nightly check of every log.

An export that is killed is generated again over the same checkpoint, to the same bytes.
"""

from functools import partial
from uuid import UUID

import structlog

from governance.foundation.audit import fsck
from governance.foundation.audit import queries as audit
from governance.foundation.audit.fsck_report import FsckReport
from governance.foundation.logbook import actions, queries
from governance.foundation.logbook.export_writer import ExportPlan, ExportProgress, Report, stream
from governance.foundation.logbook.filters import parse
from governance.foundation.tenants.for_each_tenant import in_each
from governance.kernel import clock, current
from governance.kernel.data.db import transaction
from governance.kernel.errors import Unavailable
from governance.kernel.files.storage import Blob
from governance.kernel.formatting import thousands
from governance.kernel.work.background_work import PacedProgress, keep, target_of
from governance.kernel.work.jobs import Progress, WorkItem, has_run, once_per, work

CHECK = "check the log"
MAX_LOGGED_FINDINGS = 5
log = structlog.get_logger("logbook")


@work(actions.EXPORTS.name)
def generate_export(item: WorkItem, progress: Progress) -> None:
    """Generate one LogExport (item.target_id)."""
    export_id = target_of(actions.EXPORTS, item)
    with transaction():
        plan = _plan(export_id)
    if plan is None:
        return
    written = ExportProgress()

    def file(blob: Blob) -> bool:
        return actions.file_export(queries.export(export_id, lock=True).row, blob, written.entries)

    keep(
        actions.EXPORTS,
        item,
        stream(plan, written, _reporting(PacedProgress(progress), plan.size)),
        file,
    )


def _plan(export_id: UUID) -> ExportPlan | None:
    """Return what to write; None when an earlier try has stored the export."""
    export = queries.export(export_id, lock=True).row
    if export.storage_key is not None:
        return None
    signed = (
        audit.last_checkpoint()
        if export.checkpoint is None
        else audit.checkpoint(export.checkpoint)
    )
    if signed is None or not signed.size:
        raise Unavailable("The log has no signed checkpoint yet. It gets one in a moment.")
    if export.checkpoint is None:
        actions.aim_export(export, signed.number)
    return ExportPlan(
        export.format,
        parse(export.query),
        current.actor().time_zone,
        signed.origin,
        signed.size,
        signed.note,
    )


def _reporting(progress: PacedProgress, size: int) -> Report:
    def report(at: int) -> None:
        progress(at, size, f"Entry {thousands(at)} of {thousands(size)}", always=at in {0, size})

    return report


def check_logs() -> None:
    """Verify every log against its stored bytes, each night.

    The outcome is recorded in that log; damage is also an error line of the operator's.
    """
    period = clock.today().isoformat()
    in_each(
        partial(_check_log, period),
        "log not checked",
        wanted=lambda t: not has_run(CHECK, t.slug, period),
    )


def _check_log(period: str) -> None:
    slug, report = current.actor().tenant_slug, check_log()
    with transaction():  # Claimed after the check, so that a check that was killed runs again.
        if once_per(CHECK, slug, period):
            fsck.record_outcome(report)
    if not report.ok:
        log.error(
            "audit log damaged",
            tenant=slug,
            findings=[f.sentence for f in report.findings[:MAX_LOGGED_FINDINGS]],
        )


def check_log(report: fsck.Progress = lambda _done, _total: None) -> FsckReport:
    """Check the acting tenant's log as it is at one instant, while others go on writing.

    `report(done, total)` receives the number of entries after each page.
    """
    with transaction(read_only=True, snapshot=True):
        return fsck.fsck(report)
