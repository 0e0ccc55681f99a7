"""Count the active users of AI products by day, week and month, and their retention.

active_users(month)     for the tenant, each AI system, and each of its features
cohorts(first, last)    people by the month of their first use, and how many come back

People are pseudonyms. They are counted from usage_people, which outlives the events: a row has the
days of a month on which a person used a feature, as bits.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text

from governance.foundation.tenants.queries import operator_time_zone
from governance.kernel import clock, current
from governance.kernel.data.db import session
from governance.kernel.months import Month

BITS = 31  # days of a month; the month before has the lower bits
WEEK = 7


@dataclass(frozen=True, slots=True)
class ActiveUsers:
    """Distinct people who sent a request in a month.

    system, feature   None for all of them; the feature "" has the events that name none
    daily             for each day of the month, up to today
    weekly            for the seven days that end on each of these days
    """

    system_id: UUID | None
    system: str | None
    feature: str | None
    monthly: int
    daily: tuple[int, ...]
    weekly: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CohortMonth:
    """People whose first use was in `first` and who used something in `month`.

    `system` is None for the tenant: its cohorts count a person once, across all AI systems.
    """

    system_id: UUID | None
    system: str | None
    first: Month
    month: Month
    people: int


def active_users(month: Month) -> list[ActiveUsers]:
    """Count the users of a month: the tenant, then each AI system and feature by name."""
    days = days_so_far(month)
    statement = _ACTIVE.format(counts=", ".join(_counts(month)))
    months = {"month": month.first_day, "before": month.plus(-1).first_day}
    rows = session().execute(text(statement), _tenant() | months)
    return [
        ActiveUsers(
            row.system_id,
            row.system,
            row.feature,
            row.monthly,
            tuple(getattr(row, f"d{n}") for n in range(days)),
            tuple(getattr(row, f"w{n}") for n in range(days)),
        )
        for row in rows
    ]


def cohorts(first: Month, last: Month) -> list[CohortMonth]:
    """Count the people who started from `first` to `last`, in each month up to `last`.

    The first use is searched in all months, including those before `first`.
    """
    months = {"first": first.first_day, "last": last.first_day}
    return [
        CohortMonth(row.system_id, row.system, _month(row.started), _month(row.month), row.people)
        for row in session().execute(_COHORTS, _tenant() | months)
    ]


def days_so_far(month: Month) -> int:
    """Return the days of the month up to today in the operator's time zone, at least one."""
    today = clock.now().astimezone(ZoneInfo(operator_time_zone())).date()
    return max(1, min((today - month.first_day).days + 1, month.last_day.day))


def _counts(month: Month) -> Sequence[str]:
    """Return the SQL columns of a month: d0 … per day, w0 … per seven days that end on a day."""
    before = month.plus(-1).last_day.day
    columns = ["count(*) FILTER (WHERE days >= (1::bigint << 31)) AS monthly"]
    for n in range(month.last_day.day):
        week = [BITS + n - back if back <= n else before + n - back for back in range(WEEK)]
        mask = sum(1 << bit for bit in week)
        columns.append(f"count(*) FILTER (WHERE days & {1 << (BITS + n)} <> 0) AS d{n}")
        columns.append(f"count(*) FILTER (WHERE days & {mask} <> 0) AS w{n}")
    return columns


def _month(day: date) -> Month:
    return Month(day.year, day.month)


def _tenant() -> dict[str, Any]:
    return {"tenant": current.actor().tenant_id}


_ACTIVE = """
WITH people AS (
  SELECT system_id, feature,
    bit_or(CASE month WHEN :month THEN days::bigint << 31 ELSE days END) AS days
  FROM usage_people WHERE tenant_id = :tenant AND month IN (:month, :before)
  GROUP BY GROUPING SETS ((person), (person, system_id), (person, system_id, feature))
), counted AS (
  SELECT system_id, feature, {counts} FROM people GROUP BY system_id, feature
)
SELECT counted.*, s.key AS system FROM counted
LEFT JOIN ai_systems s ON s.tenant_id = :tenant AND s.id = counted.system_id
WHERE monthly > 0 ORDER BY s.key NULLS FIRST, feature NULLS FIRST"""
_COHORTS = text("""
WITH used AS (
  SELECT system_id, person, month, min(month) OVER (PARTITION BY system_id, person) AS started
  FROM (
    SELECT DISTINCT system_id, person, month FROM usage_people WHERE tenant_id = :tenant
    UNION ALL
    SELECT DISTINCT NULL::uuid, person, month FROM usage_people WHERE tenant_id = :tenant
  ) AS months WHERE month <= :last
)
SELECT system_id, s.key AS system, started, month, count(*) AS people
FROM used LEFT JOIN ai_systems s ON s.tenant_id = :tenant AND s.id = used.system_id
WHERE started >= :first
GROUP BY system_id, s.key, started, month
ORDER BY s.key NULLS FIRST, started, month""")
