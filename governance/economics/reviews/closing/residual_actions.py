"""Acceptance of a residual above the limit: one person requests it, another approves it.

The month then closes, and its review prints the reason.
"""

from collections.abc import Mapping
from typing import Any

from governance.economics.reviews import permissions, queries
from governance.economics.reviews.closing import actions as close_actions
from governance.economics.reviews.models import Review
from governance.foundation.approvals import actions as approvals
from governance.foundation.approvals.kinds import ApprovalKind, Description, LogEntry
from governance.foundation.approvals.models import Approval
from governance.foundation.audit.record import record
from governance.foundation.audit.registry import action
from governance.kernel.errors import DomainError, NotFound
from governance.kernel.safety.access import require

ACCEPTED = action(
    "review.residual.accepted",
    "accepted a residual above the limit",
    target="Review",
    activity="update",
    severity="medium",
    fields="month problem",
)
KIND = "review-residual"


def ask(review: Review, reason: str) -> Approval:
    """Request another person's acceptance of the residual that stopped the close."""
    require(permissions.CLOSE)
    if review.problem is None:
        raise DomainError("The close of this month didn't stop.")
    month = review.its_month.long_name
    return approvals.request(
        KIND,
        review.id,
        summary=f"close {month} with a residual above the limit",
        reason=reason,
    )


def _stopped(approval: Approval) -> Review:
    review = queries.review_with_id(approval.target_id)
    if review.problem is None:
        raise NotFound("The close of this month didn't stop.")
    return review


def _content(approval: Approval) -> Mapping[str, Any]:
    review = _stopped(approval)
    return {"month": review.month, "problem": review.problem}


def _describe(approval: Approval) -> Description:
    review = _stopped(approval)
    return Description(
        title=approval.summary,
        heading="Residual",
        facts=[("Month", review.month), ("Why it stopped", review.problem)],
        verb="Accept residual",
        covers="Covers this residual. Another one asks again.",
        back=("Review", "reviews.month", {"month": review.month}),
        consequence="The month closes, and its review prints the reason.",
    )


def _accept(approval: Approval) -> None:
    review = queries.review_of(_stopped(approval).its_month, lock=True)
    record(ACCEPTED, review, month=review.month, problem=review.problem, reason=approval.reason)
    review.accepted_residual = approval.reason
    close_actions.try_again(review)


RESIDUAL = ApprovalKind(
    name=KIND,
    label="Residual above the limit",
    permission=permissions.CLOSE,
    describe=_describe,
    fingerprint=_content,
    apply=_accept,
    entry=lambda approval, _step: LogEntry(
        queries.review_with_id(approval.target_id),
        facts={"month": queries.review_with_id(approval.target_id).month},
    ),
    lock="review close",
    entries={"approved": None},
    own="You asked for it yourself, so another person accepts the residual.",
)
