"""Jobs that render a preview in a sandbox, and delete old previews every night."""

import io
import json
import tempfile
from pathlib import Path
from uuid import UUID

from governance.assurance.evidence import integrity, stored_files, verifying
from governance.assurance.evidence import queries as evidence
from governance.assurance.previews import actions, queries
from governance.assurance.previews.rendering import (
    MAX_FILE_BYTES,
    READ_WHOLE,
    Rendering,
    render,
    why_not,
)
from governance.foundation.tenants.for_each_tenant import once_a_day_in_each
from governance.kernel.data.db import transaction
from governance.kernel.errors import DomainError, NotFound
from governance.kernel.files.encrypted_stream import CorruptedFile
from governance.kernel.files.storage import PIECE_BYTES, Blob
from governance.kernel.work.background_work import keep, sweep, target_of
from governance.kernel.work.jobs import Progress, WorkItem, work


@work(actions.PREVIEWS.name, waited_for=True)
def render_preview(item: WorkItem, progress: Progress) -> None:
    """Render the FilePreview with the id item.target_id, as the person who requested it."""
    preview_id = target_of(actions.PREVIEWS, item)
    with transaction(read_only=True):
        found = queries.preview(preview_id)
        if found.is_ready:
            return
        version_id = found.version_id
    progress(0, 2, "Reading the file")
    with tempfile.TemporaryDirectory(prefix="preview-") as folder:
        path = Path(folder) / "file"
        media_type, refused = _copy(version_id, path)
        progress(1, 2, "Rendering the preview")
        found_parts = Rendering(reason=refused) if refused else render(path, media_type)
    if found_parts.reason:
        with transaction():
            actions.keep_reason(preview_id, found_parts.reason)
        return

    def file(blob: Blob) -> bool:
        return actions.keep_preview(preview_id, blob, found_parts.note)

    content = json.dumps(found_parts.parts).encode()
    keep(actions.PREVIEWS, item, io.BytesIO(content), file)


def _copy(version_id: UUID, path: Path) -> tuple[str, str]:
    """Write the part of the file that a preview needs to `path`.

    Returns its media type and the reason why it has no preview, or "". If the stored file is
    missing or corrupted, records that and raises DomainError.
    """
    with transaction(read_only=True):
        version, _ = evidence.find_version(version_id)
        media_type = version.media_type or ""
        refused = why_not(media_type, version.size or 0)
    if refused:
        return media_type, refused
    limit = MAX_FILE_BYTES if media_type in READ_WHOLE else PIECE_BYTES
    try:
        with transaction(read_only=True):
            stored = stored_files.open_version(evidence.find_version(version_id)[0])
        with stored, path.open("wb") as target:
            while limit > 0 and (piece := stored.read(min(PIECE_BYTES, limit))):
                target.write(piece)
                limit -= len(piece)
    except (NotFound, CorruptedFile) as error:
        with transaction():
            version, _ = evidence.find_version(version_id)
            integrity.record_fault(version, verifying.fault_kind(error))
        raise DomainError(f"{error.message} There is nothing to preview.") from error
    return media_type, ""


def tidy_previews() -> None:
    once_a_day_in_each("tidy file previews", tidy, in_steps=True)


def tidy() -> None:
    """Delete previews older than 30 days, and stored ones that no row refers to."""
    deleted = actions.MAX_DELETED
    while deleted == actions.MAX_DELETED:
        with transaction():
            deleted = actions.delete_old()
    with transaction():
        sweep(actions.PREVIEWS)
