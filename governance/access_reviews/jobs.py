"""Reminds of the open review: three days before it is due, on the day, and each week that it is late."""

from datetime import date

import structlog

from governance.access_reviews import actions, queries
from governance.kernel import clock, current
from governance.kernel.current import Actor
from governance.kernel.db import transaction
from governance.kernel.jobs import once_per
from governance.kernel.words import plural
from governance.tenants import actions as tenants
from governance.tenants import queries as directory

SOON = 3  # days
WEEK = 7
log = structlog.get_logger("access reviews")


def remind_everywhere() -> None:
    """What is wrong with one tenant does not keep the others waiting."""
    with transaction():
        every = [(t.id, t.slug, t.name) for t in directory.all_tenants() if t.status == "active"]
    for tenant_id, slug, name in every:
        try:
            remind_of(tenants.founder(tenant_id, slug, name))
        except Exception:  # whatever it is, the others are still reminded
            log.exception("nobody reminded", tenant=slug)


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
