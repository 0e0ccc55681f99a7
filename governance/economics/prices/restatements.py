"""Preview a restatement: a model's usage of some months at the current book prices.

Rows of closed months are unchanged, as are rows that the book has no price for.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, select

from governance.economics.prices import queries
from governance.economics.prices.models import USAGE_COSTS, PriceRestatement
from governance.economics.prices.pricing import price_on, stored_cost
from governance.economics.prices.usage_costs import tokens_of
from governance.economics.rates.ports import closed_months
from governance.kernel import current
from governance.kernel.data.db import find, session
from governance.kernel.months import Month

C = USAGE_COSTS.c
KIND = "price_restatement"  # the kind of approval


@dataclass(slots=True)
class MonthChange:
    """The cost of a month's usage of the model before and after, by currency."""

    month: Month
    rows: int = 0
    before: dict[str, Decimal] = field(default_factory=dict)
    after: dict[str, Decimal] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the change as JSON, for a database row and a fingerprint."""
        return {
            "month": str(self.month),
            "rows": self.rows,
            "before": {code: f"{value:f}" for code, value in sorted(self.before.items())},
            "after": {code: f"{value:f}" for code, value in sorted(self.after.items())},
        }


def restatement(restatement_id: UUID, *, lock: bool = False) -> PriceRestatement:
    """Return a restatement. Raises NotFound for another tenant's."""
    return find(PriceRestatement, restatement_id, what="restatement", lock=lock)


def next_number() -> int:
    return (session().scalar(select(func.max(PriceRestatement.number))) or 0) + 1


def rows_between(match_key: str, first: Month, last: Month) -> Sequence[Row[Any]]:
    """Return the priced rows of a model in these months, except in closed ones."""
    closed = set(closed_months()())
    query = select(USAGE_COSTS).where(
        C.tenant_id == current.actor().tenant_id,
        C.match_key == match_key,
        C.price_id.is_not(None),
        C.day.between(first.first_day, last.last_day),
    )
    rows = session().execute(query.order_by(*USAGE_COSTS.primary_key.columns))
    return [row for row in rows if Month.of(row.day) not in closed]


def changes(match_key: str, first: Month, last: Month) -> list[MonthChange]:
    """Return the changes of each month that a restatement would affect."""
    book = queries.model_prices([match_key])[match_key]
    found: dict[Month, MonthChange] = {}
    for row in rows_between(match_key, first, last):
        price = price_on(book, row.day, row.customer_id)
        if price is None or price.id == row.price_id:
            continue
        month = Month.of(row.day)
        change = found.setdefault(month, MonthChange(month))
        change.rows += 1
        _add(change.before, row.currency, row.cost)
        _add(change.after, price.currency, stored_cost(tokens_of(row), row.requests, price))
    return [found[month] for month in sorted(found)]


def _add(sums: dict[str, Decimal], currency: str, amount: Decimal) -> None:
    sums[currency] = sums.get(currency, Decimal(0)) + amount
