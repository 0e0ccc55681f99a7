"""The job that generates the files of a review. A killed job runs again from the frozen facts."""

import io

from governance.economics.reviews import queries as reviews
from governance.economics.reviews.queries import ReviewView
from governance.foundation.people import queries as people
from governance.foundation.tenants.for_each_tenant import once_a_day_in_each
from governance.kernel.data.db import transaction
from governance.kernel.files.storage import Blob
from governance.kernel.work.background_work import PacedProgress, keep, sweep, target_of
from governance.kernel.work.jobs import Progress, WorkItem, work
from governance.publishing.reports import actions as signing_keys
from governance.publishing.reports.models import SigningKey
from governance.publishing.review_files import actions, queries, review_files
from governance.publishing.review_files.review_data import RevisionInfo, SignedSide

STEPS, PAGES = 8, 5


@work(actions.FILES.name)
def make_review_files(item: WorkItem, progress: Progress) -> None:
    """Generate the files of one ReviewFile (item.target_id)."""
    progress(0, STEPS, "Reading the review")
    with transaction():
        found = queries.review_file(target_of(actions.FILES, item))
        key = signing_keys.current_signing_key()
        view = queries.revision_of(found)
        headlines = reviews.headlines(view.month)
        info = _info(view, key)
        private, key_name = signing_keys.private_key(key), key.name
    paced = PacedProgress(progress)
    made = review_files.build(
        view.facts,
        headlines,
        info,
        private=private,
        key_name=key_name,
        on_progress=lambda page: paced(
            min(page, PAGES), STEPS, f"Page {page} of about {max(page, PAGES)}"
        ),
    )

    def file(blob: Blob) -> bool:
        row = queries.review_file(target_of(actions.FILES, item), lock=True)
        return actions.file(
            row, blob, name=made.name, pages=made.pages, sign_offs=len(info.sign_offs)
        )

    keep(actions.FILES, item, io.BytesIO(made.content), file)


def _info(view: ReviewView, key: SigningKey) -> RevisionInfo:
    row = view.revision
    names = people.names([each.person_id for each in view.sign_offs])
    return RevisionInfo(
        number=row.number,
        closed_at=row.closed_at,
        reason=row.reason,
        input_digest=row.input_digest,
        changes=row.changes or (),
        accepted_residual=row.accepted_residual,
        sign_offs=tuple(
            SignedSide(each.side, names.get(each.person_id, "a former member"), each.signed_at)
            for each in view.sign_offs
        ),
        signing_key=signing_keys.key_line(key),
    )


def remove_unreferenced_files() -> None:
    """Remove stored files that no row names."""
    once_a_day_in_each("tidy review files", lambda: sweep(actions.FILES))
