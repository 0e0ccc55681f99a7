"""Adopt a framework, and import a publisher's texts from a file after a preview."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import rfc8785
from sqlalchemy import delete, func, select, tuple_

from governance.assurance.frameworks import catalogue, import_queries, importers, queries
from governance.assurance.frameworks.importers import ImportedFile, ImportPreview
from governance.assurance.frameworks.models import Adoption, FrameworkImport, OfficialText
from governance.assurance.frameworks.queries import FrameworkView
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current, formatting
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError, Invalid, Stale
from governance.kernel.formatting import plural

ADOPTED = action(
    "framework.adopted",
    "adopted a framework",
    target="Adoption",
    activity="create",
    severity="informational",
    fields="key version digest",
    shape="up",
)
IMPORTED = action(
    "framework.texts.imported",
    "imported official framework texts",
    target="FrameworkImport",
    activity="create",
    severity="informational",
    fields=(
        "framework format edition sha256 ids new changed unchanged unknown missing empty rejected"
        " complete changed_refs"
    ),
    personal="filename",
)


class NothingToImport(Invalid):
    """The file has no text that can be imported."""


@dataclass(frozen=True, slots=True)
class ReviewedImport:
    """The preview that a person confirmed: digests of the file, and of the texts at that time.

    Both are SHA-256 in hex.
    """

    sha256: str
    basis: str


def adopt_framework(framework: FrameworkView | str) -> Adoption:
    """Adopt a framework version. A key means the newest version. Idempotent."""
    framework = queries.framework(framework) if isinstance(framework, str) else framework
    _lock_framework(framework.id)
    known = import_queries.adoption(framework.id)
    if known is not None:
        return known
    adoption = Adoption(framework_id=framework.id, adopted_by=current.actor().person_id)
    session().add(adoption)
    record(ADOPTED, adoption, key=framework.key, version=framework.version, digest=framework.digest)
    return adoption


def read_import(
    data: bytes, filename: str, framework: FrameworkView
) -> tuple[ImportedFile, ImportPreview]:
    """Read a file and compare it with the framework and its imported texts.

    Raises ImportRefused or NothingToImport.
    """
    known = catalogue.load_catalogue(framework.key)
    imported = importers.read_file(data, filename, known)
    preview = importers.compare_with_framework(
        imported, known, import_queries.imported_texts(framework.id)
    )
    if not preview.importable:
        raise NothingToImport(_why_nothing(preview, framework), field="file")
    return imported, preview


def _why_nothing(preview: ImportPreview, framework: FrameworkView) -> str:
    if preview.refused:
        first = preview.refused[0]
        return (
            f"None of the file's texts can be imported into {framework.name};"
            f" {len(preview.refused):,} have errors. The first is {first.ref}, {first.kind}:"
            f" {first.reason}."
        )
    return (
        f"The file lists {plural(len(preview.empty), 'id')} of {framework.name} but has no text for"
        " any of them."
    )


def preview_basis(framework: FrameworkView) -> str:
    """Return a digest of the framework version and all imported texts, for a preview to bind to."""
    return basis_of(framework, import_queries.imported_texts(framework.id))


def basis_of(framework: FrameworkView, texts: Mapping[tuple[str, str], str]) -> str:
    rows = [[ref, kind, text] for (ref, kind), text in sorted(texts.items())]
    return hashlib.sha256(rfc8785.dumps([framework.digest, rows])).hexdigest()


def import_texts(
    framework: FrameworkView, data: bytes, *, filename: str, seen: ReviewedImport
) -> FrameworkImport | None:
    """Import every text of the file that can be imported, in one transaction.

    Returns the import. If nothing changes, returns the earlier import of the same file, or None.
    Texts that the file doesn't contain are kept.

    Raises Stale if the imported texts changed after the preview, unless the file has nothing left
    to import, for example when it is confirmed twice.
    """
    if hashlib.sha256(data).hexdigest() != seen.sha256:
        raise DomainError(
            "The stored file differs from the one that you previewed. Nothing was imported; choose"
            " the file again."
        )
    _lock_framework(framework.id)
    imported, preview = read_import(data, filename, framework)
    earlier = _import_of(framework.id, imported.sha256)
    if not (preview.new or preview.changed):
        return earlier
    if preview_basis(framework) != seen.basis:
        raise _stale(framework)
    row = earlier or _new_import(framework, imported, filename)
    row.report = report(imported, preview, len(data))
    session().add(row)
    session().flush()
    _write_texts(framework, row.id, preview)
    _record_import(row, framework, imported, preview)
    return row


def report(imported: ImportedFile, preview: ImportPreview, size: int) -> dict[str, object]:
    """Return the summary of a preview that is stored with its import. `size` is in bytes."""
    return {
        "title": imported.title,
        "size": size,
        "ids": len(preview.written),
        "matched": len(preview.matched),
        "new": len(preview.new),
        "changed": len(preview.changed),
        "unchanged": len(preview.unchanged),
        "unknown": list(preview.unknown),
        "missing": list(preview.missing),
        "empty": list(preview.empty),
        "rejected": _refused(preview),
        "complete": preview.complete,
        "problems": list(imported.problems),
    }


def _refused(preview: ImportPreview) -> list[str]:
    return [f"{each.ref}, {each.kind}: {each.reason}" for each in preview.refused]


def _lock_framework(framework_id: UUID) -> None:
    """Lock the framework for this tenant until the transaction ends."""
    key = f"{current.actor().tenant_id}{framework_id}"
    session().execute(select(func.pg_advisory_xact_lock(func.hashtext(key))))


def _import_of(framework_id: UUID, sha256: str) -> FrameworkImport | None:
    query = select(FrameworkImport).where(
        FrameworkImport.framework_id == framework_id, FrameworkImport.sha256 == sha256
    )
    return session().scalars(query).one_or_none()


def _new_import(framework: FrameworkView, imported: ImportedFile, filename: str) -> FrameworkImport:
    return FrameworkImport(
        framework_id=framework.id,
        format=imported.format,
        filename=filename,
        edition=imported.edition,
        sha256=imported.sha256,
        imported_by=current.person_id(),
        created_at=clock.now(),
    )


def _write_texts(framework: FrameworkView, import_id: UUID, preview: ImportPreview) -> None:
    ids = {each.ref: each.id for each in queries.requirements(framework.id)}
    replaced = [(ids[each.ref], each.kind) for each in preview.changed]
    if replaced:
        session().execute(
            delete(OfficialText).where(
                tuple_(OfficialText.requirement_id, OfficialText.kind).in_(replaced)
            )
        )
    worded = [(e.ref, e.kind, e.text) for e in preview.new] + [
        (e.ref, e.kind, e.new) for e in preview.changed
    ]
    session().add_all(
        OfficialText(requirement_id=ids[ref], kind=kind, text=text, import_id=import_id)
        for ref, kind, text in worded
    )
    session().flush()


def _record_import(
    row: FrameworkImport, framework: FrameworkView, imported: ImportedFile, preview: ImportPreview
) -> None:
    record(
        IMPORTED,
        row,
        framework=framework.key,
        format=imported.format,
        edition=imported.edition,
        sha256=imported.sha256,
        ids=len(preview.written),
        new=len(preview.new),
        changed=len(preview.changed),
        unchanged=len(preview.unchanged),
        unknown=len(preview.unknown),
        missing=len(preview.missing),
        empty=len(preview.empty),
        rejected=len(preview.refused),
        complete=preview.complete,
        filename=row.filename,
        changed_refs=sorted({each.ref for each in preview.changed}) or None,
    )


def _stale(framework: FrameworkView) -> Stale:
    newest = next(iter(import_queries.imports(framework.id)), None)
    if newest is None:
        return Stale(
            "The imported texts changed after your preview. Nothing was imported. Review the new"
            " preview below, then import again."
        )
    return Stale(
        f"{newest.imported_by} imported {newest.filename} on"
        f" {formatting.moment(newest.imported_at)}, after your preview. Nothing was imported."
        " Review the new preview below, then import again.",
        {"last import": ("an earlier file", f"{newest.filename}, {newest.edition}")},
    )
