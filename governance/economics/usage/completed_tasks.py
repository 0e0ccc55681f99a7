"""Count the tasks that AI products completed in a month, from their events.

    count(month)               count a month of the acting tenant, unless nothing changed since
    months_to_count()          its months whose usage changed since they were counted
    completed_tasks(month)     the stored counts, by AI system and feature

A task is completed by the first of its requests that succeeds. It counts once, in the month and for
the feature of that request, whatever came before and after: three attempts are one task, and the
counts of features add up. A request that succeeds without naming a task counts as a task by itself.

Events are dropped after a while, and the counts stay. An AI product's task takes less than a week:
one that succeeded up to LOOK_BACK before the month isn't counted in it again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select, text

from governance.economics.usage import copying, rebuilding
from governance.economics.usage.event_stores import store
from governance.economics.usage.models import TASKS
from governance.foundation.tenants.queries import operator_time_zone
from governance.kernel import current
from governance.kernel.data.db import lock_tenant, session
from governance.kernel.months import Month
from governance.operations.systems.models import AISystem

LOOK_BACK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class CompletedTasks:
    """Completed tasks: those that events name, and successful requests that name none."""

    named: int = 0
    unnamed: int = 0

    @property
    def all(self) -> int:
        return self.named + self.unnamed


def count(month: Month) -> bool:
    """Count the tasks of a month. Return False if nothing changed since the last count.

    A month that lost a day of its events keeps its count.
    """
    lock_tenant("usage tasks")
    if month not in months_to_count():
        return False
    copying.allow_an_hour()
    zone = ZoneInfo(operator_time_zone())
    span = rebuilding.span_of(month.first_day, month.last_day, zone)
    tasks = store().tasks(span, LOOK_BACK)
    days = {"tenant": current.actor().tenant_id, "first": month.first_day, "last": month.last_day}
    session().execute(text(tasks.within(_COUNT)), {**tasks.values, **days})
    return True


def months_to_count() -> list[Month]:
    """Return the months to count again, in order, without those whose events are incomplete."""
    changed = session().execute(_CHANGED, {"tenant": current.actor().tenant_id}).scalars()
    months = [Month.of(day) for day in changed]
    return [
        month for month in months if len(rebuilding.countable_days(month)) == month.last_day.day
    ]


def completed_tasks(month: Month) -> Mapping[tuple[str, str], CompletedTasks]:
    """Return the tasks of a month by slug of the AI system and feature."""
    query = (
        select(AISystem.key, TASKS.c.feature, TASKS.c.named, TASKS.c.unnamed)
        .join(
            AISystem,
            (AISystem.tenant_id == TASKS.c.tenant_id) & (AISystem.id == TASKS.c.system_id),
        )
        .where(TASKS.c.tenant_id == current.actor().tenant_id, TASKS.c.month == month.first_day)
    )
    return {
        (row.key, row.feature): CompletedTasks(row.named, row.unnamed)
        for row in session().execute(query)
    }


_CHANGED = text("""
SELECT days.month FROM (
  SELECT date_trunc('month', day)::date AS month, max(changed_at) AS changed_at
  FROM usage_days WHERE tenant_id = :tenant GROUP BY 1
) AS days LEFT JOIN (
  SELECT month, min(counted_until) AS counted_until
  FROM usage_tasks WHERE tenant_id = :tenant GROUP BY 1
) AS tasks USING (month)
WHERE tasks.counted_until IS NULL OR days.changed_at > tasks.counted_until
ORDER BY 1""")
_COUNT = """
WITH here AS (
  SELECT system_id, feature FROM usage_days
  WHERE tenant_id = :tenant AND day BETWEEN :first AND :last GROUP BY 1, 2
), counted AS ({rows})
INSERT INTO usage_tasks (tenant_id, month, system_id, feature, named, unnamed, counted_until)
SELECT :tenant, :first, system_id, feature, coalesce(named, 0), coalesce(unnamed, 0),
  (SELECT max(changed_at) FROM usage_days
   WHERE tenant_id = :tenant AND day BETWEEN :first AND :last)
FROM here LEFT JOIN counted USING (system_id, feature)
ON CONFLICT (tenant_id, month, system_id, feature) DO UPDATE SET named = excluded.named,
  unnamed = excluded.unnamed, counted_until = excluded.counted_until"""
