"""Queries for the stored files of versions, and for the results of their checks."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO
from uuid import UUID

from sqlalchemy import select

from governance.assurance.evidence.deletion_queries import deletion_of
from governance.assurance.evidence.freshness_sql import DECIDED
from governance.assurance.evidence.models import (
    Evidence,
    EvidenceFault,
    EvidenceVersion,
)
from governance.assurance.evidence.version_queries import has_no_deletion, is_not_deleted
from governance.assurance.evidence.visibility import visible_scope
from governance.foundation.audit.models import AuditEntry
from governance.kernel import formatting
from governance.kernel.data.db import session
from governance.kernel.errors import DomainError
from governance.kernel.files import storage


def stored_version(sha256: str) -> EvidenceVersion | None:
    """Return the latest version whose stored file has this SHA-256, or None."""
    v = EvidenceVersion
    query = select(v).where(v.sha256 == sha256, v.storage_key.is_not(None), is_not_deleted())
    return session().scalars(query.order_by(v.uploaded_at.desc()).limit(1)).one_or_none()


class FileDeleted(DomainError):
    status = 410


def open_version(version: EvidenceVersion) -> BinaryIO:
    """Open the stored file. Raises FileDeleted. The caller must record the download."""
    return storage.store().open(check_has_file(version))


def check_has_file(version: EvidenceVersion) -> str:
    """Return the storage key of a version's file. Raises FileDeleted, or DomainError for a link."""
    if version.storage_key is None:
        raise DomainError(f"Version {version.number} is a link, so there is no file to download.")
    if gone := deletion_of(version, *DECIDED):
        when = (gone.decided_at or gone.created_at).date()
        raise FileDeleted(
            f"The file of version {version.number} was permanently deleted on"
            f" {formatting.long_day(when)}. Its SHA-256 stays on record."
        )
    return version.storage_key


def files_to_check() -> list[tuple[UUID, str, int, str, str]]:
    """List all expected files as (version id, ref, number, storage key, SHA-256), by key."""
    v = EvidenceVersion
    query = (
        select(v.id, Evidence.ref, v.number, v.storage_key, v.sha256)
        .join(Evidence, Evidence.id == v.evidence_id)
        .where(v.storage_key.is_not(None), is_not_deleted())
        .order_by(v.storage_key, v.number)
    )
    return [
        (row.id, row.ref, row.number, row.storage_key or "", row.sha256 or "")
        for row in session().execute(query)
    ]


@dataclass(frozen=True, slots=True)
class StoredFileCheck:
    """The last check of the stored files, and the files that are corrupted now.

    `broken` lists them as (evidence id, ref, title, number, kind, since).
    """

    at: datetime | None
    files: int
    broken: Sequence[tuple[UUID, str, str, int, str, datetime]]
    whole: bool  # The reader sees all evidence, so they may know the number of files.


def last_check(*, most: int = 100) -> StoredFileCheck:
    seen, v, fault = visible_scope(), EvidenceVersion, EvidenceFault
    checked = (
        session()
        .execute(
            select(AuditEntry.at, AuditEntry.facts)
            .where(AuditEntry.action == "evidence.files.verified")
            .order_by(AuditEntry.at.desc())
            .limit(1)
        )
        .one_or_none()
    )
    query = (
        select(Evidence.id, Evidence.ref, Evidence.title, v.number, fault.kind, fault.found_at)
        .join(v, v.id == fault.version_id)
        .join(Evidence, Evidence.id == v.evidence_id)
        .where(fault.restored_at.is_(None), is_not_deleted(), *seen.of_versions())
        .order_by(fault.found_at.desc(), Evidence.ref, v.number)
        .limit(most)
    )
    broken = [(r[0], r[1], r[2], r[3], r[4], r[5]) for r in session().execute(query)]
    files = int(checked.facts.get("files", 0)) if checked else 0
    return StoredFileCheck(
        checked.at if checked else None, files, broken, whole=seen.evidence is None
    )


def referred_to(keys: Collection[str]) -> set[str]:
    """Return the storage keys among `keys` that a version still needs.

    A file whose deletion was approved still counts, since a legal hold can stop the deletion.
    """
    if not keys:
        return set()
    query = select(EvidenceVersion.storage_key).where(
        EvidenceVersion.storage_key.in_(keys), has_no_deletion("done")
    )
    return {key for key in session().scalars(query) if key}


def others_with(version: EvidenceVersion) -> int:
    """Return the number of other versions with the same stored file.

    Versions whose deletion was approved count too, since a legal hold can stop the deletion.
    """
    v = EvidenceVersion
    query = select(v.id).where(
        v.storage_key == version.storage_key, v.id != version.id, has_no_deletion("done")
    )
    return len(session().scalars(query).all())


def fault_of(version: EvidenceVersion) -> EvidenceFault | None:
    query = select(EvidenceFault).where(
        EvidenceFault.version_id == version.id, EvidenceFault.restored_at.is_(None)
    )
    return session().scalars(query.with_for_update()).one_or_none()
