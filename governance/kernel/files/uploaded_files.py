"""Uploaded files: their name, and those that are previewed before they are imported.

plain_name(name)                the name that a browser sent, as it may be shown
keep_preview(data)              store a previewed file for a day, by its digest
previewed_file(sha256, limit)   read it again, from this tenant's own prefix
"""

import io

from governance.kernel import current
from governance.kernel.errors import NotFound
from governance.kernel.files import storage

MAX_NAME_LENGTH = 200


def plain_name(name: str | None) -> str:
    """Return the last part of a path, without characters that can't be shown."""
    last = (name or "").replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in last if c.isprintable()).strip()[:MAX_NAME_LENGTH] or "unnamed file"


def keep_preview(data: bytes, *, limit: int) -> None:
    storage.store().write(
        current.actor().tenant_id, io.BytesIO(data), limit=limit, prefix=storage.PREVIEWS
    )


def previewed_file(sha256: str, *, limit: int) -> bytes:
    """Return the file with this digest, at most one byte more than `limit`. Raises NotFound."""
    folder = f"{current.actor().tenant_id.hex}/{storage.PREVIEWS}"
    key = f"{folder}/{sha256[:2]}/{sha256}{storage.ENCRYPTED_SUFFIX}"
    if not storage.store().exists(key):
        raise NotFound("The previewed file was not found. Choose the file again.")
    with storage.store().open(key) as file:
        return file.read(limit + 1)
