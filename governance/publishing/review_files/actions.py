"""Actions that generate and download the files of a review."""

from governance.economics.reviews import permissions as reviews
from governance.economics.reviews.queries import ReviewView
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel.data.db import session
from governance.kernel.files.storage import Blob
from governance.kernel.work import background_work, generated_files
from governance.kernel.work.background_work import GeneratedFile
from governance.publishing.review_files import permissions, queries
from governance.publishing.review_files.models import ReviewFile

REQUESTED = action(
    "review.file.requested",
    "requested the files of a review",
    target="ReviewFile",
    activity="create",
    severity="informational",
    fields="month revision",
)
GENERATED = action(
    "review.file.generated",
    "generated the files of a review",
    target="ReviewFile",
    activity="update",
    severity="informational",
    fields="month revision sha256 pages",
    shape="ok",
)
CANCELLED = action(
    "review.file.cancelled",
    "cancelled the files of a review",
    target="ReviewFile",
    activity="update",
    severity="informational",
    fields="month revision",
)
DOWNLOADED = action(
    "review.file.downloaded",
    "downloaded the files of a review",
    target="ReviewFile",
    activity="read",
    severity="low",
    fields="month revision sha256",
)


def request(view: ReviewView) -> ReviewFile:
    """Queue the files of a revision. A second click follows the first."""
    return generated_files.request(
        ReviewFile,
        revision_id=view.revision.id,
        also={"month": view.review.month, "number": view.revision.number},
    )


def file(found: ReviewFile, blob: Blob, *, name: str, pages: int, sign_offs: int) -> bool:
    """Store the finished files. Return False if an earlier try has stored them."""
    if not generated_files.name_file(found, blob, name=name):
        return False
    found.pages, found.sign_offs = pages, sign_offs
    record(
        GENERATED,
        found,
        month=found.month,
        revision=found.number,
        sha256=blob.sha256,
        pages=pages,
    )
    session().flush()
    return True


def download(found: ReviewFile) -> GeneratedFile:
    """Record the download of the zip, and return it."""
    stored = generated_files.to_download(found)
    record(
        DOWNLOADED,
        found,
        month=found.month,
        revision=found.number,
        sha256=found.file_sha256,
    )
    return stored


FILES = background_work.WorkKind(
    name="review files",
    noun="file",
    model=ReviewFile,
    view=reviews.VIEW,
    permission=permissions.DOWNLOAD,
    find=queries.review_file,
    title=lambda row: f"Files of {row.month}, revision {row.number}",
    page=lambda row: ("review_files.index", {"month": row.month}),
    address=lambda row: {"review_file_id": row.id},
    requested=lambda row: record(REQUESTED, row, month=row.month, revision=row.number),
    cancelled=lambda row: record(CANCELLED, row, month=row.month, revision=row.number),
    stored=ReviewFile.file_key,
    prefix="reviews",
    max_bytes=100 * 1024 * 1024,
    icon="file-zip",
    result_label="View files",
)
