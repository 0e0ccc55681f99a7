"""Queries for previews."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from governance.assurance.evidence import queries as evidence
from governance.assurance.previews.models import FilePreview
from governance.kernel.data.db import find, session
from governance.kernel.errors import NotFound
from governance.kernel.files import storage
from governance.kernel.files.encrypted_stream import CorruptedFile

type Parts = Sequence[Mapping[str, Any]]


def preview_of(version_id: UUID, *, lock: bool = False) -> FilePreview | None:
    """Return the preview of a version, or None if nobody has requested it."""
    query = select(FilePreview).where(FilePreview.version_id == version_id)
    return session().scalars(query.with_for_update() if lock else query).one_or_none()


def preview(preview_id: UUID) -> FilePreview:
    """Return a preview. Raises NotFound if the reader can't see its version."""
    found = find(FilePreview, preview_id, what="preview")
    evidence.find_version(found.version_id)
    return found


def parts(found: FilePreview) -> Parts:
    """Return the parts of a preview.

    Empty if there is only a reason, or if the stored parts are lost, for example after a restore.
    """
    if found.storage_key is None:
        return ()
    try:
        with storage.store().open(found.storage_key) as file:
            shown: Parts = json.loads(file.read())
    except (NotFound, CorruptedFile):
        return ()
    return shown


def named(keys: Collection[str], *, but: UUID) -> set[str]:
    """Return the storage keys among `keys` that a preview other than `but` uses."""
    query = select(FilePreview.storage_key).where(
        FilePreview.storage_key.in_(keys), FilePreview.id != but
    )
    return {key for key in session().scalars(query) if key}


def older_than(moment: datetime, *, limit: int) -> Sequence[FilePreview]:
    query = select(FilePreview).where(FilePreview.created_at < moment)
    return session().scalars(query.order_by(FilePreview.created_at).limit(limit)).all()
