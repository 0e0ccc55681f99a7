"""Unanswered alerts, which lower controls that depend on service levels.

Answers a port of the controls package. An alert counts once nobody has answered it for a day.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import func, literal, select

from governance.operations.alerts.models import Alert
from governance.operations.objectives.models import Objective

ANSWER_WITHIN = timedelta(days=1)


def unanswered_alerts() -> Any:
    """Select alerts, each from one day after it fired until somebody answered or it resolved."""
    a, o = Alert, Objective
    return select(
        literal("alert").label("kind"),
        a.id,
        func.concat("ALR-", a.number).label("ref"),
        o.name.label("about"),
        (a.fired_at + ANSWER_WITHIN).label("since"),
        func.coalesce(a.acknowledged_at, a.resolved_at).label("until"),
    ).join(o, o.id == a.objective_id)
