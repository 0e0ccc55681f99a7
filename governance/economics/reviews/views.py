"""The operator's pages of unit economics: a month's review, reconciliation and sign-off."""

from uuid import UUID

from flask import flash, redirect, request, url_for

from governance.economics.reviews import (
    conclusions,
    figures,
    permissions,
    queries,
    review_frame,
    review_page,
)
from governance.economics.reviews.closing import actions as close_actions
from governance.economics.reviews.closing import awaited_sign_offs
from governance.economics.reviews.models import Review
from governance.economics.reviews.reconciliation import page as reconciliation_page
from governance.foundation.people import queries as people
from governance.kernel.errors import Stale
from governance.kernel.months import Month
from governance.kernel.pages import work_pages
from governance.kernel.pages.rendering import page
from governance.kernel.web.feature import Feature
from governance.kernel.web.responses import ResponseReturnValue
from governance.kernel.work.background_work import Run, run_of

feature = Feature("reviews", __name__, scope="operator")
MONTH = "/economics/reviews/<month>"
PLANNED = 5  # listed on the Review tab


@feature.get("/economics/", needs=permissions.VIEW)
def index() -> ResponseReturnValue:
    """Show the newest month with figures, or what a review needs if there is no review."""
    months = queries.reviewed_months()
    if not months:
        return page("economics/reviews/empty.html")
    newest = next((each for each in months if each.is_closed), months[0])
    return review_of_month(newest.its_month)


@feature.get(f"{MONTH}/", needs=permissions.VIEW, endpoint="month")
def month_page(month: str) -> ResponseReturnValue:
    return review_of_month(review_frame.parse_month(month))


@feature.get("/economics/review/<uuid:review_id>", needs=permissions.VIEW)
def by_id(review_id: UUID) -> ResponseReturnValue:
    """Redirect from a review's id, as linked in the audit log, to its page."""
    found = queries.review_with_id(review_id)
    return redirect(url_for("reviews.month", month=found.month), 303)


def review_of_month(month: Month) -> ResponseReturnValue:
    """Show the Review tab of a month, or the progress of its close."""
    row = queries.review_of(month)
    if not row.is_closed:
        return page(
            "economics/reviews/closing.html",
            review=row,
            month_name=figures.month_name(row.month),
            progress=work_pages.shown(run_of(row)),
        )
    frame = review_frame.load(month)
    headlines = queries.headlines(month)
    planned = queries.actions(row.id)[:PLANNED]
    return page(
        "economics/reviews/review.html",
        **review_frame.context(frame, "reviews.month"),
        **review_page.context(frame.view.facts, headlines),
        title=conclusions.headline(frame.view.facts, review_page.before_of(headlines, str(month))),
        actions=planned,
        names=people.names([*(each.owner_id for each in planned), *frame.signers]),
    )


@feature.get(f"{MONTH}/reconciliation", needs=permissions.VIEW)
def reconciliation(month: str) -> ResponseReturnValue:
    """Show how far invoices and computed cost differ, and how shared cost is allocated."""
    frame = review_frame.load(review_frame.parse_month(month))
    return page(
        "economics/reviews/reconciliation.html",
        **review_frame.context(frame, "reviews.reconciliation"),
        **reconciliation_page.context(frame.view.facts, frame.view.revision.accepted_residual),
        planned={each.title: each for each in queries.actions(frame.view.review.id)},
    )


# ---- sign-off


@feature.get(f"{MONTH}/sign-off/finance", needs=permissions.SIGN_FINANCE)
def sign_off_finance(month: str) -> ResponseReturnValue:
    return _sign_off(month, "finance")


@feature.get(f"{MONTH}/sign-off/product", needs=permissions.SIGN_PRODUCT)
def sign_off_product(month: str) -> ResponseReturnValue:
    return _sign_off(month, "product")


def _sign_off(month: str, side: str) -> ResponseReturnValue:
    """Redirect to the side's request; back to the review if the user saw older figures."""
    view = queries.review(review_frame.parse_month(month))
    try:
        found = awaited_sign_offs.open_request(view, side, request.args.get("seen", ""))
    except Stale as stale:
        flash(stale.message, "warning")
        return redirect(url_for("reviews.month", month=month), 303)
    return redirect(url_for("approvals.approval", approval_id=found.id), 303)


def _closing(review_id: UUID) -> Run[Review]:
    return run_of(queries.review_with_id(review_id))


work_pages.add_routes(
    feature, close_actions.CLOSING, "/economics/review/<uuid:review_id>", _closing
)
