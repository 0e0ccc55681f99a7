"""Reminds of the open review: three days before it is due, on the day, and each week that it is late."""

from datetime import date

from governance.access_reviews import actions, queries
from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.db import transaction
from governance.kernel.jobs import once_per
from governance.kernel.words import plural
from governance.tenants.everywhere import in_each, is_active

SOON = 3  # days
WEEK = 7


def remind_everywhere() -> None:
    in_each(lambda: remind_of(current.actor()), "nobody reminded", wanted=is_active)


def remind_of(who: Actor) -> int:
    """How many letters were queued; each occasion once."""
    with current.acting_as(who), transaction():
        review = queries.open_review()
        how = occasion(review.due_on, clock.today()) if review else None
        if review is None or how is None or not once_per(f"remind of access review {review.id}", who.tenant_slug, how):
            return 0
        return actions.remind(review, how)


def occasion(due_on: date, today: date) -> str | None:
    """What a reminder of that day is called; None while it is early. A day that was slept through is made up for."""
    left = (due_on - today).days
    if left > SOON:
        return None
    if left > 0:
        return "soon"
    return "today" if left > -WEEK else f"{plural(-left // WEEK, 'week')} late"
