"""Makes an export of the log in the background. Killed, it is made again, over the same checkpoint and to the same bytes."""

import time
from uuid import UUID

from governance.foundation.audit import queries as audit
from governance.foundation.logbook import actions, permissions, queries
from governance.foundation.logbook.exporting import Plan, Tally, Tell, stream
from governance.foundation.logbook.filters import parse
from governance.kernel import access, current
from governance.kernel.db import transaction
from governance.kernel.errors import Forbidden, Unavailable
from governance.kernel.formatting import thousands
from governance.kernel.jobs import Progress, WorkItem, work
from governance.kernel.storage import store

LIMIT = 64 * 1024**3  # bytes: forty million entries
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
