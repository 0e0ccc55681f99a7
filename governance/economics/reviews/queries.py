"""Queries of the operator's reviews.

review(month)           a month with its newest revision, or another one
headlines(month)        headline figures of the last twelve months, in order
months_of_tenant(…)     a tenant's margin in each closed month
earlier_months()        margins of the months before the first closed one
reviewed_months()       months with a review, the newest first
tab_counts(review)      counts shown on the tabs
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import cast, func, select
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH

from governance.economics.reviews.facts.review_facts import (
    EarlierMonths,
    Headline,
    ReviewFacts,
    decode,
)
from governance.economics.reviews.models import (
    GuardrailMonth,
    Review,
    ReviewAction,
    ReviewComment,
    ReviewRevision,
    ReviewScenario,
    ReviewSettings,
    ReviewSignOff,
)
from governance.kernel.data.db import find, session
from governance.kernel.errors import NotFound
from governance.kernel.months import Month

MONTHS = 12  # shown beside each other in a review
CLOSE_DAY = 5  # of the following month
RESIDUAL_LIMIT = Decimal("0.02")  # of invoiced model cost


class CloseSettings(NamedTuple):
    """The day of the following month on which a month closes, and the residual limit.

    The limit is a share of invoiced model cost.
    """

    close_day: int
    residual_limit: Decimal


@dataclass(frozen=True, slots=True)
class ReviewView:
    """A review with one of its revisions."""

    review: Review
    revision: ReviewRevision
    facts: ReviewFacts
    sign_offs: Sequence[ReviewSignOff]

    @property
    def month(self) -> Month:
        """The month of the review."""
        return self.review.its_month

    @property
    def is_newest(self) -> bool:
        """Whether this is the newest revision."""
        return self.revision.number == self.review.revision


def find_review(month: Month) -> Review | None:
    """Return the month's row, or None before its close started."""
    return session().scalar(select(Review).where(Review.month == str(month)))


def review_with_id(review_id: UUID, *, lock: bool = False) -> Review:
    """Return a review by id. Raises NotFound."""
    return find(Review, review_id, what="review", lock=lock)


def newest_of(review_id: UUID) -> "ReviewView":
    """Return a review with its newest revision. Raises NotFound if it has none."""
    return review(review_with_id(review_id).its_month)


def settings() -> CloseSettings:
    """Return the settings of the close, or the defaults if nobody changed them."""
    found = session().scalar(select(ReviewSettings))
    if found is None:
        return CloseSettings(CLOSE_DAY, RESIDUAL_LIMIT)
    return CloseSettings(found.close_day, found.residual_limit)


def review_of(month: Month, *, lock: bool = False) -> Review:
    """Return the month's row. Raises NotFound."""
    query = select(Review).where(Review.month == str(month))
    found = session().scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound("This month has no review.")
    return found


def review(month: Month, number: int | None = None) -> ReviewView:
    """Return the month with that revision, by default the newest. Raises NotFound."""
    query = (
        select(Review, ReviewRevision)
        .join(
            ReviewRevision,
            (ReviewRevision.tenant_id == Review.tenant_id)
            & (ReviewRevision.review_id == Review.id),
        )
        .where(
            Review.month == str(month),
            ReviewRevision.number == (Review.revision if number is None else number),
        )
    )
    row = session().execute(query).one_or_none()
    if row is None:
        raise NotFound("This month has no review, or not that revision.")
    signed = select(ReviewSignOff).where(ReviewSignOff.revision_id == row[1].id)
    return ReviewView(
        row[0],
        row[1],
        decode(row[1].facts),
        session().scalars(signed.order_by(ReviewSignOff.signed_at)).all(),
    )


def headlines(month: Month) -> list[Headline]:
    """Return the newest headline of each of the twelve months that end with this one."""
    query = (
        select(ReviewRevision.headline)
        .join(
            Review,
            (ReviewRevision.tenant_id == Review.tenant_id)
            & (ReviewRevision.review_id == Review.id)
            & (ReviewRevision.number == Review.revision),
        )
        .where(Review.month.between(str(month.plus(1 - MONTHS)), str(month)))
        .order_by(Review.month)
    )
    return [msgspec.convert(each, Headline) for each in session().scalars(query)]


def months_of_tenant(month: Month, slug: str) -> list[tuple[Month, Decimal]]:
    """Return each closed month of a tenant up to this one with its margin, in order."""
    of_tenant = func.jsonb_path_query_first(
        ReviewRevision.facts,
        cast("$.tenants[*] ? (@.slug == $slug)", JSONPATH),
        func.jsonb_build_object("slug", slug),
        type_=JSONB,
    )
    query = (
        select(Review.month, of_tenant["margin"].astext)
        .join(
            ReviewRevision,
            (ReviewRevision.tenant_id == Review.tenant_id)
            & (ReviewRevision.review_id == Review.id)
            & (ReviewRevision.number == Review.revision),
        )
        .where(Review.month <= str(month))
        .order_by(Review.month)
    )
    return [
        (Month.parse(each), Decimal(margin))
        for each, margin in session().execute(query)
        if margin is not None
    ]


def has_closed_before(month: Month) -> bool:
    """Return whether an earlier month has figures."""
    query = select(Review.id).where(Review.month < str(month), Review.revision > 0).limit(1)
    return session().scalar(query) is not None


def earlier_months() -> EarlierMonths | None:
    """Return the months before the first closed one, or None if it stores none."""
    query = (
        select(ReviewRevision.facts["earlier"])
        .join(
            Review,
            (ReviewRevision.tenant_id == Review.tenant_id)
            & (ReviewRevision.review_id == Review.id)
            & (ReviewRevision.number == Review.revision),
        )
        .order_by(Review.month)
        .limit(1)
    )
    found = session().scalar(query)
    return None if found is None else msgspec.convert(found, EarlierMonths)


def reviewed_months() -> Sequence[Review]:
    """Return the reviews without their figures, the newest month first."""
    return session().scalars(select(Review).order_by(Review.month.desc())).all()


@dataclass(frozen=True, slots=True)
class TabCounts:
    """The numbers of scenarios and open actions of a review."""

    scenarios: int
    open_actions: int


def tab_counts(review_id: UUID) -> TabCounts:
    """Return the counts shown on the tabs, in one statement."""
    scenarios = select(func.count()).where(ReviewScenario.review_id == review_id)
    planned = select(func.count()).where(
        ReviewAction.review_id == review_id, ReviewAction.done_at.is_(None)
    )
    row = session().execute(select(scenarios.scalar_subquery(), planned.scalar_subquery())).one()
    return TabCounts(*row)


def revisions(review_id: UUID) -> Sequence[ReviewRevision]:
    """Return all revisions, the newest first."""
    query = select(ReviewRevision).where(ReviewRevision.review_id == review_id)
    return session().scalars(query.order_by(ReviewRevision.number.desc())).all()


def guardrail_months(month: Month) -> Sequence[GuardrailMonth]:
    """Return the review findings on blocks of the month."""
    query = select(GuardrailMonth).where(GuardrailMonth.month == str(month))
    return session().scalars(query.order_by(GuardrailMonth.id)).all()


def comments(review_id: UUID) -> Sequence[ReviewComment]:
    """Return the comments in order."""
    query = select(ReviewComment).where(ReviewComment.review_id == review_id)
    return session().scalars(query.order_by(ReviewComment.created_at, ReviewComment.id)).all()


def actions(review_id: UUID) -> Sequence[ReviewAction]:
    """Return the actions, open ones first, by due date."""
    query = select(ReviewAction).where(ReviewAction.review_id == review_id)
    order = (ReviewAction.done_at.is_not(None), ReviewAction.due_on, ReviewAction.id)
    return session().scalars(query.order_by(*order)).all()


def scenarios(review_id: UUID) -> Sequence[ReviewScenario]:
    """Return the scenarios by name."""
    query = select(ReviewScenario).where(ReviewScenario.review_id == review_id)
    return session().scalars(query.order_by(ReviewScenario.name)).all()
