"""The page of an account: twelve months of MRR, its subscriptions and its invoices."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from markupsafe import Markup

from governance.economics.formulas.money import money
from governance.economics.rates import queries as rates
from governance.economics.rates.actions import present_month
from governance.economics.revenue import mrr, queries, revenue_list
from governance.economics.revenue.models import Account, Invoice
from governance.economics.revenue.mrr import ZERO, SubscriptionVersion
from governance.economics.revenue.queries import CustomerEntry, SupportFigures
from governance.kernel import formatting
from governance.kernel.months import Month
from governance.kernel.pictures import charts

INVOICES_SHOWN = 24


@dataclass(frozen=True, slots=True)
class AccountMonth:
    """A month of one customer; amounts are in the reporting currency."""

    month: Month
    mrr: Decimal
    invoiced: Decimal
    support: SupportFigures | None


@dataclass(frozen=True, slots=True)
class ShownAccount:
    """The data of the page; months are the newest first."""

    customer: CustomerEntry
    account: Account | None
    currency: str
    months: Sequence[AccountMonth]
    subscriptions: Sequence[SubscriptionVersion]
    invoices: Sequence[Invoice]
    chart: Markup | None

    @property
    def title(self) -> str:
        """The headline: the customer's current MRR."""
        held = self.account
        if held is not None and held.lost_on is not None:
            return f"{self.customer.name} was lost on {formatting.long_day(held.lost_on)}"
        if not self.months[0].mrr:
            return f"{self.customer.name} has no MRR"
        return f"{self.customer.name} pays {money(self.months[0].mrr, self.currency)} a month"


def read(customer_id: UUID) -> ShownAccount:
    """Read the account and its last twelve months. Raises NotFound."""
    customer = queries.customer(customer_id)
    versions = queries.subscription_versions(customer_id)
    newest = present_month()
    months = [newest.plus(-n) for n in range(revenue_list.MONTHS_SHOWN)]
    ends = {
        each.month: each.end
        for each in mrr.mrr_movements(versions, months, queries.converter(months))
    }
    billed = queries.invoiced(months, customer_id)
    support = queries.support_of(customer_id, months)
    shown = [
        AccountMonth(
            month,
            ends.get(month, ZERO),
            billed.get(month, {}).get(customer_id, ZERO),
            support.get(month),
        )
        for month in months
    ]
    return ShownAccount(
        customer=customer,
        account=queries.account(customer_id),
        currency=rates.reporting_currency(),
        months=shown,
        subscriptions=versions[::-1],
        invoices=queries.newest_invoices(customer_id, INVOICES_SHOWN),
        chart=_chart(shown) if any(each.mrr or each.invoiced for each in shown) else None,
    )


def _chart(months: Sequence[AccountMonth]) -> Markup:
    """Return a chart of MRR and invoiced amounts, in thousands."""
    ordered = months[::-1]
    return charts.lines(
        [
            charts.Series("invoiced", [float(each.invoiced / 1000) for each in ordered]),
            charts.Series("MRR", [float(each.mrr / 1000) for each in ordered]),
        ],
        [f"{each.month.first_day:%b}" for each in ordered],
        "MRR and invoices by month, in thousands",
        unit="k",
        width=860,
    )
