"""Inputs of a month for tests: a few customers, or any that Hypothesis generates."""

from dataclasses import replace
from decimal import Decimal
from uuid import UUID

from hypothesis import strategies as st

from governance.economics.formulas.acquisition import AcquisitionMonth
from governance.economics.formulas.allocation import Driver, Pool, Rule
from governance.economics.formulas.sensitivity import MEASURED
from governance.economics.formulas.survival import Tenure
from governance.economics.reviews.facts.review_facts import AccountCounts, MrrBridge, Reconciliation
from governance.economics.reviews.inputs.month_inputs import (
    Customer,
    CustomerUsage,
    MonthInputs,
    SegmentHistory,
    SupportUsage,
    SystemUsage,
)
from governance.kernel.months import Month

ZERO = Decimal(0)
NO_BRIDGE = MrrBridge(
    start=ZERO,
    new=ZERO,
    expansion=ZERO,
    reactivation=ZERO,
    contraction=ZERO,
    churn=ZERO,
    end=ZERO,
)
NO_ACCOUNTS = AccountCounts(start=0, won=0, returned=0, lost=0, end=0)


def reconciliation(computed=ZERO, residual=ZERO):
    """Return a reconciliation without models, causes or days."""
    invoiced = computed + residual
    return Reconciliation(
        models=[],
        causes=[],
        days=[],
        computed=computed,
        invoiced=invoiced,
        residual=residual,
        share=residual / invoiced if invoiced else None,
        limit=Decimal("0.02"),
    )


EMPTY = MonthInputs(
    month="2026-10",
    currency="EUR",
    operator="Northgate AI",
    customers=(),
    usage={},
    systems=(),
    invoiced={},
    mrr={},
    bridge=NO_BRIDGE,
    accounts=NO_ACCOUNTS,
    support={},
    pools={},
    allocation={},
    acquisition=(),
    history={},
    guardrail_reviews={},
    tier_order=("Baseline", "Standard", "Strict", "Regulated"),
    adoption=(),
    cohorts=(),
    reconciliation=reconciliation(),
    active_users=0,
    sla_credits={},
    inputs=(),
    rates=(),
    formulas=(),
    rules=(),
)


def customer(number, *, segment="Mid-market", tier="Standard", seats=10):
    """Return a customer with that number in its id and name."""
    return Customer(
        UUID(int=number), f"tenant-{number}", f"Tenant {number}", segment, tier, True, seats
    )


def two_customers():
    """Return Acme, which earns 1,000 and costs 410, and Globex, which earns 100 and costs 490.

    Most of Globex's cost is for models.
    """
    acme, globex = customer(1, segment="Enterprise"), customer(2, tier="Strict")
    return replace(
        EMPTY,
        customers=(acme, globex),
        usage={
            acme.id: CustomerUsage(600, 6, 60_000, 500, 40, Decimal("200.004")),
            globex.id: CustomerUsage(200, 8, 8_200_000, 100, 10, Decimal("400.006")),
        },
        systems=(
            SystemUsage(acme.id, "claims-triage", "", 600, 500, Decimal("200.004")),
            SystemUsage(globex.id, "router", "routing", 200, 100, Decimal("400.006")),
        ),
        invoiced={acme.id: Decimal(1000), globex.id: Decimal(100)},
        mrr={acme.id: Decimal(900), globex.id: Decimal(100)},
        bridge=replace_bridge(start=950, new=100, contraction=50, end=1000),
        accounts=AccountCounts(start=1, won=1, returned=0, lost=0, end=2),
        support={acme.id: SupportUsage(Decimal(2), 4, Decimal(120))},
        pools={Pool.INFRASTRUCTURE: Decimal(120), Pool.GUARDRAILS: Decimal(60)},
        allocation={
            Pool.INFRASTRUCTURE: Rule(Driver.EQUAL),
            Pool.GUARDRAILS: Rule(Driver.EQUAL),
        },
        acquisition=(
            AcquisitionMonth(Month(2026, 10), "Enterprise", Decimal(40), 0),
            AcquisitionMonth(Month(2026, 7), "Enterprise", Decimal(3000), 0),
            AcquisitionMonth(Month(2026, 9), "Enterprise", Decimal(20), 2),
        ),
        history={"Enterprise": SegmentHistory(tuple(Tenure(n, False) for n in (3, 9)), 0, 20)},
        reconciliation=reconciliation(Decimal("600.01"), Decimal("9.99")),
        active_users=50,
    )


def replace_bridge(**amounts):
    """Return a bridge with these amounts."""
    zeros = dict.fromkeys(NO_BRIDGE.__struct_fields__, ZERO)
    return MrrBridge(**{**zeros, **{name: Decimal(each) for name, each in amounts.items()}})


AMOUNTS = st.decimals(min_value=0, max_value=10**7, places=6)
COUNTS = st.integers(min_value=0, max_value=10**9)


@st.composite
def months(draw):
    """Draw any month: tenants without revenue, usage or either; any rule, any pools."""
    names = [customer(n + 1, tier=draw(st.sampled_from(EMPTY.tier_order))) for n in range(5)]
    customers = names[: draw(st.integers(0, 5))]
    usage = {
        each.id: CustomerUsage(
            draw(COUNTS), 0, draw(COUNTS), draw(COUNTS), draw(COUNTS), draw(AMOUNTS)
        )
        for each in customers
        if draw(st.booleans())
    }
    rules = {pool: Rule(draw(st.sampled_from(MEASURED))) for pool in Pool if draw(st.booleans())}
    return replace(
        EMPTY,
        customers=customers,
        usage=usage,
        invoiced={
            each.id: draw(AMOUNTS) - draw(AMOUNTS) for each in customers if draw(st.booleans())
        },
        support={
            each.id: SupportUsage(ZERO, draw(COUNTS), draw(AMOUNTS))
            for each in customers
            if draw(st.booleans())
        },
        pools={pool: draw(AMOUNTS).quantize(Decimal("0.01")) for pool in Pool},
        allocation=rules,
        reconciliation=reconciliation(residual=draw(AMOUNTS)),
    )
