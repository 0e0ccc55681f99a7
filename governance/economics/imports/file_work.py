"""Background work on a file: read it for its preview, or write its rows.

Both start from the stored file, decrypted into a temporary folder. Reading stores a preview, or the
reason why there is none. Writing is one transaction: the rows, the state of the import and its
audit entry are committed together.
"""

import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from governance.economics.imports import actions, queries, table_reading
from governance.economics.imports.kinds import Checked, GivenFile, ImportKind, Preview, Row
from governance.economics.imports.models import FileImport
from governance.economics.imports.plain_files import write_plain
from governance.kernel.data.db import extend_statement_timeout, session, transaction
from governance.kernel.errors import DomainError, Unavailable
from governance.kernel.files import storage
from governance.kernel.work import background_work
from governance.kernel.work.background_work import PacedProgress
from governance.kernel.work.jobs import Cancelled, Progress, WorkItem, work

STEPS = 3


@work(actions.IMPORTS.name)
def handle(item: WorkItem, progress: Progress) -> None:
    """Do the next step of an import."""
    import_id = background_work.target_of(actions.IMPORTS, item)
    with transaction(read_only=True):
        row = queries.file_import(import_id)
        state, kind = row.state, actions.find_kind(row.kind)
        session().expunge(row)
    if row.is_ready:
        return
    try:
        with _decrypted(row, kind, PacedProgress(progress)) as given:
            if state == "reading":
                _read(row.id, kind, given)
            else:
                _apply(row.id, kind, given)
    except Unavailable:
        raise
    except DomainError as error:
        with transaction():
            actions.keep_problem(import_id, error.message)
    except Cancelled:
        with transaction():
            actions.stop_applying(import_id)
        raise


@contextmanager
def _decrypted(row: FileImport, kind: ImportKind, progress: PacedProgress) -> Generator[GivenFile]:
    if row.storage_key is None:
        raise DomainError("The file was removed. Upload it again.")
    with tempfile.TemporaryDirectory(prefix="governance-import-") as name:
        folder = Path(name)
        progress(0, STEPS, "Decrypting the file", always=True)
        with storage.store().open(row.storage_key) as source:
            format_ = write_plain(source, folder / "given", row.name, kind.formats)
        yield GivenFile(folder / "given", folder, row.name, format_, row.size, progress)


def _read(import_id: UUID, kind: ImportKind, given: GivenFile) -> None:
    given.progress(1, STEPS, "Reading the file")
    preview = kind.read_file(given) if kind.read_file else _table_preview(kind, given)
    if len(preview.rejected) > actions.MAX_REJECTED_SHOWN and preview.rejected_file is None:
        path = given.folder / "rejected.csv"
        table_reading.write_rejections(path, preview.rejected)
        preview = replace(preview, rejected_file=path)
    with transaction():
        actions.keep_preview(import_id, preview)


def _table_preview(kind: ImportKind, given: GivenFile) -> Preview:
    checked = _check(kind, given)
    rejected = sorted(checked.rejected, key=lambda each: each.line)
    wrong_rows = len({each.line for each in rejected})
    return Preview(
        rows_read=len(checked.accepted) + wrong_rows,
        rows_accepted=len(checked.accepted),
        rows_rejected=wrong_rows,
        rejected=rejected,
        totals=checked.totals,
        notes=checked.notes,
    )


def _check(kind: ImportKind, given: GivenFile) -> Checked:
    with transaction(read_only=True):
        customers = queries.customers()
    table = table_reading.read_table(kind, given, customers)
    with transaction(read_only=True):
        checked = kind.check(table.rows)
    return Checked(
        checked.accepted, [*table.rejected, *checked.rejected], checked.totals, checked.notes
    )


def _apply(import_id: UUID, kind: ImportKind, given: GivenFile) -> None:
    rows = [] if kind.apply_file else _rows_to_write(kind, given)
    with transaction():
        extend_statement_timeout()
        session().execute(text("SET LOCAL statement_timeout = '10min'"))
        row = actions.start_applying(import_id)
        if row is None:
            return
        given.progress(2, STEPS, "Writing the rows")
        if kind.apply_file:
            kind.apply_file(row, given)
        elif kind.apply:
            kind.apply(row, rows)
        actions.finish_applying(row)


def _rows_to_write(kind: ImportKind, given: GivenFile) -> list[Row]:
    """Return the rows that the preview showed.

    Raises DomainError if changes since the preview made any of them invalid.
    """
    checked = _check(kind, given)
    if checked.rejected:
        first = min(checked.rejected, key=lambda each: each.line)
        raise DomainError(
            "Since the preview, other changes made rows of this file wrong. Line"
            f" {first.line:,}: {first.reason}"
        )
    return list(checked.accepted)
