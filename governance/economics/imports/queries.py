"""Queries of imported files, and of the customers that their rows name."""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select

from governance.economics.imports.kinds import Customer, Total
from governance.economics.imports.models import FileImport
from governance.foundation.tenants.queries import all_tenants
from governance.kernel import clock
from governance.kernel.data.db import find, session
from governance.kernel.pages.rendering import Keyset, keyset
from governance.kernel.work import background_work
from governance.kernel.work.background_work import Run

KEPT = timedelta(days=1)  # retention of the file of an import that isn't applied


def file_import(import_id: UUID, *, lock: bool = False) -> FileImport:
    """Return an import of the operator. Raises NotFound."""
    return find(FileImport, import_id, what="import", lock=lock)


def newest(after: str | None) -> Keyset:
    """Return a page of imports with their work, the newest first."""
    query: Any = background_work.with_work(FileImport)
    return keyset(query, FileImport.created_at, FileImport.id, after=after, descending=True)


def runs(page: Keyset) -> list[Run[FileImport]]:
    """Return the imports of a page with their work."""
    return [Run(row[0], row[1]) for row in page.rows]


def applied_with(kind: str, sha256: str) -> FileImport | None:
    """Return the import of this kind that has applied the same file, or None."""
    return _of(kind, sha256, "applied")


def open_with(kind: str, sha256: str) -> FileImport | None:
    """Return the open import of this kind with the same file, or None."""
    return _of(kind, sha256, "reading", "ready", "applying")


def _of(kind: str, sha256: str, *states: str) -> FileImport | None:
    query = select(FileImport).where(
        FileImport.kind == kind, FileImport.sha256 == sha256, FileImport.state.in_(states)
    )
    return session().scalars(query.order_by(FileImport.created_at).limit(1)).one_or_none()


def with_old_files() -> Sequence[FileImport]:
    """Return unapplied imports older than a day that still have a stored file, and lock them."""
    query = select(FileImport).where(
        FileImport.state.in_(("ready", "failed", "discarded")),
        FileImport.created_at < clock.now() - KEPT,
        or_(FileImport.storage_key.is_not(None), FileImport.rejected_key.is_not(None)),
    )
    return session().scalars(query.order_by(FileImport.created_at).with_for_update()).all()


def named_keys(keys: Sequence[str]) -> set[str]:
    """Return those of `keys` that an import refers to."""
    query = select(FileImport.storage_key, FileImport.rejected_key).where(
        or_(FileImport.storage_key.in_(keys), FileImport.rejected_key.in_(keys))
    )
    return {key for row in session().execute(query) for key in row if key}


def totals_of(row: FileImport) -> list[Total]:
    """Return the totals of an import's accepted rows."""
    return [
        Total(
            each["month"],
            each["tenant"],
            each["rows"],
            {unit: Decimal(amount) for unit, amount in each["amounts"].items()},
        )
        for each in row.totals
    ]


def customers() -> dict[str, Customer]:
    """Return every customer by slug, including former ones."""
    return {
        each.slug: Customer(each.id, each.slug, each.name)
        for each in all_tenants()
        if each.kind == "customer"
    }
