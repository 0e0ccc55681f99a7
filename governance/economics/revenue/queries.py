"""Accounts, and the money of customers by month, in the reporting currency.

customers() · customer(id) · account(id) · segments()
accounts(month)                 the accounts that were customers on any day of the month
mrr_bridges(months) · mrr_bridge(month) · mrr_by_customer(month)
invoiced_by_customer(month) · invoiced(months)
acquisition(months) · support_by_customer(month)
lifetimes(as_of)                for survival curves, by segment

A month's amounts are converted at that month's rate, or the last known one, which is provisional;
without any, MissingRate is raised.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select

from governance.economics.rates.queries import months_rates
from governance.economics.revenue import mrr
from governance.economics.revenue.lifetimes import lifetime
from governance.economics.revenue.models import (
    Account,
    AccountSegment,
    AcquisitionMonth,
    CustomerSubscription,
    Invoice,
    SupportMonth,
)
from governance.economics.revenue.mrr import ZERO, Bridge, Convert, Movement, SubscriptionVersion
from governance.foundation.tenants.models import Tenant
from governance.kernel.data.db import session
from governance.kernel.errors import NotFound
from governance.kernel.months import Month

FIRST_SEGMENTS = ("Enterprise", "Mid-market", "Small business", "Public sector")


@dataclass(frozen=True, slots=True)
class CustomerEntry:
    """A customer, whether its tenant is active or was deleted."""

    id: UUID
    slug: str
    name: str
    tier: str
    is_active: bool


@dataclass(frozen=True, slots=True)
class AcquisitionFigures:
    """Spend of a channel in a month and segment, in the reporting currency, and accounts won."""

    month: Month
    channel: str
    segment: str
    spend: Decimal
    wins: int


@dataclass(frozen=True, slots=True)
class SupportFigures:
    """Support of a customer in a month; the cost is in the reporting currency."""

    hours: Decimal
    tickets: int
    cost: Decimal


# ---- customers


def customers() -> dict[UUID, CustomerEntry]:
    """Return every customer by id, including deleted tenants, in the order of names."""
    query = select(Tenant).where(Tenant.kind == "customer").order_by(Tenant.name)
    return {
        each.id: CustomerEntry(each.id, each.slug, each.name, each.tier, each.status == "active")
        for each in session().scalars(query)
    }


def customer(customer_id: UUID) -> CustomerEntry:
    """Return the customer with that id. Raises NotFound."""
    found = customers().get(customer_id)
    if found is None:
        raise NotFound("This customer doesn't exist.")
    return found


def account(customer_id: UUID) -> Account | None:
    query = select(Account).where(Account.customer_id == customer_id)
    return session().scalars(query).one_or_none()


def all_accounts() -> Sequence[Account]:
    return session().scalars(select(Account)).all()


def accounts(month: Month) -> Sequence[Account]:
    """Return the accounts that were customers on any day of the month."""
    query = select(Account).where(
        Account.won_on <= month.last_day,
        Account.lost_on.is_(None) | (Account.lost_on > month.first_day),
    )
    return session().scalars(query).all()


def segments() -> Sequence[str]:
    """Return the operator's list of segments, or four default ones until it is set."""
    query = select(AccountSegment.name).order_by(AccountSegment.position)
    return session().scalars(query).all() or FIRST_SEGMENTS


def segments_in_use() -> set[str]:
    """Return the segments of accounts and of acquisition spend."""
    of_accounts = session().scalars(select(Account.segment).distinct())
    return {*of_accounts, *session().scalars(select(AcquisitionMonth.segment).distinct())}


def lifetimes(as_of: date) -> dict[str, list[tuple[int, bool]]]:
    """Return (months observed, whether it churned) of each account won by then, by segment."""
    found: dict[str, list[tuple[int, bool]]] = defaultdict(list)
    for each in all_accounts():
        if (lived := lifetime(each.won_on, each.lost_on, as_of)) is not None:
            found[each.segment].append(lived)
    return dict(found)


# ---- MRR


def subscription_versions(customer_id: UUID | None = None) -> list[SubscriptionVersion]:
    """Return every version of every subscription, or those of one customer, the oldest first."""
    query = select(CustomerSubscription).order_by(
        CustomerSubscription.starts_on, CustomerSubscription.reference
    )
    if customer_id is not None:
        query = query.where(CustomerSubscription.customer_id == customer_id)
    return [
        SubscriptionVersion(
            each.customer_id,
            each.reference,
            each.starts_on,
            each.ends_on,
            each.amount,
            each.currency,
        )
        for each in session().scalars(query)
    ]


def mrr_movements(months: Iterable[Month]) -> list[Movement]:
    """Return the movements of these months by customer."""
    wanted = list(months)
    return mrr.mrr_movements(subscription_versions(), wanted, converter(wanted))


def mrr_bridge(month: Month) -> Bridge:
    """Return the movements of a month, summed over all customers."""
    return mrr.bridge(month, mrr_movements([month]))


def mrr_by_customer(month: Month) -> dict[UUID, Decimal]:
    """Return the MRR at the month's end of each customer that has any."""
    return {each.customer_id: each.end for each in mrr_movements([month]) if each.end}


def converter(months: Collection[Month]) -> Convert:
    """Return a function that converts an amount with the rates of one of these months."""
    rates = months_rates(months)
    return lambda amount, currency, month: rates[month].convert(amount, currency)


# ---- invoices, acquisition, support


def invoiced_by_customer(month: Month) -> dict[UUID, Decimal]:
    """Return the invoiced amount of the month, net of credit notes, by customer."""
    return invoiced([month]).get(month, {})


def invoiced(
    months: Collection[Month], customer_id: UUID | None = None
) -> dict[Month, dict[UUID, Decimal]]:
    """Return the invoiced amounts of several months, for all customers or one."""
    total = func.sum(Invoice.amount)
    query = select(Invoice.month, Invoice.customer_id, Invoice.currency, total).where(
        Invoice.month.in_([str(each) for each in months])
    )
    if customer_id is not None:
        query = query.where(Invoice.customer_id == customer_id)
    convert = converter(months)
    found: dict[Month, dict[UUID, Decimal]] = defaultdict(lambda: defaultdict(lambda: ZERO))
    grouped = query.group_by(Invoice.month, Invoice.customer_id, Invoice.currency)
    for name, billed, currency, amount in session().execute(grouped):
        month = Month.parse(name)
        found[month][billed] += convert(amount, currency, month)
    return {month: dict(each) for month, each in found.items()}


def acquisition(months: Collection[Month]) -> list[AcquisitionFigures]:
    """Return spend and wins by month, channel and segment. Either may be zero."""
    wanted = [str(each) for each in months]
    query = select(AcquisitionMonth).where(AcquisitionMonth.month.in_(wanted))
    ordered = query.order_by(
        AcquisitionMonth.month, AcquisitionMonth.segment, AcquisitionMonth.channel
    )
    convert, found = converter(months), []
    for each in session().scalars(ordered):
        month = Month.parse(each.month)
        spend = convert(each.spend, each.currency, month)
        found.append(AcquisitionFigures(month, each.channel, each.segment, spend, each.wins))
    return found


def support_by_customer(month: Month) -> dict[UUID, SupportFigures]:
    """Return hours, tickets and cost of support in the month, by customer."""
    query = select(SupportMonth).where(SupportMonth.month == str(month))
    convert = converter([month])
    return {each.customer_id: _figures(each, convert) for each in session().scalars(query)}


def support_of(customer_id: UUID, months: Collection[Month]) -> dict[Month, SupportFigures]:
    """Return the support of one customer in these months."""
    query = select(SupportMonth).where(
        SupportMonth.customer_id == customer_id,
        SupportMonth.month.in_([str(each) for each in months]),
    )
    convert = converter(months)
    return {Month.parse(each.month): _figures(each, convert) for each in session().scalars(query)}


def _figures(row: SupportMonth, convert: Convert) -> SupportFigures:
    cost = convert(row.hours * row.cost_per_hour, row.currency, Month.parse(row.month))
    return SupportFigures(row.hours, row.tickets, cost)


def newest_invoices(customer_id: UUID, count: int) -> Sequence[Invoice]:
    """Return the last invoices and credit notes of a customer, the newest first."""
    query = select(Invoice).where(Invoice.customer_id == customer_id)
    return (
        session()
        .scalars(query.order_by(Invoice.issued_on.desc(), Invoice.number.desc()).limit(count))
        .all()
    )
