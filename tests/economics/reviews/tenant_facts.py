"""34 tenants of October 2026, whose sums are those of screen 08; three of them lose money."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec

from governance.economics.reviews.facts.review_facts import Costs, Reason, TenantMonth

D = Decimal
CENT = D("0.01")
ZERO = D(0)
KINDS = ("models", "guardrails", "infrastructure", "support")
DRIVERS = ("tokens", "requests", "active users", "revenue", "equal")
IN_FORCE = "active users"
NAMED: dict[str, tuple[str, str, str, int, tuple[int, int, int, int], tuple[int, ...]]] = {
    # Name: segment, tier, revenue, models, guardrails, infrastructure, support; margin by driver.
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
}  # fmt: skip # a matrix
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
    """Split the total by weight, to the cent. The last shares absorb the rounding."""
    cents, whole, done = int(total / CENT), sum(weights), 0
    shares = [cents * weight // whole for weight in weights]
    done = sum(shares)
    for place in range(cents - done):
        shares[place % len(shares)] += 1
    return [D(share) * CENT for share in shares]


def tenant(name: str, revenue: Decimal, costs: Costs, **changed: Any) -> TenantMonth:
    """Return a tenant's month, whose margin follows from its revenue and costs."""
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
    """Return a number for a name that is the same in every run."""
    return sum(ord(letter) * 31**place for place, letter in enumerate(name)) % 10**12


def rich_tenants() -> list[TenantMonth]:
    """Return 34 tenants with a revenue of 412,400.00.

    Their models cost 72,480.00, guardrails 22,700.00, infrastructure 40,812.37, support 38,900.00.
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
