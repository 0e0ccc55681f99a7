"""Makes an export of the log in the background. Killed, it is made again, over the same checkpoint and to the same bytes."""

from uuid import UUID

from governance.foundation.audit import queries as audit
from governance.foundation.logbook import actions, queries
from governance.foundation.logbook.exporting import Plan, Tally, Tell, stream
from governance.foundation.logbook.filters import parse
from governance.kernel import current
from governance.kernel.background_work import PacedProgress, keep, target_of
from governance.kernel.db import transaction
from governance.kernel.errors import Unavailable
from governance.kernel.formatting import thousands
from governance.kernel.jobs import Progress, WorkItem, work
from governance.kernel.storage import Blob


@work(actions.EXPORTS.name)
def make_export(item: WorkItem, progress: Progress) -> None:
    """The work of one LogExport (item.target_id)."""
    export_id = target_of(actions.EXPORTS, item)
    with transaction():
        plan = _plan(export_id)
    if plan is None:
        return
    tally = Tally()

    def file(blob: Blob) -> bool:
        return actions.file_export(queries.export(export_id, lock=True).row, blob, tally.entries)

    keep(actions.EXPORTS, item, stream(plan, tally, _telling(PacedProgress(progress), plan.size)), file)


def _plan(export_id: UUID) -> Plan | None:
    """What to write; None when an earlier try has filed it."""
    export = queries.export(export_id, lock=True).row
    if export.storage_key is not None:
        return None
    mark = audit.last_checkpoint() if export.checkpoint is None else audit.checkpoint(export.checkpoint)
    if mark is None or not mark.size:
        raise Unavailable("The log has no signed checkpoint yet. It gets one in a moment.")
    if export.checkpoint is None:
        actions.aim_export(export, mark.number)
    return Plan(export.format, parse(export.query), current.actor().time_zone, mark.origin, mark.size, mark.note)


def _telling(progress: PacedProgress, size: int) -> Tell:
    def tell(at: int) -> None:
        progress(at, size, f"Entry {thousands(at)} of {thousands(size)}", always=at in {0, size})

    return tell
