"""The revenue page: the requested month, its figures, and its accounts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from flask import request

from governance.economics.formulas.money import MINUS, plain_amount, round_to, short_money
from governance.economics.rates.actions import present_month
from governance.economics.revenue import queries
from governance.economics.revenue.models import Account
from governance.economics.revenue.mrr import ZERO, Bridge, Movement, bridge
from governance.economics.revenue.queries import CustomerEntry
from governance.kernel.days import parse_month
from governance.kernel.formatting import plural
from governance.kernel.months import Month
from governance.kernel.pages.list_pages import (
    Column,
    Export,
    Filter,
    ListPage,
    ListRequest,
    arrange,
    keep,
)

MONTHS_SHOWN = 12
HEAD = (
    "Customer",
    "Slug",
    "Segment",
    "Seats",
    "Won on",
    "Lost on",
    "MRR",
    "Invoiced",
    "Currency",
    "Provisional rates",
)
STATES = (
    ("customer", "Customer"),
    ("lost", "Lost"),
    ("unknown", "Segment missing"),
    ("deleted", "Tenant deleted"),
)
GAINED = {"new": "New accounts", "expansion": "Expansion", "reactivation": "Returning accounts"}
LOST = {"contraction": "Contraction", "churn": "Churn"}
MOVED = (
    ("new", "new"),
    ("reactivation", "returned"),
    ("expansion", "up"),
    ("contraction", "down"),
    ("churn", "churned"),
)


def _segments() -> list[tuple[str, str]]:
    return [(each, each) for each in queries.segments()]


ACCOUNTS = ListPage(
    name="accounts",
    title="Accounts",
    noun="account",
    endpoint="operator_revenue.index",
    search="Search customers",
    sort="-mrr",
    carried=("month",),
    columns=(
        Column(
            "customer",
            "Customer",
            sort=True,
            file=(
                "Customer",
                "Slug",
            ),
        ),
        Column("segment", "Segment", sort=True),
        Column(
            "mrr",
            "MRR",
            sort=True,
            numeric=True,
            file=(
                "MRR",
                "Currency",
                "Provisional rates",
            ),
        ),
        Column("invoiced", "Invoiced", sort=True, numeric=True),
        Column("seats", "Seats", sort=True, optional=True, numeric=True),
        Column("won_on", "Won", sort=True, optional=True, file=("Won on",)),
        Column("lost_on", "Lost", sort=True, optional=True, file=("Lost on",)),
    ),
    filters=(Filter("segment", "Segment", _segments), Filter("state", "State", STATES)),
    exports=tuple(
        Export(form, "operator_revenue.export", {"form": form}) for form in ("csv", "xlsx")
    ),
)


@dataclass(frozen=True, slots=True)
class AccountRow:
    """A customer in a month; amounts are in the reporting currency."""

    customer: CustomerEntry
    account: Account | None
    movement: Movement | None
    invoiced: Decimal
    month: Month

    @property
    def name(self) -> str:
        """The key that distinguishes the row from the others."""
        return str(self.customer.id)

    @property
    def mrr(self) -> Decimal:
        return self.movement.end if self.movement else ZERO

    @property
    def states(self) -> set[str]:
        """The row's states, a subset of STATES."""
        lost_on = self.account.lost_on if self.account else None
        is_lost = lost_on is not None and lost_on <= self.month.last_day
        return {
            "lost" if is_lost else "customer",
            *(() if self.account else ("unknown",)),
            *(() if self.customer.is_active else ("deleted",)),
        }

    @property
    def moved(self) -> tuple[str, Decimal] | None:
        """The movement of its MRR in the month: a word and an amount."""
        if self.movement is None:
            return None
        amounts = ((word, getattr(self.movement, name)) for name, word in MOVED)
        return next(((word, amount) for word, amount in amounts if amount), None)


@dataclass(frozen=True, slots=True)
class RevenueMonth:
    """The data of a month's page: twelve months of movements and invoices, the newest last."""

    month: Month
    bridges: Sequence[Bridge]
    invoiced: Sequence[Decimal]
    rows: Sequence[AccountRow]

    @property
    def bridge(self) -> Bridge:
        return self.bridges[-1]

    @property
    def has_revenue(self) -> bool:
        return any(each.start or each.end for each in self.bridges) or any(self.invoiced)


def asked_month() -> Month:
    """Return the month in the address, by default the last complete one. Raises Invalid."""
    text = request.args.get("month", "")
    return parse_month(text, field="month") if text.strip() else present_month().plus(-1)


def read_month(month: Month) -> RevenueMonth:
    """Read twelve months of movements and invoices, and the accounts in the last of them."""
    months = [month.plus(n - MONTHS_SHOWN + 1) for n in range(MONTHS_SHOWN)]
    movements = queries.mrr_movements(months)
    billed = queries.invoiced(months)
    accounts = {each.customer_id: each for each in queries.all_accounts()}
    theirs = {each.customer_id: each for each in movements if each.month == month}
    now = billed.get(month, {})
    rows = [
        AccountRow(
            customer,
            accounts.get(customer.id),
            theirs.get(customer.id),
            now.get(customer.id, ZERO),
            month,
        )
        for customer in queries.customers().values()
        if _is_shown(customer, accounts, theirs, now)
    ]
    return RevenueMonth(
        month,
        [bridge(each, movements) for each in months],
        [sum(billed.get(each, {}).values(), ZERO) for each in months],
        rows,
    )


def _is_shown(customer: CustomerEntry, *held: Mapping[UUID, Any]) -> bool:
    """Return whether to list a customer: a deleted one needs an account, MRR or an invoice."""
    return customer.is_active or any(customer.id in each for each in held)


KEYS: Mapping[str, Callable[[AccountRow], Any]] = {
    "customer": lambda row: row.customer.name.casefold(),
    "segment": lambda row: (row.account.segment if row.account else "", row.customer.name),
    "mrr": lambda row: (row.mrr, row.invoiced, row.customer.name),
    "invoiced": lambda row: (row.invoiced, row.customer.name),
    "seats": lambda row: (row.account.seats if row.account else -1, row.customer.name),
    "won_on": lambda row: (_day(row.account and row.account.won_on), row.customer.name),
    "lost_on": lambda row: (_day(row.account and row.account.lost_on), row.customer.name),
}


def _day(day: Any) -> str:
    return day.isoformat() if day else ""


def matching(rows: Sequence[AccountRow], asked: ListRequest) -> list[AccountRow]:
    """Return the rows that match the search and the filters, in the requested order."""
    tests: dict[str, Callable[[AccountRow, str], bool]] = {
        "segment": lambda row, value: row.account is not None and row.account.segment == value,
        "state": lambda row, value: value in row.states,
    }
    found = keep(rows, asked, tests, lambda row: f"{row.customer.name} {row.customer.slug}")
    return arrange(found, asked, KEYS)


def headline(shown: RevenueMonth, currency: str) -> str:
    """Return a headline with the MRR, its movement, and churned customers."""
    now = shown.bridge
    if not shown.has_revenue:
        return "No revenue is recorded yet"
    said = f"MRR is {short_money(now.end, currency)}"
    if (moved := growth(now)) is not None and now.end != now.start:
        said += f", {'up' if now.end > now.start else 'down'} {moved.lstrip('+' + MINUS)}"
    if now.lost:
        return f"{said}; {plural(now.lost, 'account')} churned"
    return f"{said}; {plural(now.won, 'account')} won" if now.won else said


def growth(bridge: Bridge) -> str | None:
    """Return the growth as text, such as "+3.1%"; None if the month started with zero."""
    if bridge.growth is None:
        return None
    percent = round_to(bridge.growth * 100, 1)
    return f"{'+' if percent > 0 else MINUS if percent < 0 else ''}{abs(percent)}%"


def movement_title(shown: RevenueMonth, currency: str) -> str:
    """Return a title with the largest MRR movement of twelve months."""
    gained = {name: sum((getattr(b, name) for b in shown.bridges), ZERO) for name in GAINED}
    lost = {name: sum((getattr(b, name) for b in shown.bridges), ZERO) for name in LOST}
    came, left = sum(gained.values(), ZERO), sum(lost.values(), ZERO)
    if not came and not left:
        return "MRR didn’t move in twelve months"
    if came >= left:
        most = max(gained, key=lambda name: gained[name])
        return f"{GAINED[most]} brought {short_money(gained[most], currency)} in twelve months"
    most = max(lost, key=lambda name: lost[name])
    return f"{LOST[most]} took {short_money(lost[most], currency)} in twelve months"


def cells(row: AccountRow, currency: str, provisional: str) -> tuple[Any, ...]:
    """Return the cells of a row in an export; `provisional` names its month's provisional rates."""
    held = row.account
    return (
        row.customer.name,
        row.customer.slug,
        held.segment if held else "",
        held.seats if held else "",
        held.won_on if held else None,
        held.lost_on if held else None,
        plain_amount(row.mrr, currency),
        plain_amount(row.invoiced, currency),
        currency,
        provisional,
    )
