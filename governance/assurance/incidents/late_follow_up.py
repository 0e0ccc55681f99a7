"""Late reviews and follow-ups, which lower controls that depend on incident follow-up.

Answers a port of the controls package.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import Date, Integer, cast, func, literal, select, union_all
from sqlalchemy.types import DateTime

from governance.assurance.incidents.models import FollowUp, Incident, IncidentReview

REVIEW_WITHIN = timedelta(days=14)  # After resolution; a later review lowers a control.


def late_follow_up() -> Any:
    """Select reviews and follow-ups, each from its due time until it was done."""
    i, r, f = Incident, IncidentReview, FollowUp
    reviews = (
        select(
            literal("review").label("kind"),
            i.id,
            i.ref,
            i.title.label("about"),
            (i.resolved_at + REVIEW_WITHIN).label("since"),
            r.closed_at.label("until"),
        )
        .outerjoin(r, r.incident_id == i.id)
        .where(i.resolved_at.is_not(None))
    )
    day_after = cast(f.due_on + literal(1, Integer), Date)
    follow_ups = select(
        literal("follow_up").label("kind"),
        i.id,
        i.ref,
        f.title.label("about"),
        func.timezone("UTC", cast(day_after, DateTime())).label("since"),
        f.done_at.label("until"),
    ).join(i, i.id == f.incident_id)
    both = union_all(reviews, follow_ups).subquery()
    return select(both)
