"""Request, keep, view and delete previews of evidence files.

A view queues the work, whose handler keeps what it found; every view leaves an entry, as a download
does. A preview is deleted with its file, and a month after it was made.
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
KEPT = timedelta(days=30)  # a preview that is wanted later is made again
MAX_DELETED = 1000  # in one transaction


def request_preview(version: EvidenceVersion) -> FilePreview:
    """Return the preview of this version, and queue its work where that hasn't been done.

    Raises FileDeleted, and DomainError for a link.
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
    """Name the stored parts; False where the file was deleted meanwhile, or it was done before."""
    found = _open(preview_id)
    if found is None:
        return False
    found.storage_key, found.note, found.finished_at = blob.key, note, clock.now()
    return True


def keep_reason(preview_id: UUID, reason: str) -> None:
    """Say from now on why this file has no preview."""
    found = _open(preview_id)
    if found is not None:
        found.reason, found.finished_at = reason, clock.now()


def _open(preview_id: UUID) -> FilePreview | None:
    """The preview, locked, if its work is wanted still."""
    found = session().get(
        FilePreview, (current.actor().tenant_id, preview_id), with_for_update=True
    )
    if found is None or found.is_ready:
        return None
    stored_files.check_has_file(evidence.find_version(found.version_id)[0])
    return found


def record_viewing(version_id: UUID) -> None:
    """Record that the acting person was shown the preview of this version."""
    version = find(EvidenceVersion, version_id)
    record(VIEWED, version, number=version.number, sha256=version.sha256)


def delete_of(deleted: EvidenceFileDeleted) -> None:
    """Delete the preview of a file together with the file, which has its own entry."""
    found = queries.preview_of(deleted.version_id, lock=True)
    if found is not None:
        _delete(found)


def delete_old() -> int:
    """Delete the acting tenant's previews that are a month old; return how many."""
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
