"""Queries of one system's documents: their versions, and their content now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, String, case, cast, exists, func, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import aliased

from governance.assurance.evidence.models import Evidence
from governance.kernel.data.db import find, session
from governance.kernel.errors import NotFound
from governance.kernel.formatting import long_day
from governance.kernel.record_points import RecordPoint
from governance.kernel.safety.access import allowed
from governance.kernel.safety.visibility_scope import limits
from governance.kernel.work.background_work import Run, run_of
from governance.kernel.work.generated_files import newest_files
from governance.operations.intake.ports import DocumentPoint
from governance.operations.systems.models import AISystem, SystemVersion
from governance.publishing.system_documents import permissions, record
from governance.publishing.system_documents.assembled import (
    AssembledSection,
    Entry,
    assemble,
    changed_points,
    open_points,
    thawed,
)
from governance.publishing.system_documents.catalogue import KINDS, DocumentKind, Point
from governance.publishing.system_documents.models import (
    DocumentFile,
    DocumentStatement,
    SystemDocument,
)

MAX_FILES = 5  # Shown on the page.


@dataclass(frozen=True, slots=True)
class DocumentView:
    """One version as its page shows it.

    `changed` are points of a completed version whose record has changed since.
    """

    document: SystemDocument
    sections: tuple[AssembledSection, ...]
    open: tuple[Point, ...]
    changed: tuple[Point, ...]


def kind(key: str) -> DocumentKind:
    if key not in KINDS:
        raise NotFound("This document doesn't exist, or you don't have access to it.")
    return KINDS[key]


def document(document_id: UUID, *, lock: bool = False) -> SystemDocument:
    """Return one version. Raises NotFound."""
    return find(SystemDocument, document_id, what="document", lock=lock)


def version(system_id: UUID, kind_key: str, number: int, *, lock: bool = False) -> SystemDocument:
    """Return one version of a system's document. Raises NotFound."""
    query = select(SystemDocument).where(
        SystemDocument.system_id == system_id,
        SystemDocument.kind == kind_key,
        SystemDocument.number == number,
    )
    found = session().scalars(query.with_for_update() if lock else query).all()
    return numbered(found, number)


def numbered(every: Sequence[SystemDocument], number: int) -> SystemDocument:
    """Return the version with that number. Raises NotFound."""
    found = next((each for each in every if each.number == number), None)
    if found is None:
        raise NotFound("This document doesn't exist, or you don't have access to it.")
    return found


def versions(system_id: UUID, kind_key: str | None = None) -> Sequence[SystemDocument]:
    """Return the versions of all documents of a system, or of one kind, the newest first."""
    query = select(SystemDocument).where(SystemDocument.system_id == system_id)
    if kind_key is not None:
        query = query.where(SystemDocument.kind == kind_key)
    return (
        session().scalars(query.order_by(SystemDocument.kind, SystemDocument.number.desc())).all()
    )


def outdated(system_id: UUID) -> Select[*tuple[Any, ...]]:
    """Select (id, name, detail) of the newest completed versions that are outdated.

    A substantial change of the system outdates them.
    """
    d, later = SystemDocument, aliased(SystemDocument)
    newer = exists().where(
        later.system_id == d.system_id, later.kind == d.kind, later.number > d.number
    )
    changed = exists().where(
        SystemVersion.system_id == d.system_id,
        SystemVersion.created_at > d.completed_at,
        SystemVersion.substantial != cast([], JSONB),
    )
    names = {each.key: each.name for each in KINDS.values()}
    return select(
        d.id, case(names, value=d.kind), func.concat("version ", cast(d.number, String))
    ).where(d.system_id == system_id, d.completed_at.is_not(None), changed, ~newer)


def statements(document_id: UUID) -> Sequence[DocumentStatement]:
    query = select(DocumentStatement).where(DocumentStatement.document_id == document_id)
    return session().scalars(query.order_by(DocumentStatement.point)).all()


def statement(document_id: UUID, point: str, *, lock: bool = False) -> DocumentStatement | None:
    query = select(DocumentStatement).where(
        DocumentStatement.document_id == document_id, DocumentStatement.point == point
    )
    return session().scalars(query.with_for_update() if lock else query).one_or_none()


def evidence_ref(evidence_id: UUID | None) -> str:
    """Return "EV-12" for the evidence item of a statement. Empty if there is none."""
    return session().scalar(select(Evidence.ref).where(Evidence.id == evidence_id)) or ""


def assembled(found: SystemDocument, said: Sequence[RecordPoint]) -> tuple[AssembledSection, ...]:
    """Return what a draft says now. `said` has the entries of the record on its system."""
    return assemble(found.kind_of, said, _entries(found.id))


def _entries(document_id: UUID) -> dict[str, Entry]:
    """Return what people wrote, with the reference of its evidence, in one statement."""
    query = (
        select(DocumentStatement, Evidence.ref)
        .outerjoin(Evidence, Evidence.id == DocumentStatement.evidence_id)
        .where(DocumentStatement.document_id == document_id)
        .order_by(DocumentStatement.point)
    )
    return {row.point: _entry(row, ref) for row, ref in session().execute(query)}


def _entry(row: DocumentStatement, ref: str | None) -> Entry:
    """Return the entry of a statement. It names no author: the audit log records who wrote it."""
    if row.evidence_id is not None:
        return Entry(
            row.text,
            f"Evidence {ref}",
            "evidence.item",
            {"evidence_id": str(row.evidence_id)},
        )
    return Entry(f"Doesn't apply: {row.text}", f"Statement of {long_day(row.written_at)}")


def document_file(document_file_id: UUID, *, lock: bool = False) -> DocumentFile:
    """Return the file with that id. Raises NotFound."""
    return find(DocumentFile, document_file_id, what="file", lock=lock)


def run(document_file_id: UUID) -> Run[DocumentFile]:
    """Return the file with the work on it."""
    return run_of(document_file(document_file_id))


def files_of(document_id: UUID) -> Sequence[Run[DocumentFile]]:
    """Return the newest files of a version with their work."""
    return newest_files(DocumentFile, MAX_FILES, document_id=document_id)


def view(found: SystemDocument, system: AISystem) -> DocumentView:
    """Return the content of a version, and how the record differs from a completed one."""
    now = assembled(found, record.points_of(system))
    if not found.is_complete:
        return DocumentView(found, now, tuple(open_points(now)), ())
    kept = thawed(found.kind_of, found.content or ())
    return DocumentView(found, kept, (), tuple(changed_points(kept, now)))


def point(found: SystemDocument, key: str) -> Point:
    """Return a point of the document. Raises NotFound."""
    if key not in found.kind_of.points:
        raise NotFound("This point doesn't exist, or you don't have access to it.")
    return found.kind_of.points[key]


def points_of_duties(system_id: UUID) -> Mapping[str, DocumentPoint]:
    """Return the points with an entry in the newest completed version of each document.

    Also return the document itself by its kind. Empty for people who may not open documents.
    """
    if not allowed(permissions.VIEW) or limits() is not None:
        return {}
    found: dict[str, DocumentPoint] = {}
    seen: set[str] = set()
    for each in versions(system_id):
        if not each.is_complete or each.kind in seen:
            continue
        seen.add(each.kind)
        page = ("system_documents.by_id", {"document_id": each.id})
        found[each.kind] = DocumentPoint(each.title, *page)
        for point in each.content or ():
            if point["entries"]:
                words = f"{each.title}, point {point['point']}"
                found[point["point"]] = DocumentPoint(words, *page)
    return found
