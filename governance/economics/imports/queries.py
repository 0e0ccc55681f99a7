"""Imported files, and the customers that their rows name."""

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

KEPT = timedelta(days=1)  # the file of an import that isn't applied


def file_import(import_id: UUID, *, lock: bool = False) -> FileImport:
    """Return an import of the operator. Raises NotFound."""
    return find(FileImport, import_id, what="import", lock=lock)


def newest(after: str | None) -> Keyset:
    """Imports with their work, newest first."""
    query: Any = background_work.with_work(FileImport)
    return keyset(query, FileImport.created_at, FileImport.id, after=after, descending=True)


def runs(page: Keyset) -> list[Run[FileImport]]:
    """The rows of a page of the list."""
    return [Run(row[0], row[1]) for row in page.rows]


def applied_with(kind: str, sha256: str) -> FileImport | None:
    """The import of this kind that has applied the same file."""
    return _of(kind, sha256, "applied")


def open_with(kind: str, sha256: str) -> FileImport | None:
    """The import of this kind that has read the same file and may still apply it."""
    return _of(kind, sha256, "reading", "ready", "applying")


def _of(kind: str, sha256: str, *states: str) -> FileImport | None:
    query = select(FileImport).where(
        FileImport.kind == kind, FileImport.sha256 == sha256, FileImport.state.in_(states)
    )
    return session().scalars(query.order_by(FileImport.created_at).limit(1)).one_or_none()


def with_old_files() -> Sequence[FileImport]:
    """Imports that were uploaded more than a day ago and never applied, and still have a file."""
    query = select(FileImport).where(
        FileImport.state.in_(("ready", "failed", "discarded")),
        FileImport.created_at < clock.now() - KEPT,
        or_(FileImport.storage_key.is_not(None), FileImport.rejected_key.is_not(None)),
    )
    return session().scalars(query.order_by(FileImport.created_at).with_for_update()).all()


def named_keys(keys: Sequence[str]) -> set[str]:
    """Those of these storage keys that an import names."""
    query = select(FileImport.storage_key, FileImport.rejected_key).where(
        or_(FileImport.storage_key.in_(keys), FileImport.rejected_key.in_(keys))
    )
    return {key for row in session().execute(query) for key in row if key}


def totals_of(row: FileImport) -> list[Total]:
    """What the accepted rows of an import add up to."""
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
    """Every customer by slug, also those that have left."""
    return {
        each.slug: Customer(each.id, each.slug, each.name)
        for each in all_tenants()
        if each.kind == "customer"
    }
