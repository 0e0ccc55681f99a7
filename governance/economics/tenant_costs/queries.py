"""The cost of usage at list prices, in the acting customer's tenant.

is_shared()          whether tenants of the acting operator see list prices
has_list_prices()    whether this customer has any
month_costs(month)   sums by day, by AI system and feature, and by model; one statement
system_costs(…)      an AI system's sums of each month, by feature and by model; two statements
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import exists, select, text

from governance.economics.rates.conversion import ProvisionalRate
from governance.economics.tenant_costs.models import LIST_PRICES, ListPriceSettings
from governance.economics.usage.usage_events import BUCKETS
from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.months import Month


@dataclass(frozen=True, slots=True)
class CostSum:
    """Requests of a group and their unrounded cost; `unpriced` of them have no price."""

    requests: int
    unpriced: int
    cost: Decimal
    day: date | None = None
    system: str = ""
    feature: str = ""
    provider: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class MonthCosts:
    """A month's sums; each list covers the whole month. `currency` is None without a price.

    `provisional` has the rates that stand in for the month's own until those are entered.
    """

    currency: str | None
    total: CostSum
    days: tuple[CostSum, ...]
    features: tuple[CostSum, ...]
    models: tuple[CostSum, ...]
    provisional: tuple[ProvisionalRate, ...] = ()


@dataclass(frozen=True, slots=True)
class SystemMonth:
    """One month of an AI system; features and models each cover the whole month.

    `tasks` are the completed tasks by feature; `currency` is None without a price.
    """

    month: Month
    currency: str | None
    total: CostSum
    features: tuple[CostSum, ...]
    models: tuple[CostSum, ...]
    tasks: dict[str, int]
    provisional: tuple[ProvisionalRate, ...] = ()

    @property
    def all_tasks(self) -> int:
        return sum(self.tasks.values())


def is_shared() -> bool:
    """Return whether tenants see list prices: False until the operator decides to show them."""
    return session().scalar(select(ListPriceSettings.is_shared)) or False


def has_list_prices() -> bool:
    query = select(exists().where(LIST_PRICES.c.tenant_id == current.actor().tenant_id))
    return session().scalar(query) or False


def month_costs(month: Month) -> MonthCosts:
    """Return the cost of a month's usage at the list price of each day."""
    values = {
        "tenant": current.actor().tenant_id,
        "first": month.first_day,
        "last": month.last_day,
    }
    days, features, models = list[CostSum](), list[CostSum](), list[CostSum]()
    total, currency = CostSum(0, 0, Decimal(0)), None
    provisional: tuple[ProvisionalRate, ...] = ()
    for row in session().execute(text(_SUMS), values):
        found = CostSum(
            int(row.requests or 0),
            int(row.unpriced or 0),
            row.cost or Decimal(0),
            row.day,
            row.system or "",
            row.feature or "",
            row.provider or "",
            row.model or "",
        )
        groups = {"day": days, "feature": features, "model": models}
        if row.of == "all":
            total, currency = found, row.currency
            provisional = _provisional(month, row.provisional)
        else:
            groups[row.of].append(found)
    return MonthCosts(currency, total, tuple(days), tuple(features), tuple(models), provisional)


def _provisional(month: Month, texts: Sequence[str] | None) -> tuple[ProvisionalRate, ...]:
    """Parse texts such as "USD 2026-11" as the rates used in place of the month's."""
    found = [each.split() for each in texts or ()]
    return tuple(ProvisionalRate(month, code, Month.parse(of)) for code, of in found)


def system_costs(system_id: UUID, first: Month, last: Month) -> list[SystemMonth]:
    """Return the months of an AI system with usage, the earliest first. Runs one statement."""
    values = {
        "tenant": current.actor().tenant_id,
        "system": system_id,
        "first": first.first_day,
        "last": last.last_day,
    }
    totals = dict[Month, tuple[str | None, CostSum, tuple[ProvisionalRate, ...]]]()
    parts = defaultdict[tuple[Month, str], list[CostSum]](list)
    tasks = defaultdict[Month, dict[str, int]](dict)
    for row in session().execute(text(_SYSTEM_SUMS), values):
        month = Month.of(row.month)
        if row.of == "tasks":
            tasks[month][row.feature] = int(row.requests)
            continue
        found = CostSum(
            int(row.requests),
            int(row.unpriced or 0),
            row.cost or Decimal(0),
            feature=row.feature or "",
            provider=row.provider or "",
            model=row.model or "",
        )
        if row.of == "all":
            totals[month] = row.currency, found, _provisional(month, row.provisional)
        else:
            parts[month, row.of].append(found)
    return [
        SystemMonth(
            month,
            currency,
            total,
            tuple(parts[month, "feature"]),
            tuple(parts[month, "model"]),
            tasks[month],
            provisional,
        )
        for month, (currency, total, provisional) in sorted(totals.items())
    ]


_COST = " + ".join(f"d.{each}_tokens * p.{each}_price" for each in BUCKETS)
_RATE = "p.rate_currency || to_char(p.rate_month, ' YYYY-MM')"  # NULL for a final one
_RATES = "array_agg(DISTINCT rate ORDER BY rate) FILTER (WHERE rate IS NOT NULL)"
_SUMS = f"""
WITH priced AS (
  SELECT d.day, d.system_id, d.feature, d.provider, d.model, d.requests, p.currency,
    {_RATE} AS rate, ({_COST}) / 1000000 + d.requests * p.request_price AS cost
  FROM usage_days d LEFT JOIN list_prices p ON p.tenant_id = :tenant AND p.month = :first
    AND p.provider = d.provider AND p.model = d.model
    AND d.day BETWEEN p.first_day AND p.last_day
  WHERE d.tenant_id = :tenant AND d.day BETWEEN :first AND :last AND d.requests > 0
), summed AS (
  SELECT CASE grouping(day, system_id, model) WHEN 3 THEN 'day' WHEN 5 THEN 'feature'
      WHEN 6 THEN 'model' ELSE 'all' END AS of,
    day, system_id, feature, provider, model, sum(requests) AS requests,
    sum(requests) FILTER (WHERE currency IS NULL) AS unpriced, sum(cost) AS cost,
    max(currency) AS currency, {_RATES} AS provisional
  FROM priced GROUP BY GROUPING SETS ((), (day), (system_id, feature), (provider, model))
)
SELECT summed.*, s.key AS system FROM summed
LEFT JOIN ai_systems s ON s.tenant_id = :tenant AND s.id = summed.system_id
ORDER BY day, cost DESC NULLS LAST, system, feature, provider, model
"""  # noqa: S608 - names of ours

# Each day of the system is a single index lookup, whatever else the tenant uses.
_SYSTEM_DAYS = f"""priced AS (
  SELECT date_trunc('month', d.day)::date AS month, d.feature, d.provider, d.model, d.requests,
    p.currency, {_RATE} AS rate, ({_COST}) / 1000000 + d.requests * p.request_price AS cost
  FROM generate_series(CAST(:first AS date), CAST(:last AS date), interval '1 day') AS days (at)
  JOIN usage_days d ON d.tenant_id = :tenant AND d.day = days.at::date AND d.system_id = :system
  LEFT JOIN list_prices p ON p.tenant_id = :tenant AND p.provider = d.provider
    AND p.month = date_trunc('month', d.day)::date AND p.model = d.model
    AND d.day BETWEEN p.first_day AND p.last_day
  WHERE d.requests > 0
)"""  # noqa: S608 - names of ours
_SYSTEM_SUMS = f"""
WITH {_SYSTEM_DAYS}, found AS (
  SELECT CASE grouping(feature, model) WHEN 3 THEN 'all' WHEN 1 THEN 'feature' ELSE 'model' END AS of,
    month, feature, provider, model, sum(requests) AS requests, sum(cost) AS cost,
    sum(requests) FILTER (WHERE currency IS NULL) AS unpriced, max(currency) AS currency,
    {_RATES} AS provisional
  FROM priced GROUP BY GROUPING SETS ((month), (month, feature), (month, provider, model))
  UNION ALL
  SELECT 'tasks', month, feature, NULL, NULL, named + unnamed, NULL, NULL, NULL, NULL
  FROM usage_tasks
  WHERE tenant_id = :tenant AND system_id = :system AND month BETWEEN :first AND :last
)
SELECT * FROM found ORDER BY month, cost DESC NULLS LAST, feature, provider, model
"""  # noqa: S608 - names of ours
# The months with a completed task and prices for all usage, each as "2026-11 EUR 131.20 1000",
# followed by the month of a provisional rate.
TASK_COSTS = f"""
WITH {_SYSTEM_DAYS}, months AS (
  SELECT month, max(currency) AS currency, sum(cost) AS cost, max(right(rate, 7)) AS rate_month
  FROM priced
  GROUP BY month HAVING count(*) = count(currency)
), tasks AS (
  SELECT month, sum(named + unnamed) AS tasks FROM usage_tasks
  WHERE tenant_id = :tenant AND system_id = :system AND month BETWEEN :first AND :last GROUP BY month
)
SELECT string_agg(concat_ws(' ', to_char(month, 'YYYY-MM'), currency, cost, tasks, rate_month), ';'
  ORDER BY month) AS months
FROM months JOIN tasks USING (month) WHERE tasks > 0 AND currency IS NOT NULL
"""  # noqa: S608 - names of ours
