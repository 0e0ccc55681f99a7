"""Facts of months whose sums agree.

rich_facts()          October 2026: 34 tenants, four segments and tiers, three at a loss
empty_facts()         a month without revenue, usage or bills
headlines_of(facts)   twelve months that end with this one
"""

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from governance.economics.reviews.facts.review_facts import (
    AccountCounts,
    Cohort,
    Costs,
    FeatureAdoption,
    FormulaUsed,
    Headline,
    Input,
    MrrBridge,
    RateUsed,
    Ratios,
    Reconciliation,
    ReviewFacts,
    RuleUsed,
    TaskCost,
    TenantMonth,
    Waterfall,
)
from governance.kernel.months import Month
from tests.economics.reviews.reconciliation_facts import POOLS, reconciliation
from tests.economics.reviews.segment_facts import segments, systems, tiers
from tests.economics.reviews.tenant_facts import CENT, IN_FORCE, KINDS, ZERO, D, rich_tenants


def waterfall_of(
    tenants: Sequence[TenantMonth], residual: Decimal, residue: Decimal, acquisition: Decimal
) -> Waterfall:
    revenue = sum((each.revenue for each in tenants), ZERO)
    costs = Costs(
        **{kind: sum((getattr(each.costs, kind) for each in tenants), ZERO) for kind in KINDS}
    )
    margin = revenue - costs.total - residual - residue
    return Waterfall(
        revenue=revenue,
        costs=costs,
        residual=residual,
        residue=residue,
        gross_margin=margin,
        acquisition=acquisition,
        contribution=margin - acquisition,
    )


def ratios_of(
    waterfall: Waterfall,
    mrr: MrrBridge,
    accounts: AccountCounts,
    tenants: Sequence[TenantMonth] = (),
) -> Ratios:
    """Return the ratios of these amounts, as the assembly computes them."""
    cost = waterfall.costs.total + waterfall.residual + waterfall.residue
    requests = sum(each.requests for each in tenants)
    users = sum(each.active_users for each in tenants)
    tasks = sum(each.completed_tasks for each in tenants)
    revenue, gained = waterfall.revenue, mrr.new + mrr.expansion
    lost = mrr.contraction + mrr.churn
    because = {} if revenue else {"gross_margin": "the month has no revenue"}
    return Ratios(
        gross_margin=waterfall.gross_margin / revenue if revenue else None,
        gross_margin_low=waterfall.gross_margin / revenue if revenue else None,
        gross_margin_high=(waterfall.gross_margin + waterfall.residual) / revenue
        if revenue
        else None,
        contribution=waterfall.contribution / revenue if revenue else None,
        arpa=mrr.end / accounts.end if accounts.end else None,
        logo_churn=D(accounts.lost) / accounts.start if accounts.start else None,
        grr=(mrr.start - lost) / mrr.start if mrr.start else None,
        nrr=(mrr.start + mrr.expansion - lost) / mrr.start if mrr.start else None,
        quick_ratio=gained / lost if lost else None,
        cost_per_request=cost / requests if requests else None,
        guardrails_per_request=waterfall.costs.guardrails / requests if requests else None,
        cost_per_active_user=cost / users if users else None,
        cost_per_task=waterfall.costs.models / tasks if tasks else None,
        why=because,
    )


MRR = MrrBridge(
    start=D(386_000),
    new=D(9_000),
    expansion=D(14_000),
    reactivation=D(1_000),
    contraction=D(3_000),
    churn=D(6_000),
    end=D(401_000),
)
ACCOUNTS = AccountCounts(start=33, won=2, returned=0, lost=1, end=34)


def rich_facts() -> ReviewFacts:
    """Return October 2026 of screens 08 and 21."""
    tenants, checked = rich_tenants(), reconciliation()
    waterfall = waterfall_of(tenants, checked.residual, D("387.63"), D(58_400))
    return ReviewFacts(
        month="2026-10",
        currency="EUR",
        operator="Northgate AI",
        inputs=[
            Input(name="usage", label="Usage", rows=412_000, sha256="ab" * 32, source="API"),
            Input(name="prices", label="Prices", rows=48, sha256="cd" * 32, source="price book"),
            Input(name="bills", label="Bills", rows=5, sha256="ef" * 32, source="helio-oct.csv"),
        ],
        rates=[RateUsed(currency="USD", rate=D("0.92"))],
        formulas=[
            FormulaUsed(
                name="gross_margin",
                version=1,
                text="(revenue - cost of revenue) ÷ revenue",
                unit="share",
            ),
            FormulaUsed(name="ltv", version=1, text="ARPA × gross margin ÷ churn", unit="EUR"),
        ],
        rules=[
            RuleUsed(pool=each.name, driver=IN_FORCE, version=3, since="2026-07") for each in POOLS
        ],
        waterfall=waterfall,
        mrr=MRR,
        accounts=ACCOUNTS,
        ratios=ratios_of(waterfall, MRR, ACCOUNTS, tenants),
        requests=sum(each.requests for each in tenants),
        tokens=sum(each.tokens for each in tenants),
        events=sum(each.requests for each in tenants),
        tenants=tenants,
        segments=segments(tenants),
        tiers=tiers(tenants),
        systems=systems(),
        adoption=[
            FeatureAdoption(
                feature=name,
                eligible=eligible,
                activated=activated,
                weekly=weekly,
                monthly=monthly,
                stickiness=D(weekly) / monthly,
                retained=D(retained) / 100,
            )
            for name, eligible, activated, weekly, monthly, retained in (
                ("summaries", 1_840, 1_702, 1_311, 1_560, 88),
                ("chat", 42_100, 19_870, 8_240, 14_910, 61),
                ("drafts", 960, 874, 702, 841, 90),
            )
        ],
        cohorts=[
            Cohort(month="2026-07", users=410, retained=[D(1), D("0.8"), D("0.71"), D("0.66")]),
            Cohort(month="2026-08", users=380, retained=[D(1), D("0.82"), D("0.74")]),
            Cohort(month="2026-09", users=455, retained=[D(1), D("0.79")]),
        ],
        reconciliation=checked,
        pools=POOLS,
    )


def empty_facts() -> ReviewFacts:
    """Return a month without any activity."""
    waterfall = waterfall_of([], ZERO, ZERO, ZERO)
    mrr = MrrBridge(**dict.fromkeys(MrrBridge.__struct_fields__, ZERO))
    accounts = AccountCounts(start=0, won=0, returned=0, lost=0, end=0)
    return ReviewFacts(
        month="2026-10",
        currency="EUR",
        operator="Northgate AI",
        inputs=[],
        rates=[],
        formulas=[],
        rules=[],
        waterfall=waterfall,
        mrr=mrr,
        accounts=accounts,
        ratios=ratios_of(waterfall, mrr, accounts),
        requests=0,
        tokens=0,
        events=0,
        tenants=[],
        segments=[],
        tiers=[],
        systems=[],
        adoption=[],
        cohorts=[],
        reconciliation=Reconciliation(
            models=[],
            causes=[],
            days=[],
            computed=ZERO,
            invoiced=ZERO,
            residual=ZERO,
            share=None,
            limit=D("0.02"),
        ),
        pools=[],
    )


def headline_of(facts: ReviewFacts) -> Headline:
    return Headline(
        month=facts.month,
        currency=facts.currency,
        waterfall=facts.waterfall,
        mrr=facts.mrr,
        accounts=facts.accounts,
        ratios=facts.ratios,
        tasks=[
            TaskCost(tenant=each.tenant, system=each.system, per_task=each.per_task)
            for each in facts.systems
            if each.per_task is not None
        ],
        residual_share=facts.reconciliation.share,
    )


def headlines_of(facts: ReviewFacts) -> list[Headline]:
    """Return twelve months: revenue grows by about 3 % a month, cost a little less."""
    newest, found = headline_of(facts), []
    for back in range(11, 0, -1):
        revenue, cost = D(100) / (100 + 3 * back), D(100) / (100 + 2 * back)
        scaled = _scaled(newest, facts.tenants, revenue, cost)
        month = str(Month.parse(facts.month).plus(-back))
        found.append(msgspec.structs.replace(scaled, month=month))
    return [*found, newest]


def _scaled(
    newest: Headline, tenants: Sequence[TenantMonth], revenue: Decimal, cost: Decimal
) -> Headline:
    before = newest.waterfall
    costs = Costs(**{kind: _cents(getattr(before.costs, kind) * cost) for kind in KINDS})
    money = [_cents(each * cost) for each in (before.residual, before.residue, before.acquisition)]
    income = _cents(before.revenue * revenue)
    margin = income - costs.total - money[0] - money[1]
    waterfall = Waterfall(
        revenue=income,
        costs=costs,
        residual=money[0],
        residue=money[1],
        gross_margin=margin,
        acquisition=money[2],
        contribution=margin - money[2],
    )
    tasks = [
        TaskCost(
            tenant=each.tenant,
            system=each.system,
            per_task=each.per_task * (D(2) - cost) if place else each.per_task * cost,
        )
        for place, each in enumerate(newest.tasks)
    ]
    return msgspec.structs.replace(
        newest,
        waterfall=waterfall,
        ratios=ratios_of(waterfall, newest.mrr, newest.accounts, tenants),
        tasks=tasks,
    )


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT)
