"""Files of reviews of the acting operator."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from governance.economics.reviews import queries as reviews
from governance.economics.reviews.models import Review, ReviewRevision
from governance.economics.reviews.queries import ReviewView
from governance.kernel.data.db import find, session
from governance.kernel.work.background_work import Run, run_of, with_work
from governance.publishing.review_files.models import ReviewFile


def review_file(review_file_id: UUID, *, lock: bool = False) -> ReviewFile:
    """Return the files with that id. Raises NotFound."""
    return find(ReviewFile, review_file_id, what="file", lock=lock)


def run(review_file_id: UUID) -> Run[ReviewFile]:
    """Return the files with the work on them."""
    return run_of(review_file(review_file_id))


def files_of(review_id: UUID) -> Sequence[Run[ReviewFile]]:
    """Return the files of all revisions of a month with their work, the newest first."""
    query = (
        with_work(ReviewFile)
        .join(
            ReviewRevision,
            (ReviewRevision.tenant_id == ReviewFile.tenant_id)
            & (ReviewRevision.id == ReviewFile.revision_id),
        )
        .where(ReviewRevision.review_id == review_id)
        .order_by(ReviewFile.created_at.desc(), ReviewFile.id)
        .limit(20)
    )
    return [Run(row, work) for row, work in session().execute(query)]


def revision_of(found: ReviewFile) -> ReviewView:
    """Return the revision that the files are of, with its facts and sign-offs."""
    query = (
        select(Review)
        .join(
            ReviewRevision,
            (ReviewRevision.tenant_id == Review.tenant_id)
            & (ReviewRevision.review_id == Review.id),
        )
        .where(ReviewRevision.id == found.revision_id)
    )
    return reviews.review(session().scalars(query).one().its_month, found.number)
