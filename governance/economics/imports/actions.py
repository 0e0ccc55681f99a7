"""Upload, read, apply and discard imported files.

    upload(kind, "mrr.csv", stream)    store the file and queue its reading
    keep_preview(…), keep_problem(…)   store the result of reading
    apply(file_import)                 queue the write; file_work.py performs it
    discard(file_import)               end the import without writing anything
    remove_old_files()                 delete unapplied files after a day

A file is applied as a whole or not at all. The same file can be applied once per kind.
"""

from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from governance.economics.imports import kinds, permissions, queries
from governance.economics.imports.kinds import ImportKind, Preview, Total
from governance.economics.imports.models import FileImport
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import extend_statement_timeout, lock_tenant, session
from governance.kernel.data.ids import uuid7
from governance.kernel.errors import DomainError, Invalid, NotFound
from governance.kernel.files import storage
from governance.kernel.formatting import plural
from governance.kernel.safety import access
from governance.kernel.work import background_work

PREFIX = "imports"
MAX_REJECTED_SHOWN = 500
MAX_TOTALS = 20_000
MAX_REJECTED_BYTES = 1024**3
NOT_IN_TIME = "It wasn't applied within a day, so its file was removed."

UPLOADED = action(
    "import.uploaded",
    "uploaded a file to import",
    target="FileImport",
    activity="create",
    severity="informational",
    fields="kind sha256 size",
    personal="name",
)
APPLIED = action(
    "import.applied",
    "applied an imported file",
    target="FileImport",
    activity="update",
    severity="low",
    fields="kind sha256 rows",
    personal="name",
    shape="ok",
)
DISCARDED = action(
    "import.discarded",
    "discarded an imported file",
    target="FileImport",
    activity="update",
    severity="informational",
    fields="kind sha256",
    personal="name",
)


class AlreadyImported(DomainError):
    """Raised if the same file was applied or is open; `file_import` is the existing import."""

    def __init__(self, message: str, file_import: FileImport) -> None:
        super().__init__(message)
        self.file_import = file_import


def find_kind(name: str) -> ImportKind:
    """Return the kind if the actor may import it. Raises NotFound or Forbidden."""
    kind = kinds.named(name)
    if kind is None:
        raise NotFound("This kind of file can't be imported (any more).")
    access.require(kind.permission)
    return kind


def upload(kind: ImportKind, name: str, stream: BinaryIO) -> FileImport:
    """Store a file and queue its reading.

    Raises AlreadyImported if the same file was applied or can still be, Invalid if it is empty, and
    TooLarge.
    """
    access.require(kind.permission)
    extend_statement_timeout()
    made, tenant_id = uuid7(), current.actor().tenant_id
    store = storage.store()
    blob = store.write(tenant_id, stream, limit=kind.max_bytes, prefix=f"{PREFIX}/{made.hex}")
    lock_tenant(f"imports of {kind.name}")
    try:
        _check_new(kind, blob.sha256)
    except AlreadyImported:
        store.remove(blob.key)
        raise
    row = background_work.start(
        FileImport(
            id=made,
            kind=kind.name,
            name=name,
            size=blob.size,
            sha256=blob.sha256,
            storage_key=blob.key,
            requested_by=current.person_id(),
        )
    )
    record(UPLOADED, row, kind=row.kind, sha256=row.sha256, size=row.size, name=row.name)
    return row


def _check_new(kind: ImportKind, sha256: str) -> None:
    if (done := queries.applied_with(kind.name, sha256)) is not None:
        raise AlreadyImported(
            f"This file was applied on {done.decided_at:%-d %B %Y}. Nothing was changed.", done
        )
    if (there := queries.open_with(kind.name, sha256)) is not None:
        raise AlreadyImported("This file is uploaded already. Nothing was changed.", there)


# ---- results of reading


def keep_preview(import_id: UUID, preview: Preview) -> None:
    """Store the preview of a file, unless the file was discarded meanwhile."""
    row = queries.file_import(import_id, lock=True)
    if row.state != "reading":
        return
    row.rows_read, row.rows_accepted = preview.rows_read, preview.rows_accepted
    row.rows_rejected = preview.rows_rejected
    row.rows_listed = len({each.line for each in preview.rejected})
    row.rejected = [
        [each.line, each.field, each.reason] for each in preview.rejected[:MAX_REJECTED_SHOWN]
    ]
    row.totals = [_total_json(each) for each in preview.totals[:MAX_TOTALS]]
    row.notes = [list(each) for each in preview.notes]
    if preview.rejected_file is not None:
        row.rejected_key = _store_rejected(row, preview.rejected_file)
    row.state = "ready"


def _store_rejected(row: FileImport, path: Path) -> str:
    with path.open("rb") as file:
        blob = storage.store().write(
            row.tenant_id, file, limit=MAX_REJECTED_BYTES, prefix=f"{PREFIX}/{row.id.hex}"
        )
    return blob.key


def _total_json(total: Total) -> dict[str, Any]:
    return {
        "month": total.month,
        "tenant": total.tenant,
        "rows": total.rows,
        "amounts": {unit: str(amount) for unit, amount in total.amounts.items()},
    }


def keep_problem(import_id: UUID, problem: str) -> None:
    """Store why a file can't be imported. Nothing of it was written."""
    row = queries.file_import(import_id, lock=True)
    if not row.is_ready:
        row.state, row.problem = "failed", problem


# ---- applying


def apply(row: FileImport) -> None:
    """Queue the write of a file. Idempotent.

    Raises Invalid if rows were rejected, and DomainError if the file can't be applied.
    """
    access.require(find_kind(row.kind).permission)
    session().refresh(row, with_for_update=True)
    if row.state in {"applying", "applied"}:
        return
    if row.rows_rejected:
        raise Invalid(
            f"{plural(row.rows_rejected, 'row')} can't be imported. Correct the file, then upload"
            " it again."
        )
    if not row.can_be_applied:
        raise DomainError("This file can't be applied. Upload it again.")
    row.state, row.decided_by = "applying", current.person_id()
    background_work.start(row)


def start_applying(import_id: UUID) -> FileImport | None:
    """Lock the import for the transaction that writes it.

    Returns None if it is no longer to be written. Raises AlreadyImported if another import of the
    same file was applied first.
    """
    row = queries.file_import(import_id, lock=True)
    if row.state != "applying":
        return None
    lock_tenant(f"imports of {row.kind}")
    if (done := queries.applied_with(row.kind, row.sha256)) is not None:
        raise AlreadyImported("The same file was applied meanwhile. Nothing was changed.", done)
    return row


def finish_applying(row: FileImport) -> None:
    """Mark the import as applied, in the transaction that has written all rows of the file."""
    row.state, row.decided_at = "applied", clock.now()
    record(APPLIED, row, kind=row.kind, sha256=row.sha256, rows=row.rows_accepted, name=row.name)


def stop_applying(import_id: UUID) -> None:
    """Make the file ready to apply again, after its transaction was cancelled."""
    row = queries.file_import(import_id, lock=True)
    if row.state == "applying":
        row.state = "ready"


# ---- discarding


def discard(row: FileImport) -> None:
    """Discard a file. Idempotent. Raises DomainError if it is applied or being processed."""
    session().refresh(row, with_for_update=True)
    if row.state == "discarded":
        return
    run = background_work.run_of(row)
    if row.state == "applied" or not run.is_over:
        raise DomainError("This file is applied already, or is about to be.")
    _discard(row)


def _discard(row: FileImport) -> None:
    row.state, row.decided_by, row.decided_at = "discarded", current.person_id(), clock.now()
    record(DISCARDED, row, kind=row.kind, sha256=row.sha256, name=row.name)


def _cancelled(row: FileImport) -> None:
    """Discard a file whose reading was cancelled. A cancelled write leaves its state unchanged."""
    if row.state == "reading":
        _discard(row)


def remove_old_files() -> int:
    """Remove files that weren't applied within a day; return the number of imports."""
    old = queries.with_old_files()
    for row in old:
        if row.state == "ready":
            row.state, row.problem, row.decided_at = "discarded", NOT_IN_TIME, clock.now()
            record(DISCARDED, row, kind=row.kind, sha256=row.sha256, name=row.name)
        _remove(row.storage_key, row.rejected_key)
        row.storage_key = row.rejected_key = None
    return len(old)


def _remove(*keys: str | None) -> None:
    for key in keys:
        if key is not None:
            storage.store().remove(key)


def remove_orphans() -> int:
    """Remove stored files older than a day that no import refers to; return how many.

    A killed process can leave such files.
    """
    store, before = storage.store(), clock.now() - queries.KEPT
    old = [
        key
        for key, written in store.aged(f"{current.actor().tenant_id.hex}/{PREFIX}")
        if written < before
    ]
    orphans = set(old) - queries.named_keys(old)
    _remove(*orphans)
    return len(orphans)


IMPORTS = background_work.WorkKind(
    name="file import",
    noun="import",
    model=FileImport,
    view=permissions.VIEW,
    permission=permissions.IMPORT,
    find=queries.file_import,
    title=lambda row: row.name,
    page=lambda row: ("imports.file_import", {"import_id": row.id}),
    address=lambda row: {"import_id": row.id},
    requested=lambda _row: None,
    cancelled=_cancelled,
    requester_only=True,
    icon="file-import",
    result_label="Open import",
)
