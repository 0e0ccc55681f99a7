"""Request, save, view and delete previews of evidence files.

A request queues the work, whose handler saves the result. Each view is recorded in the audit log,
like a download. A preview is deleted with its file, or 30 days after it was requested.
"""

from datetime import timedelta
from uuid import UUID

from governance.assurance.evidence import permissions, stored_files
from governance.assurance.evidence import queries as evidence
from governance.assurance.evidence.events import EvidenceFileDeleted
from governance.assurance.evidence.models import EvidenceVersion
from governance.assurance.previews import queries
from governance.assurance.previews.models import FilePreview
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import find, session
from governance.kernel.files import storage
from governance.kernel.work import background_work

REQUESTED = action(
    "evidence.preview.requested",
    "requested a preview of an evidence version",
    target="EvidenceVersion",
    activity="create",
    severity="informational",
    fields="number",
)
VIEWED = action(
    "evidence.version.previewed",
    "viewed a preview of an evidence version",
    target="EvidenceVersion",
    activity="read",
    severity="low",
    fields="number sha256",
)
STORAGE_PREFIX = "file-previews"
KEPT = timedelta(days=30)  # A later request renders the preview again.
MAX_DELETED = 1000  # Per transaction.


def request_preview(version: EvidenceVersion) -> FilePreview:
    """Return the preview of this version, and queue its rendering if needed.

    A lost preview is rendered again, and failed work is retried. Raises FileDeleted, or DomainError
    for a version that is a link.
    """
    stored_files.check_has_file(version)
    background_work.lock(FilePreview)
    found = queries.preview_of(version.id)
    if found is not None and found.storage_key and not queries.parts(found):
        _delete(found)
        found = None
    if found is None:
        return background_work.start(
            FilePreview(
                version_id=version.id,
                storage_key=None,
                note="",
                reason=None,
                finished_at=None,
                requested_by=current.actor().person_id,
                work_item_id=None,
            )
        )
    run = background_work.run_of(found)
    if run.is_over and not run.is_ready:
        background_work.retry(run)
    return found


def _requested(preview: FilePreview) -> None:
    version = find(EvidenceVersion, preview.version_id)
    record(REQUESTED, version, number=version.number)


def keep_preview(preview_id: UUID, blob: storage.Blob, note: str) -> bool:
    """Save the storage key of the parts. Return False if the preview is done or deleted."""
    found = _open(preview_id)
    if found is None:
        return False
    found.storage_key, found.note, found.finished_at = blob.key, note, clock.now()
    return True


def keep_reason(preview_id: UUID, reason: str) -> None:
    """Save the reason why this file has no preview."""
    found = _open(preview_id)
    if found is not None:
        found.reason, found.finished_at = reason, clock.now()


def _open(preview_id: UUID) -> FilePreview | None:
    """Lock and return the preview, or None if it is done or deleted.

    Raises FileDeleted if the evidence file was deleted meanwhile.
    """
    found = session().get(
        FilePreview, (current.actor().tenant_id, preview_id), with_for_update=True
    )
    if found is None or found.is_ready:
        return None
    stored_files.check_has_file(evidence.find_version(found.version_id)[0])
    return found


def record_viewing(version_id: UUID) -> None:
    """Record that the acting person viewed the preview of this version."""
    version = find(EvidenceVersion, version_id)
    record(VIEWED, version, number=version.number, sha256=version.sha256)


def delete_of(deleted: EvidenceFileDeleted) -> None:
    """Delete the preview of a deleted file. The deletion of the file has its own audit entry."""
    found = queries.preview_of(deleted.version_id, lock=True)
    if found is not None:
        _delete(found)


def delete_old() -> int:
    """Delete up to MAX_DELETED previews of the tenant older than 30 days. Return their number."""
    old = queries.older_than(clock.now() - KEPT, limit=MAX_DELETED)
    for each in old:
        _delete(each)
    return len(old)


def _delete(preview: FilePreview) -> None:
    key = preview.storage_key
    shared = queries.named([key], but=preview.id) if key else set()
    session().delete(preview)
    session().flush()
    if key and not shared:
        storage.store().remove(key)


PREVIEWS = background_work.WorkKind(
    name="file preview",
    noun="preview",
    model=FilePreview,
    view=permissions.VIEW,
    permission=permissions.VIEW,
    find=queries.preview,
    title=lambda _preview: "Preview",
    page=lambda preview: ("previews.show", {"version_id": preview.version_id}),
    address=lambda preview: {"version_id": preview.version_id},
    requested=_requested,
    cancelled=None,
    stored=FilePreview.storage_key,
    prefix=STORAGE_PREFIX,
    max_bytes=16 * 1024 * 1024,
    icon="photo",
    result_label="Show preview",
)
