"""Upload, link, review and download versions of an evidence item.

    upload_version, upload_by_digest, link_version   add an immutable version
    accept, reject                                   record the one review by another person
    record_download                                  open the stored file, and record it

Contributors upload versions of items they own. Nobody can review a version that they uploaded
themselves, or that was uploaded with an API key whose secret they saw.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, BinaryIO, Literal
from urllib.parse import urlsplit

from sqlalchemy import func, select

from governance.assurance.evidence import (
    file_types,
    permissions,
    scanning,
    stored_files,
    version_queries,
)
from governance.assurance.evidence.actions import EvidenceExists, check_is_live, check_reason
from governance.assurance.evidence.models import (
    Evidence,
    EvidenceReview,
    EvidenceVersion,
)
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.people.queries import names
from governance.kernel import clock, current
from governance.kernel.data.db import extend_statement_timeout, lock_tenant, session
from governance.kernel.errors import DomainError, Invalid, Stale, TooLarge, Unavailable
from governance.kernel.files import storage
from governance.kernel.formatting import long_day
from governance.kernel.safety.access import allowed, require

UPLOADED = action(
    "evidence.version.uploaded",
    "uploaded an evidence version",
    target="EvidenceVersion",
    activity="create",
    severity="informational",
    fields="number sha256 size media_type period_from period_to valid_until source",
    personal="filename url",
    shape="open",
)
ACCEPTED = action(
    "evidence.version.accepted",
    "accepted an evidence version",
    target="EvidenceVersion",
    activity="update",
    severity="informational",
    fields="number sha256",
    shape="ok",
)
REJECTED = action(
    "evidence.version.rejected",
    "rejected an evidence version",
    target="EvidenceVersion",
    activity="update",
    severity="informational",
    fields="number sha256",
    shape="bad",
)
DOWNLOADED = action(
    "evidence.version.downloaded",
    "downloaded an evidence version",
    target="EvidenceVersion",
    activity="read",
    severity="low",
    fields="number sha256",
)
MAX_FILE_BYTES = 1024**3
STORAGE_PREFIX = "evidence"
STORAGE_LOCK = "stored evidence"  # Held while a file is stored, cleaned up or deleted.
MAX_VALIDITY = timedelta(days=3 * 366)
EARLIEST_DAY = date(2000, 1, 1)


def upload_version(
    evidence: Evidence,
    stream: BinaryIO,
    filename: str | None,
    *,
    collected_on: date,
    period_from: date,
    period_to: date,
    valid_until: date,
    source: str = "upload",
    unchanged: bool = False,
) -> EvidenceVersion:
    """Store a file as the next version. Its type is detected by content.

    `unchanged` allows the bytes of an earlier version for another period, for example of an
    unchanged configuration. Raises Invalid, TooLarge, Unavailable or EvidenceExists.
    """
    check_may_upload(evidence)
    _check_dates(collected_on, period_from, period_to, valid_until)
    name = file_types.safe_name(filename)
    _check_size(stream)
    extend_statement_timeout()
    found = file_types.find_type(stream, name)
    scanning.check_not_infected(stream, name)
    blob = storage.store().write(
        current.actor().tenant_id, stream, limit=MAX_FILE_BYTES, prefix=STORAGE_PREFIX
    )
    return _store_version(
        evidence,
        StoredFile(name, found.type, blob.size, blob.sha256, blob.key),
        unchanged=unchanged,
        collected_on=collected_on,
        source=source,
        period_from=period_from,
        period_to=period_to,
        valid_until=valid_until,
    )


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file in storage that a version will use."""

    filename: str
    media_type: str
    size: int
    sha256: str
    storage_key: str


def upload_by_digest(
    evidence: Evidence,
    sha256: str,
    *,
    collected_on: date,
    period_from: date,
    period_to: date,
    valid_until: date,
    source: str,
) -> EvidenceVersion:
    """Add a stored file as the next version of another item or for another period."""
    check_may_upload(evidence)
    _check_dates(collected_on, period_from, period_to, valid_until)
    existing = stored_files.stored_version(sha256)
    if existing is None or not storage.store().exists(existing.storage_key or ""):
        raise Invalid("No stored file has this SHA-256. Send the file itself.", field="sha256")
    stored_file = StoredFile(
        existing.filename or "file",
        existing.media_type or "",
        existing.size or 0,
        sha256,
        existing.storage_key or "",
    )
    return _store_version(
        evidence,
        stored_file,
        unchanged=True,
        collected_on=collected_on,
        source=source,
        period_from=period_from,
        period_to=period_to,
        valid_until=valid_until,
    )


def _store_version(
    evidence: Evidence, file: StoredFile, *, unchanged: bool, collected_on: date, **facts: Any
) -> EvidenceVersion:
    """Add a version for a stored file, and hold the lock against cleanup and deletion until commit.

    So either both the row and its file exist, or neither does.
    """
    session().refresh(evidence, with_for_update=True)
    check_is_live(evidence)
    lock_tenant(STORAGE_LOCK)
    if not storage.store().exists(file.storage_key):
        raise Unavailable(
            "The stored file was deleted while you were uploading. Nothing was saved; upload it"
            " again."
        )
    same = version_queries.versions_of(evidence).where(EvidenceVersion.sha256 == file.sha256)
    if unchanged:
        same = same.where(
            EvidenceVersion.period_from == facts["period_from"],
            EvidenceVersion.period_to == facts["period_to"],
        )
    if twin := session().scalars(same).first():
        raise EvidenceExists(
            f"This file is identical to version {twin.number}, uploaded on"
            f" {long_day(twin.uploaded_at.date())}. Nothing was saved.",
            field="file",
        )
    return _add_version(
        evidence,
        collected_on,
        filename=file.filename,
        media_type=file.media_type,
        size=file.size,
        sha256=file.sha256,
        storage_key=file.storage_key,
        url=None,
        **facts,
    )


def link_version(
    evidence: Evidence,
    url: str,
    *,
    collected_on: date,
    period_from: date,
    period_to: date,
    valid_until: date,
    source: str = "link",
) -> EvidenceVersion:
    """Add an https link as the next version, for content that must not leave its system."""
    check_may_upload(evidence)
    _check_dates(collected_on, period_from, period_to, valid_until)
    url = url.strip()
    _check_url(url)
    twin = (
        session()
        .scalars(
            version_queries.versions_of(evidence).where(
                EvidenceVersion.url == url, EvidenceVersion.period_to == period_to
            )
        )
        .first()
    )
    if twin:
        raise EvidenceExists(
            f"Version {twin.number} already links to this address for the same period. Nothing"
            " was saved.",
            field="url",
        )
    return _add_version(
        evidence,
        collected_on,
        filename=None,
        media_type=None,
        size=None,
        sha256=None,
        storage_key=None,
        url=url,
        source=source,
        period_from=period_from,
        period_to=period_to,
        valid_until=valid_until,
    )


def accept(version: EvidenceVersion, evidence: Evidence, *, remark: str = "") -> EvidenceReview:
    return _review(version, evidence, "accepted", remark.strip()[:2000])


def reject(version: EvidenceVersion, evidence: Evidence, *, reason: str) -> EvidenceReview:
    return _review(
        version,
        evidence,
        "rejected",
        check_reason(reason, "Enter a reason, so the owner knows what to fix."),
    )


def record_download(version: EvidenceVersion) -> BinaryIO:
    """Open the stored file, and record the download in the audit log."""
    file = stored_files.open_version(version)
    record(DOWNLOADED, version, number=version.number, sha256=version.sha256)
    return file


def _add_version(evidence: Evidence, collected_on: date, **facts: Any) -> EvidenceVersion:
    number = (
        session().scalar(
            select(func.max(EvidenceVersion.number)).where(
                EvidenceVersion.evidence_id == evidence.id
            )
        )
        or 0
    ) + 1
    version = EvidenceVersion(
        evidence_id=evidence.id,
        number=number,
        uploaded_at=clock.now(),
        uploaded_by=current.actor().person_id,
        key_id=current.actor().key_id,
        created_at=clock.now(),
        collected_at=min(datetime.combine(collected_on, time(), UTC), clock.now()),
        **facts,
    )
    session().add(version)
    recorded = {k: v for k, v in facts.items() if k != "storage_key"}
    record(UPLOADED, version, number=number, **recorded)
    return version


def _review(
    version: EvidenceVersion,
    evidence: Evidence,
    decision: Literal["accepted", "rejected"],
    reason: str,
) -> EvidenceReview:
    require(permissions.REVIEW, on=version)
    if (taken := version_queries.withdrawal_of(version)) is not None:
        raise DomainError(f"Version {version.number} was withdrawn: {taken.reason}")
    existing = (
        session()
        .scalars(select(EvidenceReview).where(EvidenceReview.version_id == version.id))
        .one_or_none()
    )
    if existing is not None:
        who = names([existing.reviewed_by]).get(existing.reviewed_by, "A former member")
        said = (
            f"{who} {existing.decision} version {version.number} of {evidence.ref} on"
            f" {long_day(existing.reviewed_at.date())}. Nothing was changed."
        )
        raise Stale(said, {"review": ("pending", existing.decision)})
    review = EvidenceReview(
        version_id=version.id,
        decision=decision,
        reason=reason,
        reviewed_by=current.person_id(),
        reviewed_at=clock.now(),
        created_at=clock.now(),
    )
    session().add(review)
    record(
        ACCEPTED if decision == "accepted" else REJECTED,
        version,
        reason=reason or None,
        number=version.number,
        sha256=version.sha256,
    )
    return review


def check_may_upload(evidence: Evidence) -> None:
    """Raise Forbidden unless the actor may upload versions, EvidenceRetired for a retired item."""
    check_is_live(evidence)
    if not allowed(permissions.PUSH):
        require(permissions.UPLOAD, on=evidence)


def _check_dates(collected_on: date, period_from: date, period_to: date, valid_until: date) -> None:
    if collected_on > clock.today():
        raise Invalid(
            f"{long_day(collected_on)} is in the future. Choose the date it was collected.",
            field="collected_on",
        )
    if period_from > period_to:
        raise Invalid("The period ends before it starts.", field="period_to")
    if valid_until < period_to:
        raise Invalid(
            "Choose a date on or after the end of the period it covers.", field="valid_until"
        )
    if min(period_from, collected_on) < EARLIEST_DAY:
        raise Invalid(
            "Evidence from before the year 2000 can't be added. Choose a later date.",
            field="period_from" if period_from < EARLIEST_DAY else "collected_on",
        )
    if valid_until > clock.today() + MAX_VALIDITY:
        raise Invalid("Evidence can be valid for three years at most.", field="valid_until")


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        fine = (
            parts.scheme == "https"
            and parts.hostname
            and "." in parts.hostname
            and not parts.username
            and not any(c.isspace() for c in url)
        )
    except ValueError:
        fine = False
    if not fine or len(url) > 2000:  # noqa: PLR2004 - what browsers take
        raise Invalid("Enter an address that starts with https:// and names a server.", field="url")


def _check_size(stream: BinaryIO) -> None:
    """Raise TooLarge before reading the file."""
    stream.seek(0, 2)
    if stream.tell() > MAX_FILE_BYTES:
        raise TooLarge(
            f"The file is larger than the limit of {MAX_FILE_BYTES // 1024**2} MB. Nothing was"
            " saved.",
            field="file",
        )
    stream.seek(0)
