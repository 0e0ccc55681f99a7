"""The job that generates the file of a document. A killed job runs again."""

import io
from typing import Any

from governance.foundation.tenants.for_each_tenant import once_a_day_in_each
from governance.kernel import clock, current
from governance.kernel.data.db import transaction
from governance.kernel.files.storage import Blob
from governance.kernel.work.background_work import keep, sweep, target_of
from governance.kernel.work.jobs import Progress, WorkItem, work
from governance.operations.systems import queries as systems
from governance.publishing.reports import actions as signing_keys
from governance.publishing.reports.models import SigningKey
from governance.publishing.reports.signatures import signed_pdf
from governance.publishing.system_documents import document_layout, file_actions, queries
from governance.publishing.system_documents.models import DocumentFile


@work(file_actions.FILES.name)
def make_document_file(item: WorkItem, progress: Progress) -> None:
    """Generate the file of one DocumentFile (item.target_id)."""
    signed_pdf.begin(progress)
    with transaction():
        row = queries.document_file(target_of(file_actions.FILES, item))
        key = signing_keys.current_signing_key()
        data = _data(row, key)
        private, key_name = signing_keys.private_key(key), key.name
    built = document_layout.build(data)
    packed = signed_pdf.generate(built, private, key_name, progress)

    def file(blob: Blob) -> bool:
        found = queries.document_file(target_of(file_actions.FILES, item), lock=True)
        name = signed_pdf.zip_name(built)
        return file_actions.file(found, blob, name=name, open_points=len(data["open"]))

    keep(file_actions.FILES, item, io.BytesIO(packed), file)


def _data(row: DocumentFile, key: SigningKey) -> dict[str, Any]:
    found = queries.document(row.document_id)
    system, actor = systems.system(found.system_id), current.actor()
    kind = found.kind_of
    return document_layout.content(
        queries.view(found, system).sections,
        tenant=(actor.tenant_slug, actor.tenant_name),
        system=(system.key, system.name),
        kind=(kind.key, kind.name, kind.source),
        number=found.number,
        is_complete=found.is_complete,
        at=found.completed_at or clock.now(),
        requested_at=row.created_at,
        signing_key=signing_keys.key_line(key),
    )


def remove_unreferenced_files() -> None:
    """Remove stored files that no row names."""
    once_a_day_in_each("tidy system documents", lambda: sweep(file_actions.FILES))
