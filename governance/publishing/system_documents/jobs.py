"""Generate the file of a document. A killed job runs again."""

import io
from typing import Any

from governance.foundation.tenants.for_each_tenant import once_a_day_in_each
from governance.kernel import clock, current, pdf
from governance.kernel.background_work import PacedProgress, keep, sweep, target_of
from governance.kernel.db import transaction
from governance.kernel.jobs import Progress, WorkItem, work
from governance.kernel.storage import Blob
from governance.operations.systems import queries as systems
from governance.publishing.reports import actions as signing_keys
from governance.publishing.reports import queries as reports
from governance.publishing.reports import signing
from governance.publishing.reports.models import SigningKey
from governance.publishing.reports.signed_zip import pack
from governance.publishing.system_documents import document_layout, file_actions, queries
from governance.publishing.system_documents.models import DocumentFile

STEPS, PAGES = 8, 5


@work(file_actions.FILES.name)
def make_document_file(item: WorkItem, progress: Progress) -> None:
    """The work of one DocumentFile (item.target_id)."""
    progress(0, STEPS, "Reading the record")
    with transaction():
        row = queries.document_file(target_of(file_actions.FILES, item))
        key = reports.signing_key() or signing_keys.create_signing_key()
        data = _data(row, key)
        private, key_name = signing_keys.private_key(key), key.name
    built, paced = document_layout.build(data), PacedProgress(progress)
    content = pdf.render_in_child(
        built.html,
        attachments=built.attachments,
        at=built.at,
        identifier=built.identifier,
        on_progress=lambda page: paced(min(page, PAGES), STEPS, f"Page {page}"),
    )
    note = signing.sign(
        private, key_name, filename=built.filename, pdf=content, fingerprint=built.fingerprint
    )
    packed = pack(built, content, note)

    def file(blob: Blob) -> bool:
        found = queries.document_file(target_of(file_actions.FILES, item), lock=True)
        name = built.filename.removesuffix(".pdf") + ".zip"
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
