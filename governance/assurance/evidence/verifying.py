"""Hash the stored evidence files of the acting tenant, and report missing or corrupted ones.

    verify(told, claim) → FileVerification   records faults and restored files
    record_corruption_of(pieces, version)    records a fault found during a download

It raises Unavailable if the storage can't be reached, since an unreadable file isn't corrupted.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal
from uuid import UUID

from governance.assurance.evidence import (
    deletion_queries,
    integrity,
    queries,
    stored_files,
)
from governance.assurance.evidence.freshness_sql import DECIDED
from governance.kernel import current
from governance.kernel.data.db import transaction
from governance.kernel.errors import DomainError, NotFound
from governance.kernel.files.encrypted_stream import CorruptedFile
from governance.kernel.files.storage import in_pieces, store
from governance.kernel.formatting import plural, size

type FaultKind = Literal["missing", "altered"]
ReportProgress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class FileFault:
    ref: str
    number: int
    kind: FaultKind
    sha256: str

    @property
    def sentence(self) -> str:
        what = (
            "is missing" if self.kind == "missing" else "doesn't match the file that was uploaded"
        )
        return f"{self.ref} version {self.number}: the stored file {what} (SHA-256 {self.sha256})."


@dataclass(frozen=True, slots=True)
class FileVerification:
    versions: int
    files: int
    size: int
    findings: Sequence[FileFault]

    @property
    def is_intact(self) -> bool:
        return not self.findings

    @property
    def sentence(self) -> str:
        files = plural(self.files, "stored file")
        found = f"{files} of {plural(self.versions, 'version')}, {size(self.size)}"
        corrupted = plural(len(self.findings), "version")
        return f"{found}: all intact." if self.is_intact else f"{found}: {corrupted} corrupted."


def verify(
    told: ReportProgress = lambda _done, _total: None, *, claim: Callable[[], bool] = lambda: True
) -> FileVerification:
    """Verify all files. `told` receives (versions checked, total).

    `claim` is called in the last transaction and returns whether to record this check. Of two
    concurrent checks, only one is recorded.
    """
    with transaction(read_only=True):
        every = stored_files.files_to_check()
    findings: list[FileFault] = []
    files, size, done = 0, 0, 0
    for key, group in groupby(every, key=lambda each: each[3]):
        versions = list(group)
        told(done, len(every))
        kind, read = _state(key, versions[0][4])
        files, size, done = files + 1, size + read, done + len(versions)
        with transaction():
            for version_id, ref, number, _, sha256 in versions:
                version, _evidence = queries.find_version(version_id)
                if deletion_queries.deletion_of(version, *DECIDED):
                    continue  # Its deletion was approved after the files were listed.
                if kind is None:
                    integrity.record_restored(version)
                else:
                    findings.append(FileFault(ref, number, kind, sha256))
                    integrity.record_fault(version, kind)
    with transaction():
        if claim():
            integrity.record_verification(files=files, size=size, broken=len(findings))
    return FileVerification(len(every), files, size, findings)


class FileCorrupted(DomainError):
    """The stored file of a version is missing or corrupted."""


def fault_kind(error: NotFound | CorruptedFile) -> FaultKind:
    return "altered" if isinstance(error, CorruptedFile) else "missing"


def record_corruption_of(pieces: Iterator[bytes], version_id: UUID) -> Iterator[bytes]:
    """Yield the file. If it turns out to be corrupted, record that and raise CorruptedFile."""
    return _record_corruption_of(pieces, version_id, current.actor(), current.origin())


def _record_corruption_of(
    pieces: Iterator[bytes], version_id: UUID, who: current.Actor, origin: current.Origin
) -> Iterator[bytes]:
    try:
        yield from pieces
    except CorruptedFile as error:
        with current.acting_as(who), current.coming_from(origin), transaction():
            integrity.record_fault(queries.find_version(version_id)[0], fault_kind(error))
        raise


def _state(key: str, sha256: str) -> tuple[FaultKind | None, int]:
    """Return (the fault or None, bytes read)."""
    digest, size = hashlib.sha256(), 0
    try:
        for piece in in_pieces(store().open(key)):
            digest.update(piece)
            size += len(piece)
    except (NotFound, CorruptedFile) as error:
        return fault_kind(error), size
    return (None if digest.hexdigest() == sha256 else "altered"), size
