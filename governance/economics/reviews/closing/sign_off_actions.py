"""Sign-offs of a revision by two sides: finance and product.

Each sign-off is an approval of exactly the figures that were closed, given by a person of that
side. A reopened month must be signed off again.

request     request both sign-offs when a revision is stored
withdraw    void open requests when the month is reopened
"""

from collections.abc import Mapping
from typing import Any

from governance.economics.formulas.money import money
from governance.economics.reviews import permissions, queries
from governance.economics.reviews.closing.awaited_sign_offs import kind_name
from governance.economics.reviews.models import SIDES, Review, ReviewRevision, ReviewSignOff
from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.kinds import ApprovalKind, Description, LogEntry
from governance.foundation.approvals.models import Approval
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.formatting import moment

SIGNED = action(
    "review.signed",
    "signed off a review",
    target="Review",
    activity="update",
    severity="low",
    fields="month revision side digest",
    shape="ok",
)


def request(review: Review, row: ReviewRevision) -> None:
    """Request both sign-offs of a revision, and void the requests for the one before."""
    withdraw(review, "The month has a new revision.")
    for side in SIDES:
        approvals.request(
            kind_name(side),
            review.id,
            summary=f"sign off the review of {review.its_month.long_name}",
            reason=row.reason or "The month was closed.",
            requesters=(),
        )


def withdraw(review: Review, reason: str) -> None:
    """Void the open requests with a reason, because their figures are being replaced."""
    for side in SIDES:
        approvals.void(kind_name(side), review.id, reason=reason)


def _content(approval: Approval) -> Mapping[str, Any]:
    found = queries.newest_of(approval.target_id)
    return {"revision": found.revision.number, "digest": found.revision.input_digest}


def _describe(approval: Approval) -> Description:
    found = queries.newest_of(approval.target_id)
    fall = found.facts.waterfall
    return Description(
        title=approval.summary,
        heading="Figures",
        facts=[
            ("Month", found.month.long_name),
            ("Revision", str(found.revision.number)),
            ("Closed", moment(found.revision.closed_at)),
            ("Revenue", money(fall.revenue, found.facts.currency)),
            ("Gross margin", money(fall.gross_margin, found.facts.currency)),
            ("Contribution", money(fall.contribution, found.facts.currency)),
            ("Input digest", found.revision.input_digest),
        ],
        verb="Sign off",
        covers="Covers the frozen figures of this revision.",
        back=("Review", "reviews.month", {"month": found.review.month}),
    )


def _entry(approval: Approval, _step: str) -> LogEntry:
    review = queries.review_with_id(approval.target_id)
    return LogEntry(review, facts={"month": review.month, "revision": review.revision})


def _sign(side: str, approval: Approval) -> None:
    found = queries.newest_of(approval.target_id)
    session().add(
        ReviewSignOff(
            revision_id=found.revision.id,
            side=side,
            person_id=current.person_id(),
            signed_at=clock.now(),
        )
    )
    record(
        SIGNED,
        found.review,
        month=found.review.month,
        revision=found.revision.number,
        side=side,
        digest=found.revision.input_digest,
    )


FINANCE = ApprovalKind(
    name="review-finance",
    label="Review, finance",
    permission=permissions.SIGN_FINANCE,
    describe=_describe,
    fingerprint=_content,
    apply=lambda approval: _sign("finance", approval),
    entry=_entry,
    lifetime=None,
    lock="review sign-offs",
    entries={"approved": None},
)
PRODUCT = ApprovalKind(
    name="review-product",
    label="Review, product",
    permission=permissions.SIGN_PRODUCT,
    describe=_describe,
    fingerprint=_content,
    apply=lambda approval: _sign("product", approval),
    entry=_entry,
    lifetime=None,
    lock="review sign-offs",
    entries={"approved": None},
)
