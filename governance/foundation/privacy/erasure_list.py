"""The erasure list: erasures, stored outside the database, to be repeated after a restore.

There is one small file per erasure in the object store, `erasures/<erasure id>.json`. It names
nobody: it has a pseudonym, and a digest of the person's id. It is written before anything is erased
and never removed. Backups of the store must be no older than those of the database.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from governance.kernel.errors import Unavailable
from governance.kernel.files.storage import store

FOLDER = "erasures"


@dataclass(frozen=True, slots=True)
class ListedErasure:
    """One erasure of the list."""

    erasure_id: UUID
    tenant_id: UUID
    subject: str
    person: str  # SHA-256 of the person's id
    at: datetime


def digest(person_id: UUID) -> str:
    return hashlib.sha256(person_id.bytes).hexdigest()


def add(listed: ListedErasure) -> None:
    """Write an erasure to the list; it is on disk when this returns. Idempotent."""
    said = {
        "erasure": str(listed.erasure_id),
        "tenant": str(listed.tenant_id),
        "subject": listed.subject,
        "person": listed.person,
        "at": listed.at.isoformat(),
    }
    store().keep(f"{FOLDER}/{listed.erasure_id}.json", json.dumps(said, indent=1).encode() + b"\n")


def everything() -> Sequence[ListedErasure]:
    """Return the complete list.

    Raises for a file that cannot be read, and names it: going on without it could leave somebody
    unerased.
    """
    return [_read(key) for key in store().keys(FOLDER)]


def _read(key: str) -> ListedErasure:
    with store().open(key) as file:
        content = file.read()
    try:
        said = json.loads(content)
        return ListedErasure(
            UUID(said["erasure"]),
            UUID(said["tenant"]),
            said["subject"],
            said["person"],
            datetime.fromisoformat(said["at"]),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise Unavailable(
            f"The erasure list is damaged: {key} can't be read. Restore it from a backup."
        ) from error
