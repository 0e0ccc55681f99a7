"""Facts of months whose sums agree, and the laws that every month keeps.

rich_facts()          October 2026: 34 tenants, four segments and tiers, three that lose money
empty_facts()         a month without revenue, usage or bills
headlines_of(facts)   twelve months that end with this one
broken_laws(facts)    the sums that don't agree, each as a sentence
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from governance.economics.reviews.review_facts import (
    AccountCounts,
    Cause,
    Cohort,
    Costs,
    DayResidual,
    FeatureAdoption,
    FormulaUsed,
    Headline,
    Input,
    MrrBridge,
    Pool,
    RateUsed,
    Ratios,
    Reason,
    ReconciledModel,
    Reconciliation,
    ReviewFacts,
    RuleUsed,
    SegmentMonth,
    SystemMonth,
    TaskCost,
    TenantMonth,
    TierMonth,
    Waterfall,
)
from governance.kernel.months import Month

D = Decimal
CENT = D("0.01")
ZERO = D(0)
KINDS = ("models", "guardrails", "infrastructure", "support")
DRIVERS = ("tokens", "requests", "active users", "revenue", "equal")
IN_FORCE = "active users"
NAMED: dict[str, tuple[str, str, str, int, tuple[int, int, int, int], tuple[int, ...]]] = {
    # name: segment, tier, revenue, models, guardrails, infrastructure, support; margin by driver
    "Globex": ("Mid-market", "strict", 4_900, (5_300, 820, 1_100, 800),
               (-4_060, -2_240, -3_120, -1_870, -1_310)),
    "Northgate Mutual": ("Enterprise", "regulated", 11_200, (2_100, 3_480, 2_200, 4_900),
                         (1_240, 860, -1_480, 640, 2_210)),
    "Tallis Retail": ("Small business", "baseline", 310, (90, 10, 60, 760),
                      (-220, -180, -610, 40, -2_890)),
    "Acme Insurance": ("Enterprise", "strict", 14_600, (3_900, 1_200, 1_560, 1_200),
                       (5_310, 6_020, 6_740, 6_180, 7_150)),
    "Kestrel Logistics": ("Mid-market", "standard", 16_800, (3_450, 900, 1_700, 1_300),
                          (9_120, 8_870, 9_450, 8_240, 9_980)),
    "Brightwater Bank": ("Enterprise", "regulated", 31_900, (6_690, 2_100, 2_400, 1_400),
                         (18_900, 17_450, 19_310, 17_020, 21_400)),
}  # fmt: skip
OTHERS = [
    "Alder Clinics",
    "Ashgrove Homes",
    "Beacon Freight",
    "Birch Pensions",
    "Calder Foods",
    "Cobalt Travel",
    "Dunmore Energy",
    "Eastbay Lending",
    "Fenwick Legal",
    "Glenrock Water",
    "Harbour Media",
    "Ironbridge Steel",
    "Juniper Schools",
    "Kingsmead Council",
    "Larkfield Care",
    "Marlow Motors",
    "Northwind Retail",
    "Oakhurst Bank",
    "Pinecrest Health",
    "Quarry Street",
    "Redwood Claims",
    "Saltmarsh Rail",
    "Thornbury Gas",
    "Umbra Studios",
    "Vantage Ports",
    "Westmoor Dairy",
    "Yarrow Telecom",
    "Zephyr Air",
]
TIERS = ("baseline", "standard", "strict", "regulated")


def split(total: Decimal, weights: Sequence[int]) -> list[Decimal]:
    """Shares of the total by weight, to the cent; the last ones take what rounding leaves."""
    cents, whole, done = int(total / CENT), sum(weights), 0
    shares = [cents * weight // whole for weight in weights]
    done = sum(shares)
    for place in range(cents - done):
        shares[place % len(shares)] += 1
    return [D(share) * CENT for share in shares]


def tenant(name: str, revenue: Decimal, costs: Costs, **changed: Any) -> TenantMonth:
    """A tenant's month, whose margin follows from its revenue and costs."""
    margin = revenue - costs.total
    values: dict[str, Any] = {
        "id": f"00000000-0000-0000-0000-{abs(hash_of(name)):012d}",
        "slug": name.lower().replace(" ", "-"),
        "name": name,
        "segment": "Mid-market",
        "tier": "standard",
        "is_active": True,
        "revenue": revenue,
        "mrr": revenue,
        "costs": costs,
        "margin": margin,
        "requests": 200_000,
        "refused": 1_800,
        "tokens": 90_000_000,
        "completed_tasks": 60_000,
        "active_users": 120,
        "seats": 150,
        "margin_by_driver": dict.fromkeys(DRIVERS, margin),
        "conclusion": "Loses under every rule" if margin < 0 else "Profitable under every rule",
        "reason": Reason(text="Support: 9 tickets in the month", note="for 3 seats")
        if margin < 0
        else None,
    }
    return TenantMonth(**values | changed)


def hash_of(name: str) -> int:
    """A number that a name has in every run."""
    return sum(ord(letter) * 31**place for place, letter in enumerate(name)) % 10**12


def rich_tenants() -> list[TenantMonth]:
    """34 tenants: revenue 412,400.00; models 72,480.00, guardrails 22,700.00, infrastructure
    40,812.37 and support 38,900.00.
    """
    totals = (D(412_400), D(72_480), D(22_700), D("40812.37"), D(38_900))
    named = [
        (D(revenue), *(D(each) for each in costs)) for _, _, revenue, costs, _ in NAMED.values()
    ]
    rest = [total - sum(row[place] for row in named) for place, total in enumerate(totals)]
    weights = [
        [3 + hash_of(f"{name}{place}") % 5 for name in OTHERS] for place in range(len(totals))
    ]
    columns = [split(each, weight) for each, weight in zip(rest, weights, strict=True)]
    found = []
    for name, (segment, tier, revenue, costs, by_driver) in NAMED.items():
        made = tenant(name, D(revenue), Costs(**dict(zip(KINDS, map(D, costs), strict=True))))
        found.append(
            msgspec.structs.replace(
                made,
                segment=segment,
                tier=tier,
                margin_by_driver=dict(zip(DRIVERS, map(D, by_driver), strict=True)),
                conclusion=conclusion_of(by_driver),
                reason=REASONS.get(name),
            )
        )
    spare = [
        sum((each.margin - each.margin_by_driver[driver] for each in found), ZERO)
        for driver in DRIVERS
    ]
    for place, name in enumerate(OTHERS):
        revenue, *costs = (column[place] for column in columns)
        made = tenant(name, revenue, Costs(**dict(zip(KINDS, costs, strict=True))))
        by_driver = {
            driver: made.margin + (spare[n] if place == 0 else ZERO)
            for n, driver in enumerate(DRIVERS)
        }
        found.append(
            msgspec.structs.replace(
                made,
                segment=segment_of(place),
                tier=TIERS[(0, 1, 1, 2, 1, 2, 1, 1)[place % 8]],
                margin_by_driver=by_driver,
                requests=150_000 + 1_000 * place,
            )
        )
    return found


REASONS = {
    "Globex": Reason(text="41,000 tokens in a median prompt", note="high: p95 is 96,000"),
    "Northgate Mutual": Reason(
        text="A person reviews every answer", note="4,100 reviews in the month"
    ),
    "Tallis Retail": Reason(text="Support: 9 tickets in the month", note="for 3 seats"),
}


def conclusion_of(by_driver: Sequence[int]) -> str:
    losing = sum(each < 0 for each in by_driver)
    if losing == 0:
        return "Profitable under every rule"
    if losing == len(by_driver):
        return "Loses under every rule"
    return "Loses only by active users" if losing == 1 else "Loses under four of five"


def segment_of(place: int) -> str:
    return ("Enterprise", "Mid-market", "Mid-market", "Public sector")[place % 4]


def segments(tenants: Sequence[TenantMonth]) -> list[SegmentMonth]:
    """Four segments; the public sector has no churn, so its LTV isn't estimable."""
    figures: dict[str, tuple[Any, ...]] = {
        "Enterprise": (41_800, 182_000, 121_000, 267_000, ""),
        "Mid-market": (14_200, 46_900, 34_000, 62_500, ""),
        "Small business": (3_900, 5_100, 3_500, 7_000, ""),
        "Public sector": (52_300, None, None, None, "no churn, 7 accounts"),
    }
    found = []
    for name, (cac, ltv, low, high, why) in figures.items():
        members = [each for each in tenants if each.segment == name]
        revenue = sum((each.revenue for each in members), ZERO)
        arpa = sum((each.mrr for each in members), ZERO) / len(members)
        margin = sum((each.margin for each in members), ZERO) / revenue
        found.append(
            SegmentMonth(
                name=name,
                accounts=len(members),
                arpa=arpa,
                gross_margin=margin,
                cac=D(cac),
                payback_months=cac / (arpa * margin) if margin > 0 else None,
                ltv=None if ltv is None else D(ltv),
                ltv_low=None if low is None else D(low),
                ltv_high=None if high is None else D(high),
                why=why,
            )
        )
    return found


def tiers(tenants: Sequence[TenantMonth]) -> list[TierMonth]:
    found = []
    for place, name in enumerate(TIERS):
        members = [each for each in tenants if each.tier == name]
        requests = sum(each.requests for each in members)
        revenue = sum((each.revenue for each in members), ZERO)
        guardrails = sum((each.costs.guardrails for each in members), ZERO)
        blocks = 20 * (place + 1)
        found.append(
            TierMonth(
                name=name,
                tenants=len(members),
                requests=requests,
                guardrails=guardrails,
                per_request=guardrails / requests if requests else None,
                refused_share=D(sum(each.refused for each in members)) / requests
                if requests
                else None,
                milliseconds=D(40 + 30 * place),
                gross_margin=sum((each.margin for each in members), ZERO) / revenue
                if revenue
                else None,
                confirmed_blocks=blocks,
                false_blocks=3 * place,
                per_prevented_harm=guardrails / blocks,
            )
        )
    return found


def systems() -> list[SystemMonth]:
    rows = (
        ("acme-insurance", "claims-triage", "summaries", 41_000, 31_200, "4087.20"),
        ("kestrel-logistics", "support-assistant", "chat", 96_000, 88_000, "2992.00"),
        ("globex", "ad-copywriter", "drafts", 52_000, 44_000, "924.00"),
    )
    return [
        SystemMonth(
            tenant=slug,
            system=system,
            feature=feature,
            attempts=attempts,
            completed_tasks=completed,
            cost=D(cost),
            per_task=D(cost) / completed,
            p50=D("0.0041"),
            p95=D("0.0310"),
            p99=D("0.1200"),
        )
        for slug, system, feature, attempts, completed, cost in rows
    ]


def reconciliation() -> Reconciliation:
    """Screen 21's: 72,480 computed, 73,600 invoiced, 17 and 18 October stand out."""
    rows = (
        ("Helio Cloud", "helio-4-large", 31_240, 32_020),
        ("Helio Cloud", "helio-4-mini", 12_070, 12_230),
        ("Helio Cloud", "helio-embed", 5_600, 5_620),
        ("Northstar AI", "northstar-2", 16_420, 16_560),
        ("Lattice", "reserved GPUs", 7_150, 7_170),
    )
    causes = (
        ("unmetered calls", 410),
        ("cache accounting", 268),
        ("retries and timeouts", 214),
        ("unexplained", 130),
        ("price differences", 95),
        ("rounding", 3),
    )
    days = [21] * 16 + [262, 220] + [22] * 12 + [38]
    return Reconciliation(
        models=[
            ReconciledModel(
                provider=provider,
                model=model,
                computed=D(computed),
                invoiced=D(invoiced),
                residual=D(invoiced - computed),
            )
            for provider, model, computed, invoiced in rows
        ],
        causes=[Cause(name=name, amount=D(amount)) for name, amount in causes],
        days=[
            DayResidual(day=f"2026-10-{day:02}", amount=D(amount))
            for day, amount in enumerate(days, 1)
        ],
        computed=D(72_480),
        invoiced=D(73_600),
        residual=D(1_120),
        share=D(1_120) / D(73_600),
        limit=D("0.02"),
    )


POOLS = [
    Pool(name="infrastructure", total=D(35_020), allocated=D("34632.37"), residue=D("387.63")),
    Pool(name="idle", total=D(6_180), allocated=D(6_180), residue=ZERO),
    Pool(name="support", total=D(38_900), allocated=D(38_900), residue=ZERO),
    Pool(name="guardrails", total=D(22_700), allocated=D(22_700), residue=ZERO),
]


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
    """The ratios of these amounts, as the assembly computes them."""
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
    """October 2026 of screens 08 and 21."""
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
    """A month in which nothing happened."""
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
    """Twelve months: revenue grew by about 3 % a month, cost a little less."""
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


# ---- laws


def broken_laws(facts: ReviewFacts) -> list[str]:
    """What review_facts.py promises and these facts don't keep."""
    checks: Mapping[str, tuple[Any, Any]] = {
        **_money_laws(facts),
        **_parts_laws(facts),
        **{
            f"{each.name}: margin is revenue - cost": (
                each.margin,
                each.revenue - each.costs.total,
            )
            for each in facts.tenants
        },
        **{
            f"{each.name}: allocated + residue is the total": (
                each.allocated + each.residue,
                each.total,
            )
            for each in facts.pools
        },
    }
    wrong = [f"{law}: {left} is not {right}" for law, (left, right) in checks.items()
             if left != right]  # fmt: skip
    wrong += [
        f"{each.name} has a reason exactly where it loses"
        for each in facts.tenants
        if (each.reason is None) != (each.margin >= 0)
    ]
    return wrong + [
        f"{each.name} says why its LTV is missing"
        for each in facts.segments
        if (each.ltv is None) != bool(each.why)
    ]


def _money_laws(facts: ReviewFacts) -> dict[str, tuple[Any, Any]]:
    w, m, a = facts.waterfall, facts.mrr, facts.accounts
    return {
        "revenue - cost - residual - residue": (
            w.revenue - w.costs.total - w.residual - w.residue,
            w.gross_margin,
        ),
        "gross margin - acquisition": (w.gross_margin - w.acquisition, w.contribution),
        "MRR": (
            m.start + m.new + m.expansion + m.reactivation - m.contraction - m.churn,
            m.end,
        ),
        "accounts": (a.start + a.won + a.returned - a.lost, a.end),
        "tenants' revenue": (_sum(facts.tenants, "revenue"), w.revenue),
        **{
            f"tenants' {kind}": (
                sum((getattr(each.costs, kind) for each in facts.tenants), ZERO),
                getattr(w.costs, kind),
            )
            for kind in KINDS
        },
        "residue of the pools": (_sum(facts.pools, "residue"), w.residue),
    }


def _parts_laws(facts: ReviewFacts) -> dict[str, tuple[Any, Any]]:
    r = facts.reconciliation
    return {
        "residual": (r.invoiced - r.computed, r.residual),
        "residual of the waterfall": (facts.waterfall.residual, r.residual),
        "computed by model": (_sum(r.models, "computed"), r.computed),
        "invoiced by model": (_sum(r.models, "invoiced"), r.invoiced),
        "residual by model": (_sum(r.models, "residual"), r.residual),
        "residual by cause": (_sum(r.causes, "amount"), r.residual),
        "residual by day": (_sum(r.days, "amount") if r.days else r.residual, r.residual),
        **{
            f"margins by {driver}": (
                sum((each.margin_by_driver[driver] for each in facts.tenants), ZERO),
                _sum(facts.tenants, "margin"),
            )
            for driver in (facts.tenants[0].margin_by_driver if facts.tenants else ())
        },
    }


def _sum(rows: Sequence[Any], name: str) -> Decimal:
    return sum((getattr(each, name) for each in rows), ZERO)
