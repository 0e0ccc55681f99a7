"""A month's usage and its cost, as reviews take it.

by_customer(sums, users)             what each customer's products did
by_system(sums, users)               the same by AI system and feature
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from governance.economics.rates.conversion import MonthRates
from governance.economics.reviews.month_inputs import ZERO, CustomerUsage, SystemUsage
from governance.economics.reviews.usage_sums import UsageSum
from governance.economics.reviews.user_reading import Users

REFUSED, COMPLETED = "refused", "success"


@dataclass(slots=True)
class _Sum:
    requests: int = 0
    refused: int = 0
    completed: int = 0
    tokens: int = 0
    cost: Decimal = ZERO

    def add(self, each: UsageSum, rates: MonthRates) -> None:
        self.requests += each.requests
        self.refused += each.requests if each.outcome == REFUSED else 0
        self.completed += each.requests if each.outcome == COMPLETED else 0
        self.tokens += each.tokens
        if each.currency is not None:
            self.cost += rates.convert(each.cost, each.currency)


def by_customer(
    sums: Iterable[UsageSum], users: Mapping[UUID, Users], rates: MonthRates
) -> dict[UUID, CustomerUsage]:
    """Return the usage of each customer that has any."""
    found: dict[UUID, _Sum] = {}
    for each in sums:
        found.setdefault(each.customer_id, _Sum()).add(each, rates)
    return {
        key: CustomerUsage(
            each.requests,
            each.refused,
            each.tokens,
            each.completed,
            users[key].active if key in users else 0,
            each.cost,
        )
        for key, each in found.items()
    }


def by_system(
    sums: Iterable[UsageSum], users: Mapping[UUID, Users], rates: MonthRates
) -> list[SystemUsage]:
    """Return the usage of each AI system and feature, with what a request costs."""
    found: dict[tuple[UUID, str, str], _Sum] = {}
    for each in sums:
        key = (each.customer_id, each.system, each.feature)
        found.setdefault(key, _Sum()).add(each, rates)
    systems = []
    for (customer_id, system, feature), total in found.items():
        known = users[customer_id].percentiles if customer_id in users else {}
        p50, p95, p99 = known.get((system, feature), (None, None, None))
        systems.append(
            SystemUsage(
                customer_id,
                system,
                feature,
                total.requests,
                total.completed,
                total.cost,
                p50,
                p95,
                p99,
            )
        )
    return systems
