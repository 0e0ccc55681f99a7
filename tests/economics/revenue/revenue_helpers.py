"""Files of finance, imported as finance does."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import select

from governance.economics.revenue import account_actions
from governance.economics.revenue.models import CustomerSubscription, Invoice
from governance.foundation.tenants import queries as directory
from governance.kernel.data.db import Model, session
from tests import make
from tests.browser import Visitor
from tests.economics.imports.import_helpers import apply, row_of, upload

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)  # The time at which these tests run.
REVENUE = "/operator/economics/revenue/"
HEADS = {
    "accounts": "customer,segment,seats,won_on,lost_on",
    "subscriptions": "customer,reference,starts_on,ends_on,amount,currency",
    "invoices": "number,customer,issued_on,month,amount,currency",
    "acquisition": "month,channel,segment,spend,currency,wins",
    "support": "customer,month,hours,tickets,cost_per_hour,currency",
}


def customer_id(slug: str) -> UUID:
    found = directory.tenant_id(slug)
    assert found, slug
    return found


def send(visitor: Visitor, kind: str, *lines: str) -> str:
    """Upload a file of these lines. Return the address of its preview."""
    text = "\n".join((HEADS[kind], *lines)) + "\n"
    return upload(visitor, text, f"{kind}.csv", kind)


def import_lines(visitor: Visitor, kind: str, *lines: str) -> None:
    """Import a file, which must have no rejected row."""
    address = send(visitor, kind, *lines)
    apply(visitor, address)
    row = row_of(address)
    assert row.state == "applied", (row.state, row.problem, row.rejected)


def rejected(visitor: Visitor, kind: str, *lines: str) -> list[tuple[int, str, str]]:
    """Return (line, field, reason) of each rejected row."""
    return [tuple(each) for each in row_of(send(visitor, kind, *lines)).rejected]


def notes(visitor: Visitor, kind: str, *lines: str) -> dict[str, str]:
    """Return the preview's notes on a valid file."""
    row = row_of(send(visitor, kind, *lines))
    assert not row.rejected
    return dict(row.notes)


def stored(model: type[Model]) -> list[Any]:
    """Return every row of the operator, detached."""
    with make.acting("operator_finance", "console"):
        rows = list(session().scalars(select(model)))
        for row in rows:
            session().expunge(row)
        return rows


def amounts() -> list[tuple[str, Decimal]]:
    """Return reference and amount of each version, the oldest first."""
    rows = sorted(stored(CustomerSubscription), key=lambda each: (each.reference, each.starts_on))
    return [(each.reference, each.amount) for each in rows]


def invoiced() -> dict[str, Decimal]:
    return {each.number: each.amount for each in stored(Invoice)}


def account(slug: str, segment: str = "Enterprise", **values: Any) -> None:
    """Save the customer's account as finance."""
    wanted = {"seats": 250, "won_on": date(2025, 3, 1), "lost_on": None} | values
    with make.acting("operator_finance", "console"):
        account_actions.save_account(customer_id(slug), segment=segment, **wanted)
