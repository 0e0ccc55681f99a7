"""Eighteen months of AI usage by all customers, imported as files.

The operator's finance imports two files: one after the first nine months, one three days ago.
Acme and Globex also send their own usage of the last weeks through the API (usage_story.py).
"""

import csv
import io
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from governance.demo.cast import MONTHS, acting_on, days_ago
from governance.demo.economics_revenue_story import (
    CUSTOMERS,
    IMPORTED,
    SMALL_CUSTOMERS,
    DemoCustomer,
)
from governance.demo.file_imports import import_file
from governance.economics.usage.usage_file import USAGE
from governance.foundation.tenants.queries import all_tenants
from governance.foundation.tenants.system_actor import system_actor_in
from governance.kernel import current
from governance.kernel.current import Actor
from governance.kernel.data.db import transaction
from governance.operations.systems import actions as systems
from governance.operations.systems import queries as known_systems

SEED = 2026
BERLIN = ZoneInfo("Europe/Berlin")
HALF = 9 * 30  # days ago; the first file ends there
REFUSED = {"baseline": 0.004, "standard": 0.009, "strict": 0.016}
COLUMNS = [
    "tenant",
    "id",
    "at",
    "system",
    "feature",
    "provider",
    "model",
    "outcome",
    "task",
    "user",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
]


@dataclass(frozen=True, slots=True)
class DemoProduct:
    """An AI product of a customer: tasks per working day, and the tokens of a request.

    `reads` and `writes` are means. `cached` is the share of input that a cache supplies.
    """

    slug: str
    system: str
    name: str
    feature: str
    tasks: int
    provider: str
    model: str
    reads: int
    writes: int
    cached: float = 0.3
    retried: float = 0.04


LARGE, SMALL, CHAT = (
    ("helio", "helio-large-3"),
    ("helio", "helio-small-3"),
    ("northwind", "nw-chat-2"),
)
LARGE_PRODUCTS = (
    DemoProduct("acme", "claims-triage", "", "file-review", 46, *LARGE, 92_000, 1_400, 0.35),
    DemoProduct("globex", "router", "", "routing", 16, *CHAT, 41_000, 180, 0.05, 0.1),
    DemoProduct("northgate", "policy-desk", "Policy desk", "answers", 38, *LARGE, 64_000, 900, 0.2),
    DemoProduct("tallis", "shop-helper", "Shop helper", "chat", 14, *SMALL, 9_000, 260),
    DemoProduct("kestrel", "dispatch", "Dispatch", "planning", 30, *CHAT, 38_000, 700),
    DemoProduct("brightwater", "advice-desk", "Advice desk", "advice", 52, *LARGE, 48_000, 1_100),
    DemoProduct("orchard", "letters", "Letters", "drafts", 22, *LARGE, 36_000, 900),
    DemoProduct("civic", "records", "Records", "search", 34, *CHAT, 44_000, 400, 0.5),
    DemoProduct("larkspur", "headlines", "Headlines", "drafts", 16, *SMALL, 12_000, 500),
    DemoProduct("pinecrest", "outage-desk", "Outage desk", "chat", 24, *CHAT, 30_000, 500),
    DemoProduct("verity", "clauses", "Clauses", "review", 12, *LARGE, 22_000, 700),
    DemoProduct("halcyon", "itinerary", "Itinerary", "planning", 20, *CHAT, 26_000, 800),
)  # fmt: skip # one row of the story a line
PRODUCTS = LARGE_PRODUCTS + tuple(
    DemoProduct(each.slug, "assistant", "Assistant", "chat", 3, *SMALL, 6_000, 220)
    for each in SMALL_CUSTOMERS
)


def register_systems() -> None:
    """Register the AI system of each customer that has none."""
    with transaction(read_only=True):
        tenants = {
            each.slug: system_actor_in(each.id, each.slug, each.name) for each in all_tenants()
        }
    for each in PRODUCTS:
        with current.acting_as(tenants[each.slug]), transaction():
            if each.name and each.system not in {one.key for one in known_systems.live_systems()}:
                systems.register(
                    key=each.system,
                    stage="live",
                    name=each.name,
                    lane="standard",
                    purpose=f"{each.feature.capitalize()} for {each.slug}.",
                    owner_id=None,
                )


def tell(finance: Actor) -> None:
    """Import both files as finance."""
    first, last = MONTHS * 30, IMPORTED + 1
    for begin, end, ago in ((first, HALF + 1, HALF), (HALF, last, IMPORTED)):
        with acting_on(finance, days_ago(ago)):
            _import(f"usage-{days_ago(end):%Y-%m}.csv", _rows(begin, end))


def _import(name: str, rows: Iterator[Sequence[object]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    import_file(USAGE, name, text.getvalue().encode())


def _rows(begin: int, end: int) -> Iterator[Sequence[object]]:
    """Yield the events of each customer from `begin` days ago to `end` days ago."""
    customers = {each.slug: each for each in CUSTOMERS}
    for product in PRODUCTS:
        chance = random.Random(f"{SEED}{product.slug}{begin}")  # noqa: S311 - a story
        for ago in range(begin, end - 1, -1):
            if _pays(customers[product.slug], ago):
                yield from _day(customers[product.slug], product, ago, chance)


def _pays(customer: DemoCustomer, ago: int) -> bool:
    """Return whether the customer pays, and so uses its product, on that day."""
    months = ago / 30
    amount = 0
    for since, mrr in customer.steps:
        if months <= since:
            amount = mrr
    return amount > 0


def _day(
    customer: DemoCustomer, product: DemoProduct, ago: int, chance: random.Random
) -> Iterator[Sequence[object]]:
    day = days_ago(ago)
    weekend = 0.25 if day.weekday() > 4 else 1.0  # noqa: PLR2004 - Saturday and Sunday
    growth = 1.25 - 0.5 * ago / (MONTHS * 30)
    tasks = round(product.tasks * weekend * growth * chance.uniform(0.8, 1.2))
    for number in range(tasks):
        yield from _task(customer, product, day, number, chance)


def _task(
    customer: DemoCustomer, product: DemoProduct, day: date, number: int, chance: random.Random
) -> Iterator[Sequence[object]]:
    at = datetime.combine(day, time(7), BERLIN) + timedelta(seconds=chance.randrange(11 * 3600))
    task = f"{product.system}-{day:%y%m%d}-{number}"
    attempts = 2 if chance.random() < product.retried else 1
    user = f"u-{chance.randrange(max(customer.seats * 7 // 10, 3)):04}"
    for attempt in range(1, attempts + 1):
        is_last = attempt == attempts
        refused = is_last and chance.random() < REFUSED[customer.tier]
        read = round(product.reads * chance.lognormvariate(0, 0.35))
        cached = min(read, round(read * product.cached * chance.uniform(0.7, 1.2)))
        yield (
            product.slug,
            f"{task}-{attempt}",
            (at + timedelta(seconds=4 * attempt)).isoformat(timespec="seconds"),
            product.system,
            product.feature,
            product.provider,
            product.model,
            "refused" if refused else "success" if is_last else "retried",
            task,
            user,
            read - cached,
            cached,
            round(read * 0.02),
            round(product.writes * chance.lognormvariate(0, 0.4)),
            0,
        )
