"""Upload, read, apply and discard files.

    upload(kind, "mrr.csv", stream)    store the file and queue its reading
    keep_preview(…), keep_problem(…)   what reading it found
    apply(file_import)                 queue the writing; file_work.py does it
    discard(file_import)               nothing is written
    remove_old_files()                 a day later

A file is applied whole or not at all, and the same file once for each kind.
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
    """The same file is imported, or about to be; `file_import` is that import."""

    def __init__(self, message: str, file_import: FileImport) -> None:
        super().__init__(message)
        self.file_import = file_import


def find_kind(name: str) -> ImportKind:
    """The kind of that name, for who may import it. Raises NotFound or Forbidden."""
    kind = kinds.named(name)
    if kind is None:
        raise NotFound("This kind of file can't be imported (any more).")
    access.require(kind.permission)
    return kind


def upload(kind: ImportKind, name: str, stream: BinaryIO) -> FileImport:
    """Store a file and queue its reading.

    Raises AlreadyImported for a file that was applied or can still be, Invalid for an empty one and
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


# ---- what reading found


def keep_preview(import_id: UUID, preview: Preview) -> None:
    """Store what the file would do, unless it was discarded meanwhile."""
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
    """Note why a file can't be imported; nothing of it was written."""
    row = queries.file_import(import_id, lock=True)
    if not row.is_ready:
        row.state, row.problem = "failed", problem


# ---- applying


def apply(row: FileImport) -> None:
    """Queue the writing of a file. Applied twice is applied once.

    Raises Invalid for one with rejected rows, and DomainError for one that can't be applied.
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

    None where it isn't to be written (any more). Raises AlreadyImported where another import of the
    same file was faster.
    """
    row = queries.file_import(import_id, lock=True)
    if row.state != "applying":
        return None
    lock_tenant(f"imports of {row.kind}")
    if (done := queries.applied_with(row.kind, row.sha256)) is not None:
        raise AlreadyImported("The same file was applied meanwhile. Nothing was changed.", done)
    return row


def finish_applying(row: FileImport) -> None:
    """In the transaction that has written all rows of the file."""
    row.state, row.decided_at = "applied", clock.now()
    record(APPLIED, row, kind=row.kind, sha256=row.sha256, rows=row.rows_accepted, name=row.name)


def stop_applying(import_id: UUID) -> None:
    """After a cancelled transaction: the file can be applied again."""
    row = queries.file_import(import_id, lock=True)
    if row.state == "applying":
        row.state = "ready"


# ---- discarding


def discard(row: FileImport) -> None:
    """Give a file up; discarded twice is discarded once. Raises DomainError for an applied one."""
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
    """Cancelled while it is read, a file is discarded; while it is applied, it stays as it was."""
    if row.state == "reading":
        _discard(row)


def remove_old_files() -> int:
    """Remove files that were never applied a day after their upload; return how many imports."""
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
    """Remove stored files that no import has named for a day; how many. A killed process leaves
    such ones.
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
