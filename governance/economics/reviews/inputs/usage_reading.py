"""A month's usage and its cost, in the form that reviews need.

by_customer(sums, users, rates)      usage of each customer
by_system(sums, users, rates)        the same by AI system and feature
unpriced(sums)                       usage without a price, by model

Tasks are counted in the customer's tenant. For a customer that is no longer active, tasks can't be
counted, so each successful request counts as one.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from governance.economics.rates.conversion import MonthRates
from governance.economics.reviews.facts.review_facts import UnpricedInMonth
from governance.economics.reviews.inputs.month_inputs import ZERO, CustomerUsage, SystemUsage
from governance.economics.reviews.inputs.usage_sums import UsageSum
from governance.economics.reviews.inputs.user_reading import Users
from governance.economics.usage.completed_tasks import CompletedTasks

type System = tuple[UUID, str, str]  # (customer, AI system, feature)

REFUSED, SUCCESS = "refused", "success"


@dataclass(slots=True)
class _Sum:
    requests: int = 0
    refused: int = 0
    succeeded: int = 0
    tokens: int = 0
    cost: Decimal = ZERO

    def add(self, each: UsageSum, rates: MonthRates) -> None:
        self.requests += each.requests
        self.refused += each.requests if each.outcome == REFUSED else 0
        self.succeeded += each.requests if each.outcome == SUCCESS else 0
        self.tokens += each.tokens
        if each.currency is not None:
            self.cost += rates.convert(each.cost, each.currency)


def by_customer(
    sums: Sequence[UsageSum], users: Mapping[UUID, Users], rates: MonthRates
) -> dict[UUID, CustomerUsage]:
    """Return the usage of each customer that has any."""
    found: dict[UUID, _Sum] = {}
    tasks: dict[UUID, list[CompletedTasks]] = {}
    for each in sums:
        found.setdefault(each.customer_id, _Sum()).add(each, rates)
    for key, total in _by_system(sums, rates).items():
        tasks.setdefault(key[0], []).append(_tasks(key, total, users))
    return {
        key: CustomerUsage(
            each.requests,
            each.refused,
            each.tokens,
            sum(one.all for one in tasks[key]),
            users[key].active if key in users else 0,
            each.cost,
            sum(one.unnamed for one in tasks[key]),
        )
        for key, each in found.items()
    }


def by_system(
    sums: Sequence[UsageSum], users: Mapping[UUID, Users], rates: MonthRates
) -> list[SystemUsage]:
    """Return the usage of each AI system and feature, with percentiles of the cost per request."""
    systems = []
    for key, total in _by_system(sums, rates).items():
        customer_id, system, feature = key
        tasks = _tasks(key, total, users)
        known = users[customer_id].percentiles if customer_id in users else {}
        p50, p95, p99 = known.get((system, feature), (None, None, None))
        systems.append(
            SystemUsage(
                customer_id,
                system,
                feature,
                total.requests,
                tasks.all,
                total.cost,
                p50,
                p95,
                p99,
                tasks.unnamed,
            )
        )
    return systems


def unpriced(sums: Iterable[UsageSum]) -> list[UnpricedInMonth]:
    """Return the usage without a price by model, the most requests first."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for each in sums:
        if each.currency is None and each.requests:
            requests, tokens = found.get((each.provider, each.model), (0, 0))
            key = each.provider, each.model
            found[key] = requests + each.requests, tokens + each.tokens
    rows = [
        UnpricedInMonth(provider=provider, model=model, requests=requests, tokens=tokens)
        for (provider, model), (requests, tokens) in found.items()
    ]
    return sorted(rows, key=lambda each: (-each.requests, each.model, each.provider))


def _by_system(sums: Iterable[UsageSum], rates: MonthRates) -> dict[System, _Sum]:
    found: dict[System, _Sum] = {}
    for each in sums:
        key = (each.customer_id, each.system, each.feature)
        found.setdefault(key, _Sum()).add(each, rates)
    return found


def _tasks(key: System, total: _Sum, users: Mapping[UUID, Users]) -> CompletedTasks:
    customer_id, system, feature = key
    counted = users[customer_id].tasks if customer_id in users else {}
    return counted.get((system, feature)) or CompletedTasks(unnamed=total.succeeded)
