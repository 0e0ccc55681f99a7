"""Actions that generate and download a version of a document as a signed PDF."""

from typing import Any

from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel.data.db import session
from governance.kernel.files.storage import Blob
from governance.kernel.work import background_work, generated_files
from governance.kernel.work.background_work import GeneratedFile
from governance.operations.systems import queries as systems
from governance.publishing.system_documents import permissions, queries
from governance.publishing.system_documents.models import DocumentFile, SystemDocument

REQUESTED = action(
    "system_document.file.requested",
    "requested the file of a document",
    target="DocumentFile",
    activity="create",
    severity="informational",
    fields="document version",
)
GENERATED = action(
    "system_document.file.generated",
    "generated the file of a document",
    target="DocumentFile",
    activity="update",
    severity="informational",
    fields="document version sha256 open_points",
    shape="ok",
)
CANCELLED = action(
    "system_document.file.cancelled",
    "cancelled the file of a document",
    target="DocumentFile",
    activity="update",
    severity="informational",
    fields="document version",
)
DOWNLOADED = action(
    "system_document.file.downloaded",
    "downloaded the file of a document",
    target="DocumentFile",
    activity="read",
    severity="low",
    fields="document version sha256",
)


def request(found: SystemDocument) -> DocumentFile:
    """Queue the file of a version as it is now. A second click follows the first."""
    return generated_files.request(DocumentFile, document_id=found.id)


def file(row: DocumentFile, blob: Blob, *, name: str, open_points: int) -> bool:
    """Store the finished file. Return False if an earlier try has stored it."""
    if not generated_files.name_file(row, blob, name=name):
        return False
    row.open_points = open_points
    record(GENERATED, row, sha256=blob.sha256, open_points=open_points, **_named(row))
    session().flush()
    return True


def download(row: DocumentFile) -> GeneratedFile:
    """Record the download of the zip, and return it."""
    found = generated_files.to_download(row)
    record(DOWNLOADED, row, sha256=row.file_sha256, **_named(row))
    return found


def _named(row: DocumentFile) -> dict[str, Any]:
    found = queries.document(row.document_id)
    return {"document": found.kind, "version": found.number}


def _page(row: DocumentFile) -> tuple[str, dict[str, Any]]:
    found = queries.document(row.document_id)
    return (
        "system_documents.version",
        {
            "system_key": systems.system(found.system_id).key,
            "kind": found.kind,
            "number": found.number,
        },
    )


FILES = background_work.WorkKind(
    name="system document",
    noun="file",
    model=DocumentFile,
    view=permissions.EXPORT,
    permission=permissions.EXPORT,
    find=queries.document_file,
    title=lambda row: f"File: {queries.document(row.document_id).title}",
    page=_page,
    address=lambda row: {"document_file_id": row.id},
    requested=lambda row: record(REQUESTED, row, **_named(row)),
    cancelled=lambda row: record(CANCELLED, row, **_named(row)),
    stored=DocumentFile.file_key,
    prefix="system-documents",
    max_bytes=50 * 1024 * 1024,
    icon="file-zip",
    result_label="View file",
)
