"""Bill lines and usage behind a model's day, in the operator's own tenant.

bill_lines(month, provider, model, day)     charges, the largest first
usage_lines(month, provider, model, day)    usage by customer and AI system, the costliest first

Provider and model are named as in usage; None for the model is all of the provider's. Without a day
it is the whole month. Amounts are in their own currency, as on the bill and in the price book.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, tuple_

from governance.economics.costs.focus_lines import TOKEN
from governance.economics.costs.models import CostBill, CostLine
from governance.economics.costs.reconciliation_queries import name_table, used_models
from governance.economics.imports.models import FileImport
from governance.economics.prices.models import USAGE_COSTS
from governance.economics.usage.usage_events import BUCKETS
from governance.kernel import current
from governance.kernel.data.db import session
from governance.kernel.months import Month

C = USAGE_COSTS.c
MAX_LINES = 50  # of bills
MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class BillLine:
    """A charge and the file it comes from; a manual line has no file."""

    line: CostLine
    import_id: UUID | None
    file_name: str | None

    @property
    def per_million(self) -> Decimal | None:
        """The cost of a million tokens; None for a charge that isn't counted in tokens."""
        if self.line.unit != TOKEN or not self.line.quantity:
            return None
        return self.line.effective / self.line.quantity * MILLION


@dataclass(frozen=True, slots=True)
class UsageLine:
    """Usage of a customer's AI system; `tokens` by bucket, `currency` is None without a price."""

    customer_id: UUID
    system: str
    requests: int
    tokens: dict[str, int]
    currency: str | None
    cost: Decimal

    @property
    def all_tokens(self) -> int:
        return sum(self.tokens.values())


def bill_lines(month: Month, provider: str, model: str | None, day: date | None) -> list[BillLine]:
    """Return up to MAX_LINES charges of the model on that day."""
    names = _names_on_bills(month, provider, model)
    if not names:
        return []
    bill, file = CostBill, FileImport
    query = (
        select(CostLine, bill.import_id, file.name)
        .outerjoin(bill, (bill.tenant_id == CostLine.tenant_id) & (bill.id == CostLine.bill_id))
        .outerjoin(file, (file.tenant_id == bill.tenant_id) & (file.id == bill.import_id))
        .where(
            CostLine.usage_month == str(month),
            CostLine.pool == "models",
            tuple_(CostLine.provider, func.coalesce(CostLine.model, "")).in_(names),
        )
        .order_by(func.abs(CostLine.effective).desc(), CostLine.id)
        .limit(MAX_LINES)
    )
    if day is not None:
        query = query.where(CostLine.day == day)
    return [BillLine(*row) for row in session().execute(query)]


def _names_on_bills(month: Month, provider: str, model: str | None) -> list[tuple[str, str]]:
    """Return the (provider, model) names that the month's bills use for this model."""
    table = name_table(used_models(month))
    query = (
        select(CostLine.provider, func.coalesce(CostLine.model, ""))
        .where(CostLine.usage_month == str(month), CostLine.pool == "models")
        .distinct()
    )
    found = []
    for written in session().execute(query):
        its_provider, its_model, _is_matched = table.find(*written)
        if its_provider == provider and model in (None, its_model):
            found.append((written[0], written[1]))
    return found


def usage_lines(
    month: Month, provider: str, model: str | None, day: date | None
) -> list[UsageLine]:
    """Return the usage of the model on that day."""
    keys = (C.customer_id, C.system, C.currency)
    tokens = [func.sum(C[f"{each}_tokens"]) for each in BUCKETS]
    query = (
        select(*keys, func.sum(C.cost), func.sum(C.requests), *tokens)
        .where(C.tenant_id == current.actor().tenant_id, C.provider == provider, _days(month, day))
        .group_by(*keys)
        .order_by(func.sum(C.cost).desc(), *keys)
    )
    if model is not None:
        query = query.where(C.model == model)
    return [
        UsageLine(
            customer_id,
            system,
            int(requests),
            dict(zip(BUCKETS, map(int, counts), strict=True)),
            currency,
            cost,
        )
        for customer_id, system, currency, cost, requests, *counts in session().execute(query)
    ]


def _days(month: Month, day: date | None) -> ColumnElement[bool]:
    if day is not None:
        return C.day == day
    return C.day.between(month.first_day, month.last_day)
