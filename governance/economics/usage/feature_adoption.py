"""Count the people who ever used each feature, and how many early users still do.

Counted from usage_people, like active_users.py. Months are in the operator's time zone.
"""

from dataclasses import dataclass

from sqlalchemy import text

from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.months import Month


@dataclass(frozen=True, slots=True)
class FeatureStart:
    """Adoption of a feature of an AI system.

    Has the people who ever used it, those whose first use was in the earlier month, and how many of
    those used it in the month.
    """

    system: str
    feature: str
    activated: int
    started: int
    retained: int


def feature_starts(month: Month, *, after: int) -> list[FeatureStart]:
    """Count the people of each feature of the acting tenant up to a month; `after` is in months.

    Runs one statement.
    """
    values = {
        "tenant": current.actor().tenant_id,
        "month": month.first_day,
        "earlier": month.plus(-after).first_day,
    }
    return [FeatureStart(*row) for row in session().execute(_STARTS, values)]


_STARTS = text("""
WITH people AS (
  SELECT system_id, feature, min(month) AS started, bool_or(month = :month) AS is_here
  FROM usage_people WHERE tenant_id = :tenant AND month <= :month
  GROUP BY system_id, feature, person
)
SELECT s.key, p.feature, count(*), count(*) FILTER (WHERE p.started = :earlier),
  count(*) FILTER (WHERE p.started = :earlier AND p.is_here)
FROM people p JOIN ai_systems s ON s.tenant_id = :tenant AND s.id = p.system_id
GROUP BY s.key, p.feature ORDER BY s.key, p.feature""")
