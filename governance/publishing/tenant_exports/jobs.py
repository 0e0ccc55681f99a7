"""The job that generates archives in the background."""

import tempfile

from governance.kernel.data.db import transaction
from governance.kernel.files.storage import Blob
from governance.kernel.work.background_work import PacedProgress, keep, target_of
from governance.kernel.work.jobs import Progress, WorkItem, work
from governance.publishing.tenant_exports import actions, archive, queries, tables


@work(actions.EXPORTS.name)
def generate(item: WorkItem, progress: Progress) -> None:
    """Generate one TenantExport (item.target_id). A killed run starts again."""
    export_id = target_of(actions.EXPORTS, item)
    with transaction(read_only=True):
        if queries.export(export_id).is_ready:
            return
    total, paced, steps = len(tables.exported_tables()), PacedProgress(progress), set[str]()

    def report(step: str) -> None:
        steps.add(step)
        paced(min(len(steps), total), total, step)

    with tempfile.TemporaryFile() as file:
        contents = archive.write(file, report)
        file.seek(0)

        def name(blob: Blob) -> bool:
            row = queries.export(export_id, lock=True)
            return actions.keep(row, blob, contents.summary)

        keep(actions.EXPORTS, item, file, name)
