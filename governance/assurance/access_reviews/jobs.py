"""Reminds of the open review: three days before it is due, on the day, and each week that it is
late.
"""

from datetime import date

from governance.assurance.access_reviews import actions, queries
from governance.foundation.tenants.for_each_tenant import in_each, is_active
from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.db import transaction
from governance.kernel.formatting import plural
from governance.kernel.jobs import once_per

SOON = 3  # days
WEEK = 7


def remind_everywhere() -> None:
    in_each(
        lambda: remind_of(current.actor()), "access review reminders not sent", wanted=is_active
    )


def remind_of(who: Actor) -> int:
    """How many letters were queued; each occasion once."""
    with current.acting_as(who), transaction():
        review = queries.open_review()
        how = occasion(review.due_on, clock.today()) if review else None
        if (
            review is None
            or how is None
            or not once_per(f"remind of access review {review.id}", who.tenant_slug, how)
        ):
            return 0
        return actions.remind(review, how)


def occasion(due_on: date, today: date) -> str | None:
    """What a reminder of that day is called; None while it is early.

    A day that was slept through is made up for.
    """
    left = (due_on - today).days
    if left > SOON:
        return None
    if left > 0:
        return "soon"
    return "today" if left > -WEEK else f"{plural(-left // WEEK, 'week')} late"
