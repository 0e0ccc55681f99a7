"""What usage cost at the list prices, in the acting customer's tenant.

is_shared()          of the acting operator: whether tenants see list prices
has_list_prices()    whether this customer has any
month_costs(month)   sums by day, by AI system and feature, and by model; one statement
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import exists, select, text

from governance.economics.tenant_costs.models import LIST_PRICES, ListPriceSettings
from governance.economics.usage.usage_events import BUCKETS
from governance.kernel import current
from governance.kernel.db import session
from governance.kernel.months import Month


@dataclass(frozen=True, slots=True)
class CostSum:
    """Requests of a group and their cost, unrounded; `unpriced` of them have no price."""

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
    """A month's sums, each list for itself the whole month; `currency` is None without a price."""

    currency: str | None
    total: CostSum
    days: tuple[CostSum, ...]
    features: tuple[CostSum, ...]
    models: tuple[CostSum, ...]


def is_shared() -> bool:
    """Return False until the operator decides that tenants see list prices."""
    return session().scalar(select(ListPriceSettings.is_shared)) or False


def has_list_prices() -> bool:
    query = select(exists().where(LIST_PRICES.c.tenant_id == current.actor().tenant_id))
    return session().scalar(query) or False


def month_costs(month: Month) -> MonthCosts:
    """Return what usage of a month costs at the list price of each day."""
    values = {
        "tenant": current.actor().tenant_id,
        "first": month.first_day,
        "last": month.last_day,
    }
    days, features, models = list[CostSum](), list[CostSum](), list[CostSum]()
    total, currency = CostSum(0, 0, Decimal(0)), None
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
        else:
            groups[row.of].append(found)
    return MonthCosts(currency, total, tuple(days), tuple(features), tuple(models))


_COST = " + ".join(f"d.{each}_tokens * p.{each}_price" for each in BUCKETS)
_SUMS = f"""
WITH priced AS (
  SELECT d.day, d.system_id, d.feature, d.provider, d.model, d.requests, p.currency,
    ({_COST}) / 1000000 + d.requests * p.request_price AS cost
  FROM usage_days d LEFT JOIN list_prices p ON p.tenant_id = :tenant AND p.month = :first
    AND p.provider = d.provider AND p.model = d.model
    AND d.day BETWEEN p.first_day AND p.last_day
  WHERE d.tenant_id = :tenant AND d.day BETWEEN :first AND :last AND d.requests > 0
), summed AS (
  SELECT CASE grouping(day, system_id, model) WHEN 3 THEN 'day' WHEN 5 THEN 'feature'
      WHEN 6 THEN 'model' ELSE 'all' END AS of,
    day, system_id, feature, provider, model, sum(requests) AS requests,
    sum(requests) FILTER (WHERE currency IS NULL) AS unpriced, sum(cost) AS cost,
    max(currency) AS currency
  FROM priced GROUP BY GROUPING SETS ((), (day), (system_id, feature), (provider, model))
)
SELECT summed.*, s.key AS system FROM summed
LEFT JOIN ai_systems s ON s.tenant_id = :tenant AND s.id = summed.system_id
ORDER BY day, cost DESC NULLS LAST, system, feature, provider, model
"""  # noqa: S608 - names of ours
