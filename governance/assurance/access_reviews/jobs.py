"""Reminders of the open review: three days before it is due, on the day, and weekly after that."""

from datetime import date

from governance.assurance.access_reviews import actions, queries
from governance.foundation.tenants.for_each_tenant import in_each, is_active
from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.data.db import transaction
from governance.kernel.formatting import plural
from governance.kernel.work.jobs import once_per

DAYS_BEFORE_DUE = 3
DAYS_PER_WEEK = 7


def remind_all_tenants() -> None:
    in_each(
        lambda: remind_tenant(current.actor()), "access review reminders not sent", wanted=is_active
    )


def remind_tenant(who: Actor) -> int:
    """Send each reminder once. Return the number of queued emails."""
    with current.acting_as(who), transaction():
        review = queries.open_review()
        how = occasion(review.due_on, clock.today()) if review else None
        if (
            review is None
            or how is None
            or not once_per(f"remind of access review {review.id}", who.tenant_slug, how)
        ):
            return 0
        return actions.send_reminders(review, how)


def occasion(due_on: date, today: date) -> str | None:
    """Return the name of the reminder that is due on that day, or None if it is too early.

    A reminder whose day was missed is sent later.
    """
    left = (due_on - today).days
    if left > DAYS_BEFORE_DUE:
        return None
    if left > 0:
        return "soon"
    return "today" if left > -DAYS_PER_WEEK else f"{plural(-left // DAYS_PER_WEEK, 'week')} late"
