"""The operator's page of a review's files."""

from uuid import UUID

from flask import redirect, url_for

from governance.economics.reviews import figures
from governance.economics.reviews import permissions as reviews
from governance.economics.reviews import queries as review_queries
from governance.economics.reviews.review_frame import parse_month
from governance.kernel.files.downloads import FILE
from governance.kernel.pages import work_pages
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue
from governance.publishing.review_files import actions, permissions, queries

feature = Feature("review_files", __name__, scope="operator")
MONTH = "/economics/reviews/<month>/files"
ONE = "/economics/review-files/<uuid:review_file_id>"


@feature.get(f"{MONTH}/", needs=reviews.VIEW)
def index(month: str) -> ResponseReturnValue:
    """Show the files of a month, and their content."""
    view = review_queries.review(parse_month(month))
    found = queries.files_of(view.review.id)
    return page(
        "publishing/review_files/files.html",
        view=view,
        month=month,
        month_name=figures.month_name(view.review.month),
        files=found,
        shown=work_pages.shown,
        is_current=any(
            each.is_ready
            and each.row.revision_id == view.revision.id
            and each.row.sign_offs == len(view.sign_offs)
            for each in found
        ),
    )


@feature.post(f"{MONTH}/", needs=permissions.DOWNLOAD)
def generate(month: str) -> ResponseReturnValue:
    """Generate the files of the newest revision."""
    view = review_queries.review(parse_month(month))
    actions.request(view)
    return redirect(url_for("review_files.index", month=view.review.month), 303)


@feature.post(f"{ONE}/download", needs=permissions.DOWNLOAD, answers=FILE)
def download(review_file_id: UUID) -> ResponseReturnValue:
    """Return the zip. This is a POST, because a download is recorded in the audit log."""
    return work_pages.attachment(actions.download(queries.review_file(review_file_id)))


work_pages.add_routes(feature, actions.FILES, ONE, queries.run)
