"""Close months, reopen them, and store their revisions.

start_close         create the review of a month, once
request_close       close a month before its scheduled day, or retry, as a person
reopen              allow another revision of a closed month, with a reason
note_problem        store what a person must do before the month can close
note_late           store which inputs of a closed month changed since
file_revision       freeze the figures: the only function that closes a month
"""

from collections.abc import Mapping, Sequence
from typing import Any

from governance.economics.allocation import actions as allocation
from governance.economics.reviews import permissions, queries
from governance.economics.reviews.closing import sign_off_actions
from governance.economics.reviews.models import Review, ReviewRevision
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.foundation.tenants.time_zones import zone_periods
from governance.kernel import clock, current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.errors import DomainError, Invalid
from governance.kernel.months import Month, month_span
from governance.kernel.safety.access import require
from governance.kernel.work import background_work, jobs

STARTED = action(
    "review.close.started",
    "started the close of a month",
    target="Review",
    activity="create",
    severity="informational",
    fields="month",
)
CLOSED = action(
    "review.closed",
    "closed a month",
    target="Review",
    activity="update",
    severity="low",
    fields="month revision digest",
    shape="ok",
)
REOPENED = action(
    "review.reopened",
    "reopened a closed month",
    target="Review",
    activity="update",
    severity="medium",
    fields="month revision",
)
REVISED = action(
    "review.revised",
    "revised a closed month",
    target="Review",
    activity="update",
    severity="medium",
    fields="month revision digest",
)
RETRIED = action(
    "review.close.retried",
    "tried to close a month again",
    target="Review",
    activity="update",
    severity="informational",
    fields="month revision",
)
STOPPED = action(
    "review.close.stopped",
    "stopped the close of a month",
    target="Review",
    activity="update",
    severity="low",
    fields="month problem",
)

LATE = action(
    "review.inputs.changed",
    "noted that inputs of a closed month changed",
    target="Review",
    activity="update",
    severity="low",
    fields="month revision inputs",
)

LOCK = "review close"
MAX_REASON_LENGTH = 2000


class NotOver(DomainError):
    """Raised if the month isn't over yet."""


def start_close(month: Month) -> Review | None:
    """Create the review of a month and queue its close. Returns None if the review exists."""
    lock_tenant(LOCK)
    lock_tenant(allocation.LOCK)
    if queries.find_review(month) is not None:
        return None
    return background_work.start(
        Review(
            month=str(month),
            requested_by=current.actor().person_id,
            work_item_id=None,
            reopened=None,
            problem=None,
            accepted_residual=None,
        )
    )


def request_close(month: Month) -> Review:
    """Close a month that is over: early, after its close stopped, or after it was reopened.

    Idempotent. Raises NotOver.
    """
    require(permissions.CLOSE)
    if month_span(zone_periods(), month).end > clock.now():
        raise NotOver(f"{month.long_name} isn't over yet. Close it when it is.")
    made = start_close(month)
    if made is not None:
        return made
    review = queries.review_of(month, lock=True)
    if not review.is_ready and not background_work.under_way(Review, Review.id == review.id):
        try_again(review)
    return review


def reopen(review: Review, reason: str) -> None:
    """Reopen a closed month, so that its inputs can be corrected and it can be closed again.

    Its figures stay until then, and its open sign-off requests are voided. Idempotent.
    """
    require(permissions.CLOSE)
    lock_tenant(LOCK)
    session().refresh(review)
    if not review.is_closed:
        raise DomainError("This month isn't closed yet.")
    if review.reopened is not None:
        return
    text = reason.strip()
    if not text:
        raise Invalid("Say why the month is reopened. The review prints it.", field="reason")
    if len(text) > MAX_REASON_LENGTH:
        raise Invalid(f"Use {MAX_REASON_LENGTH:,} characters or fewer.", field="reason")
    review.reopened = text
    review.accepted_residual = None
    sign_off_actions.withdraw(review, "The month was reopened.")
    record(REOPENED, review, month=review.month, revision=review.revision, reason=text)


def try_again(review: Review) -> None:
    """Queue the close of a month again."""
    lock_tenant(allocation.LOCK)
    record(RETRIED, review, month=review.month, revision=review.revision)
    review.problem = None
    review.work_item_id = jobs.enqueue(CLOSING.name, review.id).id
    session().flush()


def note_problem(review: Review, problem: str) -> None:
    """Store why the close stopped."""
    review.problem = problem
    record(STOPPED, review, month=review.month, problem=problem)


def note_late(review: Review, labels: Sequence[str]) -> None:
    """Store which inputs of a closed month differ now. Its figures don't change."""
    found = list(labels) or None
    if review.late == found:
        return
    review.late = found
    record(LATE, review, month=review.month, revision=review.revision, inputs=", ".join(labels))


def file_revision(review: Review, made: Mapping[str, Any]) -> ReviewRevision:
    """Store a revision and request both sign-offs. `made` has the row's values."""
    row = ReviewRevision(review_id=review.id, closed_by=review.requested_by, **made)
    session().add(row)
    review.revision, review.reopened, review.problem, review.late = row.number, None, None, None
    facts: dict[str, Any] = {
        "month": review.month,
        "revision": row.number,
        "digest": row.input_digest,
    }
    if row.number == 1:
        record(CLOSED, review, **facts)
    else:
        record(REVISED, review, **facts, reason=row.reason)
    session().flush()
    sign_off_actions.request(review, row)
    return row


def _requested(row: Review) -> None:
    if not row.is_closed:
        record(STARTED, row, month=row.month)


CLOSING = background_work.WorkKind(
    name="review",
    noun="review",
    model=Review,
    view=permissions.VIEW,
    permission=permissions.CLOSE,
    find=queries.review_with_id,
    title=lambda row: f"Review of {row.its_month.long_name}",
    page=lambda row: ("reviews.month", {"month": row.month}),
    address=lambda row: {"review_id": row.id},
    requested=_requested,
    cancelled=None,
    icon="coins",
    result_label="Open the review",
)
