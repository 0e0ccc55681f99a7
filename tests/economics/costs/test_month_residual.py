"""The residual between a month's priced usage and its invoices."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from governance.economics.costs import placing_actions, reconciliation_queries
from governance.economics.costs.reconciliation_sentences import headline
from governance.kernel import clock
from governance.kernel.months import Month
from tests.economics.costs.focus_helpers import import_rows, row
from tests.economics.prices import price_helpers
from tests.economics.usage.usage_helpers import NOW, Product, at, event, register

NOVEMBER = Month(2026, 11)
PRICES = {
    "input": Decimal(3),
    "output": Decimal(15),
    "cache_read": Decimal("0.3"),
    "cache_write": Decimal("3.75"),
}
TOKENS = {"input": 1_000_000, "cache_write": 200_000, "output": 100_000}
METERS = {"input": "Input tokens", "cache_write": "Cache writes", "output": "Output tokens"}
USED = {"at": at(datetime(2026, 11, 17, 9, tzinfo=UTC)), "provider": "helio", "model": "large"}


@pytest.fixture(autouse=True)
def _now():
    with clock.frozen(NOW):
        yield


@pytest.fixture
def priced(app, database):
    """Price a customer's usage of 17 November in euros: 3.00 + 0.75 + 1.50 = 5.25."""
    register()
    timeout = {"outcome": "failed", "tokens": ...}
    Product(app).send(
        [
            event(1, tokens=TOKENS, **USED),
            event(2, **(USED | timeout)),
            event(3, **(USED | timeout)),
        ]
    )
    price_helpers.add(provider="helio", model="large", per_million=PRICES, currency="EUR")
    price_helpers.collect()


def charge(meter, **changed):
    """Return a charge of 17 November for these tokens at the book's price."""
    count = changed.pop("tokens", TOKENS[meter])
    cost = f"{PRICES[meter] * count / 10**6:f}"
    values = {"BilledCost": cost, "EffectiveCost": cost, "SkuMeter": METERS[meter]}
    days = {
        "BillingPeriodStart": "2026-11-01",
        "BillingPeriodEnd": "2026-12-01",
        "ChargePeriodStart": "2026-11-17",
        "ChargePeriodEnd": "2026-11-18",
    }
    quantity = {"PricingQuantity": str(count), "PricingUnit": "Token", "x_Model": "Large 3"}
    return row(**(values | days | quantity | changed))


def residual(acting):
    with acting("operator_finance", "console"):
        placing_actions.match_name("Helio Cloud", "Large 3", provider="helio", model="large")
        return reconciliation_queries.month_residual(NOVEMBER)


def test_an_invoice_of_what_was_used_leaves_no_residual(priced, as_operator, acting):
    import_rows(as_operator, [charge(meter) for meter in METERS])
    found = residual(acting)
    assert (found.computed, found.invoiced, found.residual) == (Decimal("5.25"), Decimal("5.25"), 0)
    assert headline(found, "November") == "Invoices equal computed cost: November could close"


def test_a_double_cache_write_and_time_outs_are_told_apart(priced, as_operator, acting):
    charges = [charge(meter) for meter in METERS]
    extra = charge(
        "input", EffectiveCost="0.40", BilledCost="0.40", SkuMeter="", PricingQuantity=""
    )
    import_rows(as_operator, [*charges, charge("cache_write"), extra])
    found = residual(acting)
    assert found.residual == Decimal("1.15")
    causes = {name: amount for name, amount in found.causes.items() if amount}
    assert causes == {"cache": Decimal("0.75"), "retries": Decimal("0.40")}
    assert not found.is_within


def test_usage_of_another_month_and_a_corrected_day_are_compared_with_their_own(
    priced, as_operator, acting
):
    later = {"BillingPeriodStart": "2026-12-01", "BillingPeriodEnd": "2027-01-01"}
    october = {"ChargePeriodStart": "2026-10-17", "ChargePeriodEnd": "2026-10-18"}
    correction = charge("output", ChargeClass="Correction", InvoiceId="HC-12", **later)
    import_rows(as_operator, [charge("input"), charge("cache_write"), charge("input", **october)])
    assert residual(acting).residual == Decimal("-1.5")
    import_rows(as_operator, [correction])
    assert residual(acting).residual == 0
