"""Makes exports in the background (killed, one is made again over the same checkpoint, to the same
bytes); checks every log at night.
"""

from functools import partial
from uuid import UUID

import structlog

from governance.foundation.audit import fsck
from governance.foundation.audit import queries as audit
from governance.foundation.logbook import actions, queries
from governance.foundation.logbook.export_writer import ExportPlan, ExportProgress, Tell, stream
from governance.foundation.logbook.filters import parse
from governance.foundation.tenants.for_each_tenant import in_each
from governance.kernel import clock, current
from governance.kernel.background_work import PacedProgress, keep, target_of
from governance.kernel.db import transaction
from governance.kernel.errors import Unavailable
from governance.kernel.formatting import thousands
from governance.kernel.jobs import Progress, WorkItem, has_run, once_per, work
from governance.kernel.storage import Blob

CHECK = "check the log"
FIRST_FINDINGS = 5
log = structlog.get_logger("logbook")


@work(actions.EXPORTS.name)
def make_export(item: WorkItem, progress: Progress) -> None:
    """The work of one LogExport (item.target_id)."""
    export_id = target_of(actions.EXPORTS, item)
    with transaction():
        plan = _plan(export_id)
    if plan is None:
        return
    tally = ExportProgress()

    def file(blob: Blob) -> bool:
        return actions.file_export(queries.export(export_id, lock=True).row, blob, tally.entries)

    keep(
        actions.EXPORTS,
        item,
        stream(plan, tally, _telling(PacedProgress(progress), plan.size)),
        file,
    )


def _plan(export_id: UUID) -> ExportPlan | None:
    """What to write; None when an earlier try has filed it."""
    export = queries.export(export_id, lock=True).row
    if export.storage_key is not None:
        return None
    mark = (
        audit.last_checkpoint()
        if export.checkpoint is None
        else audit.checkpoint(export.checkpoint)
    )
    if mark is None or not mark.size:
        raise Unavailable("The log has no signed checkpoint yet. It gets one in a moment.")
    if export.checkpoint is None:
        actions.aim_export(export, mark.number)
    return ExportPlan(
        export.format,
        parse(export.query),
        current.actor().time_zone,
        mark.origin,
        mark.size,
        mark.note,
    )


def _telling(progress: PacedProgress, size: int) -> Tell:
    def tell(at: int) -> None:
        progress(at, size, f"Entry {thousands(at)} of {thousands(size)}", always=at in {0, size})

    return tell


def check_logs() -> None:
    """Nightly: derive every log again from its stored bytes; the outcome goes to that log, and
    damage to ours too.
    """
    period = clock.today().isoformat()
    in_each(
        partial(_check_log, period),
        "log not checked",
        wanted=lambda t: not has_run(CHECK, t.slug, period),
    )


def _check_log(period: str) -> None:
    slug, report = current.actor().tenant_slug, check_log()
    with transaction():  # claimed afterwards: a check that was killed is made again
        if once_per(CHECK, slug, period):
            fsck.note(report)
    if not report.ok:
        log.error(
            "audit log damaged",
            tenant=slug,
            findings=[f.sentence for f in report.findings[:FIRST_FINDINGS]],
        )


def check_log(told: fsck.Told = lambda _done, _total: None) -> fsck.Report:
    """The acting tenant's log, as it is at one instant while others go on writing."""
    with transaction(read_only=True, snapshot=True):
        return fsck.fsck(told)
