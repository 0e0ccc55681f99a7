"""Record the results of stored file checks, and delete files that no version uses."""

from collections.abc import Collection, Iterator
from datetime import timedelta
from itertools import islice
from typing import Literal

from governance.assurance.evidence import stored_files, version_actions
from governance.assurance.evidence.models import EvidenceFault, EvidenceVersion
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.privacy.queries import own_tenant
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.files import storage

CORRUPTED = action(
    "evidence.version.corrupted",
    "found a corrupted evidence file",
    target="EvidenceVersion",
    activity="update",
    severity="high",
    fields="number sha256 kind",
)
FILE_RESTORED = action(
    "evidence.version.restored",
    "found a corrupted evidence file restored",
    target="EvidenceVersion",
    activity="update",
    severity="low",
    fields="number sha256",
)
VERIFIED = action(
    "evidence.files.verified",
    "verified all stored evidence files",
    target="Tenant",
    activity="read",
    severity="informational",
    fields="files bytes broken",
)
CLEANED_UP = action(
    "evidence.files.cleaned_up",
    "removed stored files that no evidence item uses",
    target="Tenant",
    activity="delete",
    severity="low",
    fields="files",
)
MIN_ORPHAN_AGE = timedelta(days=1)
MAX_PREVIEWS = 10_000  # Deleted per tenant and night.


def record_fault(version: EvidenceVersion, kind: Literal["missing", "altered"]) -> None:
    """Record that a file is missing or altered, once per fault. Its version then doesn't count."""
    fault = stored_files.fault_of(version)
    if fault is not None and fault.kind == kind:
        return
    if fault is not None:
        fault.restored_at = clock.now()
        session().flush()
    session().add(
        EvidenceFault(version_id=version.id, kind=kind, found_at=clock.now(), restored_at=None)
    )
    record(CORRUPTED, version, number=version.number, sha256=version.sha256, kind=kind)


def record_restored(version: EvidenceVersion) -> None:
    """Record that a file is intact again, from a backup or another upload."""
    fault = stored_files.fault_of(version)
    if fault is not None:
        fault.restored_at = clock.now()
        record(FILE_RESTORED, version, number=version.number, sha256=version.sha256)


def record_verification(*, files: int, size: int, broken: int) -> None:
    record(VERIFIED, own_tenant(), files=files, bytes=size, broken=broken)


def old_stored_files() -> Iterator[str]:
    """Yield the keys of stored files older than a day. Newer ones may be part of a transaction."""
    return _old_files(version_actions.STORAGE_PREFIX)


def _old_files(prefix: str) -> Iterator[str]:
    before = clock.now() - MIN_ORPHAN_AGE
    folder = f"{current.actor().tenant_id.hex}/{prefix}"
    return (key for key, written in storage.store().aged(folder) if written < before)


def delete_orphans(keys: Collection[str]) -> int:
    """Delete the files among `keys` that no version uses, and return their number.

    The lock blocks uploads meanwhile.
    """
    lock_tenant(version_actions.STORAGE_LOCK)
    orphans = sorted(set(keys) - stored_files.referred_to(keys))
    for key in orphans:
        storage.store().remove(key)
    if orphans:
        record(CLEANED_UP, own_tenant(), files=len(orphans))
    return len(orphans)


def delete_partial_uploads() -> int:
    """Delete partial files of killed processes, and return their number."""
    return storage.store().clear(current.actor().tenant_id, clock.now() - MIN_ORPHAN_AGE)


def delete_previews() -> int:
    """Delete files previewed for an import more than a day ago, and return their number.

    Files beyond MAX_PREVIEWS are deleted the next night.
    """
    old = list(islice(_old_files(storage.PREVIEWS), MAX_PREVIEWS))
    for key in old:
        storage.store().remove(key)
    return len(old)
