"""Eighteen months of revenue from twenty-six customers, imported as the operator's finance does.

All but two are tenants without people of their own. Each file is generated with a fixed seed
from the tables below, then uploaded, previewed and applied.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from governance.demo import economics_rates_story
from governance.demo.cast import MONTHS, acting_on, days_ago, moment_of
from governance.demo.file_imports import import_table
from governance.economics.revenue.import_kinds import KINDS
from governance.foundation.tenants import actions as tenants
from governance.foundation.tenants import queries as directory
from governance.kernel import clock
from governance.kernel.current import Actor
from governance.kernel.months import Month

SEED = 2026
IMPORTED = 3  # days ago
MOVED = 24  # days ago
COST_PER_HOUR = 85
CHANNELS = ("Events", "Partners", "Search", "Outbound")
POUND = (Decimal("1.148"), Decimal("1.163"), Decimal("1.171"))  # euros, used cyclically


@dataclass(frozen=True, slots=True)
class DemoCustomer:
    """A customer of the story. Months count back from the current one.

    `steps` are (months ago, MRR): what it pays from then on, 0 when it leaves. `usage` is its
    usage billing as a share of its MRR. `support` is hours per month. Globex pays less than its
    prompts of 41,000 tokens cost.
    """

    slug: str
    name: str
    segment: str
    tier: str
    seats: int
    channel: str
    steps: tuple[tuple[int, int], ...]
    usage: float = 0.0
    support: float = 1.0
    currency: str = "EUR"

    @property
    def won(self) -> int:
        return self.steps[0][0]

    @property
    def lost(self) -> int | None:
        ago, amount = self.steps[-1]
        return None if amount else ago


ENTERPRISE, MIDDLE, SMALL, PUBLIC = "Enterprise", "Mid-market", "Small business", "Public sector"
LARGE_CUSTOMERS = (
    DemoCustomer("acme", "Acme Insurance", ENTERPRISE, "strict", 640, "Events",
        ((18, 5200), (12, 6100), (5, 7400)), usage=0.35, support=9),
    DemoCustomer("globex", "Globex", MIDDLE, "strict", 90, "Partners",
        ((17, 60), (9, 49)), support=0.2),
    DemoCustomer("northgate", "Northgate Mutual", ENTERPRISE, "strict", 420, "Outbound",
        ((16, 3600), (8, 4100), (4, 3800)), usage=0.2, support=14),
    DemoCustomer("tallis", "Tallis Retail", SMALL, "baseline", 12, "Search",
        ((14, 310),), support=6),
    DemoCustomer("kestrel", "Kestrel Logistics", MIDDLE, "standard", 150, "Events",
        ((18, 1400), (10, 1750), (2, 2100)), usage=0.4, support=3, currency="GBP"),
    DemoCustomer("brightwater", "Brightwater Bank", ENTERPRISE, "strict", 780, "Events",
        ((11, 4900), (3, 5600)), usage=0.15, support=11),
    DemoCustomer("orchard", "Orchard Clinics", PUBLIC, "strict", 210, "Partners",
        ((15, 1900), (6, 2050)), usage=0.1, support=5),
    DemoCustomer("civic", "Civic Records", PUBLIC, "standard", 330, "Outbound",
        ((9, 2400),), support=4),
    DemoCustomer("larkspur", "Larkspur Media", SMALL, "baseline", 8, "Search",
        ((13, 280), (6, 0)), usage=0.5, support=2),
    DemoCustomer("pinecrest", "Pinecrest Energy", MIDDLE, "standard", 130, "Partners",
        ((16, 1300), (7, 0), (4, 1100)), usage=0.25, support=3),
    DemoCustomer("verity", "Verity Legal", SMALL, "standard", 15, "Search",
        ((7, 420), (2, 520)), usage=0.6, support=1),
    DemoCustomer("halcyon", "Halcyon Travel", MIDDLE, "standard", 95, "Outbound",
        ((12, 980), (3, 0)), usage=0.2, support=4),
)  # fmt: skip # one row of the story a line
# Enough small customers have left to estimate how long a customer stays.
SMALL_CUSTOMERS = tuple(
    DemoCustomer(
        slug,
        name,
        SMALL,
        "baseline",
        seats=4,
        channel="Search",
        steps=((won, mrr), (lost, 0)) if lost else ((won, mrr),),
        usage=0.1,
        support=0.4,
    )
    for slug, name, won, lost, mrr in (  # months ago: won, lost
        ("alder", "Alder Dental", 17, None, 240),
        ("birch", "Birch Bakery", 17, 9, 190),
        ("cedar", "Cedar Tutors", 16, 5, 210),
        ("dunlin", "Dunlin Print", 15, 12, 180),
        ("elmfield", "Elmfield Books", 14, None, 230),
        ("fernlea", "Fernlea Physiotherapy", 13, 4, 260),
        ("gorse", "Gorse Gardens", 12, 7, 170),
        ("hazel", "Hazel Events", 11, None, 310),
        ("ivy", "Ivy Florists", 10, 2, 200),
        ("juniper", "Juniper Salons", 9, 3, 220),
        ("knot", "Knot Carpentry", 8, 5, 180),
        ("linden", "Linden Accounting", 6, None, 340),
        ("maple", "Maple Pet Care", 5, None, 210),
        ("nettle", "Nettle Design", 3, None, 250),
    )
)
CUSTOMERS = LARGE_CUSTOMERS + SMALL_CUSTOMERS
SPEND = {  # per month, by channel and segment; missing pairs cost nothing
    ("Events", ENTERPRISE): 3200,
    ("Events", MIDDLE): 1100,
    ("Partners", MIDDLE): 600,
    ("Partners", PUBLIC): 500,
    ("Outbound", ENTERPRISE): 1500,
    ("Outbound", PUBLIC): 900,
    ("Outbound", MIDDLE): 700,
    ("Search", SMALL): 650,
}


def create_customers() -> None:
    """Create the tenants of the customers that have no people.

    Large ones are created when they were won, small ones when all of them were migrated.
    """
    for each in CUSTOMERS:
        if directory.tenant_id(each.slug) is None:
            created = MOVED if each in SMALL_CUSTOMERS else each.won * 30 + 20
            with clock.frozen(moment_of(days_ago(created), 8)):
                tenants.create_tenant(each.slug, each.name, tier=each.tier)


def tell(finance: Actor) -> None:
    """Import the five files as finance, three days ago."""
    now = Month.of(days_ago(IMPORTED))
    economics_rates_story.enter(finance, "GBP", POUND, "Central bank, monthly average")
    with acting_on(finance, days_ago(IMPORTED)):
        for name, lines in (
            ("accounts", list(_accounts(now))),
            ("subscriptions", list(_subscriptions(now))),
            ("invoices", list(_invoices(now))),
            ("acquisition", list(_acquisition(now))),
            ("support", list(_support(now))),
        ):
            kind = next(each for each in KINDS if each.name == name)
            import_table(kind, f"{name}.csv", lines)


def _months(now: Month) -> list[Month]:
    return [now.plus(n - MONTHS) for n in range(MONTHS + 1)]


def _day(now: Month, ago: int, slug: str) -> date:
    """Return a day of the month. It is the same for a customer in every run."""
    return now.plus(-ago).first_day + timedelta(days=random.Random(slug).randrange(2, 20))  # noqa: S311


def _mrr(customer: DemoCustomer, now: Month, month: Month) -> int:
    found = 0
    for ago, amount in customer.steps:
        if now.plus(-ago) <= month:
            found = amount
    return found


def _accounts(now: Month) -> Iterator[str]:
    for each in CUSTOMERS:
        lost = each.lost and _day(now, each.lost, each.slug)
        won = _day(now, each.won, each.slug)
        yield f"{each.slug},{each.segment},{each.seats},{won},{lost or ''}"


def _subscriptions(now: Month) -> Iterator[str]:
    """Yield a version for each step. A customer that returns gets a new reference."""
    for number, each in enumerate(CUSTOMERS, 1001):
        reference = f"SUB-{number}"
        for (ago, amount), after in zip(each.steps, (*each.steps[1:], None), strict=True):
            starts_on = _day(now, ago, each.slug)
            if not amount:
                reference += "-R"
                continue
            ends = after is not None and not after[1]
            ends_on = _day(now, after[0], each.slug) if after is not None and ends else ""
            yield f"{each.slug},{reference},{starts_on},{ends_on},{amount}.00,{each.currency}"


def _invoices(now: Month) -> Iterator[str]:
    """Yield MRR and usage of each past month, billed on the third of the next, and one credit."""
    number = 0
    for month in _months(now)[:-1]:
        for each in CUSTOMERS:
            amount = _mrr(each, now, month)
            if not amount:
                continue
            number += 1
            chance = random.Random(f"{SEED}{each.slug}{month}")  # noqa: S311 - a story
            billed = amount * (1 + each.usage * chance.uniform(0.7, 1.3))
            issued = month.plus(1).first_day + timedelta(days=2)
            name = f"INV-{month.year}-{number:04}"
            yield f"{name},{each.slug},{issued},{month},{billed:.2f},{each.currency}"
    month = now.plus(-2)
    issued = month.plus(1).first_day + timedelta(days=11)
    yield f"CRN-{month.year}-0001,northgate,{issued},{month},-420.00,EUR"


def _acquisition(now: Month) -> Iterator[str]:
    for month in _months(now):
        wins: dict[tuple[str, str], int] = {}
        for each in CUSTOMERS:
            if now.plus(-each.won) == month:
                key = (each.channel, each.segment)
                wins[key] = wins.get(key, 0) + 1
        for channel, segment in sorted({*SPEND, *wins}):
            chance = random.Random(f"{SEED}{channel}{segment}{month}")  # noqa: S311 - a story
            spend = SPEND.get((channel, segment), 0) * chance.uniform(0.6, 1.4)
            yield f"{month},{channel},{segment},{spend:.2f},EUR,{wins.get((channel, segment), 0)}"


def _support(now: Month) -> Iterator[str]:
    for month in _months(now)[:-1]:
        for each in CUSTOMERS:
            if _mrr(each, now, month):
                chance = random.Random(f"{SEED}s{each.slug}{month}")  # noqa: S311 - a story
                hours = each.support * chance.uniform(0.6, 1.5)
                tickets = round(hours * chance.uniform(0.8, 1.6))
                yield f"{each.slug},{month},{hours:.1f},{tickets},{COST_PER_HOUR}.00,EUR"
