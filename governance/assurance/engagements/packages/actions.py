"""Request, save and download evidence packages. PACKAGES declares how they are generated."""

from governance.assurance.engagements import permissions, queries
from governance.assurance.engagements.models import (
    Engagement,
    EvidencePackage,
)
from governance.assurance.engagements.packages import queries as package_queries
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.aliases import may_see_names
from governance.kernel import clock, current
from governance.kernel.errors import DomainError, Forbidden
from governance.kernel.files.storage import Blob
from governance.kernel.work import background_work
from governance.kernel.work.background_work import GeneratedFile

PACKAGE_REQUESTED = action(
    "engagement.package.requested",
    "requested an evidence package",
    target="EvidencePackage",
    activity="create",
    severity="low",
    fields="engagement",
)
PACKAGE_CANCELLED = action(
    "engagement.package.cancelled",
    "cancelled an evidence package",
    target="EvidencePackage",
    activity="update",
    severity="informational",
    fields="engagement",
)
PACKAGE_GENERATED = action(
    "engagement.package.generated",
    "generated an evidence package",
    target="EvidencePackage",
    activity="update",
    severity="low",
    fields="engagement files size sha256 checkpoint",
)
PACKAGE_DOWNLOADED = action(
    "engagement.package.downloaded",
    "downloaded an evidence package",
    target="EvidencePackage",
    activity="read",
    severity="low",
    fields="engagement sha256",
)


def request_package(engagement: Engagement) -> EvidencePackage:
    """Queue a package of everything in scope, or return the one in progress."""
    background_work.lock(EvidencePackage)
    running = background_work.under_way(
        EvidencePackage, EvidencePackage.engagement_id == engagement.id
    )
    return (
        running[0]
        if running
        else background_work.start(
            EvidencePackage(
                engagement_id=engagement.id,
                requested_by=current.actor().person_id,
                work_item_id=None,
                storage_key=None,
                sha256=None,
                size=None,
                files=None,
                checkpoint=None,
                finished_at=None,
            )
        )
    )


def has_hidden_names(package: EvidencePackage) -> bool:
    """Check whether the package contains names that this reader may not see."""
    return package.has_names and not may_see_names()


def _ref_of(package: EvidencePackage) -> str:
    return queries.engagement(package.engagement_id).ref


PACKAGES = background_work.WorkKind(
    name="evidence package",
    noun="package",
    model=EvidencePackage,
    view=permissions.PACKAGE,
    permission=permissions.PACKAGE,
    find=package_queries.visible_package,
    title=lambda package: package_filename(queries.engagement(package.engagement_id)),
    page=lambda package: (
        "engagements.package",
        {"engagement_id": package.engagement_id, "package_id": package.id},
    ),
    address=lambda package: {"engagement_id": package.engagement_id, "package_id": package.id},
    requested=lambda package: record(PACKAGE_REQUESTED, package, engagement=_ref_of(package)),
    cancelled=lambda package: record(PACKAGE_CANCELLED, package, engagement=_ref_of(package)),
    requester_only=True,
    stored=EvidencePackage.storage_key,
    prefix="packages",  # Encrypted with the tenant's key, like the evidence in them.
    max_bytes=64 * 1024**3,
    icon="package",
    result_label="Open the package",
)


def package_filename(engagement: Engagement) -> str:
    return f"{current.actor().tenant_slug}-{engagement.ref}.zip"


def save_package(
    package: EvidencePackage,
    engagement: Engagement,
    blob: Blob,
    *,
    files: int,
    checkpoint: int,
    has_names: bool,
) -> bool:
    """Save a generated package. Return False, without a change, if another process has saved it."""
    if package.is_ready:
        return False
    package.storage_key, package.sha256, package.size = blob.key, blob.sha256, blob.size
    package.files, package.checkpoint, package.finished_at = files, checkpoint, clock.now()
    package.has_names = has_names
    record(
        PACKAGE_GENERATED,
        package,
        engagement=engagement.ref,
        files=files,
        size=blob.size,
        sha256=blob.sha256,
        checkpoint=checkpoint,
    )
    return True


def download_package(engagement: Engagement, package: EvidencePackage) -> GeneratedFile:
    """Record the download and return the file.

    Raises Forbidden if its reports name people and the reader's engagement hides names.
    """
    if package.storage_key is None:
        raise DomainError("This package isn't ready yet.")
    if has_hidden_names(package):
        raise Forbidden(
            "The reports in this package name people, and your engagement hides names. Generate"
            " another package, which has the reports without names."
        )
    record(PACKAGE_DOWNLOADED, package, engagement=engagement.ref, sha256=package.sha256)
    name, digest = package_filename(engagement), package.sha256 or ""
    return GeneratedFile(
        name, "application/zip", key=package.storage_key, size=package.size or 0, sha256=digest
    )
