"""Rows of reviews with the facts of facts_helpers.py, as the close writes them."""

from datetime import UTC, date, datetime
from uuid import UUID

import msgspec
from sqlalchemy import select

from governance.economics.reviews.facts.review_facts import Headline, ReviewFacts, encode
from governance.economics.reviews.models import Review, ReviewAction, ReviewRevision
from governance.kernel.data.db import session
from tests import make
from tests.economics.reviews.facts_helpers import headlines_of, rich_facts

CLOSED = datetime(2026, 11, 5, 7, 0, tzinfo=UTC)


def revision(review_id: UUID, facts: ReviewFacts, headline: Headline, number: int = 1, **changed):
    """Return a revision of a month with the values that the close writes."""
    values = {
        "closed_at": CLOSED,
        "closed_by": None,
        "reason": "The month was closed.",
        "input_digest": "ab" * 32,
        "changes": None,
        "accepted_residual": None,
    }
    return ReviewRevision(
        review_id=review_id,
        number=number,
        facts=encode(facts),
        headline=encode(headline),
        **values | changed,
    )


def closed_months(facts: ReviewFacts | None = None) -> UUID:
    """Add twelve closed months that end with these facts. Return the id of the newest."""
    newest = facts or rich_facts()
    with make.acting("operator_admin", "console"):
        for headline in headlines_of(newest):
            review = Review(
                month=headline.month,
                revision=1,
                reopened=None,
                problem=None,
                work_item_id=None,
                requested_by=None,
                accepted_residual=None,
                late=None,
            )
            session().add(review)
            session().flush()
            of_month = msgspec.structs.replace(newest, month=headline.month)
            session().add(revision(review.id, of_month, headline))
        session().flush()
        return review.id


def second_revision(review_id: UUID, facts: ReviewFacts, **changed) -> None:
    """Add another revision of the month, which becomes the newest."""
    with make.acting("operator_admin", "console"):
        session().add(revision(review_id, facts, headlines_of(facts)[-1], 2, **changed))
        session().scalars(select(Review).where(Review.id == review_id)).one().revision = 2
        session().flush()


def planned_action(review_id: UUID, title: str, due_on: date) -> UUID:
    with make.acting("operator_finance", "console"):
        made = ReviewAction(
            review_id=review_id,
            title=title,
            owner_id=make.person_id("operator_finance", "console"),
            due_on=due_on,
            done_at=None,
            done_by=None,
        )
        session().add(made)
        session().flush()
        return made.id


def newest_id() -> UUID:
    """Return the id of the newest month's review."""
    with make.acting("operator_finance", "console", read_only=True):
        return session().scalars(select(Review.id).order_by(Review.month.desc())).first()
