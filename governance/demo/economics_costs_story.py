"""Eighteen months of bills, imported as FOCUS files, with known differences from the usage.

Two providers bill the models that the demo used, by token. A cloud bills everything else.
Bills of models match usage and prices except for DIFFERENCES. The cloud's reserved GPUs are
prepaid: billed once a year, effective day by day, and partly unused. The cloud also corrects a
month that was billed before.
"""

import csv
import io
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from governance.demo.cast import MONTHS, acting_on, days_ago
from governance.demo.file_imports import import_file
from governance.economics.costs import actions, placing_actions, reconciliation_queries
from governance.economics.costs.focus_import import BILLS
from governance.economics.costs.residual_causes import Metered
from governance.economics.rates import queries as rates
from governance.kernel.current import Actor
from governance.kernel.data.db import transaction
from governance.kernel.months import Month

SEED = 2026
IMPORTED, CORRECTED = 3, 1  # days ago
CLOUD = "Lattice Cloud"
PREPAID = Decimal(16_000)  # a year of reserved GPUs
CORRECTION = Decimal(1_500)
CORRECTED_MONTH = 3  # months ago
METERS = {
    "input": "Input tokens",
    "cache_read": "Cached input tokens",
    "cache_write": "Cache writes",
    "output": "Output tokens",
    "reasoning": "Reasoning tokens",
}
MILLION = Decimal(10**6)


@dataclass(frozen=True, slots=True)
class Issuer:
    """A provider of models: its name in usage and on invoices, and the names of its models."""

    provider: str
    name: str
    prefix: str
    version: str  # version of FOCUS
    models: Mapping[str, str] = field(default_factory=dict)

    def number(self, month: Month) -> str:
        return f"{self.prefix}-{month}"


HELIO = Issuer(
    "helio",
    "Helio Cloud",
    "HC",
    "1.2",
    {"helio-large-3": "Helio Large 3", "helio-small-3": "Helio Small 3"},
)
NORTHWIND = Issuer("northwind", "Northwind AI", "NW", "1.4")


@dataclass(frozen=True, slots=True)
class Difference:
    """A difference between a bill and the usage of a model, on some days of one past month.

    `tokens` and `price` are factors. They apply to one bucket, or to all of them.
    """

    months_ago: int
    days: tuple[int, ...]
    model: str
    bucket: str | None = None
    tokens: Decimal = Decimal(1)
    price: Decimal = Decimal(1)


DIFFERENCES = (
    Difference(1, (17, 18), "helio-large-3", "cache_write", tokens=Decimal(2)),
    Difference(
        1, (8, 15, 22), "helio-small-3", tokens=Decimal("2.1")
    ),  # a batch job without an API key
    Difference(1, (12, 13, 14), "nw-chat-2", price=Decimal("1.15")),
    Difference(2, (9, 10), "helio-large-3", tokens=Decimal("1.12")),
)
SERVICES = (  # name, category, euros a day, status of the commitment
    ("Managed clusters", "Compute", Decimal("38.40"), ""),
    ("Object storage", "Storage", Decimal("6.15"), ""),
    ("Reserved GPUs", "Compute", PREPAID / 365 * Decimal("0.85"), "Used"),
    ("Reserved GPUs", "Compute", PREPAID / 365 * Decimal("0.15"), "Unused"),
    ("Content safety scans", "AI and Machine Learning", Decimal("21.70"), ""),
)


def tell(finance: Actor) -> None:
    """Place charges, import the bills, enter what arrives by email, then import a correction."""
    now = Month.of(days_ago(IMPORTED))
    with acting_on(finance, days_ago(IMPORTED), hour=11):
        _place()
        for issuer in (HELIO, NORTHWIND):
            if rows := [
                row for month in _months(now) for row in _model_charges(issuer, now, month)
            ]:
                _import(f"{issuer.provider}-focus.csv", rows)
        _import("lattice-focus.csv", [row for month in _months(now) for row in _cloud(now, month)])
        for ago in (2, 1):
            with transaction():
                actions.enter_line(
                    now.plus(-ago),
                    provider="Deskline",
                    pool="support",
                    amount=Decimal("312.00"),
                    currency="EUR",
                    note=f"Help desk licences, invoice DL-{now.plus(-ago)} by email",
                )
    with acting_on(finance, days_ago(CORRECTED), hour=9):
        _import("lattice-correction-focus.csv", [_correction(now)])


def _place() -> None:
    with transaction():
        placing_actions.add_rule(
            None, provider="*", service="Content safety*", resource="*", pool="guardrails"
        )
        for model, name in HELIO.models.items():
            placing_actions.match_name(HELIO.name, name, provider=HELIO.provider, model=model)
        placing_actions.match_name(NORTHWIND.name, "", provider=NORTHWIND.provider, model="")


def _months(now: Month) -> list[Month]:
    """Return the eighteen months that are over."""
    return [now.plus(-ago) for ago in range(MONTHS, 0, -1)]


def _import(name: str, rows: Sequence[Mapping[str, str]]) -> None:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    import_file(BILLS, name, text.getvalue().encode())


# ---- models


def _model_charges(issuer: Issuer, now: Month, month: Month) -> Iterator[dict[str, str]]:
    """Yield a charge for each day, model and kind of token."""
    with transaction(read_only=True):
        metered = reconciliation_queries.metered_by_day(month)
        dollar = rates.month_rates(month).rate("USD")
    for usage in metered:
        if usage.provider != issuer.provider:
            continue
        for bucket, name in METERS.items():
            count = Decimal(usage.tokens[bucket])
            if not count:
                continue
            tokens, price = _differences(usage, bucket, now, month)
            cost = usage.costs[bucket] / dollar * tokens * price
            yield _charge(
                issuer.name,
                issuer.number(month),
                month,
                usage.day,
                service="Inference",
                category="AI and Machine Learning",
                cost=cost,
                currency="USD",
                version=issuer.version,
                model=issuer.models.get(usage.model, usage.model),
                meter=name,
                tokens=(count * tokens).to_integral_value(),
            )


def _differences(usage: Metered, bucket: str, now: Month, month: Month) -> tuple[Decimal, Decimal]:
    tokens = price = Decimal(1)
    for each in DIFFERENCES:
        if (
            now.plus(-each.months_ago) == month
            and usage.day.day in each.days
            and usage.model == each.model
            and each.bucket in (None, bucket)
        ):
            tokens, price = tokens * each.tokens, price * each.price
    return tokens, price


# ---- the cloud


def _cloud(now: Month, month: Month) -> Iterator[dict[str, str]]:
    """Yield the cloud's charges by day, which grow a little each month.

    The first month of each year includes the prepaid GPUs.
    """
    ago = (now.year - month.year) * 12 + now.number - month.number
    growth = 1 + Decimal(MONTHS - ago) / 40
    if (MONTHS - ago) % 12 == 0:
        yield _cloud_charge(month, month.first_day, "Reserved GPUs", "Compute", PREPAID, "Purchase")
    chance = random.Random(f"{SEED}{month}")  # noqa: S311 - a story, not a secret
    for number in range(month.last_day.day):
        day = month.first_day + timedelta(days=number)
        for service, category, cost, status in SERVICES:
            amount = cost if status else cost * growth * Decimal(f"{chance.uniform(0.9, 1.1):.3f}")
            yield _cloud_charge(month, day, service, category, amount, "Usage", status)


def _cloud_charge(
    month: Month,
    day: date,
    service: str,
    category: str,
    cost: Decimal,
    kind: str,
    status: str = "",
) -> dict[str, str]:
    row = _charge(
        CLOUD,
        f"LC-{month}",
        month,
        day,
        service=service,
        category=category,
        cost=cost,
        currency="EUR",
    )
    row |= {"ChargeCategory": kind, "CommitmentDiscountStatus": status}
    if kind == "Purchase":
        year = {"ChargePeriodEnd": f"{month.plus(12).first_day}T00:00:00Z"}
        return row | year | {"EffectiveCost": "0", "ChargeFrequency": "One-Time"}
    return row | ({"BilledCost": "0"} if status else {})


def _correction(now: Month) -> dict[str, str]:
    """Return network charges of an earlier month, billed in the current one."""
    day = now.plus(-CORRECTED_MONTH).first_day + timedelta(days=11)
    row = _charge(
        CLOUD,
        f"LC-{now}-C1",
        now,
        day,
        service="Managed clusters",
        category="Compute",
        cost=CORRECTION,
        currency="EUR",
    )
    return row | {"ChargeClass": "Correction"}


# ---- a line of FOCUS


def _charge(
    provider: str,
    invoice: str,
    month: Month,
    day: date,
    *,
    service: str,
    category: str,
    cost: Decimal,
    currency: str,
    version: str = "1.4",
    model: str = "",
    meter: str = "",
    tokens: Decimal | None = None,
) -> dict[str, str]:
    amount = f"{cost:.10f}"
    names = (
        {"ServiceProviderName": provider, "HostProviderName": provider}
        if version == "1.4"
        else {"ProviderName": provider, "PublisherName": provider}
    )
    return {
        **names,
        "InvoiceIssuerName": provider,
        "InvoiceId": invoice,
        "BillingAccountId": "1204",
        "BillingAccountName": "Meridian",
        "BillingCurrency": currency,
        "BillingPeriodStart": f"{month.first_day}T00:00:00Z",
        "BillingPeriodEnd": f"{month.plus(1).first_day}T00:00:00Z",
        "ChargePeriodStart": f"{day}T00:00:00Z",
        "ChargePeriodEnd": f"{day + timedelta(days=1)}T00:00:00Z",
        "ChargeCategory": "Usage",
        "ChargeClass": "",
        "ChargeDescription": f"{service} {model} {meter}".strip(),
        "ChargeFrequency": "Usage-Based",
        "BilledCost": amount,
        "EffectiveCost": amount,
        "ListCost": amount,
        "ContractedCost": amount,
        "ServiceCategory": category,
        "ServiceName": service,
        "PricingQuantity": "" if tokens is None else f"{tokens / MILLION:f}",
        "PricingUnit": "" if tokens is None else "1M Tokens",
        "SkuMeter": meter,
        "CommitmentDiscountStatus": "",
        "x_Model": model,
    }
