"""Figures of a tenant's own cost: amounts to the cent, whose rows add up to the total. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from governance.economics.formulas import adoption, unit_cost
from governance.economics.formulas.estimates import Estimate, NotEstimable
from governance.economics.formulas.money import rounded, rounded_together
from governance.economics.rates.conversion import ProvisionalRate
from governance.economics.tenant_costs.queries import CostSum, MonthCosts
from governance.economics.usage.active_users import ActiveUsers
from governance.economics.usage.completed_tasks import CompletedTasks
from governance.economics.usage.feature_adoption import FeatureStart
from governance.kernel.formatting import plural


@dataclass(frozen=True, slots=True)
class CostRow:
    """A row with its amount to the cent, which excludes the `unpriced` requests."""

    sum: CostSum
    amount: Decimal
    tasks: int = 0
    per_task: Decimal | None = None


@dataclass(frozen=True, slots=True)
class TenantCosts:
    """A month of the tenant. Amounts of days, of features and of models each add up to `total`."""

    currency: str
    total: Decimal
    requests: int
    unpriced: int
    per_request: Estimate
    per_user: Estimate
    per_task: Estimate
    unnamed_tasks: int
    days: Sequence[CostRow]
    features: Sequence[CostRow]
    models: Sequence[CostRow]
    without_price: Sequence[str]  # models with at least one request without a price
    provisional: Sequence[ProvisionalRate] = ()


@dataclass(frozen=True, slots=True)
class FeatureUse:
    """Adoption of a feature: people ever, in the month's last seven days, and in the month."""

    system: str
    feature: str
    activated: int
    weekly: int
    monthly: int
    stickiness: Decimal | None  # weekly ÷ monthly


def figures(
    found: MonthCosts, tasks: Mapping[tuple[str, str], CompletedTasks], monthly_users: int
) -> TenantCosts | None:
    """Return the month's figures, or None if nothing has a price."""
    if found.currency is None:
        return None
    cost, done = found.total.cost, sum(each.all for each in tasks.values())
    return TenantCosts(
        currency=found.currency,
        total=rounded(cost, found.currency),
        requests=found.total.requests,
        unpriced=found.total.unpriced,
        per_request=unit_cost.cost_per_request(cost, found.total.requests - found.total.unpriced),
        per_user=whole(found.total, unit_cost.cost_per_active_user(cost, monthly_users)),
        per_task=whole(found.total, unit_cost.cost_per_completed_task(cost, done)),
        unnamed_tasks=sum(each.unnamed for each in tasks.values()),
        days=_rows(found.days, found.currency),
        features=_rows(found.features, found.currency, tasks),
        models=_rows(found.models, found.currency),
        without_price=[each.model for each in found.models if each.unpriced],
        provisional=found.provisional,
    )


def _rows(
    sums: Sequence[CostSum],
    currency: str,
    tasks: Mapping[tuple[str, str], CompletedTasks] | None = None,
) -> list[CostRow]:
    amounts = rounded_together([each.cost for each in sums], currency)
    rows = []
    for each, amount in zip(sums, amounts, strict=True):
        done = (tasks or {}).get((each.system, each.feature), CompletedTasks()).all
        per_task = whole(each, unit_cost.cost_per_completed_task(each.cost, done))
        rows.append(CostRow(each, amount, done, known(per_task)))
    return rows


def feature_uses(active: Sequence[ActiveUsers], starts: Sequence[FeatureStart]) -> list[FeatureUse]:
    """Return each feature that was ever used, by AI system and name."""
    here = {(each.system, each.feature): each for each in active if each.feature is not None}
    found = []
    for each in starts:
        users = here.get((each.system, each.feature))
        weekly, monthly = (users.weekly[-1], users.monthly) if users else (0, 0)
        found.append(
            FeatureUse(
                each.system,
                each.feature,
                each.activated,
                weekly,
                monthly,
                known(adoption.weekly_stickiness(weekly, monthly)),
            )
        )
    return found


def whole(sum_: CostSum, estimate: Estimate) -> Estimate:
    """Return the figure, or NotEstimable if some of the cost is unknown."""
    if not sum_.unpriced:
        return estimate
    return NotEstimable(f"{plural(sum_.unpriced, 'request')} without a price")


def known(estimate: Estimate) -> Decimal | None:
    """Return the figure, or None if it isn't estimable."""
    return None if isinstance(estimate, NotEstimable) else estimate
